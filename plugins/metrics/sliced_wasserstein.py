"""Sliced Wasserstein distance of order 2 between samples and held-out data, over fixed random projections.

Samples are vectors of raw coordinates. Infinite, and so an empty field, where a sample is not finite.

Direction: lower is better.
Unit: the data's.
Source: Bonneel et al. 2015, doi:10.1007/s10851-014-0506-3.
Floor: the oracle's row: 0.11 for the ring at 10,000; where modes are apart it falls with n to the power 1/4 only.
Cost: 15 ms at 10,000 samples in 2-D, one thread; at a seed's last evaluation.
"""

from pydantic import PositiveInt

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.points import from_tensor
from ganbench.metrics.sliced_wasserstein import sliced_wasserstein


def measure(samples, real, *, projections: PositiveInt = 128):
    return {"sliced_wasserstein": sliced_wasserstein(from_tensor(samples), from_tensor(real), projections)}


COLUMNS = (Column("sliced_wasserstein", "sliced Wasserstein distance of order 2 to held-out data", "data", "lower"),)


@hookimpl
def ganbench_metrics():
    yield Metric("sliced-wasserstein", measure, COLUMNS, at="end", symmetric=True)
