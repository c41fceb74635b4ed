"""What the discriminator believes, and how far it is from the best one (Goodfellow et al. 2014, arXiv:1406.2661).

For a fixed generator the best D(x) is p / (p + q), and V(D, G) = E log D(x) + E log(1 - D(G(z))) is then -log 4 + 2 JSD
(proposition 1, theorem 1); any other D has less. At the game's optimum D = 1/2 everywhere and V = -log 4 = -1.386. All
on data held out from training. Only for losses whose sigmoid(logit) estimates the probability that x is real: for the
others these are not applicable, but for d_spread.

Direction: none; d_real and d_fake near 1/2, and a gap near 0, say that D has nothing left to tell apart, or to learn.
Unit: probability; game_value and discriminator_gap in nats; d_spread in logits.
Source: Goodfellow et al. 2014, equation 1, proposition 1 and theorem 1.
Floor: game_value and gap have a standard error of about 0.01 nats at 10,000 samples; the interval of the gap says it.
Cost: under 1 ms for 10,000 samples, beside the divergence, which it shares with the metric jsd.
"""

import math

from torch.nn.functional import logsigmoid

from ganbench import Column, Metric, hookimpl
from ganbench.plugin.role import LOWER_BOUND


def measure(d_real, d_fake, loss, divergence):
    if d_real is None or d_fake is None:
        return {}
    spread = _spread(d_real, d_fake)
    if not loss.probability:
        return {"d_spread": spread}
    at_real, at_fake = logsigmoid(d_real.double()), logsigmoid(-d_fake.double())
    value = (at_real.mean() + at_fake.mean()).item()
    error = 1.96 * (_squared_error(at_real) + _squared_error(at_fake)) ** 0.5
    return {
        "d_real": d_real.sigmoid().mean().item(),
        "d_fake": d_fake.sigmoid().mean().item(),
        "d_spread": spread,
        "game_value": value,
        **_gap(value, error, divergence),
    }


def _squared_error(values):
    """Of a mean; of a single value it is not known, and taken for infinite."""
    return values.var().item() / len(values) if len(values) > 1 else math.inf


def _spread(d_real, d_fake):
    n, m = len(d_real), len(d_fake)
    mean = (d_real.sum() + d_fake.sum()) / (n + m)
    return ((((d_real - mean) ** 2).sum() + ((d_fake - mean) ** 2).sum()) / (n + m)).sqrt().item()


def _gap(value, error, divergence):
    """(-log 4 + 2 JSD) - V; a mere bound on the JSD gives none."""
    if divergence.value is None or divergence.method == LOWER_BOUND:
        return {}
    best = -math.log(4) + 2 * divergence.value
    gap = {"discriminator_gap": best - value}
    if divergence.low is not None and divergence.high is not None:
        gap["discriminator_gap_low"] = gap["discriminator_gap"] - 2 * (divergence.value - divergence.low) - error
        gap["discriminator_gap_high"] = gap["discriminator_gap"] + 2 * (divergence.high - divergence.value) + error
    return gap


def end(name, doc, role):
    return Column(name, doc, "nats", summary="none", role=role, of="discriminator_gap")


COLUMNS = (
    Column("d_real", "mean D(x) on held-out data; 1/2 at the optimum", "probability"),
    Column("d_fake", "mean D(x) on generated samples; 1/2 at the optimum", "probability"),
    Column("game_value", "V(D, G) on held-out data; -log 4 = -1.386 at the optimum", "nats"),
    Column("discriminator_gap", "(-log 4 + 2 JSD) - V: how far D is from the best; 0 is the best", "nats"),
    end("discriminator_gap_low", "lower end of its interval, at least 95 %", "low"),
    end("discriminator_gap_high", "upper end of its interval, at least 95 %", "high"),
    Column(
        "d_spread",
        "standard deviation of D's logits over data and samples; 0: D says the same of all",
        "logits",
        role="logits",
    ),
)


@hookimpl
def ganbench_metrics():
    yield Metric("discriminator", measure, COLUMNS)
