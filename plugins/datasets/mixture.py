"""Any mixture of isotropic Gaussians, as the suite gives it; no citation, it is yours.

``means``: a list of points; ``std``: one, or one for each mode; ``weights``: one for each mode, equal by default.
"""

from pydantic import FiniteFloat, PositiveFloat

from ganbench import Dataset, Mixture, hookimpl


def mixture(
    *,
    means: list[list[FiniteFloat]],
    std: PositiveFloat | list[PositiveFloat],
    weights: list[PositiveFloat] | None = None,
):
    return Mixture(means, std, weights)


@hookimpl
def ganbench_datasets():
    yield Dataset("mixture", mixture)
