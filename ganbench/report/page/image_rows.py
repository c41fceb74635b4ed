"""Images of a few seeds in full: samples with the training images nearest to them, and the way between two samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.record.pictures import Pictures
from ganbench.report.page.atlas import Atlas
from ganbench.report.page.marks import Mark
from ganbench.report.page.seed_order import OrderedSeed, chosen
from ganbench.report.page.shown_run import ShownRun


@dataclass(frozen=True)
class ImageRow:
    """A seed of a variant at its last evaluation. ``draw``: the script's; ``distances``: to the nearest, as a text."""

    variant: str
    mark: Mark | None
    which: str
    seed: OrderedSeed
    draw: Mapping[str, Any]
    distances: str


@dataclass(frozen=True)
class ImageRows:
    """The images of a dataset."""

    dataset: str
    rows: tuple[ImageRow, ...]


def image_rows(run: ShownRun, pictures: Pictures, marks: Mapping[str, Mark], atlas: Atlas) -> list[ImageRows]:
    """The images of the best, the median and the worst seed of each variant, for each dataset of images.

    Args:
        run: The run.
        pictures: Its pictures.
        marks: How the variants are drawn.
        atlas: Where the numbers go.

    Returns:
        One for each dataset whose pictures have the nearest training images.
    """
    found = []
    for dataset in run.datasets:
        rows = []
        for cell in run.cells(dataset):
            some = [one for one in pictures.cells.get((dataset, cell.variant), ()) if one.nearest is not None]
            if not some:
                continue
            last = some[-1]
            for which, seed in chosen(run, cell, last.followed):
                at = last.followed.index(seed.seed)
                assert last.nearest is not None
                assert last.images is not None
                own = last.images[last.seeds.index(seed.seed)]
                draw: dict[str, Any] = {"shape": list(own.shape[1:]), "count": len(own)}
                draw |= {"images": atlas.add(own), "nearest": atlas.add(last.nearest[at])}
                if last.between is not None:
                    between = last.between[at]
                    draw |= {"between": atlas.add(between), "ways": len(between), "along": between.shape[1]}
                texts = "" if last.distances is None else ", ".join(f"{one:.2g}" for one in last.distances[at])
                rows.append(ImageRow(cell.variant, marks.get(cell.variant), which, seed, draw, texts))
        if rows:
            found.append(ImageRows(dataset, tuple(rows)))
    return found
