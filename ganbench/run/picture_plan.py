"""Which seeds and evaluations of a cell are pictured, so that the pictures of a run fit into their bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganbench.run.data_view import DataView
from ganbench.suite.plan import Cell

#: The pictures of a run take at most so many bytes, and those of a reference so many of them.
MOST_BYTES, OF_REFERENCE = 20_000_000, 64_000
#: So many samples of each seed are shown: points or images. Images of so many pairs of latents, in so many steps.
POINTS, IMAGES, PAIRS, BETWEEN = 500, 16, 4, 8
#: Where not all can be shown: rather so many seeds at fewer evaluations than fewer seeds.
FEW = 3
#: What a number of a grid takes on disk, packed: of D's logits, and of counts.
_LOGIT, _COUNT = 1.5, 0.6


@dataclass(frozen=True)
class PicturePlan:
    """What is pictured of a cell: the ``followed`` seeds at ``steps``, those that are ``shown`` at their end too."""

    shown: frozenset[int]
    followed: frozenset[int]
    steps: frozenset[int]


def share(cells: Sequence[Cell]) -> int:
    """The bytes that a trained cell's pictures may take, of all those of a run."""
    trained = sum(cell.trained is not None for cell in cells)
    return (MOST_BYTES - OF_REFERENCE * (len(cells) - trained)) // max(trained, 1)


def picture_plan(cell: Cell, view: DataView, most: int) -> PicturePlan:
    """The plan of a cell: as many seeds as fit, at each evaluation if these fit too.

    Args:
        cell: The cell.
        view: The view of its data.
        most: The bytes that a trained cell's pictures may take.

    Returns:
        The plan; whatever is planned, one seed is shown at its end.
    """
    trained = cell.trained is not None
    most = most if trained else min(most, OF_REFERENCE)
    size = math.prod(view.shape)
    if view.of_images:
        each, of_grid, last = IMAGES * size, 0.0, (IMAGES + PAIRS * BETWEEN * trained) * size
    else:
        each, last = POINTS * 2 * min(size, 2) * (2 if size == 1 else 1), 0
        of_grid = math.prod(view.cells) * (_COUNT + _LOGIT * trained) if view.on_grid else 0.0
    shown = min(len(cell.seeds), max(1, most // (2 * each)))
    followed, moments = 0, len(cell.evaluations)
    for moments in sorted({len(cell.evaluations), 8, 5, 3, 2, 1}, reverse=True):
        if moments <= len(cell.evaluations):
            followed = int((most - shown * each) // ((moments - 1) * each + moments * of_grid + last + 1))
            if followed >= min(FEW, shown):
                break
    followed = max(0, min(followed, shown))
    at = {round((i + 1) * len(cell.evaluations) / moments) - 1 for i in range(moments)}
    steps = (cell.evaluations[i] for i in at)
    return PicturePlan(frozenset(cell.seeds[:shown]), frozenset(cell.seeds[:followed]), frozenset(steps))
