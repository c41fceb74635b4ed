"""The seed wall: the samples of every seed of a variant, small and side by side, from best to worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganbench.record.cell_record import CellRecord
from ganbench.record.picture_arrays import DataPicture, Picture
from ganbench.record.pictures import Pictures
from ganbench.report.page.atlas import Atlas, levels
from ganbench.report.page.marks import Mark
from ganbench.report.page.seed_order import OrderedSeed, ordered, spread, thinned, under
from ganbench.report.page.shown_run import ShownRun

#: So many seeds of a variant are drawn; of more, some that are evenly spread over their order.
MOST_SEEDS = 32
#: So many panels fit in a row at twice the size.
_FEW = 8
#: The bytes of a wall, before they are compressed, that a page has room for; the fewest and the most points of a panel.
ROOM, _FEWEST, _MOST = 450_000, 60, 400
#: The shares of the data that are within the lines of equal density.
_WITHIN = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class WallRow:
    """A variant on a wall, or the median seed of a reference. ``draw``: what the script needs of each panel."""

    variant: str
    mark: Mark | None
    seeds: tuple[OrderedSeed, ...]
    draw: tuple[Mapping[str, Any], ...]
    note: str


@dataclass(frozen=True)
class Wall:
    """The wall of a dataset. ``ground``: what lies behind each panel. ``kind``: line, plane or images."""

    dataset: str
    kind: str
    ground: Mapping[str, Any]
    rows: tuple[WallRow, ...]
    caption: str

    @property
    def key(self) -> tuple[tuple[str, str, str], ...]:
        """The verdicts of its seeds, each with its sign and colour."""
        seeds = [one for row in self.rows for one in row.seeds if one.verdict]
        return tuple(dict.fromkeys((one.sign, one.verdict, one.paint) for one in seeds))

    @property
    def large(self) -> bool:
        """Whether its panels are: images, and few seeds, have the room for it."""
        return self.kind == "images" or max(len(row.seeds) for row in self.rows) <= _FEW


def walls(run: ShownRun, pictures: Pictures, marks: Mapping[str, Mark], atlas: Atlas) -> list[Wall]:
    """The walls of a run, one for each dataset with pictures.

    Args:
        run: The run.
        pictures: Its pictures.
        marks: How the variants are drawn.
        atlas: Where the numbers go.

    Returns:
        The walls, in the suite's order.
    """
    panels = sum(
        1 if one.reference else min(len(one.seeds), MOST_SEEDS) for some in pictures.cells.values() for one in some
    )
    # Where even the fewest points of all steps are too many, some steps are left out.
    most = ROOM * max((len(some) for some in pictures.cells.values()), default=1) // (max(panels, 1) * 2 * _FEWEST)
    found = []
    for dataset in run.datasets:
        data = pictures.data.get(dataset)
        cells = [one for one in run.record.cells if one.dataset == dataset and (dataset, one.variant) in pictures.cells]
        # The references first: what it should look like.
        cells.sort(key=lambda cell: not cell.reference)
        if data is None or not cells:
            continue
        kind = (
            "images" if data.images is not None else "line" if data.box is not None and len(data.box) == 1 else "plane"
        )
        rows = [
            _row(run, cell, thinned(pictures.cells[dataset, cell.variant], most), marks, atlas, panels)
            for cell in cells
        ]
        said = f"{_caption(kind, data)} {under(run)}"
        found.append(Wall(dataset, kind, ground(data, atlas), tuple(rows), said))
    return found


def ground(data: DataPicture, atlas: Atlas) -> Mapping[str, Any]:
    """What lies behind the panels of a dataset: its density with the levels of its lines, or some of its points."""
    found: dict[str, Any] = {"begins": list(data.begins)}
    if data.box is None:
        return found
    found["box"] = data.box.tolist()
    if data.density is not None:
        shares = [_levels(one) for one in data.density]
        tops = [float(one.max()) or 1.0 for one in data.density]
        codes = [levels(np.sqrt(one / top), 0, 1) for one, top in zip(data.density, tops, strict=True)]
        found["density"] = [atlas.add(one) for one in codes]
        found["lines"] = [
            [float(np.sqrt(level / top) * 254) for level in some] for some, top in zip(shares, tops, strict=True)
        ]
        found["cells"] = data.density.shape[1]
    elif data.real is not None:
        found["real"] = [atlas.add(_codes(one, data.box)) for one in data.real]
        found["reals"] = data.real.shape[1]
    return found


def _levels(density: np.ndarray) -> list[float]:
    """The densities at the edges of the densest regions that hold these shares of the data."""
    flat = np.sort(density.ravel())[::-1]
    mass = np.cumsum(flat) / (flat.sum() or 1.0)
    return [float(flat[min(int(np.searchsorted(mass, share)), len(flat) - 1)]) for share in _WITHIN]


def _codes(points: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Points (n, k) as bytes; what is outside of the box, or not finite, is 255 in each coordinate."""
    inside = ((points >= box[:, 0]) & (points <= box[:, 1])).all(axis=-1, keepdims=True)
    return np.where(inside, levels(points, box[:, 0], box[:, 1]), np.uint8(255))


def _row(
    run: ShownRun,
    cell: CellRecord,
    pictures: Sequence[Picture],
    marks: Mapping[str, Mark],
    atlas: Atlas,
    panels: int,
) -> WallRow:
    seeds = [one for one in ordered(run, cell) if any(one.seed in picture.seeds for picture in pictures)]
    if cell.reference:
        seeds = seeds[len(seeds) // 2 :][:1]
    note = ""
    if len(seeds) > MOST_SEEDS:
        note = f"{MOST_SEEDS} of {len(seeds)} seeds, evenly spread over their order"
        seeds = spread(seeds, MOST_SEEDS)
    draw = [
        _panel([picture for picture in pictures if one.seed in picture.seeds], one.seed, atlas, panels) for one in seeds
    ]
    notes = [note, *dict.fromkeys(picture.note for picture in pictures if picture.note)]
    mark = None if cell.reference else marks.get(cell.variant)
    return WallRow(cell.variant, mark, tuple(seeds), tuple(draw), "; ".join(filter(None, notes)))


def _panel(pictures: Sequence[Picture], seed: int, atlas: Atlas, panels: int) -> Mapping[str, Any]:
    """The bytes of a seed: those of the first step begin at ``at``, those of the next ``each`` bytes further on."""
    steps, places, shape, count = [], [], [1, 1, 1], 0
    for picture in pictures:
        at = picture.seeds.index(seed)
        if picture.images is not None:
            images = picture.images[at]
            shape = list(images.shape[1:])
            if atlas.size > ROOM and picture is not pictures[-1]:
                continue  # a page has room for so many images: the last are always there
            places.append(atlas.add(images))
            count = len(images)
        elif picture.points is not None and picture.box is not None:
            k = picture.points.shape[-1]
            count = int(np.clip(ROOM // (panels * k), _FEWEST, min(_MOST, picture.points.shape[1])))
            places.append(atlas.add(_codes(picture.points[at, :count], picture.box)))
        else:
            continue
        steps.append(picture.step)
    each = places[1] - places[0] if len(places) > 1 else 0
    return {"steps": steps, "at": places[0] if places else 0, "each": each, "count": count, "shape": shape}


def _caption(kind: str, data: DataPicture) -> str:
    if kind == "images":
        return "Each square: 16 samples of a seed."
    if kind == "line":
        return "Line: the exact density. Bars: the samples of a seed."
    if data.density is None:
        return "Grey: points of the data. Colour: the samples of a seed. What is beyond the frame is not drawn."
    shares = ", ".join(f"{100 * one:.0f}" for one in _WITHIN)
    return (
        f"Lines: the exact density; within them are {shares} % of the data. Points: the samples of a seed. What is "
        "beyond the frame is not drawn."
    )
