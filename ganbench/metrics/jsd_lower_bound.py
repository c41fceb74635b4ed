"""A lower bound of the Jensen-Shannon divergence of two samples of any shape, from a classifier that tells them apart.

For every discriminator D, V(D) = E_data log D + E_generator log(1 - D) <= -log 4 + 2 JSD, equal for the best one
(Goodfellow et al. 2014, arXiv:1406.2661, theorem 1). So (V + log 4)/2 on rows that D has not seen bounds the
divergence from below, however poor D is. Here D is a logistic regression on what Gaussians say of a row.

The rows are halved: either half's Gaussians make the other's features, and there the regression is cross-fitted in
five folds. So nothing that a row is scored by has seen it. It may have seen an equal row, and must: draws from a finite
pool repeat, and each is a draw of its own. Were equal real rows kept together, D would learn which of the pool's rows
it was given, and score that as a difference.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd_features import RATIOS, Features
from ganbench.metrics.jsd_neighbours import LOG2, clip
from ganbench.metrics.points import SEED, is_finite, sample_and_real

FOLDS = 5
FEWEST, MOST = 20, 5_000  # rows of a side: needed, used
FREEDOM = 0.003  # of the regression's weights: the inverse of their ridge penalty
TRUST = 20.0  # by how much a log-ratio is less penalised (in its own scale): it needs little learning


@dataclass(frozen=True)
class LowerBound:
    """A lower bound in nats.

    ``held_out``: as it came out, below 0 where the classifier only guesses; ``standard_error``: its own; ``point``: its
    mean with the same on the rows that D was fitted to, nearer to the divergence but no bound; ``duplicates``: share of
    the samples that repeat others exactly; ``note``: what to know of the rows.
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
        """The divergence is above this in 95 % of cases (one-sided)."""
        return clip(self.held_out - 1.645 * self.standard_error)


def lower_bound(
    samples: np.ndarray,
    real: np.ndarray,
    *,
    training: np.ndarray | None = None,
    mixture: Mixture | None = None,
    noise: float = 0.0,
) -> LowerBound:
    """Bound the divergence of the laws of ``samples``, shape (n, *shape), and ``real``, (m, *shape), from below.

    The rows of each must be independent draws from their law: of a finite set either with replacement, and then the
    set is the law, or each row once, as of a set held out, and then the law is what the set was drawn from.

    ``training``, (k, *shape), is more real data: D may learn from it but is scored on ``real`` alone. ``mixture`` is
    the data's law where that is known: its classes and density are features then. ``noise`` is the standard deviation,
    in that of the data, of normal noise that is added to both: what is much finer is not seen then, and the divergence
    of any two laws only falls (a fixed pixel would else tell an image from any generator's).

    Rows of samples that are not finite are mass where the data has none: (log 2)/2 per unit of mass. Rows that repeat
    others are only counted, since images may. Above 5,000 rows of a side, 5,000 of them are used. The order of rows
    does not matter, nor a common scale. It sees what is smooth: little of fine structure, or of a generator that
    repeats what it was trained on. Bounds from other numbers of samples are not comparable. Raises ValueError where the
    shapes do not fit, real rows are not finite, or a side has fewer than 20 rows.
    """
    everything, real = sample_and_real(samples, real)
    more = real[:0] if training is None else sample_and_real(samples, training)[1]
    if min(len(everything), len(real)) < FEWEST:
        raise ValueError(
            f"a lower bound needs {FEWEST} samples of each, not {len(everything)} and {len(real)} real ones"
        )
    finite = everything[is_finite(everything)]
    mass = len(finite) / len(everything)
    random = np.random.default_rng(SEED)
    fake, copies = _fake(finite, random)
    data = _real(real, more, random)
    if noise:
        unit = noise * math.sqrt(float(((data.rows - data.rows.mean(axis=0)) ** 2).mean()))
        fake, data = (replace(s, rows=s.rows + unit * random.standard_normal(s.rows.shape)) for s in (fake, data))

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
class _Side:
    """Rows (n, d) of one law; their ``turn`` (n,) says in which half and fold each is; ``scored``: which count."""

    rows: np.ndarray
    turn: np.ndarray
    scored: np.ndarray

    @property
    def half(self) -> np.ndarray:
        return self.turn % 2

    @property
    def fold(self) -> np.ndarray:
        return self.turn // 2 % FOLDS


def _fake(rows: np.ndarray, random: np.random.Generator) -> tuple[_Side, int]:
    """At most 5,000 of the rows in an order that is theirs, and how many of all repeat others."""
    place = _places(rows)
    copies = np.bincount(place)[place]
    chosen = np.argsort(place, kind="stable")[random.permutation(len(rows))][:MOST]
    return _Side(rows[chosen], np.arange(len(chosen)), np.ones(len(chosen), dtype=bool)), int((copies > 1).sum())


def _real(real: np.ndarray, more: np.ndarray, random: np.random.Generator) -> _Side:
    """At most 5,000 rows, those of ``real`` first, in an order that is theirs."""
    rows, scored = np.concatenate([real, more]), np.arange(len(real) + len(more)) < len(real)
    order = np.lexsort((~scored, _places(rows)))
    rows, scored = rows[order], scored[order]
    turn = random.permutation(len(rows))
    chosen = np.lexsort((turn, ~scored))[:MOST]
    return _Side(rows[chosen], turn[chosen], scored[chosen])


def _places(rows: np.ndarray) -> np.ndarray:
    """A number for each row, (n, d) -> (n,), from 0 without gaps, that says which are equal; their order is fixed."""
    if not len(rows):
        return np.zeros(0, dtype=np.intp)
    plain = np.ascontiguousarray(rows + 0.0)  # -0 is 0
    return np.unique(plain.view(np.dtype((np.void, plain.strides[0]))).ravel(), return_inverse=True)[1]


def _cross_fitted(
    data: _Side, fake: _Side, mass: float, mixture: Mixture | None
) -> tuple[np.ndarray, np.ndarray, float]:
    """The log-odds of every row for being real, from fits without it; and the bound on the rows fitted to."""
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
    """Fit to features of data, x (a, k), and generator, y (b, k): features (n, k) -> log-odds (n,)."""
    rows = np.concatenate([x, y])
    centre, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread < 1e-9] = 1.0
    spread[-RATIOS:] /= TRUST
    weights = np.concatenate([np.full(len(x), 1 / len(x)), np.full(len(y), mass / len(y))])
    model = LogisticRegression(C=FREEDOM, solver="newton-cholesky", tol=1e-3, max_iter=50)
    with warnings.catch_warnings():  # any D will do
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit((rows - centre) / spread, np.arange(len(rows)) < len(x), weights * len(rows) / weights.sum())
    # A surer verdict than a row in twice as many, the sample has no right to.
    most = math.log(2 * len(rows))
    return lambda features: np.clip(model.decision_function((features - centre) / spread), -most, most)
