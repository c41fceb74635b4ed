"""Precision, recall, density and coverage, from neighbourhoods of the k nearest of the samples and of held-out data.

At most ``points`` of each, a fixed random choice, as vectors of raw coordinates: for images they say little. k = 5 as
in the second paper (the first takes 3). Values depend on k and on the number of points: compare rows with the same.

Direction: higher is better, up to the oracle's.
Unit: shares; density counts neighbourhoods, in units of k, and may exceed 1.
Source: Kynkäänniemi et al. 2019, arXiv:1904.06991; Naeem et al. 2020, arXiv:2002.09797.
Floor: the oracle reads 0.98 to 0.99 twice in 2-D and 0.78 in 64-D; density 1; coverage 1 - 2^-k, or 0.97.
Cost: 60 ms at 10,000 samples in 2-D, one thread; at a seed's last evaluation.
"""

from pydantic import PositiveInt

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.points import rows_of
from ganbench.metrics.precision_recall import manifold


def measure(samples, real, *, k: PositiveInt = 5, points: PositiveInt = 2000):
    found = manifold(rows_of(samples), rows_of(real), k, points)
    return {
        "precision": found.precision,
        "recall": found.recall,
        "density": found.density,
        "coverage": found.coverage,
    }


COLUMNS = (
    Column("precision", "share of samples within some data point's neighbourhood", "share", "higher"),
    Column("recall", "share of data within some sample's neighbourhood", "share", "higher"),
    Column("density", "how many neighbourhoods of data a sample is in, over k; 1 for the data itself", better="higher"),
    Column("coverage", "share of the data's neighbourhoods that hold a sample", "share", "higher"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("prdc", measure, COLUMNS, at="end")
