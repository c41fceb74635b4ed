"""Images of people's own: a folder of PNG and JPEG files, or an .npz file of bytes."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

#: The endings of files that are read; other images are left out, with a note.
READ = (".png", ".jpg", ".jpeg")
_OTHERS = (".jfif", ".jpe", ".jp2", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".ppm")
#: How Pillow names an image of 8 bits a channel, grey or colour, without transparency.
_GREY, _COLOUR = ("1", "L", "LA"), ("P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
#: Folders of these names alone are the parts of a data set, and no classes.
_PARTS = {"dev", "test", "testing", "train", "training", "val", "valid", "validation"}


@dataclass(frozen=True, eq=False)
class OwnImages:
    """``pixels``, (n, channels, height, width), uint8, in the order of the files' names; ``notes`` on what was done.

    ``labels``, (n,): whole numbers, the places of their names in ``classes``; None where there are none.
    """

    pixels: np.ndarray
    notes: tuple[str, ...] = ()
    labels: np.ndarray | None = None
    classes: tuple[str, ...] = ()


def read_folder(folder: Path, size: int | None) -> OwnImages:
    """All PNG and JPEG files of a folder and of the folders in it; in colour where one of them is.

    Where all are in folders of the folder, and these are several, each of them is a class.

    Args:
        folder: The folder.
        size: The height and width to which images are scaled, after the longer side was cut at both ends to a square;
            None: they must be of one size.

    Returns:
        The images.

    Raises:
        ValueError: In one line: there are none, one cannot be read, or they are of different sizes.
    """
    if not folder.is_dir():
        raise ValueError(f"folder {folder}: is no folder: an .npz file is given as file")
    there = sorted(path for path in folder.rglob("*") if path.is_file() and not _hidden(path.relative_to(folder)))
    paths = [path for path in there if path.suffix.lower() in READ]
    others = Counter(path.suffix.lower() for path in there if path.suffix.lower() in _OTHERS)
    if not paths:
        more = f": its {_counted(others)} files are not read, save them as .png" if others else ""
        raise ValueError(f"folder {folder}: has no .png, .jpg or .jpeg files{more}")
    opened: list[np.ndarray] = []
    scaled = 0
    for path in paths:
        pixels, changed = _opened(path, size)
        scaled += changed
        if opened and pixels.shape[:2] != opened[0].shape[:2]:
            sizes = (f"{one.shape[1]} x {one.shape[0]}" for one in (opened[0], pixels))
            raise ValueError(
                f"folder {folder}: {paths[0].name} is {next(sizes)} pixels, and {path.name} {next(sizes)}: bring all "
                "to one size, or give a size, to which they are cut and scaled"
            )
        opened.append(pixels)
    coloured = sum(pixels.ndim == 3 for pixels in opened)
    notes = []
    if scaled:
        notes.append(f"{scaled} of {len(paths)} images are cut and scaled to {size} x {size}")
    if 0 < coloured < len(opened):
        notes.append(f"{len(opened) - coloured} of {len(opened)} images are grey, and are in three equal channels")
    if others:
        notes.append(f"left out: {_counted(others)} files")
    if coloured:
        opened = [pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2) for pixels in opened]
        stacked = np.ascontiguousarray(np.stack(opened).transpose(0, 3, 1, 2))
    else:
        stacked = np.stack(opened)[:, None]
    inside = [path.relative_to(folder).parts[:-1] for path in paths]
    names, labels = np.unique([parts[0] if parts else "" for parts in inside], return_inverse=True)
    if len(names) == 1 or not all(inside):
        return OwnImages(stacked, tuple(notes))
    if {name.lower() for name in names} <= _PARTS:
        raise ValueError(
            f"folder {folder}: {' and '.join(names)} in it are parts of a data set and no classes: give one of them as "
            f"folder, {folder.name}/{names[-1]}, or all images in one"
        )
    return OwnImages(stacked, tuple(notes), labels, tuple(names.tolist()))


def read_npz(path: Path, size: int | None) -> OwnImages:
    """The images of an .npz file: its only array, or the one called ``images``, of bytes; channels first or last.

    An array ``labels``, (n,), says the class of each.

    Args:
        path: The file. Nothing in it is executed.
        size: As for ``read_folder``.

    Returns:
        The images.

    Raises:
        ValueError: In one line: it holds none.
    """
    if path.suffix.lower() != ".npz" or not path.is_file():
        raise ValueError(f"file {path}: must be an .npz file; a folder of images is given as folder")
    try:
        # Opened here: numpy forgets to close what turns out to be no archive.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            names = arrays.files
            name = names[0] if len(names) == 1 else "images"
            found = arrays[name] if name in names else None
            labels = arrays["labels"] if "labels" in names else None
    except Exception as error:  # the reader raises any kind for a damaged file
        raise ValueError(f"file {path}: cannot be read: {' '.join(str(error).split())[:200]}") from None
    if found is None:
        raise ValueError(f"file {path}: holds {', '.join(names) or 'nothing'}: call the array of images 'images'")
    if found.dtype != np.uint8:
        raise ValueError(f"file {path}: its array holds {found.dtype}: save pixels as uint8, 0 to 255")
    if found.ndim == 3:
        found = found[:, None]
    elif found.ndim == 4 and found.shape[1] not in (1, 3) and found.shape[3] in (1, 3):
        found = found.transpose(0, 3, 1, 2)
    if found.ndim != 4 or found.shape[1] not in (1, 3) or not found.size:
        raise ValueError(
            f"file {path}: its array has the shape {found.shape}, and images have (n, height, width), with 1 or 3 "
            "channels before or after these"
        )
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    if labels is not None and labels.shape != (len(found),):
        notes = (f"its array 'labels' has the shape {labels.shape}, and is left out: a label is one value an image",)
        labels = None
    elif labels is not None:
        each, labels = np.unique(labels, return_inverse=True)
        classes = tuple(map(str, each.tolist()))
    if size is not None and found.shape[2:] != (size, size):
        images = [_fitted(Image.fromarray(one[0] if len(one) == 1 else one.transpose(1, 2, 0)), size) for one in found]
        found = np.stack([np.asarray(one).reshape(size, size, -1).transpose(2, 0, 1) for one in images])
        notes = (f"all images are cut and scaled to {size} x {size}", *notes)
    return OwnImages(np.ascontiguousarray(found), notes, labels, classes)


def _opened(path: Path, size: int | None) -> tuple[np.ndarray, bool]:
    """A file's pixels, (height, width) or (height, width, 3), uint8, and whether they were scaled or cut."""
    try:
        with warnings.catch_warnings(), Image.open(path) as file:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = ImageOps.exif_transpose(file)
            image.load()
    except Exception as error:  # the reader raises any kind for a damaged file
        why = " ".join(str(error).split()).replace(f" {str(path)!r}", "")[:200]
        raise ValueError(f"folder {path}: cannot be read: {why}") from None
    if image.has_transparency_data and np.asarray(image.convert("RGBA").getchannel("A")).min() < 255:
        raise ValueError(f"folder {path}: is transparent in places: put it on a background, and save it without alpha")
    if image.mode not in _GREY + _COLOUR:
        raise ValueError(f"folder {path}: has pixels of the kind {image.mode!r}: save it with 8 bits a channel")
    image = image.convert("L" if image.mode in _GREY else "RGB")
    changed = size is not None and image.size != (size, size)
    return np.asarray(_fitted(image, size) if changed and size else image), changed


def _fitted(image: Image.Image, size: int) -> Image.Image:
    return ImageOps.fit(image, (size, size), method=Image.Resampling.LANCZOS)


def _hidden(path: Path) -> bool:
    """Whether a file, or a folder that it is in, is hidden, as the copies are that editors and git keep."""
    return any(part.startswith(".") for part in path.parts)


def _counted(kinds: Counter[str]) -> str:
    return " and ".join(f"{count} {kind}" for kind, count in kinds.most_common())
