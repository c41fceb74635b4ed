"""Samples on disk: the last ones of a seed, as a run keeps them, and any others, in files of arrays or tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ganbench.core.disk import make_folder, put
from ganbench.record.sample_arrays import (
    SampleArray,
    read_mat,
    read_npy,
    read_npz,
    read_safetensors,
    read_torch,
    rounded,
)
from ganbench.record.sample_file import UnreadableError, check_size, cure, look
from ganbench.record.sample_tables import SampleTable, read_parquet, read_text
from ganbench.record.text_stream import PACKED

_ARRAYS: dict[str, Callable[[Path], SampleArray]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".safetensors": read_safetensors,
    ".pt": read_torch,
    ".pth": read_torch,
    ".mat": read_mat,
}
_TEXT = (".csv", ".tsv", ".txt", ".dat")
_TABLES: dict[str, Callable[[Path], SampleTable]] = {**dict.fromkeys(_TEXT, read_text), ".parquet": read_parquet}
#: The endings of the files that are read; those of text may be followed by that of its packing.
KINDS = (".npy", ".npz", *_TABLES, ".safetensors", ".pt", ".pth", ".mat")
_MAGIC = {
    b"\x93NUMPY": (".npy",),
    b"PK\x03\x04": (".npz", ".pt", ".pth"),
    b"PK\x05\x06": (".npz",),
    b"PAR1": (".parquet",),
}
#: The numbers that are converted at a time.
_BLOCK = 2**22


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of a file: ``values`` (n, *shape) in float32, n at least 1, and what is known about them.

    ``seed`` and ``step`` where the file holds them; ``rows``: from a table, which can only hold flat samples;
    ``names``: those of a table's columns, if any; ``notes``: lines that a reader of the scores should know;
    ``dataset``: the data set that the generator was trained on, as a suite writes it, in JSON, where the file has it.
    """

    path: Path
    sha256: str
    values: np.ndarray
    seed: int | None = None
    step: int | None = None
    rows: bool = False
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    dataset: str = ""


def place(folder: Path, dataset: str, variant: str, seed: int) -> Path:
    """The file of a seed's last samples.

    Args:
        folder: The run's folder of samples.
        dataset: The data set's name in the suite.
        variant: The row's name.
        seed: The seed.

    Returns:
        The path of the file, which need not be there.
    """
    return folder / dataset / variant / f"{seed}.npz"


def keep(
    path: Path, samples: Tensor, seed: int, step: int, labels: Tensor | None = None, *, dataset: Any = None
) -> None:
    """Write samples to an .npz file, with the seed and the step at which they were drawn.

    Args:
        path: The file; its folder is created where it is missing.
        samples: The samples, (n, *shape), float32.
        seed: The seed that they are of.
        step: The generator steps that the seed had trained.
        labels: The class that each was asked for, (n,), of a conditional generator.
        dataset: The data set that the generator was trained on, with all parameters, as a suite writes it.
    """
    make_folder(path.parent)
    # Under another name first: a file that is there is whole.
    unfinished = path.with_suffix(".tmp.npz")
    arrays: dict[str, Any] = {"samples": samples.detach().cpu().numpy(), "seed": np.int64(seed), "step": np.int64(step)}
    if labels is not None:
        arrays["labels"] = labels.cpu().numpy()
    if dataset is not None:
        arrays["dataset"] = np.array(json.dumps(dataset))
    np.savez(unfinished, **arrays)
    put(unfinished, path)


def read(path: Path) -> Samples:
    """The samples in a file of arrays or a table (``KINDS``).

    Of several arrays it is the one called ``samples``. Floats narrower or wider than float32 are accepted, with a note;
    rows that are not finite are kept, with a note. Raises UnreadableError, in one line, for what cannot be scored.
    """
    head, sha256 = look(path)
    kind = _kind(path, head)
    if kind in _ARRAYS:
        array = _ARRAYS[kind](path)
        values, notes = _as_float32(path, array.values, typed=True)
        return Samples(
            path, sha256, values, array.seed, array.step, notes=(*array.notes, *notes), dataset=array.dataset
        )
    table = _TABLES[kind](path)
    values, notes = _as_float32(path, table.values, typed=kind == ".parquet")
    return Samples(path, sha256, values, rows=True, notes=(*table.notes, *notes), names=table.names)


def _kind(path: Path, head: bytes) -> str:
    """The ending that says how a file is read, where its first bytes do not say otherwise."""
    endings = [ending.lower() for ending in path.suffixes]
    packed = len(endings) > 1 and endings[-1] in PACKED and endings[-2] in _TEXT
    kind = endings[-2] if packed else path.suffix.lower()
    if kind not in KINDS:
        known = f"{', '.join(KINDS[:-1])} and {KINDS[-1]}"
        other = kind or "one without an ending"
        raise UnreadableError(f"{path}: samples are read from {known} files, not from {other}{cure(kind)}")
    if not head:
        raise UnreadableError(f"{path}: is empty")
    if packed:
        return kind
    if kind in _TEXT and head.startswith(b"\x1f\x8b"):
        raise UnreadableError(f"{path}: is packed by gzip: name it {path.name}.gz")
    found = next((kinds for magic, kinds in _MAGIC.items() if head.startswith(magic)), ())
    if found and kind not in found and head.startswith(b"PK"):
        raise UnreadableError(f"{path}: is a zip archive: name it as what it is, such as .npz, .pt or .csv.zip")
    if found and kind not in found:
        raise UnreadableError(f"{path}: holds what a {found[0]} file holds: rename it")
    if not found and kind in (".npy", ".npz", ".parquet"):
        raise UnreadableError(f"{path}: is no {kind} file, or a damaged one")
    return kind


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
    check_size(path, values.size)
    if values.dtype.kind in "iu":
        low, high = values.min(), values.max()
        pixels = "; pixels on [-1, 1] are x / 127.5 - 1" if 2 < high <= 255 and low >= 0 else ""
        raise UnreadableError(
            f"{path}: holds whole numbers ({values.dtype}, {low} to {high}): scale them as the data is, save float32"
            f"{pixels}"
        )
    if values.dtype.kind != "f":
        raise UnreadableError(f"{path}: holds {_words(values.dtype)}")
    notes = []
    if values.dtype.itemsize < 4:
        notes.append(rounded(str(values.dtype)))
    elif values.dtype.itemsize > 4 and typed:
        notes.append(f"{values.dtype.name}, scored as float32: a run's own samples are")
    plain = values.dtype == np.float32 and values.dtype.isnative and values.flags.c_contiguous
    converted = values if plain and not isinstance(values, np.memmap) else np.empty(values.shape, np.float32)
    overflowed = lost = 0
    rows = max(1, _BLOCK * len(values) // values.size)
    for begin in range(0, len(values), rows):
        some, result = values[begin : begin + rows], converted[begin : begin + rows]
        if converted is not values:
            with np.errstate(over="ignore"):
                result[...] = some
        finite = np.isfinite(result)
        overflowed += int((np.isfinite(some) & ~finite).sum())
        lost += int((~finite.reshape(len(finite), -1)).any(axis=1).sum())
    if overflowed:
        notes.append(f"{overflowed} of {values.size} numbers are beyond float32's range: taken as infinite")
    if lost:
        notes.append(f"{lost} of {len(converted)} samples are not finite: kept, as mass where there is no data")
    return converted, tuple(notes)


def _words(dtype: np.dtype[Any]) -> str:
    """What no sample is made of, and what to do."""
    real = ": samples are real numbers, float32"
    if dtype.names:
        return f"records ({', '.join(dtype.names)}){real}"
    kinds = {"c": f"complex numbers ({dtype})", "U": "text", "S": "text", "O": "Python objects"}
    if dtype.kind == "b":
        return f"true or false{real}; save x.astype('float32') if 1 and 0 are meant"
    if dtype.kind == "V":
        return f"raw bytes ({dtype}), as bfloat16 is saved{real}, x.astype('float32') or x.float().numpy()"
    return kinds.get(dtype.kind, str(dtype)) + real
