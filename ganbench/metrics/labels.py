"""Whether the samples of a conditional generator are of the class that each was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ganbench.data.known_modes import good_radius
from ganbench.data.labels import class_shares
from ganbench.data.mixture import Mixture
from ganbench.metrics.modes import nearest_mode
from ganbench.metrics.points import from_tensor


@dataclass(frozen=True)
class LabelCount:
    """How samples follow their labels.

    ``accuracy``: the share of all samples that are of the class asked for; ``coverage``: the share of the classes asked
    for of whose samples at least a given share are of that class.
    """

    accuracy: float
    coverage: float


def recognised(samples: Tensor, dataset: Any) -> np.ndarray | None:
    """The class that each sample is of, (n,), -1 for none; None where the data have no labels, or nothing tells.

    In a mixture the mode that it is of high quality in; where a label says what the modes are, likewise; in another
    finite set the class that the set's classifier sees, to which any finite sample belongs.
    """
    if class_shares(dataset) is None:
        return None
    if callable(known := getattr(dataset, "classes_like", None)) and not hasattr(dataset, "known_modes"):
        return np.asarray(known(samples))
    points = from_tensor(samples)
    good = np.isfinite(points).all(axis=1)
    found = np.full(len(points), -1)
    if not good.any():
        return found
    if isinstance(dataset, Mixture):
        mode, distance = nearest_mode(points[good], dataset)
        near = distance <= good_radius(dataset.dimension)
    elif hasattr(dataset, "known_modes"):
        mode, near = dataset.known_modes.assign(points[good])
    else:
        return None
    found[good] = np.where(near, mode, -1)
    return found


def count_labels(found: np.ndarray, asked: np.ndarray, share: float = 0.5) -> LabelCount:
    """Compare the class that each sample is of with the one that it was asked for.

    Args:
        found: The classes, (n,), n above 0; -1 for a sample that is of none.
        asked: The classes asked for, (n,).
        share: The share of a class's samples that must be of it.

    Returns:
        The shares.

    Raises:
        ValueError: The two are not as many.
    """
    if found.shape != asked.shape or not len(asked):
        raise ValueError(f"found {found.shape} and asked {asked.shape} must be as many, and at least one")
    right = found == asked
    counts = np.bincount(asked)
    of_class = np.bincount(asked, right)[counts > 0] / counts[counts > 0]
    return LabelCount(float(right.mean()), float((of_class >= share).mean()))
