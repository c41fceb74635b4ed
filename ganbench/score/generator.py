"""Saved generators, built again by the plugins that are here, with the tensors of their files."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.core.errors import PluginError
from ganbench.core.rng import isolated
from ganbench.data.phases import phases
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Networks
from ganbench.record import provenance
from ganbench.record.generators import AboutGenerator, SavedGenerator, read
from ganbench.record.identity import changed_plugins, described
from ganbench.suite import document as documents
from ganbench.suite.choice import Choice, draft, resolve_choice
from ganbench.suite.document import Document
from ganbench.suite.mistake import SuiteError
from ganbench.train.build import build_networks, modules
from ganbench.train.data import build_dataset, draw
from ganbench.train.generator import evaluation_labels, evaluation_latents, outputs
from ganbench.train.step.flat_network import FlatNetwork, buffers_of, flatten


@dataclass(frozen=True)
class _Parts:
    architecture: Choice
    loss: Choice


@dataclass(frozen=True)
class _Data:
    """Data of a known shape; it is built only for a loss that makes its networks from samples."""

    shape: tuple[int, ...]
    document: Document
    about: AboutGenerator
    registry: Registry

    @property
    def class_shares(self) -> tuple[float, ...]:
        return self.about.class_shares

    @property
    def labelled(self) -> Any:
        """There are labels where the generator was saved with them; none are drawn here."""
        return self.sample if self.about.class_shares else None

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        choice = _chosen("dataset", ("datasets", self.about.dataset), self.document, self.registry)
        return draw(phases(build_dataset(choice))[0][1], n, generator)


@dataclass(frozen=True, eq=False)
class Generator:
    """A saved generator that can be called; ``notes``: what the reader should know, a line each.

    ``network``: the generator's module, in evaluation mode, on the CPU.
    """

    about: AboutGenerator
    network: nn.Module
    notes: tuple[str, ...]
    _player: nn.Module

    def samples(self, n: int, device: torch.device | str = "cpu", label: Tensor | None = None) -> Tensor:
        """Draw samples; as many as the run drew, on such a device, are the run's own at the seed's last evaluation.

        Args:
            n: How many.
            device: Where.
            label: Of a conditional generator, the class of each sample, (n,); by default those of ``labels``.

        Returns:
            The samples (n, *shape), float32, on the device.

        Raises:
            PluginError: Where the network's code fails, or its outputs have another shape.
        """
        about, place = self.about, torch.device(device)
        player = copy.deepcopy(self._player).to(place)
        flat = FlatNetwork(player, bfloat16=about.precision == "bfloat16")
        tensors = flat.tensors(flatten(player), buffers_of(player))
        kind = "normal" if about.latent_distribution == "normal" else "symmetric"
        with isolated(about.seed, "evaluate.global", about.step):
            z = evaluation_latents(kind, (n, *about.latent), about.seed, about.step, place)
            given = () if not about.class_shares else (self.labels(n, place) if label is None else label.to(place),)
            found = outputs(flat, tensors, player, z, *given)
        if tuple(found.shape) != (n, *about.shape):
            raise PluginError(f"the generator gives the shape {tuple(found.shape)}, not {(n, *about.shape)}")
        return found

    def labels(self, n: int, device: torch.device | str = "cpu") -> Tensor:
        """The classes that a conditional generator is asked for, each as often as the data have it, (n,), int64.

        Args:
            n: How many.
            device: Where.

        Returns:
            The classes; as many as the run drew, on such a device, are the run's own.
        """
        about = self.about
        return evaluation_labels(about.class_shares, n, about.seed, about.step, torch.device(device))


def load_generator(path: str | Path, plugins: str | Path | None = None) -> nn.Module:
    """The generator in a file that ``ganbench run --save-generators`` has written, as a plain module.

    It is in evaluation mode, on the CPU, with the weights that the run measured: the averaged ones where there are
    such. Its attribute ``ganbench`` says what the file says, such as ``latent``, the shape of what it is called with,
    and ``latent_distribution``. Nothing in the file is executed; the plugins that built it must be here. Warns where
    one of them has changed since.

    Args:
        path: The file, generators/<dataset>/<variant>/<seed>.safetensors in a run's folder.
        plugins: A folder of plugins to load beside those that are shipped, installed, or in ``plugins/``.

    Returns:
        The module, (n, *latent) -> (n, *shape); a conditional one is called with the labels too, (n,), int64.

    Raises:
        ValueError: In one line: the file is damaged or no generator, or its networks cannot be built here.
    """
    registry = Registry.load([Path("plugins")], None if plugins is None else Path(plugins))
    built = rebuild(Path(path), registry)
    for note in built.notes:
        warnings.warn(note, stacklevel=2)
    return built.network


def rebuild(path: Path, registry: Registry) -> Generator:
    """Build a saved generator again.

    Args:
        path: Its file.
        registry: Where plugins are looked up.

    Returns:
        The generator.

    Raises:
        ValueError: In one line, as for ``load_generator``.
    """
    saved = read(path)
    about = saved.about
    try:
        document = documents.parse(about.suite)
        place = ("variants", about.family)
        architecture, loss = (_chosen(kind, (*place, kind), document, registry) for kind in ("architecture", "loss"))
        data = _Data(about.shape, document, about, registry)
        (networks,) = build_networks(_Parts(architecture, loss), data, (about.seed,))
    except SuiteError as error:
        raise ValueError(f"{path}: {error.mistakes[0].message}") from None
    except (PluginError, ValueError) as error:
        raise ValueError(f"{path}: cannot be built here: {error}") from None
    player = modules(networks)[1]
    notes = _notes(path, about, [architecture, loss])
    if message := _other(networks, player, saved):
        raise ValueError("; ".join((f"{path}: is of another architecture: {message}", *notes[:1])))
    with torch.no_grad():
        for name, own in (*player.named_parameters(), *player.named_buffers()):
            own.data = saved.tensors[name].clone()
    player.eval()
    vars(networks.generator)["ganbench"] = about
    return Generator(about, networks.generator, notes, player)


def _chosen(kind: str, place: tuple[str, ...], document: Document, registry: Registry) -> Choice:
    """A choice of the file's suite; raises ValueError where the plugins that are here do not know it."""
    raw: Any = document.value
    for part in place:
        raw = raw.get(part) if isinstance(raw, dict) else None
    drafted = draft(raw, place)
    choice = drafted and resolve_choice(kind, drafted, registry, document)
    if document.mistakes or not choice:
        why = document.mistakes[0].message if document.mistakes else f"its suite names no {kind}"
        raise ValueError(f"{why}; plugins of your own are found in plugins/ and with --plugins DIR")
    return choice


def _other(networks: Networks, player: nn.Module, saved: SavedGenerator) -> str:
    """What the built network has that the file has not, or the other way round; empty where they fit."""
    about = saved.about
    built = (networks.latent, networks.latent_distribution)
    if built != (about.latent, about.latent_distribution):
        return f"its latent is {about.latent_distribution}, {about.latent}, the built network's {built[1]}, {built[0]}"
    has = {name: tuple(tensor.shape) for name, tensor in (*player.named_parameters(), *player.named_buffers())}
    kept = {name: tuple(tensor.shape) for name, tensor in saved.tensors.items()}
    for name in {**kept, **has}:
        if has.get(name) != kept.get(name):
            theirs, ours = (f"the shape {one[name]}" if name in one else "none" for one in (kept, has))
            return f"of the tensor {name!r} the file has {theirs}, the built network {ours}"
    return ""


def _notes(path: Path, about: AboutGenerator, parts: Sequence[Choice]) -> tuple[str, ...]:
    """What has changed since the generator was saved."""
    lines = [*changed_plugins(about.plugins, described(choice.entry for choice in parts))]
    if not lines and about.source != provenance.source():
        now = provenance.versions()
        others = [
            f"{name} is {now[name]} (it was {was})" for name, was in about.versions.items() if now.get(name) != was
        ]
        lines = [others[0] if others else "ganbench's own code has changed"]
    note = f"{path}: since it was saved {'; '.join(lines)}: its samples may be others"
    diverged = f"{path}: seed {about.seed} diverged at or before step {about.step}"
    return (*([note] if lines else []), *([diverged] if about.status != "done" else []))
