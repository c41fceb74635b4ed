"""Whether the data is learned, evaluation by evaluation: all modes covered, and a JSD of at most ``jsd``; no citation.

What the verdict ``converged`` asks of each of the last five evaluations, as a column: so there is the step from which
on it was held, held_learned_step, with its interval over seeds. Where the data change during training it is the number
of steps to recover, counted from the last change; a seed that has not recovered counts as later than any step, and the
share of those that have is learned_share. As for that verdict, modes that overlap may hide each other: where the JSD's
interval includes 0, all count as covered. For mixtures whose density is known, in one or two dimensions.

Direction: higher is better.
Unit: true or false; shares of seeds, and steps.
Source: no paper; the rule is in results/verdicts.md.
Floor: true of the data itself.
Cost: 0.6 ms at 10,000 samples in 2-D, one thread, beside the divergence, which it shares with the metric jsd.
"""

from pydantic import NonNegativeFloat

from ganbench import Column, Metric, Mixture, hookimpl
from ganbench.metrics.modes import count_modes
from ganbench.metrics.points import from_tensor
from ganbench.plugin.role import LOWER_BOUND


def measure(samples, dataset, divergence, *, jsd: NonNegativeFloat = 0.05):
    if not isinstance(dataset, Mixture) or divergence.value is None or divergence.method == LOWER_BOUND:
        return {}
    modes = count_modes(from_tensor(samples), dataset)
    hidden = divergence.low is not None and divergence.low <= 0
    return {"learned": divergence.value <= jsd and (modes.covered == modes.total or hidden)}


COLUMNS = (
    Column("learned", "whether all modes are covered and the JSD is at most 0.05", better="higher", summary="share"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("learned", measure, COLUMNS)
