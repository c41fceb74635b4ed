"""Parzen-window log-likelihood: the data's, under Gaussians put on the samples, as in table 1 of the GAN paper.

The width is chosen on one half of the held-out data and the other half is scored, with at most ``points`` samples and
held-out points, a fixed random choice (the paper took 10,000 samples). It misleads on purpose: in many dimensions the
training data itself, and its k-means centres, score above fresh samples of the true distribution (Theis et al. 2016).

Direction: higher is better, says the literature; but above the oracle's row is no praise.
Unit: nats.
Source: Goodfellow et al. 2014, arXiv:1406.2661, section 5; Breuleux et al. 2011; Theis et al. 2016, arXiv:1511.01844.
Floor: the oracle's row, as far as parzen_se; it depends on the number of points.
Cost: 130 ms at 10,000 samples in 2-D, one thread; at a seed's last evaluation.
"""

from pydantic import PositiveInt

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.parzen import parzen
from ganbench.metrics.points import rows_of


def measure(samples, real, *, points: PositiveInt = 2000):
    found = parzen(rows_of(samples), rows_of(real), points)
    return {"parzen": found.log_likelihood, "parzen_se": found.se, "parzen_width": found.width}


COLUMNS = (
    Column("parzen", "mean log-likelihood of held-out data under a Parzen window on the samples", "nats", "higher"),
    Column(
        "parzen_se",
        "its standard error over the held-out points",
        "nats",
        summary="none",
        role="error",
        of="parzen",
    ),
    Column("parzen_width", "the window's std, chosen on other held-out data", "data", summary="none"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("parzen", measure, COLUMNS, at="end")
