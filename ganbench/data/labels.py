"""Labels: the class of each sample, which a conditional GAN is given (Mirza and Osindero 2014, arXiv:1411.1784).

A distribution with labels has two more attributes. ``class_shares``, (classes,): the share of the data that is of each
class. ``labelled(n, generator)``: what ``sample(n, generator)`` gives, and the classes of these samples, whole numbers
from 0, (n,). A finite set also has ``held_out_labels``, the classes of its held-out part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.core.rng import stream
from ganbench.data.phases import phases

#: The end of a message where data have no labels and something needs them.
NO_LABELS = (
    "needs labels, and these data have none: give points a label column (label: NAME), images a folder in which each "
    "class has its own folder, an .npz file an array 'labels'"
)
#: A label travels beside its sample in float32, which holds whole numbers up to this one.
MOST_CLASSES = 2**24
_LOOKED_AT = 64


def class_shares(distribution: Any) -> np.ndarray | None:
    """The share of each class, (classes,), in float64; None for data without labels."""
    if not callable(getattr(distribution, "labelled", None)):
        return None
    return np.asarray(distribution.class_shares, dtype=np.float64)


def classes_of(distribution: Any) -> int:
    """How many classes the data have; 0 where they have no labels, in one of their phases or in all."""
    found = {0 if (shares := class_shares(own)) is None else len(shares) for _, own in phases(distribution)}
    return found.pop() if len(found) == 1 else 0


def with_labels(distribution: Any, n: int, generator: torch.Generator) -> Tensor:
    """Draw samples as rows of their numbers, with the label of each at the end.

    Args:
        distribution: data with labels.
        n: how many.
        generator: what they are drawn from.

    Returns:
        The rows, (n, numbers + 1), float32, on the generator's device.
    """
    samples, labels = distribution.labelled(n, generator)
    return torch.cat([samples.flatten(1), labels[:, None].float()], 1)


def draw_labels(shares: np.ndarray | Sequence[float], n: int, generator: torch.Generator) -> Tensor:
    """Draw labels, each class as often as its share says.

    Args:
        shares: the share of each class, (classes,).
        n: how many labels.
        generator: what they are drawn from.

    Returns:
        The labels, (n,), int64, on the generator's device.
    """
    ends = torch.tensor(np.cumsum(shares)[:-1], dtype=torch.float32, device=generator.device)
    return torch.bucketize(torch.rand(n, generator=generator, device=generator.device), ends, right=True)


def misfit(names: Collection[str], classes: int, built: int | None = None, method: str = "") -> str:
    """Why an architecture does not fit the labels of data, the end of a message; empty where it fits.

    Args:
        names: what its function names.
        classes: how many classes the data have; 0: they have no labels.
        built: how many its networks take, once they are built.
        method: the loss that makes its networks itself, from those of the architecture; empty where it does not.

    Returns:
        The end of a message that begins with the architecture.
    """
    if not classes and ("classes" in names or built):
        return NO_LABELS
    if method and ("classes" in names or built):
        return f"needs labels, and loss {method} makes its own networks and gives them none"
    if built is None:
        return ""
    if "classes" in names and not built:
        return "names classes, and its networks take no labels: return Networks(..., classes=classes)"
    return f"takes {built} classes, and the data have {classes}" if built and built != classes else ""


def check_labels(distribution: Any) -> None:
    """Raise ValueError, in one line, where a distribution's labels are not as they must be."""
    if not callable(getattr(distribution, "labelled", None)):
        return
    shares = np.asarray(getattr(distribution, "class_shares", None), dtype=np.float64)
    if (
        shares.ndim != 1
        or not 0 < len(shares) <= MOST_CLASSES
        or not (shares > 0).all()
        or abs(shares.sum() - 1) > 1e-6
    ):
        raise ValueError("class_shares must be the share of each class, (classes,), above 0, with the sum 1")
    try:
        with process_kept():
            samples, labels = distribution.labelled(_LOOKED_AT, stream(0, "check"))
            alone = distribution.sample(_LOOKED_AT, stream(0, "check"))
    except BaseException as error:
        raise_if_stopped(error)
        raise ValueError(f"labelled({_LOOKED_AT}): {error_line(error)}") from error
    if not isinstance(samples, Tensor) or not torch.equal(samples, alone):
        raise ValueError("labelled() must give first what sample() gives from the same generator, then the labels")
    _check_each("labelled()", labels, _LOOKED_AT, len(shares))
    if (held_out := getattr(distribution, "held_out", None)) is not None:
        _check_each("held_out_labels", getattr(distribution, "held_out_labels", None), len(held_out), len(shares))


def _check_each(what: str, labels: Any, n: int, classes: int) -> None:
    if not isinstance(labels, Tensor) or labels.dtype != torch.int64 or tuple(labels.shape) != (n,):
        raise ValueError(f"{what} must give a class for each sample, ({n},) in int64")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"{what} must give whole numbers from 0 to {classes - 1}, as there are {classes} class_shares, not "
            f"{int(labels.min())} to {int(labels.max())}"
        )
