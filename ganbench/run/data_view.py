"""How the samples of a data set are drawn in a report: the region, the grid of cells, the plane or the images."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor

from ganbench.core.errors import raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.core.rng import isolated, stream
from ganbench.data.finite_set import on_unit_scale, parts_of
from ganbench.data.known_modes import good_radius
from ganbench.data.mixture import Mixture
from ganbench.data.phases import first_step, phases
from ganbench.metrics.modes import share_of_high_quality
from ganbench.plugin.types import Distribution
from ganbench.record.picture_arrays import DataPicture, centres, pack
from ganbench.train.data import draw

#: The cells along each axis of a grid, by how many coordinates are drawn.
CELLS = {1: 200, 2: 60}
#: So many points, or images, of the data are shown; the region is found from so many.
REAL, IMAGES, SEEN = 400, 16, 4096
#: The region is where all but this share of the points are, at each end of each coordinate, and more on both sides: so
#: many of its widths. On the line, more: there a generator is seen on its way to the data.
_BEYOND, _MARGIN = 0.002, {1: 1.0, 2: 0.2}
#: Sides of a region in the plane that differ by less than this factor are made equal.
_ALIKE = 4.0
#: Where the integral over a cell has no formula, the mean of so many points along each axis of a cell.
_WITHIN = {1: 16, 2: 4}


@dataclass(frozen=True, eq=False)
class DataView:
    """What is drawn of a data set, and how its samples are; ``dataset`` of the suite's name ``name``.

    ``shape``: of one sample; ``scale``: of images, the numbers that are black and white.
    """

    picture: DataPicture
    shape: tuple[int, ...]
    scale: tuple[float, float] = (-1.0, 1.0)
    training: Tensor | None = field(default=None, repr=False)

    @property
    def of_images(self) -> bool:
        """Whether samples are drawn as images."""
        return self.picture.images is not None

    @property
    def on_grid(self) -> bool:
        """Whether all of a sample is drawn, so that what is known of a point is known of a cell of the grid."""
        return self.picture.box is not None and self.picture.axes is None

    @cached_property
    def file(self) -> bytes:
        """The content of the data set's file."""
        return pack(self.picture)

    @cached_property
    def grid(self) -> Tensor:
        """The centres of the cells, (cells, *shape), float32."""
        assert self.picture.box is not None
        axes = centres(self.picture.box, CELLS[len(self.picture.box)])
        found = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, *self.shape)
        return torch.from_numpy(found).float()

    @property
    def cells(self) -> tuple[int, ...]:
        """The shape of the grid."""
        assert self.picture.box is not None
        return (CELLS[len(self.picture.box)],) * len(self.picture.box)

    def points(self, samples: Tensor) -> np.ndarray:
        """Where samples are drawn: (n, *shape) -> (n, coordinates), float32."""
        flat = samples.detach().flatten(1).cpu().float().numpy()
        return flat if self.on_grid else _on_plane(flat, self.picture)

    def counts(self, samples: Tensor) -> np.ndarray:
        """How many samples are in each cell of the grid."""
        assert self.picture.box is not None
        low, high = torch.from_numpy(self.picture.box).to(samples.device).float().unbind(1)
        side = self.cells[0]
        at = (samples.detach().flatten(1) - low) / (high - low) * side
        at = at[((at >= 0) & (at < side)).all(1)].long()
        index = at[:, 0] if at.shape[1] == 1 else at[:, 0] * side + at[:, 1]
        return index.bincount(minlength=side ** at.shape[1]).reshape(self.cells).cpu().numpy()

    def as_bytes(self, images: Tensor) -> np.ndarray:
        """Images with pixels from 0 to 255, uint8; what is not finite is black."""
        low, high = self.scale
        share = (images.detach().float() - low) / (high - low)
        return (share.nan_to_num(0.0).clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()

    def nearest(self, images: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """The training image nearest to each of some, as bytes, and its distance, see ``record.pictures``."""
        assert self.training is not None
        flat = images.detach().flatten(1).cpu().float()
        best, at = torch.full((len(flat),), torch.inf), torch.zeros(len(flat), dtype=torch.long)
        for begin in range(0, len(self.training), 5000):
            rows = on_unit_scale(self.training[begin : begin + 5000]).flatten(1)
            found, where = torch.cdist(flat, rows).min(1)
            closer = found < best
            best, at = torch.where(closer, found, best), torch.where(closer, begin + where, at)
        return self.as_bytes(on_unit_scale(self.training[at])), (best / flat.shape[1] ** 0.5).numpy()


def data_view(name: str, dataset: Distribution, steps: int) -> DataView:
    """The view of a data set; its draws have a stream of their own.

    Args:
        name: The data set's name in the suite.
        dataset: The data.
        steps: The steps of the whole training, in which data may change.

    Returns:
        The view.

    Raises:
        PluginError: Where the data set's code fails.
    """
    shape, found = tuple(dataset.shape), phases(dataset)
    begins = tuple(first_step(share, steps) for share, _ in found)
    with isolated(0, "picture.global"):
        real = [draw(own, SEEN, stream(0, "picture.data", at)) for at, (_, own) in enumerate(found)]
    if len(shape) == 3 and shape[0] in (1, 3) and min(shape[1:]) > 1:
        ends = (float(real[-1].min()), float(real[-1].max()))
        within = ends[0] >= -1 and ends[1] <= 1
        view = DataView(DataPicture(name, begins), shape, (-1.0, 1.0) if within or ends[0] == ends[1] else ends)
        picture = DataPicture(name, begins, images=view.as_bytes(real[-1][:IMAGES]))
        return DataView(picture, shape, view.scale, parts_of(dataset).get("training"))
    flat = [rows.flatten(1).cpu().double().numpy() for rows in real]
    plane: dict[str, Any] = _plane(np.concatenate(flat)) if flat[0].shape[1] > 2 else {}
    if plane:
        flat = [_on_plane(rows, DataPicture(name, begins, **plane)) for rows in flat]
    box = _box(np.concatenate(flat))
    modes = _modes([own for _, own in found], len(box))
    if plane and modes:
        modes["modes"] = np.stack([_on_plane(rows, DataPicture(name, begins, **plane)) for rows in modes["modes"]])
    density = None if plane else _densities([own for _, own in found], box, shape)
    points = np.stack([rows[:REAL] for rows in flat]).astype(np.float32)
    return DataView(DataPicture(name, begins, box, points, density, **modes, **plane), shape)


def _on_plane(rows: np.ndarray, picture: DataPicture) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.asarray((rows - picture.origin) @ np.asarray(picture.axes).T)


def _plane(rows: np.ndarray) -> dict[str, np.ndarray]:
    """The mean, and the two directions in which the data vary most, each with its largest part above 0."""
    origin = rows.mean(0)
    _, vectors = np.linalg.eigh(np.cov(rows.T))
    axes = vectors[:, :-3:-1].T
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])
    return {"origin": origin.astype(np.float32), "axes": (axes * signs[:, None]).astype(np.float32)}


def _box(rows: np.ndarray) -> np.ndarray:
    low, high = np.quantile(rows, [_BEYOND, 1 - _BEYOND], axis=0)
    width = np.maximum((high - low) * (1 + 2 * _MARGIN[rows.shape[1]]), 1e-6 * (1 + np.abs(rows).max(0)))
    if width.max() < _ALIKE * width.min():
        width[:] = width.max()
    centre = (low + high) / 2
    return np.stack([centre - width / 2, centre + width / 2], 1)


def _modes(found: list[Any], drawn: int) -> dict[str, np.ndarray]:
    """The modes of each phase, as ``drawn`` coordinates show them, filled up with NaN; none where one is no mixture."""
    if not all(isinstance(own, Mixture) for own in found):
        return {}
    good, radius = share_of_high_quality(drawn), good_radius(drawn)
    each = [{"modes": own.means, "reach": radius * own.std, "expected": good * own.weights} for own in found]
    most = max(own.modes for own in found)

    def filled(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([rows, np.full((most - len(rows), *rows.shape[1:]), np.nan)])

    return {name: np.stack([filled(one[name]) for one in each]) for name in each[0]}


def _densities(found: list[Any], box: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The mean density over each cell, for each phase; None where one is not known."""
    grids = []
    for own in found:
        if isinstance(own, Mixture):
            grids.append(_of_mixture(own, box))
        elif callable(getattr(own, "log_density", None)):
            try:
                grids.append(_of_points(own, box, shape))
            except BaseException as error:
                raise_if_stopped(error)
                return None  # metrics say what is wrong with it
        else:
            return None
    return np.stack(grids)


def _of_mixture(mixture: Mixture, box: np.ndarray) -> np.ndarray:
    """Exact: the share of each Gaussian between the edges of the cells, along each axis."""
    cells = CELLS[len(box)]
    shares = []
    for (low, high), means in zip(box, mixture.means.T, strict=True):
        edges = np.linspace(low, high, cells + 1)
        ended = ndtr((edges - means[:, None]) / mixture.std[:, None])
        shares.append(np.diff(ended, axis=1) / (high - low) * cells)
    axes = ("mi", "mj")[: len(box)]
    return np.asarray(np.einsum(f"m,{','.join(axes)}->{''.join(one[1] for one in axes)}", mixture.weights, *shares))


def _of_points(distribution: Any, box: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    k, cells, within = len(box), CELLS[len(box)], _WITHIN[len(box)]
    axes = centres(box, cells * within)
    points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, *shape)
    with process_kept(), np.errstate(all="ignore"):
        heights = np.exp(np.asarray(distribution.log_density(points), np.float64))
    split = tuple(itertools.chain.from_iterable((cells, within) for _ in range(k)))
    return np.asarray(np.nan_to_num(heights).reshape(split).mean(tuple(range(1, 2 * k, 2))))
