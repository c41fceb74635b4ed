"""Material: a run on disk with pictures of the plane and of the line, made by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from paged import SEEDS, STEPS, paged

from ganbench.record.events import Pictured
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.picture_arrays import DataPicture, Picture, pack
from ganbench.record.pictures import cell_place, data_place

CORNERS = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
SQUARE = np.array([[-2.0, 2.0], [-2.0, 2.0]])
LINE = SQUARE[:1]
GRID = 20


def plane(step):
    """All seeds are at all corners, but for seed 7, which is at three of them at the step in the middle."""
    points = np.repeat(CORNERS[None], len(SEEDS), 0).repeat(5, 1)
    if step == STEPS[1]:
        points[-1] = CORNERS[:3].repeat(8, 0)[:20]
    shape = (len(SEEDS), GRID, GRID)
    grids = {"logits": np.zeros(shape), "counts": np.ones(shape, int), "probability": True, "drawn": GRID * GRID}
    return {"points": points, "box": SQUARE, **grids}


def line(step):
    points = np.linspace(-1, 1, 20)[None, :, None].repeat(len(SEEDS), 0)
    shape = (len(SEEDS), GRID)
    grids = {"logits": np.zeros(shape), "counts": np.ones(shape, int), "probability": True, "drawn": GRID}
    return {"points": points, "latents": points[..., 0] * 3, "box": LINE, **grids}


def pictured(out: Path, **more) -> RunFolder:
    """A run as ``paged`` makes it, whose variant ``plain`` has pictures; D says 1/2 everywhere."""
    folder = paged(out, **more)
    flat, modes = np.full((1, GRID, GRID), 1 / 16), CORNERS[None]
    near = {"reach": np.full((1, 4), 0.3), "expected": np.full((1, 4), 0.25)}
    data = {
        "ring8": DataPicture("ring8", (0,), SQUARE, density=flat, modes=modes, **near),
        "grid9": DataPicture("grid9", (0,), LINE, density=np.full((1, GRID), 1 / 4)),
    }
    home = folder.path / "pictures"
    with Journal(folder.journal) as journal:
        for dataset, made in (("ring8", plane), ("grid9", line)):
            keep(data_place(home, dataset), data[dataset])
            for step in STEPS:
                known = {"seeds": SEEDS, "followed": SEEDS, "final": (step == STEPS[-1],) * len(SEEDS)}
                picture = Picture(dataset, "plain", reference=False, step=step, **known, **made(step))
                keep(cell_place(home, dataset, "plain", step), picture)
                digests = [digest(cell_place(home, dataset, "plain", step)), digest(data_place(home, dataset))]
                journal.append(Pictured(f"{dataset}-plain", step, *digests))
    return folder


def keep(path: Path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(value))


def digest(path: Path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
