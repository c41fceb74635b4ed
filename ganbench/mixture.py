"""A mixture of isotropic Gaussians: data whose density, modes and masses are known exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor


class Mixture:
    """A mixture of ``modes`` isotropic Gaussians in ``dimension`` dimensions.

    means: (modes, dimension); std: one for all modes or one for each; weights: unnormalised, equal by default.
    Raises ValueError where these do not fit each other. Immutable.
    """

    def __init__(
        self,
        means: Sequence[Sequence[float]] | np.ndarray,
        std: float | Sequence[float],
        weights: Sequence[float] | None = None,
    ) -> None:
        try:
            centres = np.array(means, dtype=np.float64)
        except ValueError:
            raise ValueError("means must all have the same number of coordinates") from None
        if centres.ndim != 2 or centres.size == 0:
            raise ValueError("means must be a list of points, e.g. [[0, 0], [1, 1]]")
        modes = len(centres)
        self.means = centres
        self.std = np.full(modes, std) if np.ndim(std) == 0 else np.array(std, dtype=np.float64)
        self.weights = np.full(modes, 1.0) if weights is None else np.array(weights, dtype=np.float64)
        if self.std.shape != (modes,):
            raise ValueError(
                f"std must be one number or one for each of the {modes} modes, not a list of {len(self.std)}"
            )
        if self.weights.shape != (modes,):
            raise ValueError(f"weights must be one for each of the {modes} modes, not a list of {len(self.weights)}")
        if not np.isfinite(self.means).all() or not np.isfinite(self.std).all() or not np.isfinite(self.weights).all():
            raise ValueError("means, std and weights must be finite")
        if (self.std <= 0).any():
            raise ValueError("std must be above 0")
        # Samples are float32: a mode that its rounding can be seen in would be scored as fine structure.
        if (
            (self.std < 1e-5 * np.abs(self.means).max(axis=1)).any()
            or (self.std < 1e-30).any()
            or np.abs(self.means).max() > 1e30
        ):
            raise ValueError("std is too small beside the means (or these too large) for float32 samples")
        if (self.weights <= 0).any():
            raise ValueError("weights must be above 0")
        self.weights = self.weights / self.weights.sum()
        for array in (self.means, self.std, self.weights):
            array.setflags(write=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample: ``(dimension,)``."""
        return (self.dimension,)

    @property
    def dimension(self) -> int:
        """The number of coordinates of a sample."""
        return int(self.means.shape[1])

    @property
    def modes(self) -> int:
        """The number of modes."""
        return len(self.means)

    @cached_property
    def _cumulative(self) -> np.ndarray:
        return np.asarray(np.cumsum(self.weights))

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` samples, shape (n, dimension), float32, on the generator's device."""
        device = generator.device
        edges = torch.tensor(self._cumulative[:-1], dtype=torch.float32, device=device)
        mode = torch.bucketize(torch.rand(n, generator=generator, device=device), edges, right=True)
        means = torch.tensor(self.means, dtype=torch.float32, device=device)[mode]
        std = torch.tensor(self.std, dtype=torch.float32, device=device)[mode]
        return torch.addcmul(means, std[:, None], torch.randn(n, self.dimension, generator=generator, device=device))

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """The natural logarithm of the density at ``x``, shape (n, dimension) -> (n,), float64; -inf far away."""
        with np.errstate(over="ignore"):
            squared = ((x[:, None, :] - self.means) ** 2).sum(axis=-1) / self.std**2
        log_norm = np.log(self.weights) - self.dimension * np.log(self.std * math.sqrt(2 * math.pi))
        return np.asarray(np.logaddexp.reduce(log_norm - 0.5 * squared, axis=1))
