"""The values of pictures, and the arrays that they are kept as: ``record.pictures`` says what each array holds."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

#: Of the arrays' meaning; a reader refuses a later one.
VERSION = 1
#: A file with more than these bytes is no picture: it is not unpacked.
MOST_BYTES = 2**28
#: The codes of points: from 0, at the low end, to this; one more is what is not finite.
_CODES = 65534


class DamagedPictureError(ValueError):
    """A file that holds no picture; str() says in a few words why."""


@dataclass(frozen=True, eq=False)
class DataPicture:
    """What is drawn of a data set; see ``record.pictures`` for the arrays, which are None where there are none."""

    dataset: str
    begins: tuple[int, ...]
    box: np.ndarray | None = None
    real: np.ndarray | None = None
    density: np.ndarray | None = None
    modes: np.ndarray | None = None
    reach: np.ndarray | None = None
    expected: np.ndarray | None = None
    origin: np.ndarray | None = None
    axes: np.ndarray | None = None
    images: np.ndarray | None = None

    def phase(self, picture: Picture) -> int:
        """Which of the data's phases a picture is of; a reference's is the last."""
        if picture.reference:
            return len(self.begins) - 1
        return max(at for at, begin in enumerate(self.begins) if begin <= max(picture.step - 1, 0))


@dataclass(frozen=True, eq=False)
class Picture:
    """What is drawn of a cell at one evaluation; see ``record.pictures`` for the arrays, None where there are none.

    ``points`` and ``latents`` are float32, in the data's own units; a point beyond the picture's frame is at its edge.
    """

    dataset: str
    variant: str
    reference: bool
    step: int
    seeds: tuple[int, ...]
    final: tuple[bool, ...]
    followed: tuple[int, ...] = ()
    box: np.ndarray | None = None
    points: np.ndarray | None = None
    latents: np.ndarray | None = None
    logits: np.ndarray | None = None
    probability: bool = False
    counts: np.ndarray | None = None
    drawn: int = 0
    images: np.ndarray | None = None
    nearest: np.ndarray | None = None
    distances: np.ndarray | None = None
    between: np.ndarray | None = None
    note: str = ""

    @cached_property
    def D(self) -> np.ndarray | None:  # noqa: N802
        """The probability that x is real, at the centres of the cells; None where the discriminator gives none."""
        if self.logits is None or not self.probability:
            return None
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-self.logits)))


def centres(box: np.ndarray, cells: int) -> np.ndarray:
    """The centres of the cells of a grid along each axis of its box, (k, cells)."""
    at = (np.arange(cells) + 0.5) / cells
    return np.asarray(box[:, :1] + (box[:, 1:] - box[:, :1]) * at)


def pack(value: Picture | DataPicture) -> bytes:
    """The content of the file of a picture; equal pictures have equal bytes."""
    arrays: dict[str, np.ndarray] = {"version": np.asarray(VERSION)}
    for name, one in vars(value).items():
        if name in ("dataset", "variant", "reference", "D") or one is None:
            continue
        array = np.asarray(one)
        if name in ("seeds", "followed", "begins"):
            array = np.asarray(one, np.int64)
        elif name == "points" and isinstance(value, Picture) and value.box is not None:
            array = _coded(array, value.box)
        elif name in ("logits", "latents"):
            array = _half(array, bits=8 if name == "logits" else 11)
        elif name == "counts":
            array = array.clip(0, 65535).astype(np.uint16)
        arrays[name] = array
    content = io.BytesIO()
    # Not by numpy.savez: at its level of compression a picture takes three times as long, for a tenth of its size.
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array) if array.ndim else array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getbuffer(), zipfile.ZIP_DEFLATED, 1)
    return content.getvalue()


def unpack(content: bytes) -> Mapping[str, np.ndarray]:
    """The arrays of a file. Raises DamagedPictureError for what is no picture of a version that is known."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise DamagedPictureError("is too large for a picture")
            arrays = {}
            for name in archive.namelist():
                with archive.open(name) as member:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
        version = int(arrays.pop("version"))
    except DamagedPictureError:
        raise
    except Exception:  # the readers raise any kind for a damaged file
        raise DamagedPictureError("holds no picture") from None
    if version != VERSION:
        raise DamagedPictureError("was written by a newer ganbench")
    return arrays


def as_data_picture(dataset: str, arrays: Mapping[str, np.ndarray]) -> DataPicture:
    """The picture of a data set in the arrays of its file. Raises DamagedPictureError."""
    phases, (k, grid) = _whole(arrays, "begins"), _space(arrays)
    shapes: dict[str, tuple[str, tuple[Any, ...]]] = {
        "box": ("f", (k, 2)),
        "real": ("f", (len(phases), None, k)),
        "density": ("f", (len(phases), *grid)),
        "modes": ("f", (len(phases), None, k)),
        "reach": ("f", (len(phases), None)),
        "expected": ("f", (len(phases), None)),
        "origin": ("f", (None,)),
        "axes": ("f", (2, None)),
        "images": ("u", (None, ...)),
    }
    if phases[0] != 0:
        raise DamagedPictureError("has phases that do not begin at 0")
    return DataPicture(dataset, phases, **_checked(arrays, shapes, {"begins"}))


def as_picture(dataset: str, variant: str, reference: bool, arrays: Mapping[str, np.ndarray]) -> Picture:
    """A cell's picture in the arrays of its file.

    Args:
        dataset: The data set's name.
        variant: The row's name.
        reference: Whether the row is a reference.
        arrays: The arrays.

    Returns:
        The picture.

    Raises:
        DamagedPictureError: In a few words, where the arrays are not such.
    """
    seeds, followed = _whole(arrays, "seeds"), _whole(arrays, "followed", fewest=0)
    n, f, (k, grid) = len(seeds), len(followed), _space(arrays)
    shapes: dict[str, tuple[str, tuple[Any, ...]]] = {
        "step": ("i", ()),
        "final": ("b", (n,)),
        "box": ("f", (k, 2)),
        "points": ("u", (n, None, k)),
        "latents": ("f", (n, None)),
        "logits": ("f", (f, *grid)),
        "probability": ("b", ()),
        "counts": ("u", (f, *grid)),
        "drawn": ("i", ()),
        "images": ("u", (n, None, ...)),
        "nearest": ("u", (f, None, ...)),
        "distances": ("f", (f, None)),
        "between": ("u", (f, None, None, ...)),
        "note": ("U", ()),
    }
    found = _checked(arrays, shapes, {"seeds", "followed"})
    if not {"step", "final"} <= found.keys() or ("points" in found and "box" not in found):
        raise DamagedPictureError("lacks what belongs to it")
    if "points" in found:
        found["points"] = _decoded(found["points"], found["box"])
    for name in ("logits", "latents"):
        found |= {name: found[name].astype(np.float32)} if name in found else {}
    found |= {name: int(found[name]) for name in ("step", "drawn") if name in found}
    found |= {"final": tuple(map(bool, found["final"])), "probability": bool(found.get("probability", False))}
    found["note"] = str(found.get("note", ""))
    return Picture(dataset, variant, reference, seeds=seeds, followed=followed, **found)


def _half(numbers: np.ndarray, bits: int) -> np.ndarray:
    """As float16 of so many significant ``bits``: with 8 a probability is wrong by 0.001 at most, and packs better."""
    drop = 11 - bits
    limit = float(np.array(0x7C00 - (1 << drop), np.uint16).view(np.float16))
    codes = numbers.clip(-limit, limit).astype(np.float16).view(np.uint16)
    return ((codes + ((1 << drop) >> 1)) & (0xFFFF - (1 << drop) + 1)).astype(np.uint16).view(np.float16)


def _coded(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    low, high = 2 * box[:, 0] - box[:, 1], 2 * box[:, 1] - box[:, 0]
    share = ((points.astype(np.float64) - low) / (high - low)).clip(0, 1)
    lost = ~np.isfinite(points).all(-1, keepdims=True)
    return np.where(lost, _CODES + 1, np.rint(np.nan_to_num(share) * _CODES)).astype(np.uint16)


def _decoded(codes: np.ndarray, box: np.ndarray) -> np.ndarray:
    low, high = 2 * box[:, 0] - box[:, 1], 2 * box[:, 1] - box[:, 0]
    points = low + codes.astype(np.float64) / _CODES * (high - low)
    return np.where(codes > _CODES, np.nan, points).astype(np.float32)


def _whole(arrays: Mapping[str, np.ndarray], name: str, fewest: int = 1) -> tuple[int, ...]:
    array = arrays.get(name, np.empty((0,), np.int64))
    if array.dtype.kind != "i" or array.ndim != 1 or len(array) < fewest:
        raise DamagedPictureError(f"has no {name}")
    return tuple(map(int, array))


def _space(arrays: Mapping[str, np.ndarray]) -> tuple[int, tuple[None, ...]]:
    """The coordinates of points, and as many axes of a grid."""
    box = arrays.get("box", np.zeros((2, 2)))
    if box.ndim != 2 or box.shape not in ((1, 2), (2, 2)) or box.dtype.kind != "f":
        raise DamagedPictureError("has no box")
    if "box" in arrays and not (np.isfinite(box).all() and (box[:, 0] < box[:, 1]).all()):
        raise DamagedPictureError("has an empty box")
    return len(box), (None,) * len(box)


def _checked(
    arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[str, tuple[Any, ...]]], apart: set[str]
) -> dict[str, Any]:
    """The arrays, each of its kind and shape (None: any length; ...: any further axes), but for those ``apart``."""
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        if name in apart or name not in shapes:  # a later ganbench may add some
            continue
        kind, shape = shapes[name]
        fixed = shape[:-1] if shape[-1:] == (...,) else shape
        fits = array.ndim >= len(fixed) if fixed is not shape else array.ndim == len(fixed)
        if (
            array.dtype.kind != kind
            or not fits
            or any(w not in (None, own) for w, own in zip(fixed, array.shape, strict=False))
        ):
            raise DamagedPictureError(f"has {name} of another shape or kind")
        found[name] = array
    return found
