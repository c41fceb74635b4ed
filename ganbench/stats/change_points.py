"""Change points: where the level of a sequence changed, by binary segmentation with permutation tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import scipy

#: The probability to find a shift in a series that has none.
LEVEL = 0.01
#: Fewer values than this between two shifts are not a new level: they may be outliers.
LEAST = 3

#: Lengths of segments that are also searched for a level that came and went. Shorter ones are too short to tell three
#: levels apart; longer ones have too many places where it could be.
_PASSING = range(15, 301)
#: The share of the test's level that is spent on that search.
_SHARE = 0.5
_PERMUTATIONS = 9999
#: One test looks at so many numbers at most: a long segment gets fewer permutations.
_ROOM = 40_000_000


@dataclass(frozen=True)
class Shift:
    """A new level from index ``place`` on: the medians before and after it, up to the next shifts; the p-value."""

    place: int
    before: float
    after: float
    p: float

    @property
    def size(self) -> float:
        """After minus before."""
        return 0.0 if self.before == self.after else self.after - self.before


def shifts(values: Sequence[float], *, level: float = LEVEL, least: int = LEAST) -> tuple[Shift, ...]:
    """Find the shifts in a sequence.

    A segment is split where the ranks before and after differ most (the largest standardised rank sum over all places:
    Pettitt 1979), if few enough of its permutations differ as much anywhere. Otherwise it is split where a level came
    and went (circular binary segmentation: Olshen et al. 2004). Its parts are then split in turn, at levels in
    proportion to their lengths (Scott & Knott 1974). Ranks are used so that one outlier is not a shift. The
    permutations are always the same. Fewer than 10 values have no shift at 1 %: too few of their permutations differ.

    Args:
        values: the sequence; infinities are values as others.
        level: the probability, at most, to find a shift in a whole sequence that has none.
        least: the smallest number of values that can be a level.

    Returns:
        The shifts, first to last.

    Raises:
        ValueError: a value is NaN.
    """
    data = np.asarray(values, dtype=float)
    if np.isnan(data).any():
        raise ValueError("NaN has no rank: leave missing values out, or give an infinity")
    found = sorted(_split(data, 0, level, least))
    ends = [0, *(place for place, _ in found), len(data)]
    levels = [float(np.median(data[begin:end])) for begin, end in pairwise(ends) if end > begin]
    return tuple(
        Shift(place, before, after, p) for (place, p), (before, after) in zip(found, pairwise(levels), strict=False)
    )


def _split(data: np.ndarray, begin: int, level: float, least: int) -> Iterator[tuple[int, float]]:
    """The places of the shifts in a segment that begins at ``begin``, with their p-values."""
    n = len(data)
    # Ties share their mean rank, a multiple of 1/2: twice the rank is a whole number.
    ranks = (2 * scipy.stats.rankdata(data)).astype(int)
    if n < 2 * least or ranks.min() == ranks.max():
        return
    passing = n in _PASSING
    for inner in (False, True) if passing else (False,):
        alpha = level * (_SHARE if inner else 1 - _SHARE if passing else 1)
        observed, arc = max((float(apart.max()), arc) for apart, arc in _best(ranks, least, inner))
        null = _null(tuple(sorted(ranks.tolist())), least, inner)
        # The sequence as it is counts as one of its permutations.
        p = (1 + len(null) - int(np.searchsorted(null, observed * (1 - 1e-12)))) / (1 + len(null))
        if p <= alpha:
            inside = [place for place in arc if 0 < place < n]
            yield from ((begin + place, p) for place in inside)
            for start, end in pairwise([0, *inside, n]):
                yield from _split(data[start:end], begin + start, level * (end - start) / n, least)
            return


def _best(ranks: np.ndarray, least: int, inner: bool) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """For each stretch (begin, end): how far its ranks, of the ranks (..., n), are from the others on average.

    The unit is a standard deviation times a factor that is the same for all permutations. ``inner``: stretches inside
    the segment, with values before and after them; otherwise stretches from its start.
    """
    n = ranks.shape[-1]
    sums = np.concatenate(
        [np.zeros((*ranks.shape[:-1], 1)), (ranks - ranks.mean(axis=-1, keepdims=True)).cumsum(-1)], -1
    )
    for begin in range(least, n - 2 * least + 1) if inner else (0,):
        ends = np.arange(begin + least, n - least + 1)
        sizes = ends - begin
        apart = np.abs(sums[..., ends] - sums[..., [begin]]) / np.sqrt(sizes * (n - sizes))
        place = int(apart.argmax()) if ranks.ndim == 1 else 0
        yield apart.max(axis=-1), (begin, int(ends[place]))


@lru_cache(maxsize=256)
def _null(ranks: tuple[int, ...], least: int, inner: bool) -> np.ndarray:
    """The sorted largest distances of permutations of these ranks."""
    random = np.random.default_rng(0)
    n = len(ranks)
    count = max(999, min(_PERMUTATIONS, _ROOM // (n * n if inner else n)))
    size = max(1, _ROOM // (10 * n))
    largest = []
    for done in range(0, count, size):
        permuted = random.permuted(np.tile(np.array(ranks), (min(size, count - done), 1)), axis=1)
        largest.append(np.max([apart for apart, _ in _best(permuted, least, inner)], axis=0))
    return np.sort(np.concatenate(largest))
