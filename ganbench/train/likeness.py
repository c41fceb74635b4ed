"""Whether the networks of all seeds are alike in everything but parameters and buffers: they run one network's code.

The seeds of a cell train as one: the code of the first seed's networks runs, with each seed's parameters and buffers. A
number that a plugin has drawn for a seed, or taken from its data, and holds as a Python number is the first seed's for
all of them, with every engine. Such a plugin is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from ganbench.core.errors import PluginError, error_line, out_of_memory
from ganbench.core.installed import foreign
from ganbench.core.place import place
from ganbench.core.reasons import CHECKPOINT
from ganbench.plugin.types import Architecture, Loss, Networks
from ganbench.suite.suite import Variant
from ganbench.train.engine.trace import Trace
from ganbench.train.step.traits import HASH, Trait, traits

#: Functions of plugins that build networks: what they read is used before training, once for each seed.
BUILDERS = ("build", "players")


class Likeness:
    """Compares the networks of a variant, one seed's after the other's: ``add`` each as soon as it is built."""

    def __init__(self, variant: Variant) -> None:
        self._who = _maker(variant)
        self._builder = _place(variant)
        self._functions = {
            f"{choice.entry.kind} {choice.name}": {
                name: value
                for name, value in vars(choice.entry.value).items()
                if callable(value) and name not in BUILDERS
            }
            for choice in variant.parts().values()
        }
        self._seeds: list[int] = []
        self._first: dict[str, Trait] = {}
        #: The first seed's parameters and buffers, by their paths.
        self._parameters: dict[str, Tensor] = {}
        #: Seeds whose networks differ in a word, which may or may not choose what is computed: that word.
        self.doubtful: dict[int, str] = {}

    def add(self, seed: int, networks: Networks) -> None:
        """Compare a seed's networks, just built, with those of the first.

        Args:
            seed: the seed
            networks: its networks; globals and closures are looked at as they are now

        Raises:
            PluginError: where they differ in a number or in a shape
        """
        found = traits(roots_of(networks) | self._functions)
        self._seeds.append(seed)
        if len(self._seeds) == 1:
            self._first = found
            self._parameters = {
                f"{root}.{name}": tensor
                for root, module in roots_of(networks).items()
                if isinstance(module, nn.Module)
                for name, tensor in (*module.named_parameters(), *module.named_buffers())
            }
            return
        first, own = self._seeds[0], self._first
        unlike = [path for path in {**own, **found} if _text(own.get(path)) != _text(found.get(path))]
        kinds = {path: (found.get(path) or own[path]).kind for path in unlike}
        for path in sorted(unlike, key=lambda path: KINDS.index(kinds[path])):
            seen = f"{path} {_unlike((first, own.get(path)), (seed, found.get(path)))}"
            if kinds[path] == "word":
                self.doubtful.setdefault(seed, seen)
                continue
            trait = found.get(path) or own[path]
            where = trait.place or self._builder
            raise PluginError(f"{self._who}: {seen}, and {_ONE}: {self._cure(trait)}{where and f' ({where})'}")

    def check_code(self, traced: Callable[[int, int], Trace]) -> None:
        """Compare what a step computes with the first seed's code and with other seeds' own: those in doubt, the last.

        Args:
            traced: ``traced(code, numbers)`` says what is computed with the code of one seed's networks and the
                parameters and buffers of another's; both are given by their index

        Raises:
            PluginError: where it is not the same
        """
        for at, seed in enumerate(self._seeds[1:], 1):
            if seed not in self.doubtful and at < len(self._seeds) - 1:
                continue
            try:
                shared, own = traced(0, at), traced(at, at)
            except Exception as error:
                if out_of_memory(error):
                    raise
                raise PluginError(f"{self._who}: a step with seed {seed}'s networks: {error_line(error)}") from error
            if own.text != shared.text:
                # Networks may fill a cache when they are first called.
                shared, own = traced(0, at), traced(at, at)
            # What computes something else each time is no fault of the seeds'.
            if own.text != shared.text and shared.text == traced(0, at).text:
                why = f" ({self.doubtful[seed]})" if seed in self.doubtful else ""
                raise PluginError(
                    f"{self._who}: with the same parameters the networks of seed {seed} compute something else than "
                    f"those of seed {self._seeds[0]}{why}, and {_ONE}: let them differ in parameters and buffers alone"
                )

    def check_constants(self, constants: Sequence[Tensor], checkpointed: str = "") -> None:
        """Check that a step takes no parameter of a network from elsewhere than its module, such as a list of them.

        Args:
            constants: the tensors that a step has used and was not given
            checkpointed: where code names torch's checkpoint, `` (mine.py:12)``: it calls layers again when a step's
                weights are out of them

        Raises:
            PluginError: where it does: such a parameter would never change
        """
        used = {tensor.untyped_storage()._cdata for tensor in constants}
        for path, tensor in self._parameters.items():
            if tensor.untyped_storage()._cdata in used and checkpointed:
                raise PluginError(f"{self._who}: {CHECKPOINT.text('', '')}{checkpointed}")
            if tensor.untyped_storage()._cdata in used:
                raise PluginError(
                    f"{self._who}: {path} is used through a list, a dict or a view that was made before training, so "
                    "it would stay as it is: name it where it is used, as an attribute of its module"
                )

    def _cure(self, trait: Trait) -> str:
        if trait.kind == "shape":
            return "let a parameter of the suite choose it, not the seed or the data"
        if trait.kind == "layer":
            return f"hold the layers of {trait.name!r} in nn.ModuleList, nn.ModuleDict or as attributes"
        if isinstance(trait.owner, type) and foreign(trait.owner.__module__):
            return f"{trait.name} of {trait.owner.__name__} must not differ: write a module that holds it as a buffer"
        if trait.text.startswith("a random generator"):
            return "draw with torch.rand or torch.randn, which give each seed its own numbers"
        parts = "; a loss calls its own networks by their names in parts" if self._who.startswith("loss") else ""
        return f"hold it in a network, as a buffer: self.register_buffer({trait.name!r}, torch.tensor(...)){parts}"


_ONE = "all seeds run the code of one network"
#: The kinds of traits, in the order in which a difference explains the others.
KINDS = ("shape", "layer", "number", "word")


def _maker(variant: Variant) -> str:
    """The plugin that makes a variant's networks, for messages."""
    loss = variant.loss.plugin(Loss)
    return f"loss {variant.loss.name}" if loss.players else f"architecture {variant.architecture.name}"


def _place(variant: Variant) -> str:
    """File and line of the function that makes a variant's networks, where a plugin's file has it."""
    build = variant.loss.plugin(Loss).players or variant.architecture.plugin(Architecture).build
    code = getattr(build, "__code__", None)
    return place(code.co_filename, code.co_firstlineno) if code else ""


def roots_of(networks: Networks) -> dict[str, Any]:
    """All that makes up networks, by the names that messages give it."""
    return {
        "the generator": networks.generator,
        "the discriminator": networks.discriminator,
        **networks.generator_parts,
        **networks.discriminator_parts,
        "the latent": list(networks.latent),
        "the latent's distribution": networks.latent_distribution,
    }


def _text(trait: Trait | None) -> str | None:
    return None if trait is None else trait.text


def _unlike(one: tuple[int, Trait | None], other: tuple[int, Trait | None]) -> str:
    shown = [_shown(trait) for _, trait in (one, other)]
    if shown[0] == shown[1]:
        return f"is {shown[0]} with other numbers for seed {one[0]} than for seed {other[0]}"
    return f"is {shown[0]} for seed {one[0]} and {shown[1]} for seed {other[0]}"


def _shown(trait: Trait | None) -> str:
    """A trait's text, shortened; without the hash that stands for many numbers."""
    if trait is None:
        return "missing"
    try:
        return f"{float(trait.text):.4g}"
    except ValueError:
        return trait.text.partition(HASH)[0]
