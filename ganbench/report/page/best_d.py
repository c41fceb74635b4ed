"""D beside the best D: the discriminator of a seed, p / (p + q) for its generator, and their difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from ganbench.record.picture_arrays import DataPicture, Picture
from ganbench.record.pictures import Pictures
from ganbench.report.page.atlas import Atlas, levels
from ganbench.report.page.marks import Mark
from ganbench.report.page.seed_order import OrderedSeed, chosen, thinned
from ganbench.report.page.shown_run import ShownRun

#: The spread, in cells of the grid, over which the counts of samples are smoothed; of the line, where cells are narrow.
_SMOOTH, _SMOOTH_LINE = 1.0, 2.0
#: Cells in which both densities are below this share of the greatest are left blank: nothing is known of the best D.
_BLANK = 1e-3
#: So many evaluations of all cells together have maps of D: some 2 kB each and seed.
_MOST_MAPS = 60


@dataclass(frozen=True)
class DRow:
    """A seed of a variant: what the page's script draws of D, the best D and their difference."""

    variant: str
    mark: Mark | None
    which: str
    seed: OrderedSeed
    draw: Mapping[str, Any]


@dataclass(frozen=True)
class BestD:
    """The discriminators on a dataset of the plane."""

    dataset: str
    rows: tuple[DRow, ...]


def densities(picture: Picture, data: DataPicture, seed: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The densities p and q on the grid, per unit of length or area; q from the samples that were measured, smoothed.

    Args:
        picture: A picture of a cell.
        data: That of its data.
        seed: One of its seeds.

    Returns:
        p and q, each as the grid; None where they are not known.
    """
    if data.density is None or data.box is None or picture.counts is None or seed not in picture.followed:
        return None
    p = data.density[data.phase(picture)]
    area = float(np.prod((data.box[:, 1] - data.box[:, 0]) / np.array(p.shape)))
    counts = np.asarray(picture.counts[picture.followed.index(seed)], float)
    smooth = _SMOOTH if p.ndim == 2 else _SMOOTH_LINE
    return p, gaussian_filter(counts, smooth, mode="nearest") / max(picture.drawn, 1) / area


def best_of(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """The best discriminator p / (p + q) (Goodfellow et al. 2014, proposition 1); NaN where both are near 0."""
    total = p + q
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > _BLANK * total.max(), p / total, np.nan)


def best_ds(run: ShownRun, pictures: Pictures, marks: Mapping[str, Mark], atlas: Atlas) -> list[BestD]:
    """For each dataset of the plane, the discriminators of the best, the median and the worst seed.

    Args:
        run: The run.
        pictures: Its pictures.
        marks: How the variants are drawn.
        atlas: Where the numbers go.

    Returns:
        One for each dataset with a variant whose D is a probability.
    """
    having = sum(some[-1].D is not None for some in pictures.cells.values() if some[-1].box is not None)
    found = []
    for dataset in run.datasets:
        data, rows = pictures.data.get(dataset), []
        for cell in run.cells(dataset):
            some = [one for one in pictures.cells.get((dataset, cell.variant), ()) if one.D is not None]
            if data is None or data.box is None or len(data.box) != 2 or not some:
                continue
            for which, seed in chosen(run, cell, some[-1].followed):
                if draw := _maps(thinned(some, _MOST_MAPS // max(having, 1)), data, seed.seed, atlas):
                    rows.append(DRow(cell.variant, marks.get(cell.variant), which, seed, draw))
        if rows:
            found.append(BestD(dataset, tuple(rows)))
    return found


def _maps(pictures: list[Picture], data: DataPicture, seed: int, atlas: Atlas) -> Mapping[str, Any]:
    steps, places, gaps = [], [], []
    for picture in pictures:
        both = densities(picture, data, seed)
        if both is None or picture.D is None:
            continue
        d, best = picture.D[picture.followed.index(seed)], best_of(*both)
        weight = (both[0] + both[1]) / 2
        known = np.isfinite(best) & np.isfinite(d)
        gap = float((np.abs(d - best) * weight)[known].sum() / (weight[known].sum() or 1.0))
        steps.append(picture.step)
        gaps.append(round(gap, 3))
        places.append(atlas.add(np.stack([levels(_halved(one), 0, 1) for one in (d, best)])))
    if not steps:
        return {}
    each = places[1] - places[0] if len(places) > 1 else 0
    return {"steps": steps, "at": places[0], "each": each, "cells": data.density.shape[1] // 2, "gap": gaps}  # type: ignore[union-attr]


def _halved(values: np.ndarray) -> np.ndarray:
    """The mean over four neighbouring cells; NaN where one of them is not known."""
    n, m = values.shape[0] // 2 * 2, values.shape[1] // 2 * 2
    return np.asarray(values[:n, :m].reshape(n // 2, 2, m // 2, 2).mean(axis=(1, 3)))
