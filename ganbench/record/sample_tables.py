"""Samples from tables: a CSV or Parquet file with a sample in each row."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

#: How a missing number is written; it is read as NaN.
_MISSING = ("", "nan", "NaN", "NAN", "NA", "N/A", "null", "NULL", "None")
_SPACES = r"\s+"


class UnreadableError(ValueError):
    """A file without samples that can be scored; str() is one line: where, and why."""


@dataclass(frozen=True)
class _Layout:
    """How a CSV file is written: its separator, the lines above the samples, and the names of its columns."""

    separator: str
    skip: int
    header: tuple[str, ...] | None
    width: int = 0
    guessed: bool = False


def read_csv(path: Path) -> tuple[np.ndarray, list[str]]:
    """The rows of a CSV file, (n, columns) in float64, with notes on how it was understood.

    Separated by commas, semicolons, tabs or spaces; with a line of names, or none. An empty cell is NaN, and so is an
    empty line between others where there is a single column; all other empty lines are left out. Raises UnreadableError
    at ``file:line:column`` for a cell that is no number and for a line of another length.
    """
    try:
        return _read_csv(path)
    except UnicodeDecodeError:
        raise UnreadableError(f"{path}: is not UTF-8 text") from None
    except csv.Error as error:
        raise UnreadableError(f"{path}: cannot be read: {error}") from None


def _read_csv(path: Path) -> tuple[np.ndarray, list[str]]:
    layout = _layout(path)
    single = layout.width == 1
    with _open(path) as file:
        empty = [not line.strip() for line in file]
    trailing = next((count for count, one in enumerate(reversed(empty)) if not one), 0)
    try:
        frame = pd.read_csv(
            path,
            sep=layout.separator,
            header=None,
            skiprows=layout.skip,
            nrows=max(len(empty) - trailing - layout.skip, 0) if single else None,
            skip_blank_lines=not single,
            skipinitialspace=single,
            dtype=np.float64,
            keep_default_na=False,
            na_values=list(_MISSING),
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError:
        raise
    except pd.errors.EmptyDataError:
        return np.empty((0, 0)), []
    except (ValueError, OverflowError) as error:
        _find_mistake(path, layout)
        raise UnreadableError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None
    values = frame.to_numpy()
    if np.isnan(values).any():
        _find_mistake(path, layout)  # a line that is too short is filled up with NaN
    notes = []
    if layout.header is not None and layout.guessed:
        notes.append(f"the first line ({', '.join(layout.header)}) is taken for the columns' names")
    if left_out := sum(empty[: layout.skip]) + len(empty[layout.skip :]) - len(values):
        notes.append(f"{left_out} empty {'line is' if left_out == 1 else 'lines are'} left out")
    numbered = layout.header is not None and len(layout.header) > 1 and layout.header[0] in ("", "Unnamed: 0")
    if numbered and np.array_equal(values[:, 0], np.arange(len(values))):
        values = values[:, 1:]
        notes.append("the first column only counts the rows: left out")
    return values, notes


def read_parquet(path: Path) -> np.ndarray:
    """The rows of a Parquet file, (n, columns): float32 where all columns are, else float64.

    Raises UnreadableError where it cannot be read or a column is not of numbers.
    """
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except ImportError:
        raise UnreadableError(f"{path}: reading it needs pyarrow: pip install 'ganbench[files]'") from None
    except (ValueError, OSError) as error:
        raise UnreadableError(f"{path}: cannot be read, is it whole? ({str(error).splitlines()[0]})") from None
    kinds = {name: series.dtype for name, series in frame.items()}
    for name, kind in kinds.items():
        if not pd.api.types.is_float_dtype(kind) and not pd.api.types.is_integer_dtype(kind):
            raise UnreadableError(f"{path}: the column {str(name)!r} holds {kind}: samples are real numbers, float32")
    floats = [kind for kind in kinds.values() if pd.api.types.is_float_dtype(kind)]
    if not floats and kinds:
        return frame.to_numpy(dtype=np.int64)
    widest = max((np.dtype(str(kind).lower()) for kind in floats), key=lambda dtype: dtype.itemsize, default=np.float64)
    return frame.to_numpy(dtype=widest if len(floats) == len(kinds) else np.float64, na_value=np.nan)


def _layout(path: Path) -> _Layout:
    first: list[tuple[int, str]] = []
    with _open(path) as file:
        for number, line in enumerate(file):
            # What numpy's savetxt writes above the numbers begins with #.
            if line.strip() and (first or not line.startswith("#")):
                first.append((number, line))
            if len(first) == 3:
                break
    if not first:
        return _Layout(",", 0, None)
    last = first[-1][1]
    separator = next((sign for sign in ",;\t" if sign in last), _SPACES if len(last.split()) > 1 else ",")
    if separator == "," and ";" in last:
        separator = ";"
    top, *others = [next(_split([line], separator)) for _, line in first]
    filled = [cell for cell in top if cell]
    # A cell that begins like a number is no name: 1,5 may mean one and a half.
    named = bool(filled) and not any(_is_number(cell) or re.match(r"[-+.]*\d", cell) for cell in filled)
    counted = len(first) > 1 and filled == [str(index) for index in range(len(filled))] and not _bare(others)
    header = tuple(top) if named or counted else None
    top_line, below = first[0][0], first[1][0] if len(first) > 1 else first[0][0] + 1
    return _Layout(separator, below if header else top_line, header, len(top), counted and not named)


def _bare(rows: Sequence[Sequence[str]]) -> bool:
    """Whether all cells are whole numbers, so that a first line of whole numbers may be a sample like the others."""
    return all(re.fullmatch(r"[-+]?\d+", cell) for row in rows for cell in row)


def _find_mistake(path: Path, layout: _Layout) -> None:
    """Raise UnreadableError at the first cell that is no number, or line of another length, if there is one."""
    width = None
    with _open(path) as file:
        for _ in range(layout.skip):
            next(file)
        for number, cells in enumerate(_split(file, layout.separator), layout.skip + 1):
            if not any(cells) and len(cells) < 2:
                continue
            width = width or (number, len(cells))
            column = 1
            for cell in cells:
                if not _is_number(cell):
                    raise UnreadableError(f"{path}:{number}:{column}: must be a number, not {cell[:40]!r}")
                column += len(cell) + 1
            if len(cells) != width[1]:
                count = f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'}"
                raise UnreadableError(f"{path}:{number}:1: has {count}, and line {width[0]} has {width[1]}")


def _is_number(cell: str) -> bool:
    if cell in _MISSING:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def _split(lines: Sequence[str] | IO[str], separator: str) -> Iterator[list[str]]:
    if separator == _SPACES:
        yield from (line.split() for line in lines)
    else:
        yield from ([cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator))


def _open(path: Path) -> IO[str]:
    return path.open(encoding="utf-8-sig", newline="")
