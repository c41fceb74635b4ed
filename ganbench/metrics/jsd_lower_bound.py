"""A lower bound of the Jensen-Shannon divergence of two samples of any shape, from a classifier that tells them apart.

For every discriminator D, V(D) = E_data log D + E_generator log(1 - D) <= -log 4 + 2 JSD, equal for the best one
(Goodfellow et al. 2014, arXiv:1406.2661, theorem 1). So (V + log 4)/2 on rows that D was not fitted to bounds the
divergence from below, however poor D is. Here D is a logistic regression on ``jsd_features``.

The rows are split into two halves. The Gaussians of one half give the features of the other half, and there the
regression is cross-fitted in five folds. So no part of D was fitted to the row that it scores. It may have been fitted
to an equal row, and this is necessary: draws from a finite pool repeat, and each is an independent draw. If equal real
rows were kept in one fold, D would learn which rows of the pool it was given, and count that as a difference.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd_features import RATIOS, Features
from ganbench.metrics.jsd_neighbours import LOG2, clip
from ganbench.metrics.points import SEED, is_finite, rows_of_both

FOLDS = 5
FEWEST, MOST = 20, 5_000  # of real and of generated rows each: the fewest needed, the most used
AT_ONCE = 256  # rows that noise is drawn for
COLUMNS = 64  # of the rows that are put in order, at a time
FREEDOM = 0.003  # the inverse of the ridge penalty of the regression's weights
TRUST = 20.0  # the penalty of log-ratios is smaller by this factor (of their scale): they need little learning


@dataclass(frozen=True)
class LowerBound:
    """A lower bound in nats.

    ``held_out``: the estimate, which is below 0 where the classifier only guesses; ``standard_error``: that of
    ``held_out``; ``point``: the mean of ``held_out`` and the same estimate on the rows that D was fitted to, nearer to
    the divergence but not a bound; ``duplicates``: share of the samples that repeat others exactly; ``note``: remarks
    on the rows.
    """

    held_out: float
    standard_error: float
    point: float
    duplicates: float
    note: str = ""

    @property
    def value(self) -> float:
        """The bound, no less than 0."""
        return clip(self.held_out)

    @property
    def low(self) -> float:
        """The one-sided 95 % limit: the divergence is above it in 95 % of cases."""
        return clip(self.held_out - 1.645 * self.standard_error)


def lower_bound(
    samples: np.ndarray,
    real: np.ndarray,
    *,
    training: np.ndarray | None = None,
    mixture: Mixture | None = None,
    noise: float = 0.0,
) -> LowerBound:
    """Bound the divergence between the distributions of ``samples`` and of ``real`` from below.

    The rows of each must be independent draws from their distribution. From a finite set they are drawn either with
    replacement, and then the set is the distribution, or each row once, as from a held-out set, and then the
    distribution is the one that the set was drawn from.

    Samples that are not finite are mass where the data has none: (log 2)/2 per unit of mass. Rows that repeat others
    are only counted, since images may repeat. Of more than 5,000 rows, real or generated, 5,000 are used. Neither the
    order of rows nor a common scale matters. The bound shows smooth differences: it shows little of fine structure, or
    of a generator that repeats its training points. Bounds from different numbers of samples are not comparable.

    Args:
        samples: generated samples, (n, *shape).
        real: real samples, (m, *shape).
        training: more real data, (k, *shape): D may learn from it but is scored on ``real`` alone.
        mixture: the data's distribution where it is known: its classes and density are then features.
        noise: the standard deviation, in units of the data's, of normal noise that is added to both. Much finer
            structure is then hidden, and no divergence grows; without noise a constant pixel would tell real images
            from any generator's.

    Returns:
        The bound.

    Raises:
        ValueError: the shapes do not match, real rows are not finite, or there are fewer than 20 rows of either.
    """
    # In their own type: in float64 a set of images would be twice as large, and only some of the rows are used.
    everything, real = rows_of_both(samples, real)
    more = real[:0] if training is None else rows_of_both(samples, training)[1]
    if min(len(everything), len(real)) < FEWEST:
        raise ValueError(
            f"a lower bound needs {FEWEST} samples of each, not {len(everything)} and {len(real)} real ones"
        )
    good = is_finite(everything)
    finite = everything if good.all() else everything[good]
    mass = len(finite) / len(everything)
    random = np.random.default_rng(SEED)
    fake, copies = _fake(finite, random)
    data = _real(real, more, random)
    if noise:
        unit = noise * math.sqrt(float(((data.rows - data.rows.mean(axis=0)) ** 2).mean()))
        for some in (fake, data):
            for begin in range(0, len(some.rows), AT_ONCE):
                part = some.rows[begin : begin + AT_ONCE]
                part += unit * random.standard_normal(part.shape)

    notes = [] if mass == 1 else [f"{100 * (1 - mass):.3g} % of the samples are not finite"]
    for name, used, given in (("samples", len(fake.rows), len(finite)), ("real ones", data.scored.sum(), len(real))):
        if used < given:
            notes.append(f"{used:,} of {given:,} {name} used")
    duplicates, note = copies / len(everything), "; ".join(notes)
    if len(fake.rows) < FEWEST:  # too few to tell: D is the probability that a finite row is real
        held_out = LOG2 - (math.log1p(mass) - (mass * math.log(mass / (1 + mass)) if mass else 0.0)) / 2
        return LowerBound(held_out, 0.0, held_out, duplicates, note)

    data_odds, fake_odds, seen = _cross_fitted(data, fake, mass, mixture)
    right, wrong = -np.logaddexp(0, -data_odds[data.scored]), -np.logaddexp(0, fake_odds)
    held_out = LOG2 + (right.mean() + mass * wrong.mean()) / 2
    variance = right.var() / len(right)
    variance += (mass * (wrong**2).mean() - (mass * wrong.mean()) ** 2) * mass / len(wrong)
    return LowerBound(float(held_out), math.sqrt(max(variance, 0.0)) / 2, float(held_out + seen) / 2, duplicates, note)


@dataclass(frozen=True)
class _Rows:
    """Rows (n, d) of a distribution; ``turn``, (n,), decides each row's half and fold; ``scored``: which are scored."""

    rows: np.ndarray
    turn: np.ndarray
    scored: np.ndarray

    @property
    def half(self) -> np.ndarray:
        return self.turn % 2

    @property
    def fold(self) -> np.ndarray:
        return self.turn // 2 % FOLDS


def _fake(rows: np.ndarray, random: np.random.Generator) -> tuple[_Rows, int]:
    """At most 5,000 of the rows, in an order that depends on them alone, and how many of all rows repeat others."""
    place = _places(rows)
    copies = np.bincount(place)[place]
    chosen = np.argsort(place, kind="stable")[random.permutation(len(rows))][:MOST]
    return _Rows(
        np.asarray(rows[chosen], dtype=np.float64), np.arange(len(chosen)), np.ones(len(chosen), dtype=bool)
    ), int((copies > 1).sum())


def _real(real: np.ndarray, more: np.ndarray, random: np.random.Generator) -> _Rows:
    """At most 5,000 rows, those of ``real`` first, in an order that depends on the rows alone."""
    scored = np.arange(len(real) + len(more)) < len(real)
    order = np.lexsort((~scored, _places(real, more)))
    scored = scored[order]
    turn = random.permutation(len(order))
    chosen = np.lexsort((turn, ~scored))[:MOST]
    return _Rows(_picked(order[chosen], real, more), turn[chosen], scored[chosen])


def _picked(at: np.ndarray, *parts: np.ndarray) -> np.ndarray:
    """The rows at some places of all parts together, in float64."""
    found = np.empty((len(at), parts[0].shape[1]))
    begin = 0
    for part in parts:
        here = (begin <= at) & (at < begin + len(part))
        found[here] = part[at[here] - begin]
        begin += len(part)
    return found


def _places(*parts: np.ndarray) -> np.ndarray:
    """A number for each row of all parts, (n, d) -> (n,), from 0 without gaps, the same for equal rows.

    Their order is that of the rows' bytes in float64. Some columns are looked at at a time, of the rows that are not
    told apart by those before: a copy of a large set of images would take much memory.
    """
    size = sum(map(len, parts))
    place, open_rows = np.zeros(size, dtype=np.int64), np.arange(size)
    for begin in range(0, parts[0].shape[1], COLUMNS):
        if not len(open_rows):
            break
        # -0 is 0.
        some = _picked(open_rows, *(part[:, begin : begin + COLUMNS] for part in parts)) + 0.0
        before = place[open_rows]
        keys = np.concatenate([before.astype(">i8")[:, None].view(np.uint8), some.view(np.uint8)], axis=1)
        names = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).ravel()
        order = np.argsort(names)
        new = np.ones(len(order), dtype=bool)
        new[1:] = names[order[1:]] != names[order[:-1]]
        first = np.flatnonzero(new)
        # A group's place is that of its first row: the number of rows before it.
        group_of = before[order]
        starts = np.flatnonzero(np.r_[True, group_of[1:] != group_of[:-1]])
        offset = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
        place[open_rows[order]] = group_of + np.repeat(offset[first], np.diff(np.r_[first, len(order)]))
        counts = np.bincount(place[open_rows], minlength=1)
        open_rows = open_rows[counts[place[open_rows]] > 1]
    return np.unique(place, return_inverse=True)[1]


def _cross_fitted(
    data: _Rows, fake: _Rows, mass: float, mixture: Mixture | None
) -> tuple[np.ndarray, np.ndarray, float]:
    """Each row's log-odds to be real, from fits without that row; and the bound on the rows that D was fitted to."""
    data_odds, fake_odds = np.zeros(len(data.rows)), np.zeros(len(fake.rows))
    seen = []
    for half in range(2):
        features = Features(data.rows[data.half != half], fake.rows[fake.half != half], mixture)
        mine, its = data.half == half, fake.half == half
        x, y = features(data.rows[mine]), features(fake.rows[its])
        for fold in range(FOLDS):
            out_x, out_y = data.fold[mine] == fold, fake.fold[its] == fold
            odds = _regression(x[~out_x], y[~out_y], mass)
            data_odds[mine & (data.fold == fold)] = odds(x[out_x])
            fake_odds[its & (fake.fold == fold)] = odds(y[out_y])
            right, wrong = np.logaddexp(0, -odds(x[~out_x])).mean(), np.logaddexp(0, odds(y[~out_y])).mean()
            seen.append(LOG2 - (right + mass * wrong) / 2)
    return data_odds, fake_odds, float(np.mean(seen))


def _regression(x: np.ndarray, y: np.ndarray, mass: float) -> Callable[[np.ndarray], np.ndarray]:
    """Fit D to features of data, x (a, k), and generator, y (b, k); returns features (n, k) -> log-odds (n,)."""
    rows = np.concatenate([x, y])
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread < 1e-9] = 1.0
    spread[-RATIOS:] /= TRUST
    weights = np.concatenate([np.full(len(x), 1 / len(x)), np.full(len(y), mass / len(y))])
    model = LogisticRegression(C=FREEDOM, solver="newton-cholesky", tol=1e-3, max_iter=50)
    with warnings.catch_warnings():  # any D gives a bound, converged or not
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit((rows - centre) / spread, np.arange(len(rows)) < len(x), weights * len(rows) / weights.sum())
    # From so many rows no probability below one in twice their number can be justified.
    most = math.log(2 * len(rows))

    def odds(features: np.ndarray) -> np.ndarray:
        # The model's own decision_function first looks for data frames: a seventh of the time of a bound.
        linear = ((features - centre) / spread) @ model.coef_.T + model.intercept_
        return np.asarray(np.clip(linear[:, 0], -most, most))

    return odds
