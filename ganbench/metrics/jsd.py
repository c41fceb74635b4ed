"""The Jensen-Shannon divergence between data of known density and a generator known by samples.

In nats: 0 where they agree, log 2 where they have nothing in common. Space is cut into cells whose share of the data is
known (``ganbench.metrics.jsd_cells``), so only the generator is counted; small counts are corrected
(``ganbench.metrics.jsd_bias``), and what cells of a finite size hide is extrapolated from two resolutions. Nearest
neighbours (``ganbench.metrics.jsd_neighbours``) guard against what is finer than a cell.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ganbench.data.mixture import Mixture
from ganbench.metrics.duplicates import repeated
from ganbench.metrics.jsd_bias import Terms
from ganbench.metrics.jsd_cells import Partition, Polar
from ganbench.metrics.jsd_neighbours import LOG2, Neighbours, Pool, clip
from ganbench.metrics.points import is_finite

FOR_AN_INTERVAL = 400  # samples a mode
FOR_THE_GUARD = 50  # samples a mode: of fewer, an honest generator looks like fine structure too
FEW = 0.4  # of the samples near the data: below, cells are made for those alone
BEYOND = 0.01  # nats: the neighbours' own bias, and more
LOOK, LOOK_CLOSELY = 400, 5_000  # neighbourhoods


@dataclass(frozen=True)
class JsdEstimate:
    """A divergence in nats and its 95 % interval, None where that would not hold.

    ``note`` says what to know; ``duplicates`` is the share of the samples that repeat others exactly and not by chance;
    ``flagged``: the generator is finer than the cells, and the value is that of nearest neighbours, which may be too
    low still, so ``high`` is log 2.
    """

    value: float
    low: float | None
    high: float | None
    note: str = ""
    duplicates: float = 0.0
    flagged: bool = False


def jsd(samples: np.ndarray, mixture: Mixture, *, guard: bool = True) -> JsdEstimate:
    """Estimate the divergence between ``mixture`` and the law of ``samples``, shape (n, dimension): see ``jsds``."""
    samples = np.ascontiguousarray(samples)
    if samples.dtype != np.float32:
        samples = samples.astype(np.float64)
    return jsds(torch.tensor(samples)[None], mixture, guard=guard)[0]


def jsds(samples: Tensor, mixture: Mixture, *, guard: bool = True) -> list[JsdEstimate]:
    """Estimate the divergence between ``mixture`` (1 or 2 dimensions) and each of several laws.

    ``samples`` has the shape (seeds, n, dimension), float32 or float64, on any device; the measuring is done on the
    processor, a seed for each of torch's threads. Nothing is dropped: rows that are not finite, and rows that repeat
    others exactly (a law with a density never does), are mass where the data has none. An interval needs 400 samples
    for each mode of the data; it is for the sampling of ``samples`` alone.

    Of a generator far wider than the modes few samples are near the data. Where less than 40 % are within 6 std of a
    mode, the cells are those for so many samples, so that their counts are not next to nothing.

    Structure finer than a cell would read too low. So nearest neighbours always take a look, at 400 places, and where
    that is suspicious at 5,000; with ``guard`` (for a final evaluation) at 5,000, and then everywhere. Where this
    exceeds the cells' estimate by more than 0.01 and three standard errors, it is the answer, and the estimate is
    flagged. That needs 50 samples for each mode.
    Raises ValueError where the shapes do not fit, or above 2 dimensions.
    """
    if samples.ndim != 3 or samples.shape[2] != mixture.dimension or not samples.shape[1]:
        raise ValueError(
            f"samples must have the shape (n, {mixture.dimension}), n above 0, not {tuple(samples.shape[1:])}"
        )
    points = samples.detach().to(torch.promote_types(samples.dtype, torch.float32)).cpu().numpy()
    # A processor's caches hold one seed, and its cores can take one each.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        return list(threads.map(lambda rows: _estimate(rows, mixture, guard), points))


@dataclass(frozen=True)
class _Cells:
    """What samples are counted in: the cells and their corrected terms."""

    partition: Partition
    fine: Terms
    coarse: Terms


@lru_cache(maxsize=64)
def _cells(mixture: Mixture, n: int, near: int) -> _Cells:
    """The cells for ``n`` samples of which ``near`` are near the data."""
    partition = Partition(mixture, near)
    return _Cells(partition, Terms(n * partition.fine), Terms(n * partition.coarse))


@lru_cache(maxsize=16)
def _real(mixture: Mixture, n: int) -> np.ndarray:
    return mixture.sample(n, torch.Generator().manual_seed(2014)).double().numpy()


def _estimate(points: np.ndarray, mixture: Mixture, guard: bool) -> JsdEstimate:
    """The estimate for one seed's samples, (n, dimension)."""
    n, modes = len(points), mixture.modes
    finite = np.logical_and.reduce([np.isfinite(axis) for axis in points.T])
    again = repeated(points, mixture.log_density)
    where = Polar.of(points[finite & ~again].astype(np.float64), mixture)
    cells, counts, near = _counted(where, mixture, n, n)
    if near < FEW * n:
        # Rounded down to a power of two, so that few are ever made.
        cells, counts, near = _counted(where, mixture, n, 1 << max(near.bit_length() - 1, 0))
    lost = n - len(where.mode)
    fine, fine_variance = _divergence(cells.fine, counts, lost, n)
    coarse, coarse_variance = _divergence(cells.coarse, cells.partition.merge(counts), lost, n)
    # What a cell hides falls with the square of its size, and a coarse cell is twice as wide.
    hidden = (fine - coarse) / 3
    value, variance = clip(fine + hidden), (fine_variance + coarse_variance) / 2 / n
    # Mass 3/n may go unseen (the rule of three); near log 2, where hardly a count varies, that is all there is to it.
    margin = 1.96 * math.sqrt(variance) + abs(hidden) + 1.5 * LOG2 / n
    if near < FEW * n:
        # All that keeps it from log 2 is a few samples, and the interval of a small count is wider by two than normal.
        margin += 2 * (LOG2 - value) / max(near, 1)
    low, high = clip(value - margin), clip(value + margin)

    notes = []
    if broken := n - int(finite.sum()):
        notes.append(f"{_percent(broken, n)} of the samples are not finite")
    if again.any():
        notes.append(f"{_percent(int(again.sum()), n)} of the samples repeat others exactly")

    finer = _finer(points[is_finite(points) & ~again], value, variance, mixture, n, guard)
    if finer:
        notes.append("fine structure or near-discrete: by nearest neighbours, and may be more")
        value, low, high = finer.value, finer.low, LOG2
    flagged = finer is not None
    duplicates = float(again.mean())
    if n < FOR_AN_INTERVAL * modes:
        notes.append(f"{n / modes:.4g} samples a mode, {FOR_AN_INTERVAL} needed for an interval")
        return JsdEstimate(value, None, None, "; ".join(notes), duplicates, flagged)
    return JsdEstimate(value, low, high, "; ".join(notes), duplicates, flagged)


def _counted(points: Polar, mixture: Mixture, n: int, near: int) -> tuple[_Cells, np.ndarray, int]:
    """The cells for ``n`` samples of which ``near`` are near the data, their counts, and how many are near it there."""
    cells = _cells(mixture, n, near)
    counts = cells.partition.count(points)
    return cells, counts, int(counts[~cells.partition.beyond].sum())


def _finer(
    points: np.ndarray, value: float, variance: float, mixture: Mixture, n: int, guard: bool
) -> Neighbours | None:
    """What nearest neighbours say of ``points``, of n, where it is well above the cells' ``value``."""
    # No estimate is above log 2: where the cells' is as near to it, there is nothing to look for.
    if n < FOR_THE_GUARD * mixture.modes or LOG2 - value <= BEYOND + 3 * math.sqrt(variance):
        return None
    look, closer = (LOOK_CLOSELY, None) if guard else (LOOK, LOOK_CLOSELY)
    pool = Pool(points.astype(np.float64), _real(mixture, n), n)
    near = pool.look(look)
    if near.value - value > BEYOND + near.standard_error:
        near = pool.look(closer)
    beyond = near.value - value > BEYOND + 3 * math.sqrt(variance + near.standard_error**2)
    return near if beyond else None


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
