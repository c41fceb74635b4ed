"""Data that change during training: which distribution a step draws from.

A distribution may have an attribute ``phases``, as ``((0.0, first), (0.5, second))``: from which share of the
training's steps on which distribution is drawn from. The last one is the distribution itself. So whatever knows of no
phases, such as a reference or a score, has the data as they are at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, TypeVar

T = TypeVar("T")


def phases(distribution: T) -> tuple[tuple[float, T], ...]:
    """The phases of a distribution: the share of the steps at which each begins, and what is then drawn from."""
    found: tuple[tuple[float, T], ...] = tuple(getattr(distribution, "phases", ()))
    return found or ((0.0, distribution),)


def first_step(share: float, steps: int) -> int:
    """The first of ``steps`` steps, counted from 0, of a phase that begins at a ``share`` of them."""
    return math.ceil(share * steps - 1e-9)  # 0.3 * 10 is a little more than 3


def spans(distribution: T, first: int, count: int, steps: int) -> Iterator[tuple[range, T]]:
    """Which of some steps draw from what.

    Args:
        distribution: The data.
        first: The first of these steps.
        count: How many they are.
        steps: The steps of the whole training.

    Yields:
        For each phase that some of them are in, which of them (0 is ``first``), and the distribution.
    """
    found = phases(distribution)
    begins = [first_step(share, steps) for share, _ in found]
    ends = [*begins[1:], max(first + count, steps)]
    for begin, end, (_, own) in zip(begins, ends, found, strict=True):
        part = range(max(begin - first, 0), min(end - first, count))
        if part:
            yield part, own


def at_step(distribution: T, step: int, steps: int) -> T:
    """What the step, counted from 0, draws from.

    Args:
        distribution: The data.
        step: The step.
        steps: The steps of the whole training.

    Returns:
        The distribution of the phase that the step is in.
    """
    return [own for share, own in phases(distribution) if first_step(share, steps) <= step][-1]


def check_phases(distribution: Any) -> None:
    """Raise ValueError, in one line, where the attribute ``phases`` is not as it must be."""
    found = getattr(distribution, "phases", None)
    if found is None:
        return
    try:
        pairs = [(float(share), own) for share, own in found]
    except (TypeError, ValueError):
        raise ValueError(
            f"phases must be pairs of a share of the steps and a distribution, not {found!r:.60}"
        ) from None
    shares = [share for share, _ in pairs]
    if not shares or shares[0] != 0 or not all(one < other for one, other in pairwise(shares)) or shares[-1] >= 1:
        raise ValueError(f"phases must begin at rising shares of the steps, from 0 to below 1, not {shares}")
    if pairs[-1][1] is not distribution:
        raise ValueError("phases must end with the distribution itself: it is what the data are at the end")
    for share, own in pairs[:-1]:
        if tuple(own.shape) != tuple(distribution.shape):
            raise ValueError(f"phases must have one shape: at {share:g} it is {own.shape}, not {distribution.shape}")
