"""The pictures of a run: what a report draws, recorded while the run goes on, and read back as frozen values.

    RUN/pictures/data/<dataset>.npz                      one for each data set
    RUN/pictures/cells/<dataset>/<variant>/<step>.npz    one for each cell and recorded evaluation; of references: 0

Each is an .npz without pickle, written under another name and renamed. After it the journal has a line ``pictures``
with its checksum and that of its data set's file: what is not as the run wrote it is left out, and said in a line.

Which evaluations and seeds. At the last evaluation of a seed it is always there, or as many first seeds of the suite as
fit the budget. The ``followed`` seeds, the first ones of the suite, are there at every recorded evaluation, and have
the discriminator; these are all seeds where all fit, else fewer. Where a run has so many cells that even one followed
seed does not fit, fewer evaluations are recorded, always the last. A seed that diverged is there once more after that,
with what is not finite as NaN, and then no more. Nothing is chosen by how a seed turned out.

``data/<dataset>.npz``: the arrays, with P phases (1 but for data that change during training), k coordinates (1 or 2)
and a grid of cells, (200,) on the line and (60, 60) in the plane. Axis 0 of a grid is the first coordinate.

    version   int         1
    begins    int64 (P,)  the first step, from 0, of each phase
    box       float64 (k, 2)  low and high end of the pictured region, the same for all phases, variants and steps
    real      float32 (P, 400, k)  points of the data
    density   float64 (P, *grid)  the mean density p over each cell, per unit of length or area; absent if not known
    modes     float64 (P, M, k)  the places of the modes, NaN where a phase has fewer; absent if not known
    reach     float64 (P, M)  how far from its mode a sample of high quality may be, on the plane or line
    expected  float64 (P, M)  the share of the data's samples that are of high quality there; both absent with ``modes``
    origin, axes   float32 (d,), (2, d): data of more than 2 coordinates are shown on the plane origin + axes, their two
                   principal axes; absent for others. There they have no density, and no discriminator.
    images    uint8 (16, *shape)  images of the data, shape as (1, 28, 28) or (3, 32, 32); then all but ``version`` and
              ``begins`` is absent

``cells/<dataset>/<variant>/<step>.npz``: the arrays, of n seeds, f of them followed, at one evaluation:

    version      int            1
    step         int
    seeds        int64 (n,)     in the suite's order
    final        bool (n,)      whether this is the seed's last evaluation
    box          float64 (k, 2)
    points       uint16 (n, 500, k)  samples of G (averaged weights where these are judged), of the same latents at each
                 evaluation: (x - low) / (high - low) * 65534, rounded, where low and high are the ends of the box moved
                 out by its width; what is beyond is moved to that edge; 65535: not finite
    latents      float16 (n, 500)  where data and latents are one number each: from where a point came; else absent
    followed     int64 (f,)     the seeds that the next arrays are of
    logits       float16 (f, *grid)  D's logits, to 8 bits, at the centres of the cells; absent for references, and
                 where D judges more than single samples
    probability  bool           whether sigmoid(logit) estimates the probability that x is real
    counts       uint16 (f, *grid)  of ``drawn`` samples, those that the metrics measured, how many are in each cell:
                 the density q of G is counts / drawn / (area of a cell); at most 65535
    drawn        int
    images       uint8 (n, 16, *shape)  for images, in place of all from ``box`` to ``drawn`` but ``followed``
    nearest      uint8 (f, 16, *shape)  at the last evaluation: the training image that is nearest to each, and
    distances    float32 (f, 16)  the root mean square of the difference of their pixels, on the data's scale
    between      uint8 (f, 4, 8, *shape)  at the last evaluation: images of 8 latents from one to another, 4 pairs
    note         text           what is not recorded, and why; often empty
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from ganbench.core.disk import make_folder, put
from ganbench.record.cell_record import CellRecord
from ganbench.record.folder import RunFolder
from ganbench.record.picture_arrays import (
    DamagedPictureError,
    DataPicture,
    Picture,
    as_data_picture,
    as_picture,
    unpack,
)
from ganbench.record.record import Record

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Pictures:
    """The pictures of a run; all empty where it has recorded none.

    ``data``: by the data set's name; ``cells``: by (dataset, variant), in the order of their steps; ``lacking``: a line
    for each file that is missing or not as the run wrote it, and is left out.
    """

    data: Mapping[str, DataPicture]
    cells: Mapping[tuple[str, str], tuple[Picture, ...]]
    lacking: tuple[str, ...]


def data_place(folder: Path, dataset: str) -> Path:
    """The file of a data set's picture; ``folder``: the run's folder of pictures."""
    return folder / "data" / f"{dataset}.npz"


def cell_place(folder: Path, dataset: str, variant: str, step: int) -> Path:
    """The file of a cell's picture at one evaluation.

    Args:
        folder: The run's folder of pictures.
        dataset: The data set's name in the suite.
        variant: The row's name.
        step: The step of the evaluation.

    Returns:
        The path of the file, which need not be there.
    """
    return folder / "cells" / dataset / variant / f"{step}.npz"


def keep_file(path: Path, content: bytes) -> str:
    """Write a file of pictures, whole or not at all, unless it is there; its SHA-256. Raises OSError."""
    if not (path.is_file() and path.read_bytes() == content):
        make_folder(path.parent)
        hidden = path.with_name(f".{path.name}.new")
        with open(hidden, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put(hidden, path)
    return hashlib.sha256(content).hexdigest()


def read_pictures(folder: RunFolder) -> Pictures:
    """The pictures of a run, finished or not, as far as they are as the run wrote them.

    Raises ValueError, in one line, where the run is damaged: see ``Record.read``.
    """
    record, home = Record.read(folder), folder.path / "pictures"
    data: dict[str, DataPicture] = {}
    cells: dict[tuple[str, str], tuple[Picture, ...]] = {}
    lacking: list[str] = []

    def read(path: Path, digests: set[str], values: Callable[[Mapping[str, np.ndarray]], T]) -> T | None:
        try:
            return values(_arrays(path, home, digests))
        except DamagedPictureError as error:
            lacking.append(f"{path}: {error}: left out")
        return None

    digests: dict[str, set[str]] = {}
    for cell in record.cells:
        digests.setdefault(cell.dataset, set()).update(event.data for event in cell.pictures.values())
    for dataset in (name for name, own in digests.items() if own):
        found = read(data_place(home, dataset), digests[dataset], partial(as_data_picture, dataset))
        data |= {} if found is None else {dataset: found}
    for cell in record.cells:
        own = [
            read(cell_place(home, cell.dataset, cell.variant, step), {event.file}, partial(_of_cell, cell, step))
            for step, event in sorted(cell.pictures.items())
        ]
        if known := tuple(picture for picture in own if picture is not None):
            cells[cell.dataset, cell.variant] = known
    return Pictures(data, cells, tuple(lacking))


def read_picture(home: Path, cell: CellRecord, step: int) -> Picture:
    """The picture of a cell at one evaluation, as the run wrote it.

    Args:
        home: The run's folder of pictures.
        cell: The cell, with the event of this picture.
        step: The step of the evaluation.

    Returns:
        The picture.

    Raises:
        DamagedPictureError: The file is not what the run wrote.
    """
    path = cell_place(home, cell.dataset, cell.variant, step)
    return _of_cell(cell, step, _arrays(path, home, {cell.pictures[step].file}))


def _arrays(path: Path, home: Path, digests: set[str]) -> Mapping[str, np.ndarray]:
    """The arrays of a file. Raises DamagedPictureError."""
    if not path.resolve().is_relative_to(home.resolve()):
        raise DamagedPictureError("is outside of the run's folder")
    if not path.is_file():
        raise DamagedPictureError("is not there")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedPictureError(f"cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(content).hexdigest() not in digests:
        raise DamagedPictureError("is not what the run wrote, its checksum does not fit")
    return unpack(content)


def _of_cell(cell: CellRecord, step: int, arrays: Mapping[str, np.ndarray]) -> Picture:
    picture = as_picture(cell.dataset, cell.variant, cell.reference, arrays)
    if picture.step != step or not {*picture.seeds, *picture.followed} <= {*cell.seeds}:
        raise DamagedPictureError("is of another step, or of seeds that the run has not")
    return picture
