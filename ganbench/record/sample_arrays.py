"""Samples from files of arrays: numpy's, torch's, safetensors and Matlab's. Nothing in them is ever executed."""

from __future__ import annotations

import math
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from ganbench.record.sample_file import MOST_BYTES, UnreadableError, check_size


@dataclass(frozen=True, eq=False)
class SampleArray:
    """The array of a file as it is stored, and what else the file says of it; ``dataset``: see ``Samples``."""

    values: Any
    seed: int | None = None
    step: int | None = None
    notes: tuple[str, ...] = ()
    dataset: str = ""


def read_npy(path: Path) -> SampleArray:
    """The array of an .npy file, which stays on disk until it is used."""
    try:
        try:
            return SampleArray(np.load(path, mmap_mode="r", allow_pickle=False))
        except ValueError:  # what cannot be mapped, as an array without numbers
            return SampleArray(np.load(path, allow_pickle=False))
    except Exception as error:  # the readers raise any kind for a damaged file
        raise _damaged(path, error) from None


def read_npz(path: Path) -> SampleArray:
    """The array of an .npz file that is called ``samples``, or its only one; with its ``seed`` and ``step``."""
    try:
        # Opened here: numpy forgets to close what turns out to be no archive.
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            _check_archive(path, archive)
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                known = {name: _count(path, name, arrays[name]) for name in ("seed", "step") if name in arrays.files}
                # An array of this name that is no text may hold the samples.
                data = arrays["dataset"] if "dataset" in arrays.files else None
                stated = str(data) if data is not None and data.dtype.kind == "U" and not data.ndim else ""
                beside = {*known, *(["dataset"] if stated else [])}
                values = arrays[_chosen(path, [name for name in arrays.files if name not in beside])]
                return SampleArray(values, known.get("seed"), known.get("step"), dataset=stated)
    except UnreadableError:
        raise
    except Exception as error:  # the readers raise any kind for a damaged file
        raise _damaged(path, error) from None


def read_torch(path: Path) -> SampleArray:
    """The tensor that torch.save has written, alone or in a mapping; as torch reads it without running any code."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                _check_archive(path, archive)
        with warnings.catch_warnings():  # of old formats
            warnings.simplefilter("ignore")
            found = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(found, Mapping):
            return _of_tensor(path, found)
        known = {name: _count(path, name, np.asarray(found[name])) for name in ("seed", "step") if name in found}
        names = [str(name) for name, value in found.items() if isinstance(value, Tensor) and name not in known]
        return _of_tensor(path, {str(name): value for name, value in found.items()}[_chosen(path, names)], **known)
    except UnreadableError:
        raise
    except Exception as error:  # the readers raise any kind for a damaged file
        if "weights_only" in str(error) or "Weights only" in str(error):
            raise UnreadableError(f"{path}: holds Python objects, which are never read: {_ALONE}") from None
        raise _damaged(path, error) from None


def read_safetensors(path: Path) -> SampleArray:
    """The tensor of a .safetensors file that is called ``samples``, or its only one."""
    try:
        with safe_open(path, framework="pt") as file:
            name = _chosen(path, list(file.keys()))
            check_size(path, math.prod(file.get_slice(name).get_shape()))
            return _of_tensor(path, file.get_tensor(name))
    except UnreadableError:
        raise
    except Exception as error:
        raise _damaged(path, error) from None


def read_mat(path: Path) -> SampleArray:
    """The array of a Matlab file, up to version 7, that is called ``samples``, or its only one."""
    from scipy.io import loadmat, whosmat  # late: rarely needed

    try:
        shapes = {name: shape for name, shape, _ in whosmat(path)}
        name = _chosen(path, list(shapes))
        check_size(path, math.prod(shapes[name]))
        return SampleArray(loadmat(path, variable_names=[name])[name])
    except NotImplementedError:
        raise UnreadableError(f"{path}: is of Matlab 7.3: save('x.mat', 'samples', '-v7') can be read") from None
    except UnreadableError:
        raise
    except Exception as error:
        raise _damaged(path, error) from None


_ALONE = "save the samples alone, an array of float32 (numpy.save, or torch.save of a tensor)"


def rounded(dtype: str) -> str:
    """The note on a narrow type of number."""
    return f"{dtype}: its rounding makes different samples equal, and repeats count against them; save float32"


def _of_tensor(path: Path, tensor: Any, seed: int | None = None, step: int | None = None) -> SampleArray:
    if not isinstance(tensor, Tensor):
        raise UnreadableError(f"{path}: holds {type(tensor).__name__}, not a tensor: {_ALONE}")
    check_size(path, tensor.numel())
    tensor = tensor.detach()
    tensor = tensor.dequantize() if tensor.is_quantized else tensor.to_dense() if tensor.is_sparse else tensor
    narrow = tensor.dtype.is_floating_point and tensor.dtype.itemsize < 4
    notes = (rounded(str(tensor.dtype).removeprefix("torch.")),) if narrow else ()
    # numpy has no bfloat16.
    return SampleArray((tensor.float() if narrow else tensor).numpy(), seed, step, notes)


def _check_archive(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise UnreadableError where an archive is of another kind, or holds more than is scored: it is not unpacked."""
    own, other = (".npy", ".pt") if path.suffix.lower() == ".npz" else ("data.pkl", ".npz")
    names = archive.namelist()
    if names and not any(name.endswith(own) for name in names):
        if any(name.endswith(("data.pkl", ".npy")) for name in names):
            raise UnreadableError(f"{path}: holds what a {other} file holds: rename it")
        raise UnreadableError(f"{path}: is a zip archive without an array in it")
    size = max((member.file_size for member in archive.infolist()), default=0)
    if size > MOST_BYTES:
        raise UnreadableError(
            f"{path}: holds an array of {size / 1e9:.3g} GB, and at most {MOST_BYTES / 1e9:.3g} GB are read: "
            "keep fewer samples, chosen at random"
        )


def _chosen(path: Path, names: Sequence[str]) -> str:
    if "samples" in names:
        return "samples"
    if len(names) == 1:
        return names[0]
    if not names:
        raise UnreadableError(f"{path}: holds no array")
    some = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    raise UnreadableError(
        f"{path}: holds the arrays {some}, none of them called 'samples': save the samples alone, or under that name"
    )


def _count(path: Path, name: str, value: Any) -> int:
    """The seed or the step that a file states."""
    if (
        isinstance(value, np.ndarray)
        and value.size == 1
        and value.dtype.kind in "iu"
        and 0 <= int(value.item()) < 2**63
    ):
        return int(value.item())
    shown = repr(value.item()) if value.size == 1 else f"an array {value.shape}"
    raise UnreadableError(
        f"{path}: its {name!r} must be a whole number of at least 0, not {shown}: "
        f"save the samples without it, or a right {name}"
    )


def _damaged(path: Path, error: BaseException) -> UnreadableError:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    if "allow_pickle" in text or "Python objects" in text:
        return UnreadableError(f"{path}: holds Python objects, which are never read: save an array of float32")
    if isinstance(error, MemoryError):
        text = "it says it is larger than memory"
    return UnreadableError(f"{path}: cannot be read, is it whole? ({text[:200]})")
