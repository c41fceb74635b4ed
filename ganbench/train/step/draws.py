"""The random numbers of a step: recorded once on one model, then drawn for blocks of steps and all seeds at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.core.process_state import process_kept
from ganbench.core.rng import stream
from ganbench.data.labels import with_labels
from ganbench.data.phases import spans
from ganbench.plugin.types import Distribution
from ganbench.train.step.short_lived import ShortLived

#: One seed's draws of one purpose in one block hold at most this many numbers, and a block has at most this many steps.
#: A run's numbers depend on both, so these must not depend on how many seeds train together, on what else a variant
#: draws, or on memory.
BLOCK_NUMBERS = 2**18
BLOCK_STEPS = 64


_FEWER = (
    "a step draws fewer random numbers than the one before it: it keeps some that it has drawn, as a function with "
    "@lru_cache does, and all steps and seeds would have these, or chance decides how many it draws, as "
    "random.randint(1, 3): draw as many in each step, and anew"
)


@dataclass(frozen=True)
class DrawSpec:
    """One random tensor of a step: ``kind`` is real, labelled, normal, uniform or symmetric (uniform on (-1, 1)).

    ``labelled``: samples of the data, each a row of its own numbers with its class, below ``classes``, at the end.
    """

    purpose: str
    kind: str
    shape: tuple[int, ...]
    classes: int = 0

    @property
    def block_steps(self) -> int:
        """The steps that one seeded generator draws for; with labels as many as without, and so the same samples."""
        labels = self.shape[0] if self.classes else 0
        return max(1, min(BLOCK_STEPS, BLOCK_NUMBERS // max(1, torch.Size(self.shape).numel() - labels)))


class DrawRecorder(
    ShortLived,
    own="_counts _device _next _tensors draws",
    called="`random`",
    instead="pass it on as an argument; what lasts is in an optimizer's `state` or a penalty's `memory`",
):
    """Gives a step its draws in order; without ``tensors``, it draws new ones and records them in ``draws``."""

    def __init__(self, tensors: Sequence[Tensor] | None = None, device: torch.device | str = "cpu") -> None:
        self.draws: list[DrawSpec] = []
        self._tensors = tensors
        self._device = device
        self._next = 0
        self._counts: dict[str, int] = {}

    def take(self, purpose: str, kind: str, shape: tuple[int, ...], classes: int = 0) -> Tensor:
        """The next draw of the step.

        Draws of one purpose are numbered within a step, so that variants that draw alike get the same numbers.

        Args:
            purpose: what the draw is for: real, latent, normal or uniform
            kind: the distribution, as in ``DrawSpec``
            shape: the shape of one model's draw
            classes: of samples with labels, how many classes there are

        Returns:
            The random numbers, of ``shape``.
        """
        if self._tensors is not None:
            if self._next == len(self._tensors):
                raise PluginError(
                    "a step draws more random numbers than the one before training, which decides what is drawn: draw "
                    "the same ones at each step, without a loop or an if that depends on what was drawn"
                )
            tensor = self._tensors[self._next]
            self._next += 1
            if tuple(tensor.shape) != tuple(shape):
                raise PluginError(_FEWER)
            return tensor
        count = self._counts.get(purpose, 0)
        self._counts[purpose] = count + 1
        self.draws.append(DrawSpec(f"{purpose}.{count}", kind, shape, classes))
        generator = stream(0, f"probe.{purpose}", count, self._device)
        return fill(kind, shape, generator, classes)

    def check_all_taken(self) -> None:
        """Raise PluginError where a step has drawn less than the one before training: it keeps numbers of that."""
        if self._tensors is not None and self._next < len(self._tensors):
            raise PluginError(_FEWER)

    def check_again(self, attempted: Sequence[DrawSpec]) -> None:
        """Raise PluginError where a step has not drawn again what an attempt of it, up to its failure, had drawn."""
        if self.draws[: len(attempted)] != [*attempted]:
            raise PluginError(_FEWER)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return self.take("normal", "normal", shape)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers uniform on [0, 1)."""
        return self.take("uniform", "uniform", shape)

    def empty(self, function: Callable[..., Tensor], *arguments: Any, **options: Any) -> Tensor:
        """A new tensor without numbers, which can hold the seed's own: inside a batch of seeds it is batched.

        Args:
            function: one of torch's functions that make such a tensor
            arguments: what it is called with
            options: its keyword arguments

        Returns:
            The tensor.
        """
        made = function(*arguments, **options)
        if self._tensors:
            return self._tensors[0].new_empty(made.shape, dtype=made.dtype)
        # Where the seed's numbers are: on a GPU, too.
        return made.new_empty(made.shape, device=self._device)


def fill(kind: str, shape: Sequence[int], generator: torch.Generator, classes: int = 0) -> Tensor:
    """Draw random numbers.

    Args:
        kind: uniform on [0, 1), symmetric (uniform on (-1, 1)); anything else is standard normal
        shape: the shape of the tensor
        generator: the generator to draw from
        classes: where it is above 0, the last number of each row is a class below it, each as often as the others

    Returns:
        A float32 tensor of ``shape`` on the generator's device.
    """
    if kind == "uniform":
        return torch.rand(tuple(shape), generator=generator, device=generator.device)
    if kind == "symmetric":
        return torch.rand(tuple(shape), generator=generator, device=generator.device).mul_(2).sub_(1)
    normal = torch.randn(tuple(shape), generator=generator, device=generator.device)
    if classes:
        normal[..., -1] = torch.randint(classes, normal.shape[:-1], generator=generator, device=generator.device)
    return normal


class RandomBlocks:
    """All the draws of some seeds, step by step: ``noise.at(step)``.

    ``steps``: the steps of the whole training, which data that change during training are asked for.
    """

    def __init__(
        self,
        draws: Sequence[DrawSpec],
        dataset: Distribution,
        seeds: Sequence[int],
        device: torch.device,
        steps: int,
    ) -> None:
        self._draws = tuple((draw, draw.block_steps) for draw in draws)
        self._dataset = dataset
        self._seeds = tuple(seeds)
        self._device = device
        self._steps = steps
        #: For each draw: the index of the block drawn last, and the block.
        self._blocks: list[tuple[int, Tensor]] = [(-1, torch.empty(0))] * len(self._draws)

    @property
    def bytes(self) -> int:
        """The size of the blocks of all draws, in bytes."""
        numbers = sum(steps * torch.Size(draw.shape).numel() for draw, steps in self._draws)
        return 4 * numbers * len(self._seeds)

    @property
    def longest(self) -> int:
        """The steps of the longest block: in that many steps, each draw is made for whole blocks."""
        return max((steps for _, steps in self._draws), default=BLOCK_STEPS)

    def at(self, step: int) -> tuple[Tensor, ...]:
        """The draws of one step, each (seeds, *shape)."""
        return tuple(self._block(i, step // steps)[step % steps] for i, (_, steps) in enumerate(self._draws))

    def span(self, step: int, steps: int) -> tuple[Tensor, ...]:
        """The draws of ``steps`` steps from ``step`` on, each (steps, seeds, *shape)."""
        return tuple(self._span(i, step, steps) for i in range(len(self._draws)))

    def _span(self, i: int, step: int, steps: int) -> Tensor:
        size, pieces = self._draws[i][1], []
        while steps:
            pieces.append(self._block(i, step // size)[step % size :][:steps])
            step, steps = step + len(pieces[-1]), steps - len(pieces[-1])
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)

    def _block(self, i: int, index: int) -> Tensor:
        """One draw for a block of steps, (steps, seeds, *shape); kept until another block of it is needed."""
        kept, block = self._blocks[i]
        if kept != index:
            draw = self._draws[i][0]
            block = torch.stack([self._one(draw, seed, index) for seed in self._seeds], dim=1)
            self._blocks[i] = (index, block)
        return block

    def _one(self, draw: DrawSpec, seed: int, index: int) -> Tensor:
        shape = (draw.block_steps, *draw.shape)
        if draw.kind not in ("real", "labelled"):
            return fill(draw.kind, shape, stream(seed, draw.purpose, index, self._device))
        pieces = []
        for part, data in spans(self._dataset, index * draw.block_steps, draw.block_steps, self._steps):
            # The whole block of each: a step's numbers do not depend on where in a block the data change.
            generator = stream(seed, draw.purpose, index, self._device)
            n = draw.block_steps * draw.shape[0]
            with process_kept():
                whole = (with_labels(data, n, generator) if draw.classes else data.sample(n, generator)).reshape(shape)
            pieces.append(whole[part.start : part.stop])
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)
