"""How far samples are from the data: the Jensen-Shannon divergence, by the best method that the data allows.

===============  ==============================  ==============================================================
method           for                             result
===============  ==============================  ==============================================================
``density``      a mixture of 1 or 2 dimensions  an estimate with its interval (``ganbench.metrics.jsd``)
``neighbours``   other data of 1 or 2            an estimate with its interval (``ganbench.metrics.jsd_neighbours``)
``lower bound``  all other data                  a lower bound (``ganbench.metrics.jsd_lower_bound``)
===============  ==============================  ==============================================================

Images, data of more than one axis, get a little noise before their lower bound, and the samples get the same. Pixels of
images are rounded to levels, and some are constant: without noise any generator would be as far from them as possible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from ganbench.data.mixture import Mixture
from ganbench.metrics.jsd import jsds
from ganbench.metrics.jsd_neighbours import neighbour_jsd
from ganbench.metrics.points import as_rows, from_tensor, is_finite, rows_of
from ganbench.plugin.role import LOWER_BOUND
from ganbench.plugin.types import Distribution

BLOCK = 1024  # of rows that are made double precision at a time
IMAGE_NOISE = 0.05  # of the data's standard deviation; it hides grey levels and constant pixels


@dataclass(frozen=True)
class Divergence:
    """A divergence in nats, 0 to log 2; ``low`` and ``high`` are the ends of its 95 % interval, None where unknown.

    ``method``: ``density``, ``neighbours`` or ``lower bound``; a lower bound has a one-sided 95 % limit, ``low``, and
    no ``high``; before a seed's last evaluation it has no ``value``. ``floor``: the divergence of fresh data in place
    of the samples, from the same real ones, at the last evaluation; None for ``density``, where it is nearly 0.
    ``duplicates``: share of the samples that repeat others exactly; for data on a line or plane only the share above
    what chance explains. ``note``: remarks on the value for the user.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str
    floor: float | None
    duplicates: float
    note: str


def divergences(samples: Tensor, dataset: Distribution, real: Tensor | None, *, final: bool) -> list[Divergence]:
    """The divergence of each seed's samples from the data.

    Args:
        samples: generated samples, (seeds, n, *shape).
        dataset: the data's distribution.
        real: real samples, (seeds, m, *shape); needed where the data's density is not known in 1 or 2 dimensions.
        final: whether it is a seed's last evaluation, where the costly parts are computed, too.

    Returns:
        The divergence of each seed, in order.

    Raises:
        ValueError: the shapes do not match, or real samples are needed but missing.
    """
    shape = tuple(dataset.shape)
    _check("samples", samples, shape)
    if isinstance(dataset, Mixture) and dataset.dimension <= 2:
        return [
            Divergence(e.value, e.low, e.high, "density", None, e.duplicates, e.note)
            for e in jsds(samples, dataset, guard=final)
        ]
    if real is None:
        raise ValueError("real samples are needed where the data's density is not known in 1 or 2 dimensions")
    _check("real", real, shape)
    if len(real) != len(samples):
        raise ValueError(f"samples are of {len(samples)} seeds and real of {len(real)}")
    if not len(samples):
        return []
    flat = math.prod(shape) <= 2
    if not flat and not final:
        return [Divergence(None, None, None, LOWER_BOUND, None, 0.0, "measured at the end") for _ in samples]
    # In double precision many images would fill the memory.
    plain = from_tensor if flat else rows_of
    pairs = [(plain(x), plain(y)) for x, y in zip(samples, real, strict=True)]
    return _neighbours(pairs, dataset, final=final) if flat else _bounds(pairs, dataset)


def _check(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    if tensor.ndim != 2 + len(shape) or tuple(tensor.shape[2:]) != shape or not tensor.shape[1]:
        needed = ", ".join(["seeds", "n", *map(str, shape)])
        raise ValueError(f"{name} must have the shape ({needed}), n above 0, not {tuple(tensor.shape)}")


def _neighbours(pairs: list[tuple[np.ndarray, np.ndarray]], dataset: Distribution, *, final: bool) -> list[Divergence]:
    answer = []
    for samples, real in pairs:
        near = neighbour_jsd(samples, real)
        floor = neighbour_jsd(_fresh(dataset, len(samples), real), real).value if final else None
        broken = 1 - is_finite(samples).mean()
        note = f"{100 * broken:.3g} % of the samples are not finite" if broken else ""
        # Samples on a line, rounded to float32, coincide by chance: real samples show how often.
        duplicates = max(_repeats(samples) - _repeats(real), 0.0)
        answer.append(Divergence(near.value, near.low, near.high, "neighbours", floor, duplicates, note))
    return answer


def _bounds(pairs: list[tuple[np.ndarray, np.ndarray]], dataset: Distribution) -> list[Divergence]:
    # Late: it imports scikit-learn, which takes a second, and most runs do not need it.
    from ganbench.metrics.jsd_lower_bound import FEWEST, MOST, lower_bound

    n, m = map(len, pairs[0])
    if min(n, m) < FEWEST:
        few = f"{FEWEST} samples and as many real ones needed, not {n} and {m}"
        return [Divergence(None, None, None, LOWER_BOUND, None, 0.0, few) for _ in pairs]
    mixture = dataset if isinstance(dataset, Mixture) else None
    finite_set: Tensor | None = getattr(dataset, "training", None)
    # No more than are used.
    training = None if finite_set is None else rows_of(finite_set[:: -(-len(finite_set) // MOST)])
    noise = IMAGE_NOISE if len(dataset.shape) > 1 else 0.0
    bound_of = partial(lower_bound, training=training, mixture=mixture, noise=noise)
    answer = []
    for samples, real in pairs:
        bound = bound_of(samples, real)
        floor = bound_of(_fresh(dataset, min(n, MOST), real), real).value
        kind = f"a lower bound, with noise of {100 * noise:.0f} % on both" if noise else "a lower bound"
        note = "; ".join(filter(None, (kind, bound.note)))
        answer.append(Divergence(bound.value, bound.low, None, LOWER_BOUND, floor, bound.duplicates, note))
    return answer


def _fresh(dataset: Distribution, n: int, real: np.ndarray) -> np.ndarray:
    """Fresh data that depends on a seed's real samples alone: the same in any batch, other data for another seed."""
    seed = 0
    for begin in range(0, len(real), BLOCK):  # of the numbers in double precision, some rows at a time
        seed = crc32(real[begin : begin + BLOCK].astype(np.float64).tobytes(), seed)
    return as_rows(rows_of(dataset.sample(n, torch.Generator().manual_seed(seed))))


def _repeats(rows: np.ndarray) -> float:
    finite = rows[is_finite(rows)]
    return (len(finite) - len(np.unique(finite, axis=0))) / len(rows)
