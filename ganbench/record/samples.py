"""Samples on disk: the last ones of a seed, as a run keeps them, and any others, in files of arrays or tables.

Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ganbench.core.disk import make_folder
from ganbench.record.sample_tables import UnreadableError, read_csv, read_parquet

_MAGIC = {b"\x93NUMPY": ".npy", b"PK\x03\x04": ".npz", b"PK\x05\x06": ".npz", b"PAR1": ".parquet"}
#: The exceptions of reading an array that is cut short, or a file that holds none.
_DAMAGED = (OSError, EOFError, ValueError, SyntaxError, MemoryError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of a file: ``values`` (n, *shape) in float32, n at least 1, and what is known about them.

    ``seed`` and ``step`` where the file holds them; ``rows``: from a table, which can only hold flat samples;
    ``notes``: lines that a reader of the scores should know.
    """

    path: Path
    sha256: str
    values: np.ndarray
    seed: int | None = None
    step: int | None = None
    rows: bool = False
    notes: tuple[str, ...] = ()


def keep(path: Path, samples: Tensor, seed: int, step: int) -> None:
    """Write samples to an .npz file, with the seed and the step at which they were drawn.

    Args:
        path: The file; its folder is created where it is missing.
        samples: The samples, (n, *shape), float32.
        seed: The seed that they are of.
        step: The generator steps that the seed had trained.
    """
    make_folder(path.parent)
    # Under another name first: a file that is there is whole.
    unfinished = path.with_suffix(".tmp.npz")
    np.savez(unfinished, samples=samples.detach().cpu().numpy(), seed=np.int64(seed), step=np.int64(step))
    unfinished.replace(path)


def read(path: Path) -> Samples:
    """The samples in an .npy, .npz, .csv, .parquet or .safetensors file.

    Of several arrays it is the one called ``samples``. Floats narrower or wider than float32 are accepted, with a note;
    rows that are not finite are kept, with a note. Raises UnreadableError, in one line, for what cannot be scored.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        raise UnreadableError(f"{path}: is a folder, not a file of samples")
    try:
        with path.open("rb") as file:
            head = file.read(8)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise UnreadableError(f"{path}: no such file") from None
    except OSError as error:
        raise UnreadableError(f"{path}: cannot be read: {error.strerror or error}") from None
    _check_content(path, suffix, head)
    values, known = _READERS[suffix](path)
    values, notes = _as_float32(path, values, typed=suffix != ".csv")
    rows = suffix in (".csv", ".parquet")
    notes = (*known.pop("notes", ()), *notes)
    return Samples(path, sha256, values, rows=rows, notes=notes, **known)


def _check_content(path: Path, suffix: str, head: bytes) -> None:
    known = ", ".join(list(_READERS)[:-1]) + f" and {list(_READERS)[-1]}"
    if suffix not in _READERS:
        hint = ": save the array with numpy.save" if suffix in (".pt", ".pth", ".pkl", ".pickle", ".npz.gz") else ""
        raise UnreadableError(
            f"{path}: samples are read from {known} files, not from {suffix or 'one without an ending'}{hint}"
        )
    if not head:
        raise UnreadableError(f"{path}: is empty")
    found = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if found not in (None, suffix):
        raise UnreadableError(f"{path}: holds what a {found} file holds: rename it")
    if found is None and suffix in _MAGIC.values():
        raise UnreadableError(f"{path}: is no {suffix} file, or a damaged one")


def _npy(path: Path) -> tuple[Any, dict[str, Any]]:
    try:
        return np.load(path, allow_pickle=False), {}
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _npz(path: Path) -> tuple[Any, dict[str, Any]]:
    try:
        # Opened here: numpy forgets to close what turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            known = {name: _whole(arrays[name]) for name in ("seed", "step") if name in arrays.files}
            return arrays[_chosen(path, [name for name in arrays.files if name not in known])], known
    except UnreadableError:
        raise
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _safetensors(path: Path) -> tuple[Any, dict[str, Any]]:
    try:
        library = import_module("safetensors")
    except ImportError:
        raise UnreadableError(f"{path}: reading it needs safetensors: pip install 'ganbench[files]'") from None
    try:
        with library.safe_open(path, framework="pt") as file:
            tensor: Tensor = file.get_tensor(_chosen(path, list(file.keys())))
            narrow = tensor.dtype.is_floating_point and tensor.dtype.itemsize < 4
            notes = [_rounded(str(tensor.dtype).removeprefix("torch."))] if narrow else []
            # numpy has no bfloat16.
            return (tensor.float() if narrow else tensor).numpy(), {"notes": notes}
    except (library.SafetensorError, OSError, RuntimeError, TypeError) as error:
        raise _damaged(path, error) from None


def _csv(path: Path) -> tuple[Any, dict[str, Any]]:
    values, notes = read_csv(path)
    return values, {"notes": notes}


def _parquet(path: Path) -> tuple[Any, dict[str, Any]]:
    return read_parquet(path), {}


_READERS: dict[str, Callable[[Path], tuple[Any, dict[str, Any]]]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".csv": _csv,
    ".parquet": _parquet,
    ".safetensors": _safetensors,
}


def _chosen(path: Path, names: Sequence[str]) -> str:
    if "samples" in names:
        return "samples"
    if len(names) == 1:
        return names[0]
    found = f"the arrays {', '.join(names)}, none of them called 'samples'" if names else "no array"
    raise UnreadableError(f"{path}: holds {found}")


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu" else None


def _damaged(path: Path, error: BaseException) -> UnreadableError:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    if "allow_pickle" in text:
        return UnreadableError(f"{path}: holds Python objects, which are never read: save an array of float32")
    if isinstance(error, MemoryError):
        text = "it says it is larger than memory"
    return UnreadableError(f"{path}: cannot be read, is it whole? ({text})")


def _as_float32(path: Path, values: Any, *, typed: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    """The numbers in float32, C order, with notes; ``typed``: the file stores a type of number, as text does not.

    Raises UnreadableError for what is not samples.
    """
    if not isinstance(values, np.ndarray):
        raise UnreadableError(f"{path}: holds {type(values).__name__}, not an array")
    if values.ndim == 0:
        raise UnreadableError(f"{path}: holds a single number, not an array of samples")
    if values.size == 0:
        raise UnreadableError(f"{path}: holds no samples")
    if values.dtype.kind in "iu":
        low, high = values.min(), values.max()
        raise UnreadableError(
            f"{path}: holds whole numbers ({values.dtype}, {low} to {high}): scale them as the data is, save float32"
        )
    if values.dtype.kind != "f":
        raise UnreadableError(f"{path}: holds {_words(values.dtype)}: samples are real numbers, float32")
    notes = []
    if values.dtype.itemsize < 4:
        notes.append(_rounded(str(values.dtype)))
    elif values.dtype.itemsize > 4 and typed:
        notes.append(f"{values.dtype}, scored as float32: a run's own samples are")
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(values, dtype=np.float32)
    if overflowed := int((np.isfinite(values) & ~np.isfinite(converted)).sum()):
        notes.append(f"{overflowed} of {values.size} numbers are beyond float32's range: taken as infinite")
    if lost := int((~np.isfinite(converted.reshape(len(converted), -1))).any(axis=1).sum()):
        notes.append(f"{lost} of {len(converted)} samples are not finite: kept, as mass where there is no data")
    return converted, tuple(notes)


def _words(dtype: np.dtype[Any]) -> str:
    kinds = {"b": "true or false", "c": f"complex numbers ({dtype})", "U": "text", "S": "text", "O": "Python objects"}
    return kinds.get(dtype.kind, f"records ({', '.join(dtype.names)})" if dtype.names else str(dtype))


def _rounded(dtype: str) -> str:
    return f"{dtype}: its rounding makes different samples equal, and repeats count against them; save float32"
