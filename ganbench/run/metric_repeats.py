"""A metric, asked again about the same samples: it must give the same numbers and remember nothing.

It is asked about a few of the samples, so that a metric that takes minutes does not take as many again. Where it has no
numbers for so few, or has drawn numbers that no seed decides, it is asked about all of them. In between it is asked
about samples that are as good and as bad as can be: one that keeps the best so far, or the worst, has other numbers
afterwards.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.core.unseeded import UNSEEDED, random_calls
from ganbench.metrics.divergence import Divergence
from ganbench.plugin.types import Metric, MetricValue
from ganbench.train.fixed_order import fixed_order
from ganbench.train.hidden_state import HiddenState

Row = dict[str, MetricValue]
#: So many samples are few.
FEW = 500
_CURE = (
    "it must depend on its arguments alone: make a generator of random numbers inside measure(), as "
    "numpy.random.default_rng(0) (torch's, numpy's and Python's global ones are seeded)"
)


def unlike(
    metric: Metric,
    was: Mapping[str, MetricValue],
    measure: Callable[[Mapping[str, Any]], Row | PluginError],
    outcomes: Sequence[Mapping[str, Any]],
    *,
    few: bool = True,
) -> str:
    """Ask a metric again about the first of some seeds, after another one.

    Args:
        metric: the metric
        was: its numbers for the first seed
        measure: gives the row of this metric alone for the metric inputs of a seed
        outcomes: the metric inputs of the seeds
        few: whether it is asked about a few of the samples first

    Returns:
        Why its numbers are not the same again, in one line; empty where they are.
    """
    samples = outcomes[0].get("samples")
    device = samples.device if isinstance(samples, Tensor) else torch.device("cpu")
    with fixed_order(device) as without:
        asked = [_few(outcome) if few else outcome for outcome in outcomes[:2]]
        first = was if asked[0] is outcomes[0] and device.type == "cpu" else measure(asked[0])
        if isinstance(first, PluginError) or any(was[name] is not None and first.get(name) is None for name in was):
            asked, first = [*outcomes[:2]], was
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # no user has such samples
            for other in (*asked[1:], *_extreme(asked[0])):
                measure(other)
        # On a GPU what was measured before was added up in another order.
        exact = not without and (device.type == "cpu" or first is not was)
        watched = HiddenState([metric.measure], {})
        before = watched.look(exact)
        with random_calls(frozenset({metric.measure.__module__})) as calls:
            again = measure(asked[0])
    if changed := watched.changed(before, exact):
        variable, _, place = changed
        return f"metric {metric.name}: a call changes {variable.name!r}, and {_CURE}{place}"
    if calls:
        return f"metric {metric.name}: measure() {UNSEEDED}, as numpy.random.default_rng(0) ({calls['random']})"
    if isinstance(again, PluginError):
        return str(again)
    name = next((name for name in was if not _close(first.get(name), again.get(name), exact)), None)
    if name is None:
        return ""
    return f"metric {metric.name}: {name} is {first.get(name)!r}, and for the same samples {again.get(name)!r}: {_CURE}"


def _few(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metric inputs with the first rows of each tensor; the same ones where no tensor has more."""
    tensors = {name: value for name, value in outcome.items() if isinstance(value, Tensor) and value.ndim}
    long = {name: tensor for name, tensor in tensors.items() if len(tensor) > FEW}
    return {**outcome, **{name: tensor[:FEW] for name, tensor in long.items()}} if long else outcome


def _extreme(outcome: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Metric inputs whose samples are the data, and ones whose samples are far from it; other numbers low and high."""
    data = outcome.get("real")
    for value, sign in ((0.0, -1), (math.log(2), 1)):
        far = {
            name: tensor + sign * (10 + 10 * tensor.abs().max())
            for name, tensor in outcome.items()
            if name not in ("real", "training")
            and isinstance(tensor, Tensor)
            and tensor.is_floating_point()
            and tensor.numel()
        }
        if sign < 0 and isinstance(data, Tensor):
            far["samples"] = data.clone()
        divergence = outcome.get("divergence")
        own = {"divergence": replace(divergence, value=value)} if isinstance(divergence, Divergence) else {}
        yield {**outcome, **far, **own}


def _close(one: MetricValue, other: MetricValue, exact: bool) -> bool:
    """Whether two values are the same to rounding; not ``exact``: on a GPU that adds up in another order each time."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-5 if exact else 1e-2, abs_tol=1e-9 if exact else 1e-4)
    return one == other
