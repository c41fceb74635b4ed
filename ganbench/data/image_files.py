"""Labelled images in their usual files: MNIST's idx files and CIFAR-10's pickled batches.

They are read here and not by torchvision, which is needed for downloads only: so idx files may stay packed, and a
pickle can create arrays and nothing else.
"""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from ganbench.data.data_folder import MissingDataError, data_folder, download, located

CIFAR10_FOLDER = "cifar-10-batches-py"
CIFAR10_BATCHES = tuple(f"data_batch_{k}" for k in range(1, 6))
_UBYTE = 8  # the idx format's code for unsigned bytes


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images of 0 to 255, uint8 (n, channels, height, width), and their classes (n,), in two parts."""

    training: np.ndarray
    training_labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray


def mnist(name: str = "MNIST", *, fetch: bool = False) -> LabelledImages:
    """MNIST, or a set in its format such as ``FashionMNIST``: (1, 28, 28), the test set held out.

    The files are DIR/NAME/raw/train-images-idx3-ubyte and its three companions, or the same in DIR/NAME, packed or not.
    ``fetch``: download missing files. Raises ValueError, one line, where files are missing or damaged.
    """
    folder = data_folder()
    stems = [f"{part}-{what}-ubyte" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]

    def find() -> list[Path | None]:
        return [located(folder, (f"{name}/raw/{stem}", f"{name}/{stem}")) for stem in stems]

    paths = find()
    if fetch and not all(paths):
        download(name, folder)
        paths = find()
    there = []
    for stem, path in zip(stems, paths, strict=True):
        if path is None:
            raise MissingDataError.of(name, folder, f"{name}/raw/{stem}")
        there.append(path)
    return _mnist(*there)


def cifar10(*, fetch: bool = False) -> LabelledImages:
    """CIFAR-10 (python version): (3, 32, 32), the test batch held out.

    The files are DIR/cifar-10-batches-py/data_batch_1 to 5 and test_batch. Otherwise as ``mnist``.
    """
    folder, names = data_folder(), (*CIFAR10_BATCHES, "test_batch")
    places = [folder / CIFAR10_FOLDER / name for name in names]
    if fetch and not all(path.is_file() for path in places):
        download("CIFAR10", folder)
    for name, path in zip(names, places, strict=True):
        if not path.is_file():
            raise MissingDataError.of("CIFAR-10", folder, f"{CIFAR10_FOLDER}/{name}")
    return _cifar10(*places)


@lru_cache(maxsize=2)
def bordered(images: LabelledImages, size: int) -> LabelledImages:
    """The images with a border of zeros, so that they are ``size`` pixels high and wide; the added number is even."""
    border = (size - images.training.shape[-1]) // 2
    if not border:
        return images
    around = ((0, 0), (0, 0), (border, border), (border, border))
    return replace(images, training=np.pad(images.training, around), held_out=np.pad(images.held_out, around))


@lru_cache(maxsize=4)  # a process reads each set once, for all its suites and cells
def _mnist(images: Path, labels: Path, test_images: Path, test_labels: Path) -> LabelledImages:
    training, held_out = (_idx(path, (28, 28))[:, None] for path in (images, test_images))
    own, others = (_idx(path, ()) for path in (labels, test_labels))
    for path, some, classes in ((labels, training, own), (test_labels, held_out, others)):
        if len(some) != len(classes):
            raise ValueError(f"{path}: has {len(classes)} labels for {len(some)} images")
    return LabelledImages(training, own.astype(np.int64), held_out, others.astype(np.int64))


@lru_cache(maxsize=1)
def _cifar10(*paths: Path) -> LabelledImages:
    batches = [_batch(path) for path in paths]
    images, labels = (np.concatenate(parts) for parts in zip(*batches[:-1], strict=True))
    return LabelledImages(images, labels, *batches[-1])


def _idx(path: Path, inner: tuple[int, ...]) -> np.ndarray:
    """An idx file of unsigned bytes, (n, *inner) (LeCun: two zero bytes, type, axes, big-endian sizes, values)."""
    opened: Callable[..., IO[bytes]] = gzip.open if path.suffix == ".gz" else open  # type: ignore[assignment]
    try:
        with opened(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError) as error:  # gzip's errors, too
        raise ValueError(f"{path}: cannot be read: {error}") from None
    axes = 1 + len(inner)
    if content[:4] != bytes([0, 0, _UBYTE, axes]) or len(content) < 4 + 4 * axes:
        raise ValueError(f"{path}: is no idx file of unsigned bytes with {axes} axes")
    shape = tuple(int(size) for size in np.frombuffer(content, ">i4", axes, 4))
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * axes)
    if shape[1:] != inner or values.size != np.prod(shape, dtype=np.int64) or not values.size:
        raise ValueError(f"{path}: has {values.size:,} bytes of values, but its header declares the shape {shape}")
    return values.reshape(shape)


def _batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The images (n, 3, 32, 32) and classes (n,) of a batch of CIFAR-10."""
    try:
        with path.open("rb") as file:
            entry = _Arrays(file, encoding="latin1").load()
        images, labels = np.asarray(entry["data"]), np.asarray(entry["labels"], dtype=np.int64)
        if images.dtype != np.uint8 or images.shape != (len(labels), 3 * 32 * 32):
            raise ValueError(f"holds {images.dtype} of shape {images.shape} for {len(labels)} labels")
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"{path}: is no batch of CIFAR-10: {' '.join(str(error).split()) or repr(error)}") from None
    return images.reshape(-1, 3, 32, 32), labels


class _Arrays(pickle.Unpickler):
    """Creates numpy arrays and plain values, and refuses all else: a pickle could call any function."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "numpy", "ndarray":
                return np.ndarray
            case "numpy", "dtype":
                return _dtype
            case (("numpy.core.multiarray" | "numpy._core.multiarray"), "_reconstruct"):
                return _reconstruct
            case "_codecs", "encode":
                return _encoded
        raise pickle.UnpicklingError(f"asks for {module}.{name}")


def _reconstruct(kind: type, shape: tuple[int, ...], code: Any) -> np.ndarray:
    return np.ndarray((0,), np.uint8)  # empty, as numpy creates it; its pickled state then fills it


def _dtype(code: str, *_: Any) -> np.dtype[Any]:
    return np.dtype(code, copy=True)  # Python 2 wrote the flags as numbers, which numpy no longer accepts


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    return text.encode(encoding)
