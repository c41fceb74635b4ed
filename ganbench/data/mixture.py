"""A mixture of isotropic Gaussians: data whose density, modes and masses are known exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

MOST_BINS = 2**12


class Mixture:
    """A mixture of ``modes`` isotropic Gaussians in ``dimension`` dimensions.

    means: (modes, dimension); std: one for all modes or one for each; weights: unnormalised, equal by default.
    Raises ValueError where their shapes do not match or a value is not allowed. Immutable.
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
        # Samples are float32: in a very narrow mode their rounding would be scored as fine structure.
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
        self._on_device: dict[torch.device, _Places] = {}

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

    @property
    def class_shares(self) -> np.ndarray:
        """The share of the data in each mode: a sample's label is its mode's index."""
        return self.weights

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` samples, shape (n, dimension), float32, on the generator's device."""
        return self.labelled(n, generator)[0]

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The samples that ``sample`` draws, and the mode that each is from, (n,), int64."""
        device = generator.device
        mode = self._places(device).mode(torch.rand(n, generator=generator, device=device))
        return self._around(mode, torch.randn(n, self.dimension, generator=generator, device=device)), mode

    def placed(self, uniform: Tensor, normal: Tensor) -> Tensor:
        """The samples for given random numbers: uniform on [0, 1), (n,), and standard normal, (n, dimension), float32.

        Each sample is a function of its own numbers alone, so that many draws may be computed at once.
        """
        return self._around(self._places(uniform.device).mode(uniform), normal)

    def _around(self, mode: Tensor, normal: Tensor) -> Tensor:
        places = self._places(mode.device)
        std = places.std if len(places.std) == 1 else places.std.index_select(0, mode)
        return torch.addcmul(places.means.index_select(0, mode), std, normal)

    def _places(self, device: torch.device) -> _Places:
        if device not in self._on_device:
            self._on_device[device] = _Places.of(self, device)
        return self._on_device[device]

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """The natural logarithm of the density at ``x``, shape (n, dimension) -> (n,), float64; -inf far away."""
        x = np.asarray(x, dtype=np.float64)
        log_norm = np.log(self.weights) - self.dimension * np.log(self.std * math.sqrt(2 * math.pi))
        with np.errstate(over="ignore"):
            # One row for each mode: sums and exponentials then read memory in order.
            squared = sum((axis - mean[:, None]) ** 2 for axis, mean in zip(x.T, self.means.T, strict=True))
            terms = log_norm[:, None] - 0.5 * (squared / self.std[:, None] ** 2)
            most = terms.max(axis=0)
            terms -= np.maximum(most, np.finfo(np.float64).min)
        # The largest term is 1, so e^-700 adds nothing; smaller numbers take a processor ten times as long.
        return np.asarray(np.log(np.exp(np.maximum(terms, -700.0, out=terms), out=terms).sum(axis=0)) + most)


@dataclass(frozen=True)
class _Places:
    """A mixture's numbers on a device, and a guide table from a uniform number to its mode (Chen & Asau 1974).

    A binary search would mispredict every second branch, which costs a processor more than all else here. The guide
    table cuts [0, 1) into bins; their number is a power of two, so that the bin of a number is exact. ``first``,
    (bins,): the mode at the start of each bin; ``ends``, (modes,): where the modes end, infinity for the last;
    ``rounds``: the largest number of ends within a bin. ``means``, (modes, dimension); ``std``, (modes, 1), or (1, 1)
    where all are the same.
    """

    first: Tensor
    ends: Tensor
    rounds: int
    means: Tensor
    std: Tensor

    @classmethod
    def of(cls, mixture: Mixture, device: torch.device) -> _Places:
        """Those of ``mixture``, with the fewest bins that have at most one end each, or ``MOST_BINS``."""
        ends = torch.tensor(np.cumsum(mixture.weights)[:-1], dtype=torch.float32)
        bins, rounds = 1, len(ends)
        while rounds > 1 and bins < MOST_BINS:
            bins *= 2
            rounds = int((_modes_ended(ends, bins, 1) - _modes_ended(ends, bins, 0)).max())
        std = mixture.std[:1] if (mixture.std == mixture.std[0]).all() else mixture.std
        return cls(
            first=_modes_ended(ends, bins, 0).to(device),
            ends=torch.cat([ends, torch.tensor([math.inf])]).to(device),
            rounds=rounds,
            means=torch.tensor(mixture.means, dtype=torch.float32, device=device),
            std=torch.tensor(std, dtype=torch.float32, device=device)[:, None],
        )

    def mode(self, uniform: Tensor) -> Tensor:
        """How many modes end at or before each number, (n,) -> (n,)."""
        mode = self.first.index_select(0, (uniform * len(self.first)).long())
        for _ in range(self.rounds):
            mode += uniform >= self.ends.index_select(0, mode)
        return mode


def _modes_ended(ends: Tensor, bins: int, at_end: int) -> Tensor:
    """How many modes end at or before the start of each bin, or before its end: (bins,)."""
    return torch.bucketize((torch.arange(bins) + at_end) / bins, ends, right=not at_end)
