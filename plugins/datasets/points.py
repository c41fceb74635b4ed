"""Points of your own, from a file: .npy, .npz, .csv or .parquet, columns by name; no citation, they are yours.

``held_out`` of the rows, a choice that ``split_seed`` makes, are kept for evaluation; samples are drawn, with
replacement, from the others. ``standardised: true`` subtracts each column's mean and divides by its standard deviation,
both of the rows that are trained on: then samples are on that scale, too. ``modes``, the centres, in the file's own
units, or ``label``, a column, say what the modes are, for the metric ``modes``; a label is also what a conditional GAN
is given: 0 for the first of its values in order, then 1 ...
"""

from typing import Annotated

import numpy as np
from pydantic import Field, NonNegativeInt

from ganbench import Dataset, hookimpl
from ganbench.data.finite_set import Finite
from ganbench.data.known_modes import Centres, Labelled
from ganbench.data.labelled_set import LabelledSet
from ganbench.data.point_files import read_points
from ganbench.data.split import split

#: Of the different values of a column so many must be different as float32, in which networks compute.
KEPT = 0.9
OwnModes = Annotated[
    list[list[float]],
    Field(min_length=1, description="the centres of the modes, a list of points such as [[0, 0], [1, 1]]"),
]


def points(
    find,
    *,
    file: str,
    columns: Annotated[list[str | NonNegativeInt], Field(min_length=1)] | None = None,
    standardised: bool = False,
    label: str | NonNegativeInt | None = None,
    modes: OwnModes | None = None,
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.2,
    split_seed: NonNegativeInt = 0,
):
    if label is not None and modes is not None:
        raise ValueError("modes: label says already what the modes are: give one of the two")
    found = read_points(find(file), columns, label)
    training, kept = split(len(found.points), held_out, split_seed)
    mean, std = np.zeros(found.points.shape[1]), np.ones(found.points.shape[1])
    if standardised:
        mean, std = found.points[training].mean(axis=0), found.points[training].std(axis=0)
        for name, width in zip(found.columns, std, strict=True):
            if not width > 0:
                raise ValueError(f"standardised: column {name!r} has one value alone: leave it out of columns")
    rows = ((found.points - mean) / std).astype(np.float32)
    for name, exact, rounded in zip(found.columns, found.points.T, rows.T, strict=True):
        different, left = len(np.unique(exact)), len(np.unique(rounded))
        if left < KEPT * different:
            cure = "subtract what all have in common" + ("" if standardised else ", or standardised: true")
            raise ValueError(f"columns: {name!r} has {different:,} values, and {left:,} as float32: {cure}")
    data = Finite(rows[training], rows[kept])
    if label is not None:
        names, labels = np.unique(found.labels, return_inverse=True)
        known = _said("label", lambda: Labelled(rows[training], labels[training], names.tolist()))
        data = _said("label", lambda: LabelledSet(rows[training], rows[kept], labels[training], labels[kept]))
        data.known_modes = known
    count = f"{len(training):,} rows to train on, {len(kept):,} held out by split_seed {split_seed}"
    scale = _scale(found.columns, mean, std) if standardised else "not standardised"
    data.description = "; ".join((f"{file}: {count}", scale, *found.notes))
    if modes is not None:
        if any(len(one) != len(mean) for one in modes):
            raise ValueError(f"modes: each must have {len(mean)} coordinates, as {file} has")
        data.known_modes = _said("modes", lambda: Centres((np.array(modes) - mean) / std, rows[training]))
    return data


def _scale(columns, mean, std):
    """How the columns were standardised; of many, the first three."""
    each = [f"{name} by {m:.6g} and {s:.6g}" for name, m, s in zip(columns, mean, std, strict=True)]
    return f"standardised by mean and std ({'; '.join(each[:3])}{' ...' if each[3:] else ''})"


def _said(parameter, make):
    try:
        return make()
    except ValueError as error:
        raise ValueError(f"{parameter}: {error}") from None


@hookimpl
def ganbench_datasets():
    yield Dataset("points", points)
