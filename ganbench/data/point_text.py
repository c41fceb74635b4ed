"""Points in text files of people's own: what separates their columns, which line names them, and decimal commas."""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_SEPARATORS = ",;\t"
_SPACES = r"\s+"
#: So many lines are looked at to find how a file is written.
_LOOKED_AT = 100
#: A number with a comma for the point; one that may be 3.126 or 3126; and whole numbers that are rather one with a
#: comma: 0,045 and -0,5.
_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_PARTED = re.compile(r"[-+]?\d+,0\d+|-0,\d+")


class ColumnsError(Exception):
    """A file that holds no columns of points; str() says in a few words why, after the file's name."""


@dataclass(frozen=True, eq=False)
class PointTable:
    """The ``columns`` of a file, whatever they hold; ``above``: the lines above its first row; ``notes`` on it."""

    columns: pd.DataFrame
    above: int = 0
    notes: tuple[str, ...] = ()


def read_text(path: Path) -> PointTable:
    """The columns of a text file, packed by gzip or not.

    Raises ColumnsError, or what the readers raise for a damaged file.
    """
    import pandas as pd  # late: takes half a second, and other data sets do not need it

    packed, encoding = path.suffix.lower() == ".gz", "utf-8-sig"
    with gzip.open(path) if packed else path.open("rb") as binary:
        encoding = "utf-16" if binary.read(2) in (b"\xff\xfe", b"\xfe\xff") else encoding
    try:
        with gzip.open(path, "rt", encoding=encoding) if packed else path.open(encoding=encoding) as file:
            lines = [line.strip(" \r\n") for line in islice(file, _LOOKED_AT)]
        # numpy writes the names, and remarks, after a sign.
        remarks = [line.removeprefix("#").strip() for line in takewhile(lambda line: not line or line[0] == "#", lines)]
        first, *others = [line for line in lines[len(remarks) :] if line.strip()] or [""]
        if not first:
            raise ColumnsError("is empty" if len(lines) < _LOOKED_AT else f"has no row in its first {_LOOKED_AT} lines")
        separator = _separator(first, others)
        names, notes = _names(first, others, remarks, separator)
        headed = names is not None and names == _fields(first, separator)
        above = len(remarks) + headed
        if headed and not others:
            raise ColumnsError("has no rows")
        read = pd.read_csv(
            path, sep=separator, header=None, skiprows=above, encoding=encoding, skipinitialspace=separator != "\t"
        )
    except UnicodeDecodeError:
        raise ColumnsError("is not UTF-8 text: save it as UTF-8") from None
    return PointTable(_with_points(_named(read, names)), above, notes)


def _separator(first: str, others: list[str]) -> str:
    """What separates the columns; where numbers have decimal commas, what stands between such numbers."""
    found = max(_SEPARATORS, key=first.count)
    if found not in first:
        return _SPACES
    if found == ",":
        rows = [first, *others[:1]]
        for other in (";", "\t", _SPACES):
            cells = [_fields(row, other) for row in rows]
            commas = [cell for row in cells for cell in row if "," in cell]
            if len(cells[0]) > 1 and len({*map(len, cells)}) == 1 and all(_COMMA.fullmatch(cell) for cell in commas):
                return other
    return found


def _fields(line: str, separator: str) -> list[str]:
    if separator == _SPACES:
        return line.split()
    row = next(csv.reader([line], delimiter=separator, skipinitialspace=separator != "\t"))
    return [cell.strip() for cell in row]


def _names(
    first: str, others: list[str], remarks: list[str], separator: str
) -> tuple[list[str] | None, tuple[str, ...]]:
    """The names of the columns, None where no line has them, and a note where that was a guess."""
    top, rows = _fields(first, separator), [_fields(line, separator) for line in others]
    if not any(_is_number(cell) or _COMMA.fullmatch(cell) for cell in top):
        return top, ()
    # pandas names the columns of an array 0, 1 ...: among whole numbers these may be a row.
    counted = top == [str(at) for at in range(len(top))]
    if counted and rows and not all(re.fullmatch(r"[-+]?\d+", cell) for row in rows for cell in row):
        return top, (f"the first line ({', '.join(top)}) is taken for the columns' names",)
    lines = [first, *others]
    pairs = len(top) == 2 and separator == "," and all(re.fullmatch(r"[-+]?\d+,\d+", line) for line in lines)
    if pairs and (parted := next((line for line in lines if _PARTED.fullmatch(line)), None)):
        raise ColumnsError(
            f"has rows such as {parted!r}, which may be one number with a decimal comma or two whole ones: write "
            f"{parted.replace(',', '.')}, or name the columns in a first line"
        )
    if remarks and len(above := _fields(remarks[-1], separator)) == len(top):
        return above, ()
    return None, ()


def _named(read: pd.DataFrame, names: list[str] | None) -> pd.DataFrame:
    """The columns by their names, or by number. Raises ColumnsError where the rows have more cells, or one no name."""
    width = read.shape[1]
    if names is None:
        return read.set_axis([str(at) for at in range(width)], axis=1)
    nameless = width == len(names) + 1 or (width == len(names) and not names[-1])
    if nameless and read.iloc[:, -1].isna().all():  # each line ends with a separator
        read, names, width = read.iloc[:, :-1], names[: width - 1], width - 1
    if width < len(names):
        raise ColumnsError(f"has {len(names)} names above rows of {width} {'cell' if width == 1 else 'cells'}")
    if width > len(names) or not all(names):
        what = f"rows of {width} cells below {len(names)} names" if width > len(names) else "a column without a name"
        raise ColumnsError(
            f"has {what}, as row numbers have: write it with index=False (pandas), or row.names = FALSE (R)"
        )
    return read.set_axis(names, axis=1)


def _with_points(read: pd.DataFrame) -> pd.DataFrame:
    """The columns of numbers with decimal commas as numbers; raises ColumnsError where commas may mean thousands."""
    import pandas as pd

    each = [read.iloc[:, at] for at in range(read.shape[1])]
    cells = {at: one.dropna().astype(str).str.strip() for at, one in enumerate(each) if one.dtype.kind not in "biuf"}
    # Where a column has a whole number, it has no comma.
    numbers = r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?|[-+]?\d+"
    commas = {
        at: text for at, text in cells.items() if text.str.contains(",").any() and text.str.fullmatch(numbers).all()
    }
    if not commas:
        return read
    texts = [cell for text in commas.values() for cell in text if _COMMA.fullmatch(cell)]
    pointed = any(one.dtype.kind == "f" and (one % 1 != 0)[one.notna()].any() for one in each)
    if pointed or all(_GROUPS.fullmatch(cell) for cell in texts):
        raise ColumnsError(
            f"has numbers such as {texts[0]!r}, whose commas may be decimal points or part thousands: write "
            f"{texts[0].replace(',', '.')}, or {texts[0].replace(',', '')}"
        )
    for at in commas:
        each[at] = pd.to_numeric(each[at].str.strip().str.replace(",", "."))
    return pd.concat(each, axis=1)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.lower() not in ("nan", "inf", "infinity")
