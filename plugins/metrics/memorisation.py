"""Whether the samples repeat the training points, or each other, more closely than held-out data does.

copied and copying_z compare distances to the nearest training point with those of held-out data, and are empty where
data has no end and so no training points. near_duplicates needs none: it looks at distances among the samples, so it
sees a generator that has points by heart wherever they came from; modes too narrow or left out raise it too, less.
At most ``points`` samples and held-out points, a fixed random choice, as vectors of raw coordinates.

Direction: copied and near_duplicates lower; copying_z best at 0: below -3 copies, far above 3 far from all data.
Unit: shares of samples; copying_z standard normal.
Source: Meehan et al. 2020, arXiv:2004.05675, C_T over the whole space; near_duplicates has no paper.
Floor: 0.01 for the shares, 0 give or take 1 for copying_z.
Cost: 15 ms at 10,000 samples in 2-D, one thread; at a seed's last evaluation.
"""

from pydantic import PositiveInt

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.memorisation import copies, near_duplicates
from ganbench.metrics.points import rows_of


def measure(samples, real, training, *, points: PositiveInt = 5000):
    samples, real = rows_of(samples), rows_of(real)
    values = {"near_duplicates": near_duplicates(samples, real, points)}
    if training is not None:
        found = copies(samples, real, rows_of(training), points)
        values |= {"copied": found.copied, "copying_z": found.z}
    return values


COLUMNS = (
    Column("near_duplicates", "share of samples as close to another one as 1 % of the data is", "share", "lower"),
    Column("copied", "share of samples as close to a training point as 1 % of held-out data is", "share", "lower"),
    Column("copying_z", "Mann-Whitney z of the distances to the training points; very negative is copies"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("memorisation", measure, COLUMNS, at="end")
