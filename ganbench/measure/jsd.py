"""The Jensen-Shannon divergence between data of known density and a generator known by samples.

In nats: 0 where they agree, log 2 where they have nothing in common. Space is cut into cells whose share of the data is
known (``ganbench.measure.partition``), so only the generator is counted; small counts are corrected
(``ganbench.measure.counts``), and what cells of a finite size hide is extrapolated from two resolutions. Nearest
neighbours (``ganbench.measure.neighbours``) guard against what is finer than a cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ganbench.measure.counts import Terms
from ganbench.measure.neighbours import LOG2, clip, pooled, within_reach
from ganbench.measure.partition import Partition
from ganbench.measure.repeats import repeated
from ganbench.mixture import Mixture

FOR_AN_INTERVAL = 400  # samples a mode
BEYOND = 0.01  # nats: the neighbours' own bias, and more
LOOK, LOOK_CLOSELY = 400, 5_000  # neighbourhoods


@dataclass(frozen=True)
class Estimate:
    """A divergence in nats and its 95 % interval, None where that would not hold.

    ``note`` says what to know; ``duplicates`` is the share of the samples that repeat others exactly and not by chance;
    ``flagged``: the generator is finer than the cells, and the numbers are those of nearest neighbours.
    """

    value: float
    low: float | None
    high: float | None
    note: str = ""
    duplicates: float = 0.0
    flagged: bool = False


def jsd(samples: np.ndarray, mixture: Mixture, *, guard: bool = True) -> Estimate:
    """Estimate the divergence between ``mixture`` and the law of ``samples``, shape (n, dimension): see ``jsds``."""
    samples = np.ascontiguousarray(samples)
    if samples.dtype != np.float32:
        samples = samples.astype(np.float64)
    return jsds(torch.tensor(samples)[None], mixture, guard=guard)[0]


def jsds(samples: Tensor, mixture: Mixture, *, guard: bool = True) -> list[Estimate]:
    """Estimate the divergence between ``mixture`` (1 or 2 dimensions) and each of several laws.

    ``samples`` has the shape (seeds, n, dimension), float32 or float64, on any device: cells are located and counted
    there. Nothing is dropped: rows that are not finite, and rows that repeat others exactly (a law with a density never
    does), are mass where the data has none. An interval needs 400 samples for each mode of the data; it is for the
    sampling of ``samples`` alone.

    Structure finer than a cell would read too low. So nearest neighbours always take a look, at 400 places, or with
    ``guard`` (for a final evaluation) at 5,000; where that is suspicious they look everywhere, and where this exceeds
    the cells' estimate by more than 0.01 and three standard errors, it is the answer, and the estimate is flagged.
    Raises ValueError where the shapes do not fit, or above 2 dimensions.
    """
    if samples.ndim != 3 or samples.shape[2] != mixture.dimension or not samples.shape[1]:
        raise ValueError(
            f"samples must have the shape (n, {mixture.dimension}), n above 0, not {tuple(samples.shape[1:])}"
        )
    n = samples.shape[1]
    cells = _cells(mixture, n)
    samples = samples.detach().to(torch.promote_types(samples.dtype, torch.float32))
    estimates = []
    # A processor's caches hold one seed; a device wants all at once.
    for block in torch.split(samples, 1 if samples.device.type == "cpu" else max(len(samples), 1)):
        points = block.cpu().numpy()
        again = np.array([repeated(rows, mixture.log_density) for rows in points], dtype=bool).reshape(len(points), n)
        alone = torch.isfinite(block).all(dim=-1) & ~torch.from_numpy(again).to(block.device)
        counts = cells.partition.count(block, alone).double().cpu().numpy()
        estimates += [_one(*seed, cells, guard) for seed in zip(points, again, counts, strict=True)]
    return estimates


@dataclass(frozen=True)
class _Cells:
    """All that ``n`` samples are compared with: the cells, their corrected terms, and as many samples of the data."""

    partition: Partition
    fine: Terms
    coarse: Terms
    real: np.ndarray


@lru_cache(maxsize=16)
def _cells(mixture: Mixture, n: int) -> _Cells:
    partition = Partition(mixture, n)
    real = mixture.sample(n, torch.Generator().manual_seed(2014)).double().numpy()
    return _Cells(partition, Terms(n * partition.fine), Terms(n * partition.coarse), real)


def _one(points: np.ndarray, again: np.ndarray, counts: np.ndarray, cells: _Cells, guard: bool) -> Estimate:
    """The estimate for one seed: its (n, dimension) samples, which of them repeat others, and its cells' counts."""
    n, modes = len(points), cells.partition.mixture.modes
    lost = n - counts.sum()
    fine, fine_variance = _divergence(cells.fine, counts, lost, n)
    coarse, coarse_variance = _divergence(cells.coarse, cells.partition.merge(counts), lost, n)
    # What a cell hides falls with the square of its size, and a coarse cell is twice as wide.
    hidden = (fine - coarse) / 3
    value, variance = clip(fine + hidden), (fine_variance + coarse_variance) / 2 / n
    # Mass 3/n may go unseen (the rule of three); near log 2, where hardly a count varies, that is all there is to it.
    margin = 1.96 * math.sqrt(variance) + abs(hidden) + 1.5 * LOG2 / n
    low, high = clip(value - margin), clip(value + margin)

    notes = []
    if broken := int((~np.isfinite(points)).any(axis=1).sum()):
        notes.append(f"{_percent(broken, n)} of the samples are not finite")
    if again.any():
        notes.append(f"{_percent(int(again.sum()), n)} of the samples repeat others exactly")

    within = points[within_reach(points) & ~again].astype(np.float64)
    near = pooled(within, cells.real, n, queries=LOOK_CLOSELY if guard else LOOK)
    if near.value - value > BEYOND + near.standard_error:
        near = pooled(within, cells.real, n)
    flagged = near.value - value > BEYOND + 3 * math.sqrt(variance + near.standard_error**2)
    if flagged:
        notes.append(f"fine structure or near-discrete: by nearest neighbours, where cells read {value:.4f}")
        value, low, high = near.value, near.low, near.high
    duplicates = float(again.mean())
    if n < FOR_AN_INTERVAL * modes:
        notes.append(f"{n / modes:.4g} samples a mode, {FOR_AN_INTERVAL} needed for an interval")
        return Estimate(value, None, None, "; ".join(notes), duplicates, flagged)
    return Estimate(value, low, high, "; ".join(notes), duplicates, flagged)


def _divergence(terms: Terms, counts: np.ndarray, lost: float, n: int) -> tuple[float, float]:
    """The divergence at one resolution, and the variance over the samples of their influence on it."""
    cell = np.flatnonzero(counts)
    inside = counts[cell]
    here, before, after = terms(cell, inside), terms(cell, inside - 1), terms(cell, inside + 1)
    total = terms.empty.sum() + (here - terms.empty[cell]).sum() + lost * LOG2 / 2
    # One sample's influence: what its cell's term does with the count, the mean of a backward and a central difference.
    influence = ((here - before) + (after - before) / 2) / 2
    mean = ((inside * influence).sum() + lost * LOG2 / 2) / n
    square = ((inside * influence**2).sum() + lost * (LOG2 / 2) ** 2) / n
    return total / n, max(square - mean**2, 0.0)


def _percent(part: int, n: int) -> str:
    return f"{100 * part / n:.3g} %"
