"""Points in files of people's own: .npy, .npz, .csv, .parquet; columns of numbers, and perhaps one of labels."""

from __future__ import annotations

import csv
import gzip
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganbench.core.messages import suggest

if TYPE_CHECKING:
    import pandas as pd

#: The endings of the files that are read, and what separates the columns of text where nothing else is found in it.
KINDS = (".npy", ".npz", ".csv", ".tsv", ".txt", ".parquet")
_SEPARATORS = ",;\t"
#: A number with a comma for the point, and one that may be 3.126 or 3126.
_COMMA = re.compile(r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?")
_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
#: From so many rows on, a column 0, 1, 2 ... is no accident.
_COUNTED = 10
#: A column with more different values is no label.
MOST_LABELS = 1000


@dataclass(frozen=True, eq=False)
class PointFile:
    """The ``points`` of a file, (n, d) in float64, finite; the names of the ``columns``; ``labels``, (n,), as text."""

    points: np.ndarray
    columns: tuple[str, ...]
    labels: np.ndarray | None


def read_points(path: Path, columns: Sequence[str | int] | None, label: str | int | None) -> PointFile:
    """The points of a file.

    Args:
        path: The file. Nothing in it is executed.
        columns: The columns of coordinates, by name or by number from 0; None: all but the label.
        label: The column of labels; None: there is none.

    Returns:
        The points.

    Raises:
        ValueError: In one line: what cannot be read, or is no number.
    """
    table = _table(path)
    names = [str(name) for name in table.columns]
    of_label = None if label is None else _index(path, "label", label, names)
    if columns is None:
        chosen = [at for at in range(len(names)) if at != of_label]
    else:
        chosen = [_index(path, "columns", one, names) for one in columns]
        if len({*chosen}) < len(chosen):
            raise ValueError(f"columns: {names[max(chosen, key=chosen.count)]!r} is there twice")
        if of_label in chosen:
            raise ValueError(f"columns: {names[chosen[chosen.index(of_label)]]!r} is the label, and no coordinate")
    if not chosen or not len(table):
        raise ValueError(f"file {path}: has no {'rows' if chosen else 'columns of coordinates'}")
    header = 1 if path.suffix.lower() not in (".npy", ".npz", ".parquet") and names != _numbered(len(names)) else 0
    points = np.stack([_numbers(path, table.iloc[:, at], names[at], header) for at in chosen], axis=1)
    if columns is None:
        _refuse_row_numbers(path, points, [names[at] for at in chosen])
    labels = None if of_label is None else _labels(path, table.iloc[:, of_label], names[of_label], header)
    return PointFile(points, tuple(names[at] for at in chosen), labels)


def _refuse_row_numbers(path: Path, points: np.ndarray, names: list[str]) -> None:
    """Raise ValueError where a column counts the rows, from 0 or from 1: as a coordinate it would be learned, too."""
    count = np.arange(len(points))
    counting = [at for at, column in enumerate(points.T) if np.array_equal(column - column[0], count)]
    counting = [at for at in counting if points[0, at] in (0, 1)] if len(points) >= _COUNTED else []
    if counting and len(names) > 1:
        name = names[counting[0]]
        others = ", ".join(other for at, other in enumerate(names) if at not in counting)
        cure = f"name the columns of coordinates, as columns: [{others}]"
        raise ValueError(f"columns: {path} has row numbers in column {name!r}: {cure}")


def _numbered(count: int) -> list[str]:
    return [str(at) for at in range(count)]


def _index(path: Path, parameter: str, given: str | int, names: list[str]) -> int:
    if isinstance(given, str):
        if given in names:
            return names.index(given)
        raise ValueError(f"{parameter}: {path} has no column {given!r}{suggest(given, names)}")
    if not 0 <= given < len(names):
        raise ValueError(f"{parameter}: {path} has the columns 0 to {len(names) - 1}, and no {given}")
    return given


def _table(path: Path) -> pd.DataFrame:
    """A file's columns, whatever they hold. Raises ValueError, in one line, for what is no such file."""
    import pandas as pd  # late: takes half a second, and other data sets do not need it

    endings = [ending.lower() for ending in path.suffixes]
    kind = endings[-2] if endings[-1:] == [".gz"] and endings[-2:-1] else (endings or [""])[-1]
    if not path.is_file():
        raise ValueError(f"file {path}: is a folder: name a file, or use the data set of images")
    if kind not in KINDS:
        raise ValueError(f"file {path}: must end in {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of mixed types, which are found below
            if kind == ".npy":
                return _of_arrays(path, {"": np.load(path, allow_pickle=False)})
            if kind == ".npz":
                # Opened here: numpy forgets to close what turns out to be no archive.
                with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    return _of_arrays(path, dict(arrays))
            return pd.read_parquet(path) if kind == ".parquet" else _of_text(path)
    except ImportError:
        raise ValueError(f"file {path}: reading it needs pyarrow: pip install 'ganbench[files]'") from None
    except _ShapeError as error:
        raise ValueError(f"file {path}: {error}") from None
    except Exception as error:  # the readers raise any kind for a damaged file
        why = "holds Python objects, which are never read" if "allow_pickle" in str(error) else _line(error)
        raise ValueError(f"file {path}: cannot be read: {why}") from None


class _ShapeError(Exception):
    """Arrays that are no columns."""


def _of_arrays(path: Path, arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    """Arrays side by side: (n,) is a column of its name, (n, d) are columns ``name0``, ``name1`` ..."""
    import pandas as pd

    lengths = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if len({*lengths.values()}) > 1:
        listed = ", ".join(f"{name} {arrays[name].shape}" for name in lengths)
        raise _ShapeError(f"its arrays are of different lengths ({listed}): keep one row for each point in each")
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        if array.ndim and not array.size:
            raise _ShapeError(f"has no {'columns' if len(array) else 'rows'}: its array has the shape {array.shape}")
        if array.dtype.names:
            raise _ShapeError("holds records: save a plain array, one row for each point")
        if array.ndim == 1 and name:
            found[name] = array
        elif array.ndim in (1, 2):
            flat = array.reshape(len(array), -1)
            found |= {f"{name}{at}": flat[:, at] for at in range(flat.shape[1])}
        else:
            what = f" {name!r}" if name else ""
            raise _ShapeError(f"its array{what} has the shape {array.shape}, and points have (n, d)")
    return pd.DataFrame(found)


def _of_text(path: Path) -> pd.DataFrame:
    import pandas as pd

    packed = path.suffix.lower() == ".gz"
    with gzip.open(path, "rt", encoding="utf-8-sig") if packed else path.open(encoding="utf-8-sig") as file:
        lines = [line.strip() for line in islice(file, 100)]
    # numpy writes the names, and remarks, after a sign.
    remarks = [line.removeprefix("#") for line in takewhile(lambda line: not line or line[0] == "#", lines)]
    first = next((line for line in lines[len(remarks) :] if line), "")
    if not first:
        raise _ShapeError("is empty" if len(lines) < 100 else "has no row in its first 100 lines")
    separator = max(_SEPARATORS, key=first.count)
    separator = separator if separator in first else r"\s+"

    def fields(line: str) -> list[str]:
        return next(csv.reader([line], delimiter=separator)) if len(separator) == 1 else line.split()

    names = fields(first)
    headed = not any(_is_number(name) or _COMMA.fullmatch(name.strip()) for name in names)
    read = pd.read_csv(
        path,
        sep=separator,
        header=0 if headed else None,
        skiprows=len(remarks),
        encoding="utf-8-sig",
        index_col=False,
    )
    if remarks and not headed and len(above := fields(remarks[-1].strip())) == len(names):
        names, headed = above, True
        read.columns = pd.Index([name.strip() for name in above])
    if headed and any(not name.strip() for name in names):
        raise _ShapeError(
            "has a column without a name, as row numbers have: write it with index=False (pandas), or "
            "row.names = FALSE (R)"
        )
    return _with_points(read)


def _with_points(read: pd.DataFrame) -> pd.DataFrame:
    """The columns of numbers with decimal commas as numbers; raises _ShapeError where the commas may mean thousands."""
    import pandas as pd

    cells = {name: read[name].dropna().astype(str).str.strip() for name in read if read[name].dtype.kind not in "biuf"}
    # Where a column has a whole number, it has no comma.
    numbers = r"[-+]?\d*,\d+(?:[eE][-+]?\d+)?|[-+]?\d+"
    commas = {
        name: text for name, text in cells.items() if text.str.contains(",").any() and text.str.fullmatch(numbers).all()
    }
    if not commas:
        return read
    texts = [cell for text in commas.values() for cell in text if _COMMA.fullmatch(cell)]
    pointed = any(read[name].dtype.kind == "f" and (read[name] % 1 != 0)[read[name].notna()].any() for name in read)
    if pointed or all(_GROUPS.fullmatch(cell) for cell in texts):
        raise _ShapeError(
            f"has numbers such as {texts[0]!r}, whose commas may be decimal points or part thousands: write "
            f"{texts[0].replace(',', '.')}, or {texts[0].replace(',', '')}"
        )
    found = read.copy()
    for name in commas:
        found[name] = pd.to_numeric(read[name].str.strip().str.replace(",", "."))
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip().lower() not in ("nan", "inf", "infinity")


def _numbers(path: Path, column: pd.Series, name: str, header: int) -> np.ndarray:
    """A column of finite numbers, float64. Raises ValueError at the first value that is none."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        asked = pd.to_numeric(column, errors="coerce") if column.dtype.kind in "OUS" or column.dtype == "str" else None
        if asked is None:
            raise ValueError(f"file {path}: its column {name!r} holds {column.dtype}, and coordinates are numbers")
        bad = column[asked.isna() & column.notna()]
        at = f" ({str(bad.iloc[0])[:40]!r} in row {bad.index[0] + 1 + header})" if len(bad) else ""
        # A column of many different texts is no label: what follows the hint would be refused.
        few = column.nunique() <= min(MOST_LABELS, len(column) // 2)
        label = f", or the label, label: {name}" if few else ""
        raise ValueError(
            f"columns: {path} has text in column {name!r}{at}: name the columns of numbers, as columns: [x, y]{label}"
        )
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):
        finite = np.isfinite(numbers.astype(np.float32))
    if not finite.all():
        first = int(np.argmin(finite))
        what = "no number" if np.isnan(numbers[first]) else f"{numbers[first]:g}"
        raise ValueError(
            f"file {path}: its column {name!r} has {what} in row {first + 1 + header}, and is not finite in "
            f"{int((~finite).sum())} of {len(numbers)} rows: leave such rows out, or fill them"
        )
    return numbers


def _labels(path: Path, column: pd.Series, name: str, header: int) -> np.ndarray:
    """A column of labels as text. Raises ValueError where some are missing, or they are too many."""
    if column.isna().any():
        row = int(column.isna().to_numpy().argmax()) + 1 + header
        raise ValueError(f"label: {path} has no label in row {row} of column {name!r}: leave such rows out")
    text = column.astype(str).to_numpy(dtype=str)
    if (count := len(np.unique(text))) > min(MOST_LABELS, len(text) // 2):
        raise ValueError(f"label: column {name!r} of {path} has {count} different values in {len(text)} rows: no label")
    return text


def _line(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
