"""Samples that are images, side by side in one PNG file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ganbench.core.disk import make_folder, put
from ganbench.record.picture_image import GAP, tiled

#: So many images at most, in so many columns.
MOST, COLUMNS = 64, 8
#: Images are enlarged, by a whole factor, to about this width of the grid, in pixels.
_WIDTH = 512


def check_images(shape: tuple[int, ...]) -> None:
    """Raise ValueError, in one line, where samples of this shape are no images of one or three channels."""
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise ValueError(
            f"samples of the shape {shape} are no images: these have (1, height, width) or (3, height, width)"
        )


def grid(samples: np.ndarray) -> np.ndarray:
    """The first images of ``samples``, (n, 1 or 3, h, w) on [-1, 1], as one: (height, width, 3), uint8.

    Pixels beyond [-1, 1] are cut off; one that is not finite is black.
    """
    shown = samples[:MOST]
    n, _, height, width = shown.shape
    columns = min(COLUMNS, n)
    pixels = np.nan_to_num((np.clip(shown, -1, 1) + 1) * 127.5).round().astype(np.uint8)
    pixels = np.broadcast_to(pixels, (n, 3, height, width)).transpose(0, 2, 3, 1)
    scale = max(1, _WIDTH // (columns * (width + GAP)))
    pixels = pixels.repeat(scale, axis=1).repeat(scale, axis=2)
    return tiled(pixels, columns)


def save_grid(path: Path, samples: np.ndarray) -> int:
    """Write a grid of images to a PNG file, completely or not at all; returns how many images it shows."""
    make_folder(path.parent)
    unfinished = path.with_name(f".{path.name}.new")
    with open(unfinished, "wb") as file:
        Image.fromarray(grid(samples)).save(file, "PNG")
    put(unfinished, path)
    return min(len(samples), MOST)
