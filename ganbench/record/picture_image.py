"""A recorded picture as one image of all its seeds, for what shows images and draws no charts."""

from __future__ import annotations

import numpy as np

from ganbench.record.picture_arrays import Picture

#: So many seeds at most, and so many images of each; panels side by side.
SEEDS, IMAGES, COLUMNS = 16, 8, 4
#: The bins along an axis of a panel of points, and the pixels along a bin.
_BINS, _ZOOM = 64, 2
#: The pixels between two panels.
GAP = 2


def tiled(panels: np.ndarray, columns: int) -> np.ndarray:
    """Panels (n, h, w, 3) of uint8 side by side on white, in rows of ``columns``: (height, width, 3)."""
    n, height, width, _ = panels.shape
    columns = min(columns, n)
    tall, wide = height + GAP, width + GAP
    whole = np.full((-(-n // columns) * tall + GAP, columns * wide + GAP, 3), 255, np.uint8)
    for at, panel in enumerate(panels):
        top, left = GAP + at // columns * tall, GAP + at % columns * wide
        whole[top : top + height, left : left + width] = panel
    return whole


def as_image(picture: Picture) -> np.ndarray | None:
    """The samples of the first seeds, uint8 (height, width, 3); None where the picture has none.

    Images: a row for each seed. Points: a panel for each seed in which a pixel is the darker the more points it has,
    the first coordinate to the right, the second upwards; what is beyond is at the edge. Numbers: a histogram.
    """
    if picture.images is not None:
        shown = picture.images[:SEEDS, :IMAGES]
        seeds, each, _, height, width = shown.shape
        flat = shown.reshape(seeds * each, *shown.shape[2:])
        return tiled(np.broadcast_to(flat, (len(flat), 3, height, width)).transpose(0, 2, 3, 1), each)
    if picture.points is None or picture.box is None:
        return None
    panels = np.stack([_panel(points, picture.box) for points in picture.points[:SEEDS]])
    grey = panels.repeat(_ZOOM, axis=1).repeat(_ZOOM, axis=2)
    # A line around each panel: white points of nothing would else have no edge.
    grey[:, [0, -1], :] = grey[:, :, [0, -1]] = 160
    return tiled(np.repeat(grey[..., None], 3, axis=-1), COLUMNS)


def _panel(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The points of a seed, (n, 1) or (n, 2), as a panel of grey, uint8 (bins, bins), the top row first."""
    finite = points[np.isfinite(points).all(axis=1)].clip(box[:, 0], box[:, 1])
    if box.shape[0] == 1:
        counts, _ = np.histogram(finite[:, 0], _BINS, tuple(box[0]))
        heights = np.ceil(counts / max(counts.max(), 1) * _BINS)
        filled = np.arange(_BINS)[::-1, None] < heights
        return np.asarray(np.where(filled, 60, 255), np.uint8)
    counts2, _, _ = np.histogram2d(finite[:, 0], finite[:, 1], _BINS, [tuple(axis) for axis in box])
    return np.asarray(255 - np.minimum(counts2, 4).T[::-1] * 55, np.uint8)
