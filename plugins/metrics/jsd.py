"""Jensen-Shannon divergence between data and generator (Lin 1991, doi:10.1109/18.61115), which the GAN game minimises.

Against the best discriminator V(D, G) = -log 4 + 2 JSD (Goodfellow et al. 2014, arXiv:1406.2661, theorem 1). How it is
estimated depends on the data, and stands in jsd_method: ``density`` for mixtures of 1 or 2 dimensions, ``neighbours``
for other data of 1 or 2, and ``lower bound`` for all else, which says only that the divergence is no smaller.

Direction: lower is better. 0 is perfect, log 2 = 0.6931 is nothing in common.
Unit: nats; jsd_fraction is the same as a fraction of log 2.
Source: results/jsd.md says how, and results/measured/calibration.md what it reads where the answer is known.
Floor: the oracle's row, about 0.001 at 10,000 samples; for a lower bound jsd_floor, real data against real data.
Cost: 5 ms for 10,000 samples of 8 to 25 modes, 14 to 20 ms at the end; a lower bound 0.3 s, at the end only.
"""

from ganbench import Column, Metric, Thresholds, hookimpl
from ganbench.metrics.jsd import LOG2


def measure(divergence):
    return {
        "jsd": divergence.value,
        "jsd_low": divergence.low,
        "jsd_high": divergence.high,
        "jsd_fraction": None if divergence.value is None else divergence.value / LOG2,
        "jsd_floor": divergence.floor,
        "duplicates": divergence.duplicates,
        "jsd_method": divergence.method,
        "jsd_note": divergence.note,
    }


#: Shifting a Gaussian by 0.65 std reads as much as ``converged``, losing 1 of 8 modes 0.045, losing 2 of them 0.096; a
#: mode that holds half of the data, alone, 0.2158.
THRESHOLDS = Thresholds(min_effect=0.02, converged=0.05, settled=0.10, half_lost=0.20, best=0.0, worst=0.7)


def part(name, doc, role):
    return Column(name, doc, "nats", summary="none", role=role, of="jsd")


COLUMNS = (
    Column(
        "jsd",
        "Jensen-Shannon divergence to the data: 0 is perfect, log 2 the most",
        "nats",
        "lower",
        role="primary",
        thresholds=THRESHOLDS,
        title="JSD",
    ),
    part("jsd_low", "lower end of its 95 % interval; empty below 400 samples a mode", "low"),
    part("jsd_high", "upper end of its 95 % interval; empty for a lower bound", "high"),
    Column("jsd_fraction", "jsd as a fraction of log 2", summary="none"),
    part("jsd_floor", "what real data reads against real data, where that is not 0", "floor"),
    Column("duplicates", "share of samples that repeat others exactly, beyond chance", summary="none"),
    Column(
        "jsd_method",
        "how it was estimated: density, neighbours or lower bound",
        summary="words",
        role="method",
        of="jsd",
        title="JSD method",
    ),
    Column(
        "jsd_note", "what to know about the estimate, and why it has no interval", summary="words", title="JSD note"
    ),
)


@hookimpl
def ganbench_metrics():
    yield Metric("jsd", measure, COLUMNS)
