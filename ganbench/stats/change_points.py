"""Where a sequence of numbers changed its level: change points by binary segmentation, tested by permutation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from scipy.stats import rankdata

#: The probability that a series without a shift is said to have one.
LEVEL = 0.01
#: Fewer values than this between two shifts are no new level: they may be outliers.
LEAST = 3

#: Lengths of segments that are also searched for a level that came and went: below no three levels can be told apart,
#: above there are too many places for it.
_PASSING = range(15, 301)
#: How much of the level is for that.
_SHARE = 0.5
_PERMUTATIONS = 9999
#: So many numbers are looked at for one test at most: a long segment gets fewer permutations.
_ROOM = 40_000_000


@dataclass(frozen=True)
class Shift:
    """A new level from the value at ``place`` on: the medians up to the shifts before and after it; its p-value."""

    place: int
    before: float
    after: float
    p: float

    @property
    def size(self) -> float:
        """After minus before."""
        return 0.0 if self.before == self.after else self.after - self.before


def shifts(values: Sequence[float], *, level: float = LEVEL, least: int = LEAST) -> tuple[Shift, ...]:
    """The shifts in a sequence, first to last; infinities are values, NaN is a ValueError.

    A segment is split where the ranks before and after differ most (the largest standardised rank sum over all places:
    Pettitt 1979), if few enough of its permutations differ so much anywhere; failing that, where a level came and went
    (as circular binary segmentation does: Olshen et al. 2004). Then its parts are split in turn, at levels in
    proportion to their lengths (Scott & Knott 1974), so that a whole sequence without a shift has one with a
    probability of at most ``level``. Ranks, so that one outlier is no shift. Always the same permutations. Fewer than
    10 values have none at 1 %: too few of their permutations differ from what was seen.
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
    # Median ranks of ties are halves: twice the rank is whole.
    ranks = (2 * rankdata(data)).astype(int)
    if n < 2 * least or ranks.min() == ranks.max():
        return
    passing = n in _PASSING
    for inner in (False, True) if passing else (False,):
        bar = level * (_SHARE if inner else 1 - _SHARE if passing else 1)
        seen, arc = max((float(apart.max()), arc) for apart, arc in _best(ranks, least, inner))
        null = _null(tuple(sorted(ranks.tolist())), least, inner)
        # What was seen counts as one of the permutations.
        p = (1 + len(null) - int(np.searchsorted(null, seen * (1 - 1e-12)))) / (1 + len(null))
        if p <= bar:
            inside = [place for place in arc if 0 < place < n]
            yield from ((begin + place, p) for place in inside)
            for start, end in pairwise([0, *inside, n]):
                yield from _split(data[start:end], begin + start, level * (end - start) / n, least)
            return


def _best(ranks: np.ndarray, least: int, inner: bool) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """How far the ranks (..., n) of a stretch are from all others, for each stretch (begin, end).

    In standard deviations, but for a factor that all permutations share. ``inner``: stretches with something on either
    side, else those that begin at the beginning.
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
