"""Jensen-Shannon divergence between data and generator (Lin 1991, doi:10.1109/18.61115), which the GAN game minimises.

Nats: 0 is perfect, log 2 = 0.6931 is nothing in common. Against the best discriminator V(D, G) = -log 4 + 2 JSD
(Goodfellow et al. 2014, arXiv:1406.2661, theorem 1). Measured for mixtures of 1 or 2 dimensions.
"""

from ganbench import Column, Metric, Mixture, hookimpl
from ganbench.measure.jsd import jsd


def measure(samples, dataset):
    if not (isinstance(dataset, Mixture) and dataset.dimension <= 2):
        return {"jsd": None, "jsd_low": None, "jsd_high": None}
    estimate = jsd(samples.detach().double().cpu().numpy(), dataset)
    return {"jsd": estimate.value, "jsd_low": estimate.low, "jsd_high": estimate.high}


COLUMNS = (
    Column("jsd", "Jensen-Shannon divergence to the data: 0 is perfect, log 2 the most", "nats", "lower"),
    Column("jsd_low", "lower end of its 95 % interval; empty below 400 samples a mode", "nats", summary="none"),
    Column("jsd_high", "upper end of its 95 % interval; empty below 400 samples a mode", "nats", summary="none"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("jsd", measure, COLUMNS)
