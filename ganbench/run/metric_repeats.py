"""A metric, asked again about the same samples: it must give the same numbers and remember nothing.

It is asked about a few of the samples, so that a metric that takes minutes does not take as many again. Where it has no
numbers for so few, it is asked about all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.plugin.types import Metric, MetricValue
from ganbench.train.hidden_state import HiddenState

Row = dict[str, MetricValue]
#: So many samples are few.
FEW = 500
_CURE = "it must depend on its arguments alone (draws from torch's, numpy's and Python's global generators are seeded)"


def unlike(
    metric: Metric,
    was: Mapping[str, MetricValue],
    measure: Callable[[Mapping[str, Any]], Row | PluginError],
    outcomes: Sequence[Mapping[str, Any]],
) -> str:
    """Ask a metric again about the first of some seeds, after another one.

    Args:
        metric: the metric
        was: its numbers for the first seed
        measure: gives the row of this metric alone for the metric inputs of a seed
        outcomes: the metric inputs of the seeds

    Returns:
        Why its numbers are not the same again, in one line; empty where they are.
    """
    asked = [_few(outcome) for outcome in outcomes[:2]]
    first = measure(asked[0]) if asked[0] is not outcomes[0] else was
    if isinstance(first, PluginError) or any(was[name] is not None and first.get(name) is None for name in was):
        asked, first = [*outcomes[:2]], was
    for other in asked[1:]:
        measure(other)
    watched = HiddenState([metric.measure], {})
    before = watched.look()
    again = measure(asked[0])
    if changed := watched.changed(before):
        variable, place = changed
        return f"metric {metric.name}: a call changes {variable.name!r}, and {_CURE}{place}"
    if isinstance(again, PluginError):
        return str(again)
    name = next((name for name in was if not _close(first.get(name), again.get(name))), None)
    if name is None:
        return ""
    return f"metric {metric.name}: {name} is {first.get(name)!r}, and for the same samples {again.get(name)!r}: {_CURE}"


def _few(outcome: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metric inputs with the first rows of each tensor; the same ones where no tensor has more."""
    tensors = {name: value for name, value in outcome.items() if isinstance(value, Tensor) and value.ndim}
    long = {name: tensor for name, tensor in tensors.items() if len(tensor) > FEW}
    return {**outcome, **{name: tensor[:FEW] for name, tensor in long.items()}} if long else outcome


def _close(one: MetricValue, other: MetricValue) -> bool:
    """Whether two values are the same to rounding: a GPU may add up in another order."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-9)
    return one == other
