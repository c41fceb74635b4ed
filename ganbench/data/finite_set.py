"""Data that is a finite set: samples are drawn from one part, and metrics compare with the other part."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
from torch import Tensor


def on_unit_scale(images: Tensor) -> Tensor:
    """Bytes, 0 to 255, as float32 on [-1, 1]; floats as they are."""
    return images.float().div_(127.5).sub_(1) if images.dtype == torch.uint8 else images


class Finite:
    """A finite set of samples, ``training`` and ``held_out`` with the shape (n, *shape).

    The parts are float32, or bytes from 0 to 255: these are kept as bytes and scaled to [-1, 1] when drawn. Raises
    ValueError where the shapes of the two parts differ.
    """

    def __init__(self, training: Tensor | np.ndarray, held_out: Tensor | np.ndarray) -> None:
        self._training, self._held_out = _tensor(training), _tensor(held_out)
        if self._training.shape[1:] != self._held_out.shape[1:]:
            raise ValueError(f"training {tuple(training.shape)} and held_out {tuple(held_out.shape)} differ in shape")
        self._on_device: dict[torch.device, Tensor] = {}

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return tuple(self._training.shape[1:])

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
        device = generator.device
        if device not in self._on_device:  # copied once: a set of images is too large to copy at each draw
            self._on_device[device] = self._training.to(device)
        chosen = torch.randint(len(self._training), (n,), generator=generator, device=device)
        return on_unit_scale(self._on_device[device][chosen])


def _tensor(images: Tensor | np.ndarray) -> Tensor:
    tensor = images if isinstance(images, Tensor) else torch.tensor(images)
    return tensor if tensor.dtype == torch.uint8 else tensor.float()
