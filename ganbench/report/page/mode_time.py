"""Modes by time: which modes each seed holds at each evaluation, by the points of its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganbench.record.picture_arrays import DataPicture, Picture
from ganbench.record.pictures import Pictures
from ganbench.report.page.atlas import Atlas
from ganbench.report.page.marks import Mark
from ganbench.report.page.seed_order import OrderedSeed, ordered, spread
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.wall import MOST_SEEDS

#: A mode is held where it has this share of the points of high quality that the data would have there, as the metric
#: ``modes`` counts more samples.
HELD = 0.2


@dataclass(frozen=True)
class ModeRow:
    """A variant: for each of some seeds the place of its modes by steps, and how often a mode was lost and regained.

    ``whole``: how many seeds it has in all.
    """

    variant: str
    mark: Mark | None
    seeds: tuple[OrderedSeed, ...]
    draw: tuple[Mapping[str, Any], ...]
    lost: int
    regained: int
    whole: int


@dataclass(frozen=True)
class ModeTimes:
    """The modes by time of a dataset."""

    dataset: str
    modes: int
    rows: tuple[ModeRow, ...]


def mode_times(run: ShownRun, pictures: Pictures, marks: Mapping[str, Mark], atlas: Atlas) -> list[ModeTimes]:
    """The modes by time of each dataset whose modes are known.

    Args:
        run: The run.
        pictures: Its pictures.
        marks: How the variants are drawn.
        atlas: Where the numbers go.

    Returns:
        One for each such dataset with two modes or more.
    """
    found = []
    for dataset in run.datasets:
        data = pictures.data.get(dataset)
        if data is None or data.modes is None or data.reach is None or data.modes.shape[1] < 2:
            continue
        rows = []
        for cell in run.cells(dataset):
            some = pictures.cells.get((dataset, cell.variant), ())
            seeds = [one for one in ordered(run, cell) if sum(one.seed in picture.seeds for picture in some) > 1]
            seeds = spread(seeds, MOST_SEEDS)
            drawn, lost, regained = [], 0, 0
            for one in seeds:
                own = [picture for picture in some if one.seed in picture.seeds and picture.points is not None]
                by_step = np.stack([held(picture, one.seed, data) for picture in own])
                left, back = _changes(by_step)
                lost, regained = lost + left, regained + back
                steps = [picture.step for picture in own]
                drawn.append({"steps": steps, "at": atlas.add(by_step), "modes": by_step.shape[1]})
            if drawn:
                mark = marks.get(cell.variant)
                row = ModeRow(cell.variant, mark, tuple(seeds), tuple(drawn), lost, regained, len(cell.seeds))
                rows.append(row)
        if rows:
            found.append(ModeTimes(dataset, data.modes.shape[1], tuple(rows)))
    return found


def held(picture: Picture, seed: int, data: DataPicture) -> np.ndarray:
    """Which modes a seed holds by the points of a picture.

    Args:
        picture: The picture.
        seed: One of its seeds.
        data: The data set's picture, with ``modes``, ``reach`` and ``expected``.

    Returns:
        (modes,), uint8: 1 or 0; of a mode that the phase has not, 0.
    """
    assert data.modes is not None
    assert data.reach is not None
    assert data.expected is not None
    assert picture.points is not None
    phase = data.phase(picture)
    modes, reach, expected = data.modes[phase], data.reach[phase], data.expected[phase]
    points = picture.points[picture.seeds.index(seed)]
    apart = np.sqrt(((points[:, None, :] - modes) ** 2).sum(axis=2))  # of what is not finite: NaN
    near = np.nan_to_num(apart / reach, nan=np.inf)
    good = near.min(axis=1, initial=np.inf) <= 1
    counts = np.bincount(near[good].argmin(axis=1), minlength=len(modes))
    return np.asarray((counts > 0) & (counts >= HELD * len(points) * expected), np.uint8)


def _changes(held: Sequence[Any] | np.ndarray) -> tuple[int, int]:
    """How often a mode was lost, and how often one that had been held before came back."""
    now = np.asarray(held, int)
    before = np.maximum.accumulate(now, axis=0)
    change = np.diff(now, axis=0)
    return int((change < 0).sum()), int(((change > 0) & (before[:-1] > 0)).sum())
