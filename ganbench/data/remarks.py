"""What is unusual about data that can be trained on, and may be a mistake: one line each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.data.finite_set import parts_of
from ganbench.data.phases import phases
from ganbench.data.soundness import DRAWN, checked_samples, shared_rows

#: A larger share of the held-out rows that are training rows too is said.
SHARED = 0.01
#: A column with at most so many values is called discrete.
FEW_VALUES = 20
#: Training and held-out rows of one distribution are called two with at most this probability: that of a false remark,
#: over all columns, or directions of wide rows, together. So many rows of each are compared, and so many directions.
CHANCE, COMPARED, DIRECTIONS = 1e-6, 2000, 16
#: Fewer rows of either are not compared: the test's probability is one for many rows.
COMPARABLE = 8
#: An image's values beyond this are not on the scale of a generator that ends in tanh.
TANH = 1.05
#: So many channels has an image, where its last axis is not a width.
CHANNELS = (1, 3, 4)
#: Numbers beyond the first, or all within the second, are far from the scale of 1 on which networks start.
LARGE, SMALL = 200.0, 0.01


def remarks(distribution: Any) -> tuple[str, ...]:
    """What is unusual about a sound distribution and may be a mistake, in one line each."""
    parts = parts_of(distribution)
    few = [
        f"{name} has only {len(rows)} {'row' if len(rows) == 1 else 'rows'}"
        for name, rows in parts.items()
        if len(rows) < FEW_VALUES
    ]
    rows = parts["training"][:DRAWN] if "training" in parts else checked_samples(distribution)
    looks = (_channels, _scale) if len(distribution.shape) > 1 else (_discrete, _range)
    turns = ", ".join(f"{share:g}" for share, _ in phases(distribution)[1:])
    moves = f"the data change at {turns} of the training's steps: references have the last phase" if turns else ""
    made = getattr(distribution, "description", "")
    return tuple(
        filter(
            None,
            (
                made if isinstance(made, str) else "",
                *few,
                _leak(distribution, rows),
                _apart(distribution),
                *(look(rows) for look in looks),
                moves,
            ),
        )
    )


def _leak(distribution: Any, rows: Tensor) -> str:
    shared, repeated = shared_rows(distribution)
    if shared - repeated > max(SHARED, shared / 2):
        return f"{100 * shared:.2g} % of the held-out rows are training rows too"
    # Where each column has few values, equal rows are no copies.
    if shared <= SHARED or (rows.ndim == 2 and len(_few_valued(rows)) == rows.shape[1]):
        return ""
    return (
        f"{100 * shared:.2g} % of the held-out rows are training rows too, as rows are in the data more than once: "
        "where these are copies, drop them before the split, else whoever copies the training rows has good scores"
    )


def _apart(distribution: Any) -> str:
    """Whether the held-out rows are of another distribution than the training rows, by Kolmogorov and Smirnov's test.

    The test is of each column, or of random directions where there are many; by Bonferroni's bound of all together.
    """
    parts = parts_of(distribution)
    if not parts.keys() >= {"training", "held_out"} or len(phases(distribution)) > 1:
        return ""
    from scipy.stats import ks_2samp  # late: it takes a second, and distributions without parts do not need it

    # Rows at equal distances: where a file is sorted, the first ones are not like the others.
    chosen = [parts[name][:: -(-len(parts[name]) // COMPARED)] for name in ("training", "held_out")]
    training, held_out = (rows.flatten(1).float().cpu().numpy() for rows in chosen)
    if min(len(training), len(held_out)) < COMPARABLE:
        return ""
    if (width := training.shape[1]) > DIRECTIONS:
        directions = np.random.RandomState(0).standard_normal((width, DIRECTIONS)).astype(np.float32)
        training, held_out = training @ directions, held_out @ directions
    least = min(ks_2samp(*pair, method="asymp").pvalue for pair in zip(training.T, held_out.T, strict=True))
    if least >= CHANCE / training.shape[1]:
        return ""
    return (
        "the held-out rows are of another distribution than the training rows, as of a sorted file that is cut in two: "
        "shuffle the rows with a fixed seed before the split, else no generator has good scores"
    )


def _discrete(rows: Tensor) -> str:
    """Which columns have few values: a generator whose outputs differ from these is as far from them as possible."""
    few = _few_valued(rows)
    if not few:
        return ""
    some, most = list(few), max(few.values())
    values = "1 value" if most == 1 else f"at most {most} values"
    return (
        f"{_columns(some, rows.shape[1])} {'has' if len(some) == 1 else 'have'} {values} (classes, labels, a constant?)"
        ": a generator that does not give exactly these is told from the data by them alone, with a JSD of up to log 2"
    )


def _few_valued(rows: Tensor) -> dict[int, int]:
    """The columns that have few values, and how many."""
    counts = enumerate(len(np.unique(column)) for column in rows.cpu().numpy().T)
    return {index: count for index, count in counts if count <= min(FEW_VALUES, len(rows) // 5)}


def _columns(some: list[int], total: int) -> str:
    if len(some) == 1:
        return f"column {some[0]} of {total}"
    if some == list(range(some[0], some[-1] + 1)):
        return f"columns {some[0]} to {some[-1]} of {total}"
    return f"{len(some)} of {total} columns, the first is column {some[0]},"


def _range(rows: Tensor) -> str:
    """Which column is not on the scale on which networks start; bytes are scaled."""
    if rows.dtype == torch.uint8:
        return ""
    column = int(rows.abs().amax(0).argmax())
    low, high = float(rows[:, column].min()), float(rows[:, column].max())
    if not (max(-low, high) > LARGE or 0 < max(-low, high) < SMALL):
        return ""
    return (
        f"{_columns([column], rows.shape[1])} runs from {low:.3g} to {high:.3g}, and a generator starts at numbers "
        "about 1: standardise each column (subtract its mean, divide by its standard deviation; of points in a file, "
        "write standardised: true)"
    )


def _channels(rows: Tensor) -> str:
    """Whether an image has its channels last."""
    shape = tuple(rows.shape[1:])
    if len(shape) != 3 or shape[0] in CHANNELS or shape[2] not in CHANNELS:
        return ""
    return (
        f"the shape {shape} is read as {shape[0]} channels of {shape[1]} x {shape[2]} pixels: where the channels are "
        "the last axis, bring them to the front, x.transpose(0, 3, 1, 2) (numpy) or x.permute(0, 3, 1, 2) (torch)"
    )


def _scale(rows: Tensor) -> str:
    low, high = float(rows.min()), float(rows.max())
    if rows.dtype == torch.uint8 or max(-low, high) <= TANH:
        return ""
    cure = "give Finite uint8, which it scales" if low >= 0 and TANH < high <= 255 and high > 2 else "scale them"
    return f"images run from {low:.3g} to {high:.3g}, and a generator that ends in tanh from -1 to 1: {cure}"
