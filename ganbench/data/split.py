"""Which rows of people's own data are trained on, and which are held out."""

from __future__ import annotations

import numpy as np


def split(rows: int, held_out: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows at random, the same each time.

    Args:
        rows: How many there are.
        held_out: The share that is held out, above 0 and below 1; at least one row is, and one is not.
        seed: Which choice.

    Returns:
        The numbers of the rows to train on, and of those held out, each in order.

    Raises:
        ValueError: There are fewer than two rows.
    """
    if rows < 2:
        raise ValueError(f"{rows} rows cannot be split into those that are trained on and those held out")
    order = np.random.RandomState(seed % 2**32).permutation(rows)
    count = min(max(round(held_out * rows), 1), rows - 1)
    return np.sort(order[count:]), np.sort(order[:count])
