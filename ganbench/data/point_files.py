"""Points in files of people's own: .npy, .npz, .csv, .parquet; columns of numbers, and perhaps one of labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganbench.core.messages import suggest
from ganbench.data.point_text import ColumnsError, PointTable, read_text

if TYPE_CHECKING:
    import pandas as pd

#: The endings of the files that are read; text may be packed, too.
KINDS = (".npy", ".npz", ".csv", ".tsv", ".txt", ".parquet")
_TEXT = (".csv", ".tsv", ".txt")
#: From so many rows on, a column 0, 1, 2 ... is no accident.
_COUNTED = 10
#: A column with more different values is no label.
MOST_LABELS = 1000


@dataclass(frozen=True, eq=False)
class PointFile:
    """The ``points`` of a file, (n, d) in float64, finite; the names of the ``columns``; ``labels``, (n,), as text.

    ``notes``: how the file was understood, where that was a guess.
    """

    points: np.ndarray
    columns: tuple[str, ...]
    labels: np.ndarray | None
    notes: tuple[str, ...] = ()


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
    found = _table(path)
    table, header = found.columns, found.above
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
    points = np.stack([_numbers(path, table.iloc[:, at], names[at], header) for at in chosen], axis=1)
    if columns is None:
        _refuse_row_numbers(path, points, [names[at] for at in chosen])
    labels = None if of_label is None else _labels(path, table.iloc[:, of_label], names[of_label], header)
    return PointFile(points, tuple(names[at] for at in chosen), labels, found.notes)


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


def _index(path: Path, parameter: str, given: str | int, names: list[str]) -> int:
    if isinstance(given, str):
        if names.count(given) > 1:
            raise ValueError(
                f"{parameter}: {path} has {names.count(given)} columns {given!r}: give it by number, from 0"
            )
        if given in names:
            return names.index(given)
        raise ValueError(f"{parameter}: {path} has no column {given!r}{suggest(given, names)}")
    if not 0 <= given < len(names):
        raise ValueError(f"{parameter}: {path} has the columns 0 to {len(names) - 1}, and no {given}")
    return given


def _table(path: Path) -> PointTable:
    """A file's columns, whatever they hold. Raises ValueError, in one line, for what is no such file."""
    import pandas as pd  # late: takes half a second, and other data sets do not need it

    endings = [ending.lower() for ending in path.suffixes]
    kind = endings[-2] if endings[-1:] == [".gz"] and endings[-2:-1] and endings[-2] in _TEXT else (endings or [""])[-1]
    if not path.is_file():
        raise ValueError(f"file {path}: is a folder: name a file, or use the data set of images")
    if kind not in KINDS:
        raise ValueError(f"file {path}: must end in {', '.join(KINDS[:-1])} or {KINDS[-1]}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of mixed types, which are found below
            if kind == ".npy":
                return PointTable(_of_arrays({"": np.load(path, allow_pickle=False)}))
            if kind == ".npz":
                # Opened here: numpy forgets to close what turns out to be no archive.
                with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                    return PointTable(_of_arrays(dict(arrays)))
            return PointTable(pd.read_parquet(path)) if kind == ".parquet" else read_text(path)
    except ImportError:
        raise ValueError(f"file {path}: reading it needs pyarrow: pip install 'ganbench[files]'") from None
    except ColumnsError as error:
        raise ValueError(f"file {path}: {error}") from None
    except Exception as error:  # the readers raise any kind for a damaged file
        why = "holds Python objects, which are never read" if "allow_pickle" in str(error) else _line(error)
        raise ValueError(f"file {path}: cannot be read: {why}") from None


def _of_arrays(arrays: dict[str, np.ndarray]) -> pd.DataFrame:
    """Arrays side by side: (n,) is a column of its name, (n, d) are columns ``name0``, ``name1`` ..."""
    import pandas as pd

    lengths = {name: len(array) if array.ndim else 0 for name, array in arrays.items()}
    if len({*lengths.values()}) > 1:
        listed = ", ".join(f"{name} {arrays[name].shape}" for name in lengths)
        raise ColumnsError(f"its arrays are of different lengths ({listed}): keep one row for each point in each")
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        if array.ndim and not array.size:
            raise ColumnsError(f"has no {'columns' if len(array) else 'rows'}: its array has the shape {array.shape}")
        if array.dtype.names:
            raise ColumnsError("holds records: save a plain array, one row for each point")
        if array.ndim == 1 and name:
            own = {name: array}
        elif array.ndim in (1, 2):
            flat = array.reshape(len(array), -1)
            own = {f"{name}{at}": flat[:, at] for at in range(flat.shape[1])}
        else:
            what = f" {name!r}" if name else ""
            raise ColumnsError(f"its array{what} has the shape {array.shape}, and points have (n, d)")
        if again := found.keys() & own.keys():
            raise ColumnsError(f"has two columns {min(again)!r}, an array and a column of one: give it another name")
        found |= own
    return pd.DataFrame(found)


def _numbers(path: Path, column: pd.Series, name: str, header: int) -> np.ndarray:
    """A column of finite numbers, float64. Raises ValueError at the first value that is none."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        texts = column.map(lambda one: isinstance(one, (str, bytes)))
        if not texts.any():
            kind = type(column.iloc[0]).__name__ if column.dtype == object else column.dtype
            raise ValueError(f"file {path}: its column {name!r} holds {kind}, and coordinates are numbers")
        asked = pd.to_numeric(column.where(texts), errors="coerce")
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
    text = np.char.strip(column.astype(str).to_numpy(dtype=str))
    if (count := len(np.unique(text))) > min(MOST_LABELS, len(text) // 2):
        raise ValueError(f"label: column {name!r} of {path} has {count} different values in {len(text)} rows: no label")
    return text


def _line(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
