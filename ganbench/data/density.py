"""Whether a log-density is one: numbers at the data's samples and beside them, an integral of 1, and of the samples."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import scipy
from torch import Tensor

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.data.mixture import Mixture

#: The log-density is computed of so many of the samples.
HEIGHTS = 100
#: The share of them where the density may be 0.
FEW_ABSENT = 0.1
#: The integral is taken over so many points around so many samples, in at most so many dimensions: in more of them
#: it would say nothing.
POINTS, CENTRES, DIMENSIONS = 2000, 300, 3
#: The integral's logarithm may be so far from 0, and so many of its standard errors.
TOLERANCE, ERRORS = 0.1, 6.0
#: Of the points around samples: each coordinate has Student's t of so many degrees of freedom. Its density is
#: 2 / (pi sqrt(3) (1 + t^2 / 3)^2).
DEGREES = 3


def check_density(distribution: Any, samples: Tensor) -> None:
    """Check the log-density of a distribution that has one; raises ValueError, one line, at the first fault.

    ``samples``: of the distribution, (n, *shape).
    """
    if not callable(density := getattr(distribution, "log_density", None)):
        return
    x = samples.double().numpy()
    few = x[:HEIGHTS]
    heights, alone = _heights(density, few), _heights(density, few[:1])
    # A sample may be rounded out of the region where the density is positive, but only a few can be.
    absent = np.isneginf(heights)
    bad = ~np.isfinite(heights) & ~absent if absent.mean() <= FEW_ABSENT else ~np.isfinite(heights)
    if bad.any():
        found = " and ".join(dict.fromkeys(str(height) for height in heights[bad]))
        raise ValueError(f"log_density gives {found} at {bad.sum()} of {len(few)} of the data's own samples")
    if not np.allclose(alone, heights[:1], rtol=1e-4, atol=1e-4):
        raise ValueError("log_density of a sample must not depend on the samples that are given with it")
    # A mixture's is exact.
    if not isinstance(distribution, Mixture) and math.prod(distribution.shape) <= DIMENSIONS:
        _check_integral(density, x)


def around(centres: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Points around samples, as far from them as their neighbours are, and the log-density of these points.

    Args:
        centres: the samples, (n, dimension), float64
        points: how many points, always the same ones

    Returns:
        The points, (points, dimension), and the log-density that they are drawn from, (points,). Each coordinate is a
        Student's t about a sample.
    """
    random = np.random.default_rng(0)
    n, dimension = centres.shape
    distances = np.asarray(scipy.spatial.cKDTree(centres).query(centres, min(6, n))[0])
    width = distances[:, -1] + 1e-6 * np.abs(centres).max() + 1e-30
    which = random.integers(n, size=points)
    drawn = centres[which] + width[which, None] * random.standard_t(DEGREES, (points, dimension))
    constant = math.log(2 / (math.pi * math.sqrt(DEGREES)))
    density = np.concatenate([_mean_of_t(block, centres, width) for block in np.array_split(drawn, 1 + points // 1000)])
    return drawn, np.log(density) + dimension * constant


def _mean_of_t(at: np.ndarray, centres: np.ndarray, width: np.ndarray) -> np.ndarray:
    """The mean over the centres of Student's t, without its constant, (points,)."""
    terms = np.ones((len(at), len(centres)))
    for axis in range(at.shape[1]):
        terms /= np.square(1 + np.square((at[:, None, axis] - centres[:, axis]) / width) / DEGREES)
    mean: np.ndarray = (terms / width ** at.shape[1]).mean(1)
    return mean


def _check_integral(density: Any, x: np.ndarray) -> None:
    shape = x.shape[1:]
    points, proposed = around(x[:CENTRES].reshape(len(x[:CENTRES]), -1), POINTS)
    heights = _heights(density, points.reshape(-1, *shape))
    if np.isnan(heights).any() or np.isposinf(heights).any():
        count = int((np.isnan(heights) | np.isposinf(heights)).sum())
        raise ValueError(
            f"log_density gives no number at {count} of {POINTS} points around the data's samples: it must be -inf "
            "where the density is 0, as a generator's samples may be anywhere"
        )
    excess = heights - proposed
    # On a scale of its own: what is far from a density would be too large for a float.
    most = float(excess.max())
    shares = np.exp(excess - most) if math.isfinite(most) else np.zeros(1)
    if not shares.any():
        raise ValueError("log_density is -inf all around the data's samples, so it is not their density")
    off = most + math.log(shares.mean())
    if abs(off) <= max(TOLERANCE, ERRORS * float(shares.std() / shares.mean()) / math.sqrt(POINTS)):
        _check_heights(_heights(density, x), heights, shares)
        return
    about = f" (its exponential integrates to about {math.exp(off):.3g}, not 1)" if abs(off) < 20 else ""
    raise ValueError(
        f"log_density is about {abs(off):.2g} too {'high' if off > 0 else 'low'} where the data is{about}: is the "
        "logarithm of its normalising constant missing, or is it another distribution's than the samples'?"
    )


def _check_heights(own: np.ndarray, heights: np.ndarray, shares: np.ndarray) -> None:
    """Compare the log-density at the samples, (n,), with that at weighted points, (m,), as of its own distribution.

    Where it is lower at samples they are wider than it says, where it is higher they are narrower.
    """
    own = own[np.isfinite(own)]
    inside = shares > 0
    there, weights = heights[inside], shares[inside] / shares.sum()
    wanted = float(weights @ there)
    error = math.hypot(own.std() / math.sqrt(len(own)), math.sqrt(np.square(weights * (there - wanted)).sum()))
    if abs(own.mean() - wanted) <= max(TOLERANCE, ERRORS * error):
        return
    what = "wider" if own.mean() < wanted else "narrower"
    raise ValueError(
        f"log_density is of another distribution than the samples, which are {what}: its mean is {own.mean():.3g} at "
        f"the samples, and {wanted:.3g} by the density itself: is a variance taken for a standard deviation?"
    )


def _heights(density: Any, x: np.ndarray) -> np.ndarray:
    """The log-density at ``x``, (n,); raises ValueError where it fails or gives anything but n floats."""
    try:
        inspect.signature(density).bind(x)
    except ValueError:  # of a function without a signature
        pass
    except TypeError:
        raise ValueError("log_density must take x alone, a numpy array: def log_density(self, x)") from None
    try:
        with process_kept(), np.errstate(all="ignore"):
            heights = density(x)
    except BaseException as error:
        raise_if_stopped(error)
        cure = f": it is given numpy arrays, float64, {x.shape}" if isinstance(error, TypeError) else ""
        raise ValueError(f"log_density: {error_line(error)}{cure}") from error
    if isinstance(heights, Tensor):
        cure = "end it in .double().numpy()"
        raise ValueError(f"log_density must return an array of numpy, not a {heights.dtype} tensor: {cure}")
    if not isinstance(heights, np.ndarray) or heights.dtype.kind != "f":
        found = f"an array of {heights.dtype}" if isinstance(heights, np.ndarray) else type(heights).__name__
        cure = "one number for each sample" if np.ndim(heights) == 0 else "np.asarray(..., float)"
        raise ValueError(f"log_density must return a float64 array of numpy, not {found}: {cure}")
    if heights.shape != (len(x),):
        raise ValueError(f"log_density must have the shape ({len(x)},) for {len(x)} samples, not {heights.shape}")
    return heights
