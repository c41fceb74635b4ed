"""Properties of a dataset: its samples and, where it has one, its density, compared with each other."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from scipy.stats import chi2_contingency, ks_2samp, poisson
from torch import Tensor

from ganbench.core.errors import NotApplicableError, PluginError, error_line
from ganbench.core.rng import stream
from ganbench.data.data_folder import MissingDataError
from ganbench.data.density import around
from ganbench.data.mixture import Mixture
from ganbench.data.own_files import OwnFiles
from ganbench.data.phases import check_phases, phases
from ganbench.data.soundness import check_soundness
from ganbench.plugin.returned import not_distribution
from ganbench.plugin.types import Distribution
from ganbench.testing.generator import check_drawn_there
from ganbench.testing.purity import global_rng_untouched
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.train.step.check import check_distribution

#: Of a test of a right dataset: it is wrong about one in so many. Seeds are fixed, so a file that passes once passes.
ERROR = 1e-4
N = 20_000
#: A density is weighed at so many points around so many samples; heavier tails than a t of 3 are not for this kit.
POINTS = 16_000
CENTRES = 2000
Array = np.ndarray


@lru_cache(maxsize=4)
def built(subject: Subject) -> Distribution:
    """The distribution. Raises NotApplicableError where its data files are missing, and WrongError where it is none."""
    try:
        dataset: Distribution = subject.entry.build(subject.parameters, find=OwnFiles())
    except (MissingDataError, NotApplicableError, OSError) as missing:
        raise NotApplicableError(str(missing).splitlines()[0]) from missing
    except ValueError as wrong:
        raise WrongError(f"dataset {subject.entry.name}: {error_line(wrong)}") from wrong
    if not isinstance(dataset, Distribution) or isinstance(dataset, type):
        raise WrongError(f"dataset {subject.entry.name}: build() returned {not_distribution(dataset)}")
    return dataset


@lru_cache(maxsize=8)
def drawn(subject: Subject, seed: int = 0, n: int = N) -> Tensor:
    """Samples of the dataset.

    Args:
        subject: the dataset under test.
        seed: decides the samples.
        n: how many.

    Returns:
        The samples, (n, *shape).
    """
    return built(subject).sample(n, stream(seed, "conformance.data"))


def samples(subject: Subject) -> str:
    """Samples have the declared shape, are float32 and finite; the seed decides them."""
    dataset = built(subject)
    try:
        check_distribution(subject.entry.name, dataset)
        check_soundness(dataset)
    except (PluginError, ValueError) as error:
        raise WrongError(str(error)) from error
    again = subject.entry.build(subject.parameters, find=OwnFiles())
    if not torch.equal(*(each.sample(100, stream(0, "conformance")) for each in (dataset, again))):
        raise WrongError("is another one each time it is built: give each generator of random numbers a fixed seed")
    with global_rng_untouched():
        one = dataset.sample(100, stream(0, "conformance"))
    other = dataset.sample(100, stream(1, "conformance"))
    if torch.equal(one, other) and one.std() > 0:
        raise WrongError("gives the same samples for every seed")
    for n in (1, 7):
        if tuple(dataset.sample(n, stream(0, "conformance")).shape) != (n, *dataset.shape):
            raise WrongError(f"sample({n}) has another shape than ({n}, *shape)")
    return "x".join(map(str, dataset.shape))


def there(subject: Subject) -> None:
    """A generator of a GPU has samples on that GPU."""
    check_drawn_there(built(subject))


def apart(subject: Subject) -> str:
    """Held-out points are not training points, and samples come from the training points."""
    dataset = built(subject)
    training, held_out = (getattr(dataset, name, None) for name in ("training", "held_out"))
    if training is None or held_out is None:
        raise NotApplicableError("no finite set of data")
    known = {row.numpy().tobytes() for row in training}
    if not any(row.numpy().tobytes() in known for row in drawn(subject, n=100)):
        raise WrongError("its samples are none of its training points")
    shared = sum(row.numpy().tobytes() in known for row in held_out)
    if shared > len(held_out) // 100:
        raise WrongError(f"{shared} of {len(held_out)} held-out points are training points too")
    return f"{len(training):,} to train on, {len(held_out):,} held out"


def mass(subject: Subject) -> str:
    """The density integrates to 1."""
    ratio = _weighed(subject)[1]
    total, error = float(ratio.mean()), 4 * float(ratio.std()) / math.sqrt(len(ratio))
    if not abs(total - 1) <= max(error, 0.01):  # as where it is NaN
        raise WrongError(f"the density integrates to {total:.4g}, give or take {error:.2g}")
    return f"integrates to {total:.3f}, give or take {error:.2g}"


def fit(subject: Subject) -> str:
    """Samples fit the density: they are compared with points drawn from the density by rejection."""
    dataset = _with_density(subject)
    x = drawn(subject, 1).double().numpy()
    heights = dataset.log_density(x)
    if heights.shape != (N,) or heights.dtype != np.float64:
        raise WrongError(f"log_density must give float64 (n,), not {heights.dtype} {heights.shape}")
    if not np.isfinite(heights).all():
        raise WrongError(
            f"{int((~np.isfinite(heights)).sum())} of {N} samples are where the density is not finite or 0"
        )
    points, ratio = _weighed(subject)
    # The few that stand out far are cut: where a proposal has hardly been, it can say nothing.
    kept = np.random.default_rng(1).random(len(ratio)) * np.quantile(ratio, 0.999) < ratio
    other, flat = points[kept], x.reshape(N, -1)
    tests = {"heights": (heights, dataset.log_density(other.reshape(-1, *dataset.shape)))}
    tests |= {f"axis {axis}": (flat[:, axis], other[:, axis]) for axis in range(min(2, flat.shape[1]))}
    found = {name: float(ks_2samp(*pair).pvalue) for name, pair in tests.items()}
    # In which part of space each is: that of the nearest of some samples.
    cells = cKDTree(drawn(subject).double().numpy().reshape(N, -1)[:64])
    counts = [np.bincount(cells.query(each)[1], minlength=64) for each in (flat, other)]
    seen = counts[0] + counts[1] > 0
    found["places"] = float(chi2_contingency([each[seen] for each in counts]).pvalue)
    name = min(found, key=lambda name: found[name])
    if found[name] < ERROR / len(found):
        raise WrongError(f"samples do not fit the density: p = {found[name]:.1g} of their {name}")
    return f"smallest p of {len(found)} is {found[name]:.2g}, beside {kept.sum():,} points from the density"


def modes(subject: Subject) -> str:
    """Modes are distinct, and each has as many samples as its weight predicts."""
    dataset = built(subject)
    if not isinstance(dataset, Mixture):
        raise NotApplicableError("no Mixture")
    gaps = np.linalg.norm(dataset.means[:, None] - dataset.means[None], axis=2) + np.diag([np.inf] * dataset.modes)
    if dataset.modes > 1 and gaps.min() < 1e-6 * (1 + np.abs(dataset.means).max()):
        i, j = np.unravel_index(gaps.argmin(), gaps.shape)
        raise WrongError(f"modes {i} and {j} are the same: {dataset.means[i].tolist()}")
    x = drawn(subject).double().numpy()
    near = np.sqrt(((x[:, None] - dataset.means[None]) ** 2).sum(2)) if dataset.modes * x.shape[1] < 500 else None
    narrowest = 8 * dataset.std.max() * math.sqrt(dataset.dimension)
    if near is None or gaps.min() < narrowest:
        return f"{dataset.modes} distinct modes"
    counts = np.bincount(near.argmin(1), minlength=dataset.modes)
    expected = N * dataset.weights
    tails = np.minimum(poisson.cdf(counts, expected), poisson.sf(counts - 1, expected))
    if tails.min() < ERROR / dataset.modes:
        worst = int(tails.argmin())
        raise WrongError(f"mode {worst} has {counts[worst]} of {N} samples, and its weight says {expected[worst]:.0f}")
    return f"{dataset.modes} distinct modes, each with its share"


def changes(subject: Subject) -> str:
    """Where the data change during training, each phase is sound, and differs from the one before."""
    dataset = built(subject)
    found = phases(dataset)
    if len(found) == 1:
        raise NotApplicableError("the data do not change")
    try:
        check_phases(dataset)
        for _, own in found:
            check_distribution(subject.entry.name, own)
    except (ValueError, PluginError) as error:
        raise WrongError(str(error)) from error
    for (_, before), (share, after) in pairwise(found):
        if torch.equal(*(own.sample(100, stream(0, "conformance")) for own in (before, after))):
            raise WrongError(f"nothing changes at {share:g}: the same seed gives the same samples before and after")
    return f"{len(found)} phases, from {', '.join(f'{share:g}' for share, _ in found)} of the steps on"


PROPERTIES = (
    Property("samples", samples, everywhere=False),
    Property("on the generator's device", there),
    Property("held-out data", apart, everywhere=False),
    Property("the density integrates to 1", mass),
    Property("samples fit the density", fit),
    Property("modes", modes),
    Property("phases", changes),
)


def _with_density(subject: Subject) -> Any:
    dataset = built(subject)
    if not hasattr(dataset, "log_density"):
        raise NotApplicableError("no density")
    return dataset


@lru_cache(maxsize=4)
def _weighed(subject: Subject) -> tuple[Array, Array]:
    """Points around samples, (m, dimension), and the density there over the density that they were drawn from."""
    dataset = _with_density(subject)
    x = drawn(subject).double().numpy().reshape(N, -1)
    if x.shape[1] <= 2:
        points, density = around(x[:CENTRES], POINTS)
    elif isinstance(dataset, Mixture):
        points, density = _wider(dataset)
    else:
        raise NotApplicableError("in more than two dimensions, only of a Mixture")
    return points, np.exp(dataset.log_density(points.reshape(-1, *dataset.shape)) - density)


def _wider(dataset: Mixture) -> tuple[Array, Array]:
    """Points of the same mixture with a little more spread, and the log-density of that proposal."""
    random = np.random.default_rng(0)
    std = dataset.std * (1 + 0.5 / math.sqrt(dataset.dimension))
    which = random.choice(dataset.modes, POINTS, p=dataset.weights)
    points = dataset.means[which] + std[which, None] * random.standard_normal((POINTS, dataset.dimension))
    return points, Mixture(dataset.means, std.tolist(), dataset.weights.tolist()).log_density(points)
