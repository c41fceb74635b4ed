"""Columns of a table that are no coordinates: row numbers, and what a separator at the end of each line leaves.

They are left out where that is sure, with a note; where it is only likely the file is refused, with the cure. Scored as
a coordinate, row numbers would look like a generator that is entirely wrong.
"""

from __future__ import annotations

import numpy as np

#: Names that pandas, R and people give to row numbers.
_NAMES = {
    "index",
    "id",
    "idx",
    "row",
    "rows",
    "rowname",
    "rownames",
    "row.names",
    "row_names",
    "row_number",
    "rownumber",
}
_NAMES |= {"...1", "nr", "no", "no.", "#", "level_0", "rowid", "row_id", "unnamed: 0.1", "x.1"}
#: With fewer rows, whole numbers may be a coordinate's by chance.
FEWEST = 20
_CURE = "save the table without them (pandas: index=False; R: row.names = FALSE)"


def coordinates(values: np.ndarray, header: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """The columns of a table that are coordinates.

    Args:
        values: the table, (n, columns).
        header: the names of its columns; empty where it has none.

    Returns:
        The coordinates, (n, d); their names; a note for each column that is left out.

    Raises:
        ValueError: the first column has no name or seems to number the rows, but is not sure to.
    """
    notes = []
    if values.shape[1] > 1 and len(values) and np.isnan(values[:, -1]).all() and not "".join(header[-1:]):
        values, header = values[:, :-1], header[:-1]
        notes.append("the last column is empty: left out")
    if values.shape[1] < 2 or not len(values):
        return values, header, notes
    first, name = values[:, 0], header[0].strip().lower() if header else ""
    unnamed = bool(header) and name in ("", "unnamed: 0") and all(header[1:])
    whole = bool((np.isfinite(first) & (first == np.floor(first))).all())
    once = whole and len(np.unique(first)) == len(first)
    in_turn = once and first[0] in (0, 1) and bool((np.diff(first) == 1).all())
    others = values[:, 1:]
    fractions = bool((np.isfinite(others) & (others != np.floor(others))).any())
    likely = once and (name in _NAMES or (fractions and len(values) >= FEWEST))
    if in_turn and (unnamed or likely):
        return others, header[1:], [*notes, "the first column only counts the rows: left out"]
    if unnamed and whole:
        return (
            others,
            header[1:],
            [*notes, "the first column, of whole numbers and without a name, is an index: left out"],
        )
    if unnamed:
        raise ValueError(f"the first column has no name, as row names have none: {_CURE}, or name the coordinate")
    if likely:
        called = f"the first column, {header[0]!r}," if header else "the first column"
        raise ValueError(
            f"{called} holds whole numbers, each once: if these are row numbers, {_CURE}; "
            "if they are a coordinate, save the samples as .npy"
        )
    return values, header, notes
