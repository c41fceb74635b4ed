"""Samples from tables: a text or Parquet file with a sample in each row."""

from __future__ import annotations

import csv
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from ganbench.record.row_numbers import coordinates
from ganbench.record.sample_file import UnreadableError, check_size
from ganbench.record.text_stream import LONGEST_LINE, open_text

#: How a missing number is written; it is read as NaN.
_MISSING = ("", "nan", "NaN", "NAN", "NA", "N/A", "null", "NULL", "None")
_SPACES = r"\s+"
#: The rows that are read at a time.
_ROWS = 200_000
_COMMENTS = ("#", "%")
#: A number with a comma for the point.
_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")


@dataclass(frozen=True, eq=False)
class SampleTable:
    """The rows of a table, (n, columns), the names of the columns, if any, and notes on how it was understood."""

    values: np.ndarray
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Layout:
    """How a text file is written: its separator, the lines above the samples, and the names of its columns."""

    separator: str
    skip: int
    header: tuple[str, ...] = ()
    width: int = 0
    guessed: bool = False
    decimal: str = "."


def read_text(path: Path) -> SampleTable:
    """The rows of a text file, in float64.

    Separated by commas, semicolons, tabs or spaces; with a line of names, or none; packed or not. An empty cell is NaN,
    and so is an empty line between others where there is a single column; all other empty lines are left out. Row
    numbers are left out or refused. Raises UnreadableError; for a cell that is no number and for a line of another
    length it is at ``file:line:column``.
    """
    try:
        return _read_text(path)
    except UnicodeDecodeError:
        raise UnreadableError(f"{path}: is not UTF-8 text: save it as UTF-8, or in ASCII alone") from None
    except csv.Error as error:
        raise UnreadableError(f"{path}: cannot be read: {error}") from None
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise UnreadableError(f"{path}: cannot be read, is it whole? ({error})") from None


def _read_text(path: Path) -> SampleTable:
    layout = _layout(path)
    lines = _Lines.of(path, layout.skip)
    parts = list(_parts(path, layout, lines))
    values = np.concatenate(parts) if parts else np.empty((0, 0))
    if np.isnan(values).any():
        _find_mistake(path, layout)  # a line that is too short is filled up with NaN
    notes = []
    if layout.header and layout.guessed:
        notes.append(f"the first line ({', '.join(layout.header)}) is taken for the columns' names")
    if layout.decimal == ",":
        notes.append("commas are taken for decimal points")
    if left_out := lines.empty_above + lines.below - len(values):
        notes.append(f"{left_out} empty {'line is' if left_out == 1 else 'lines are'} left out")
    try:
        values, names, more = coordinates(values, layout.header)
    except ValueError as error:
        raise UnreadableError(f"{path}: {error}") from None
    return SampleTable(values, names, (*notes, *more))


@dataclass(frozen=True)
class _Lines:
    """How many lines a file has below those that are skipped, and how many above and at the end are empty."""

    below: int
    empty_above: int
    trailing: int

    @classmethod
    def of(cls, path: Path, skip: int) -> _Lines:
        count = above = trailing = 0
        with open_text(path) as file:
            for count, line in enumerate(file, 1):
                empty = not line.strip()
                trailing = trailing + 1 if empty else 0
                above += empty and count <= skip
        return cls(max(count - skip, 0), above, trailing)


def _parts(path: Path, layout: _Layout, lines: _Lines) -> Iterator[np.ndarray]:
    """The rows, some at a time, in float64."""
    single = layout.width == 1
    options: dict[str, Any] = {
        "sep": layout.separator,
        "header": None,
        "skiprows": layout.skip,
        "nrows": max(lines.below - lines.trailing, 0) if single else None,
        "skip_blank_lines": not single,
        "skipinitialspace": single,
        "decimal": layout.decimal,
        "keep_default_na": False,
        "na_values": list(_MISSING),
        "chunksize": _ROWS,
    }
    numbers = 0
    with open_text(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)
        try:
            for frame in pd.read_csv(file, **options):
                # Of all text pandas would read only true and false as numbers.
                if any(kind.kind not in "iuf" for kind in frame.dtypes):
                    _find_mistake(path, layout)
                numbers += frame.size
                check_size(path, numbers)
                yield frame.to_numpy(dtype=np.float64)
        except (UnicodeDecodeError, UnreadableError):
            raise
        except pd.errors.EmptyDataError:
            return
        except (ValueError, OverflowError, TypeError) as error:
            _find_mistake(path, layout)
            raise UnreadableError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


def read_parquet(path: Path) -> SampleTable:
    """The rows of a Parquet file: float32 where all columns are, else float64, or int64 where all are whole numbers.

    Raises UnreadableError where it cannot be read or a column is not of numbers.
    """
    try:
        import_module("pyarrow")
        with import_module("pyarrow.parquet").ParquetFile(path) as file:
            check_size(path, file.metadata.num_rows * file.metadata.num_columns)
        frame = pd.read_parquet(path, engine="pyarrow")
    except ImportError:
        raise UnreadableError(f"{path}: reading it needs pyarrow: pip install 'ganbench[files]'") from None
    except UnreadableError:
        raise
    except Exception as error:  # pyarrow has classes of its own
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise UnreadableError(f"{path}: cannot be read, is it whole? ({why})") from None
    kinds = {str(name): series.dtype for name, series in frame.items()}
    for name, kind in kinds.items():
        if not pd.api.types.is_float_dtype(kind) and not pd.api.types.is_integer_dtype(kind):
            raise UnreadableError(f"{path}: the column {name!r} holds {kind}: samples are real numbers, float32")
    floats = [kind for kind in kinds.values() if pd.api.types.is_float_dtype(kind)]
    if not floats and kinds:
        if missing := int(frame.isna().any(axis=1).sum()):
            raise UnreadableError(
                f"{path}: holds whole numbers, and none in {missing} of {len(frame)} rows: scale them as the data is, "
                "fill or leave out those rows, save float32"
            )
        return SampleTable(frame.to_numpy(dtype=np.int64), tuple(kinds))
    # Of a type that may lack values: the one of its numbers.
    plain = [np.dtype(str(getattr(kind, "numpy_dtype", kind))) for kind in floats]
    widest = max(plain, key=lambda dtype: dtype.itemsize, default=np.dtype(np.float64))
    values = frame.to_numpy(dtype=widest if len(floats) == len(kinds) else np.float64, na_value=np.nan)
    names = tuple("" if name.startswith("__index_level") else name for name in kinds)
    try:
        values, names, notes = coordinates(values, names)
    except ValueError as error:
        raise UnreadableError(f"{path}: {error}") from None
    return SampleTable(values, names, tuple(notes))


def _layout(path: Path) -> _Layout:
    first: list[tuple[int, str]] = []
    with open_text(path) as file:
        number = 0
        while len(first) < 3 and (line := file.readline(LONGEST_LINE)):
            # What numpy's savetxt writes above the numbers begins with #, and what Matlab writes with %.
            if line.strip() and (first or not line.startswith(_COMMENTS)):
                first.append((number, line))
            number += 1
    if not first:
        return _Layout(",", 0)
    last = first[-1][1]
    separator = next((sign for sign in ",;\t" if sign in last), _SPACES if len(last.split()) > 1 else ",")
    if separator == "," and (";" in last or "\t" in last):
        separator = ";" if ";" in last else "\t"
    top, *others = [next(_split([line], separator)) for _, line in first]
    decimal = "," if any(_COMMA.fullmatch(cell) for row in (top, *others) for cell in row) else "."
    filled = [cell for cell in top if cell]
    # A cell that begins like a number is no name: 1,5 may mean one and a half.
    named = bool(filled) and not any(_is_number(cell) or re.match(r"[-+.]*\d", cell) for cell in filled)
    counted = len(first) > 1 and filled == [str(index) for index in range(len(filled))] and not _bare(others)
    header = tuple(top) if named or counted else ()
    width = len(top)
    if header and others and len(others[0]) == width + 1:
        # R leaves out the name of the row names; a line may also end with a separator, and the names not.
        header, width = (("", *header) if others[0][-1] else (*header, "")), width + 1
    top_line, below = first[0][0], first[1][0] if len(first) > 1 else first[0][0] + 1
    return _Layout(separator, below if header else top_line, header, width, counted and not named, decimal)


def _bare(rows: Sequence[Sequence[str]]) -> bool:
    """Whether all cells are whole numbers, so that a first line of whole numbers may be a sample like the others."""
    return all(re.fullmatch(r"[-+]?\d+", cell) for row in rows for cell in row)


def _find_mistake(path: Path, layout: _Layout) -> None:
    """Raise UnreadableError at the first cell that is no number, or line of another length, if there is one."""
    width = None
    with open_text(path) as file:
        for _ in range(layout.skip):
            next(file)
        for number, cells in enumerate(_split(file, layout.separator), layout.skip + 1):
            if not any(cells) and len(cells) < 2:
                continue
            width = width or (number, len(cells))
            column = 1
            for cell in cells:
                if not _is_number(cell.replace(",", ".") if layout.decimal == "," else cell):
                    logical = cell.lower() in ("true", "false")
                    cure = ": write 1 and 0 if these are meant" if logical else ""
                    raise UnreadableError(f"{path}:{number}:{column}: must be a number, not {cell[:40]!r}{cure}")
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
        yield from ([cell.strip("\"'") for cell in line.split()] for line in lines)
    else:
        yield from ([cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator))
