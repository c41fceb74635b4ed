"""The pictures of one run on its page: walls, discriminators, modes by time, images, and figure 1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.record.pictures import read_pictures
from ganbench.report.page.atlas import Atlas
from ganbench.report.page.best_d import BestD, best_ds
from ganbench.report.page.chart import Chart
from ganbench.report.page.figure_one import figure_one
from ganbench.report.page.image_rows import ImageRows, image_rows
from ganbench.report.page.marks import Mark
from ganbench.report.page.mode_time import ModeTimes, mode_times
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.wall import Wall, walls

_WITHOUT = "there is no seed wall, no D beside the best D, no modes by time."
NONE = f"This run has recorded no pictures (it is an older one, or its suite says pictures: false): {_WITHOUT}"
LOST = f"None of the pictures that this run has recorded can be read: {_WITHOUT}"
UNSAID = "how near a mode a sample must be (the run is an older one): there are no modes by time"


@dataclass(frozen=True)
class PicturePart:
    """All pictures of a run. ``lacking``: a line for each file that was left out; ``steps``: where the slider stops.

    ``unsaid``: a line on data sets whose pictures are older than the modes by time of today, else empty.
    """

    walls: tuple[Wall, ...]
    best_ds: tuple[BestD, ...]
    mode_times: tuple[ModeTimes, ...]
    images: tuple[ImageRows, ...]
    figures: tuple[tuple[str, tuple[Chart, ...]], ...]
    steps: tuple[int, ...]
    packed: str
    unsaid: str
    lacking: tuple[str, ...]

    @property
    def missing(self) -> str:
        """Why there is nothing, or no modes by time; empty where there is all."""
        if self.walls:
            return self.unsaid
        return LOST if self.lacking else NONE


def picture_part(run: ShownRun, marks: Mapping[str, Mark]) -> PicturePart:
    """The pictures of a run, as far as it has recorded them."""
    pictures, atlas = read_pictures(run.folder), Atlas()
    found: dict[str, Any] = {
        "walls": tuple(walls(run, pictures, marks, atlas)),
        "best_ds": tuple(best_ds(run, pictures, marks, atlas)),
        "mode_times": tuple(mode_times(run, pictures, marks, atlas)),
        "images": tuple(image_rows(run, pictures, marks, atlas)),
    }
    older = [name for name, data in pictures.data.items() if data.modes is not None and data.reach is None]
    drawn = [(name, tuple(figure_one(run, name, pictures, marks))) for name in run.datasets]
    steps = sorted({one.step for some in pictures.cells.values() for one in some if not one.reference})
    return PicturePart(
        **found,
        figures=tuple((name, charts) for name, charts in drawn if charts),
        steps=tuple(steps),
        packed=atlas.packed() if atlas.size else "",
        unsaid=f"{', '.join(older)}: its pictures do not say {UNSAID}" if older else "",
        lacking=pictures.lacking,
    )
