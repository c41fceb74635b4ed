"""The Jensen-Shannon divergence between data of known density and a generator known by samples.

In nats: 0 where they agree, log 2 where they have nothing in common. Space is cut into cells whose share of the data is
known (``ganbench.metrics.jsd_cells``), so only the generator's samples are counted; small counts are corrected
(``ganbench.metrics.jsd_bias``), and the divergence inside cells is extrapolated from two resolutions. Nearest
neighbours (``ganbench.metrics.jsd_neighbours``) detect structure that is finer than a cell.
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
FOR_THE_GUARD = 50  # samples a mode: with fewer, a generator without fine structure looks as if it had some
FEW = 0.4  # of the samples near the data: with a smaller share, cells are made for those alone
EXCESS = 0.01  # nats: more than the bias of the neighbours' estimate
LOOK, LOOK_CLOSELY = 400, 5_000  # numbers of neighbourhoods


@dataclass(frozen=True)
class JsdEstimate:
    """A divergence in nats and its 95 % interval; ``low`` and ``high`` are None where the interval would be wrong.

    ``note``: remarks for the user; ``duplicates``: the share of the samples that repeat others exactly and not by
    chance; ``flagged``: whether the generator is finer than the cells: then the value is that of nearest neighbours,
    which may still be too low, so ``high`` is log 2.
    """

    value: float
    low: float | None
    high: float | None
    note: str = ""
    duplicates: float = 0.0
    flagged: bool = False


def jsd(samples: np.ndarray, mixture: Mixture, *, guard: bool = True) -> JsdEstimate:
    """Estimate the divergence between ``mixture`` and the distribution of ``samples``, as ``jsds`` does.

    Args:
        samples: (n, dimension).
        mixture: the data, of 1 or 2 dimensions.
        guard: as for ``jsds``.

    Returns:
        The estimate.

    Raises:
        ValueError: as ``jsds``.
    """
    samples = np.ascontiguousarray(samples)
    if samples.dtype != np.float32:
        samples = samples.astype(np.float64)
    return jsds(torch.tensor(samples)[None], mixture, guard=guard)[0]


def jsds(samples: Tensor, mixture: Mixture, *, guard: bool = True) -> list[JsdEstimate]:
    """Estimate the divergence between ``mixture`` and the distribution of each seed's samples.

    No row is dropped: rows that are not finite, and rows that repeat others exactly (draws from a density never do),
    count as mass where the data has none. An interval needs 400 samples for each mode of the data; it covers the
    sampling of ``samples`` alone. The work is done on the CPU, one seed on each of torch's threads.

    Few samples of a generator that is far wider than the modes are near the data. Where less than 40 % are within 6 std
    of a mode, the cells are made for that number of samples, so that their counts are not too small.

    Structure finer than a cell would give a divergence that is too low. So the neighbourhoods of 400 points are always
    checked, and those of 5,000 where the first are suspicious. Where the neighbours' estimate is above the cells' by
    more than 0.01 and three standard errors, it is the result, and the estimate is flagged. The check needs 50 samples
    for each mode.

    Args:
        samples: (seeds, n, dimension), float32 or float64, on any device.
        mixture: the data, of 1 or 2 dimensions.
        guard: whether the check is more thorough, for a final evaluation: 5,000 points first, and then all.

    Returns:
        The estimate of each seed, in order.

    Raises:
        ValueError: the shapes do not match, or the data has more than 2 dimensions.
    """
    if samples.ndim != 3 or samples.shape[2] != mixture.dimension or not samples.shape[1]:
        raise ValueError(
            f"samples must have the shape (n, {mixture.dimension}), n above 0, not {tuple(samples.shape[1:])}"
        )
    points = samples.detach().to(torch.promote_types(samples.dtype, torch.float32)).cpu().numpy()
    # One seed fits in the caches of a processor, and each core works on one.
    with ThreadPoolExecutor(torch.get_num_threads()) as threads:
        return list(threads.map(lambda rows: _estimate(rows, mixture, guard), points))


@dataclass(frozen=True)
class _Cells:
    """The cells that samples are counted in, with their corrected terms."""

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
        # Rounded down to a power of two, so that few different partitions are made.
        cells, counts, near = _counted(where, mixture, n, 1 << max(near.bit_length() - 1, 0))
    lost = n - len(where.mode)
    fine, fine_variance = _divergence(cells.fine, counts, lost, n)
    coarse, coarse_variance = _divergence(cells.coarse, cells.partition.merge(counts), lost, n)
    # The divergence inside a cell grows with the square of its width, and a coarse cell is twice as wide.
    hidden = (fine - coarse) / 3
    value, variance = clip(fine + hidden), (fine_variance + coarse_variance) / 2 / n
    # Mass of 3/n may have no sample (rule of three); near log 2, where counts hardly vary, this is the whole margin.
    margin = 1.96 * math.sqrt(variance) + abs(hidden) + 1.5 * LOG2 / n
    if near < FEW * n:
        # Only a few samples keep the value from log 2, and a small count's interval is wider by two than a normal one.
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
    """The cells for ``n`` samples of which ``near`` are near the data, the counts, and how many points are near it."""
    cells = _cells(mixture, n, near)
    counts = cells.partition.count(points)
    return cells, counts, int(counts[~cells.partition.far].sum())


def _finer(
    points: np.ndarray, value: float, variance: float, mixture: Mixture, n: int, guard: bool
) -> Neighbours | None:
    """The nearest neighbours' estimate for ``points``, of n samples; None unless it is well above ``value``."""
    # No estimate is above log 2: where the cells' is as near to it, no other can be well above.
    if n < FOR_THE_GUARD * mixture.modes or LOG2 - value <= EXCESS + 3 * math.sqrt(variance):
        return None
    look, closer = (LOOK_CLOSELY, None) if guard else (LOOK, LOOK_CLOSELY)
    pool = Pool(points.astype(np.float64), _real(mixture, n), n)
    near = pool.look(look)
    if near.value - value > EXCESS + near.standard_error:
        near = pool.look(closer)
    exceeds = near.value - value > EXCESS + 3 * math.sqrt(variance + near.standard_error**2)
    return near if exceeds else None


def _divergence(terms: Terms, counts: np.ndarray, lost: float, n: int) -> tuple[float, float]:
    """The divergence at one resolution, and the variance over the samples of their influence on it."""
    cell = np.flatnonzero(counts)
    inside = counts[cell]
    here, before, after = terms(cell, inside), terms(cell, inside - 1), terms(cell, inside + 1)
    total = terms.empty.sum() + (here - terms.empty[cell]).sum() + lost * LOG2 / 2
    # One sample's influence: the slope of its cell's term in the count, a mean of backward and central difference.
    influence = ((here - before) + (after - before) / 2) / 2
    mean = ((inside * influence).sum() + lost * LOG2 / 2) / n
    square = ((inside * influence**2).sum() + lost * (LOG2 / 2) ** 2) / n
    return total / n, max(square - mean**2, 0.0)


def _percent(part: int, n: int) -> str:
    return f"{100 * part / n:.3g} %"
