"""What the discriminator believes: mean D(x) on data and on samples (Goodfellow et al. 2014, arXiv:1406.2661).

At the game's optimum the generator is the data and D(x) = 1/2 everywhere (proposition 1 and theorem 1). Only for losses
whose sigmoid(logit) estimates the probability that x is real.
"""

from ganbench import Column, Metric, hookimpl


def measure(d_real, d_fake, loss):
    return {"d_real": probability(d_real, loss), "d_fake": probability(d_fake, loss)}


def probability(logits, loss):
    if logits is None or loss is None or not loss.probability:
        return None
    return logits.sigmoid().mean().item()


COLUMNS = (
    Column("d_real", "mean D(x) on data; 1/2 at the optimum"),
    Column("d_fake", "mean D(x) on generated samples; 1/2 at the optimum"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("discriminator", measure, COLUMNS)
