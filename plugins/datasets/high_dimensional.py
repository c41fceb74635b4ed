"""Gaussians in many dimensions, at equal distances from the origin in directions at right angles; no citation.

In d dimensions a mode's samples are sqrt(d) std from its centre, hardly any nearer: VEEGAN's rule for 1,200 of them,
"within 10 std", rejects the data itself (Srivastava et al. 2017, arXiv:1705.07761). The metric ``modes``
takes the radius that holds as large a share of a mode as 3 std do in the plane.
"""

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from ganbench import Dataset, Mixture, hookimpl


def high_dimensional(
    *, dimension: PositiveInt = 64, modes: PositiveInt = 10, radius: PositiveFloat = 4.0, std: PositiveFloat = 0.2
):
    if modes > dimension:
        raise ValueError(f"modes must be at most as many as dimensions, {dimension}, for so many right angles")
    random = np.random.default_rng(2017).standard_normal((dimension, modes))
    directions, triangle = np.linalg.qr(random)
    return Mixture(radius * (directions * np.sign(np.diag(triangle))).T, std)


@hookimpl
def ganbench_datasets():
    yield Dataset("high-dimensional", high_dimensional)
