"""Data that is a finite set: samples are drawn from one part, and metrics compare with the other part."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.data.as_rows import as_rows


def on_unit_scale(images: Tensor) -> Tensor:
    """Bytes, 0 to 255, as float32 on [-1, 1]; floats as they are."""
    return images.float().div_(127.5).sub_(1) if images.dtype == torch.uint8 else images


class Finite:
    """A finite set of samples, ``training`` and ``held_out`` with the shape (n, *shape).

    The parts are numbers in a tensor, an array or a data frame. Bytes from 0 to 255 are kept as bytes and scaled to
    [-1, 1] when drawn, all else is float32 and stays as it is. Raises ValueError for what is no table of numbers, and
    where the shapes or the kinds of the two parts differ.
    """

    def __init__(self, training: Tensor | np.ndarray | Any, held_out: Tensor | np.ndarray | Any = None) -> None:
        if held_out is None:
            raise ValueError("held_out is missing: shuffle the rows x, and give Finite(x[:800], x[800:]) for 1000 rows")
        self._training, self._held_out = as_rows(training, "training"), as_rows(held_out, "held_out")
        shapes = [tuple(part.shape) for part in self.parts.values()]
        if shapes[0][1:] != shapes[1][1:]:
            raise ValueError(f"training {shapes[0]} and held_out {shapes[1]} differ in shape")
        if self._training.dtype != self._held_out.dtype:
            raise ValueError("one of training and held_out holds bytes, which are scaled to [-1, 1], and one does not")
        self._on_device: dict[torch.device, Tensor] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(self._training.shape[1:])

    @property
    def parts(self) -> dict[str, Tensor]:
        """Both parts as they are kept: float32, or bytes."""
        return {"training": self._training, "held_out": self._held_out}

    @cached_property
    def training(self) -> Tensor:
        """The part that samples are drawn from, float32."""
        return on_unit_scale(self._training)

    @cached_property
    def held_out(self) -> Tensor:
        """The part that is never drawn, float32."""
        return on_unit_scale(self._held_out)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` samples with replacement, shape (n, *shape), float32, on the generator's device."""
        return self._drawn(n, generator)[0]

    def _drawn(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The samples, and the places of their rows in the training part, (n,)."""
        device = generator.device
        if device not in self._on_device:  # copied once: a set of images is too large to copy at each draw
            self._on_device[device] = self._training.to(device)
        chosen = torch.randint(len(self._training), (n,), generator=generator, device=device)
        return on_unit_scale(self._on_device[device][chosen]), chosen


def parts_of(distribution: Any) -> dict[str, Tensor]:
    """The parts of a finite set, as they are kept; empty for data without end."""
    if isinstance(distribution, Finite):
        return distribution.parts
    named = ((name, getattr(distribution, name, None)) for name in ("training", "held_out"))
    return {name: rows for name, rows in named if rows is not None}
