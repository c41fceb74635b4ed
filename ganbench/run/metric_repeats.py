"""A metric, asked again about the same samples: it must give the same numbers and remember nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ganbench.core.errors import PluginError
from ganbench.plugin.types import Metric, MetricValue
from ganbench.train.hidden_state import HiddenState

Row = dict[str, MetricValue]
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
    watched = HiddenState([metric.measure], {})
    before = watched.look()
    for other in outcomes[1:2]:
        measure(other)
    again = measure(outcomes[0])
    if changed := watched.changed(before):
        variable, place = changed
        return f"metric {metric.name}: a call changes {variable.name!r}, and {_CURE}{place}"
    if isinstance(again, PluginError):
        return str(again)
    name = next((name for name in was if not _close(was[name], again.get(name))), None)
    if name is None:
        return ""
    return f"metric {metric.name}: {name} is {was[name]!r}, and for the same samples {again.get(name)!r}: {_CURE}"


def _close(one: MetricValue, other: MetricValue) -> bool:
    """Whether two values are the same to rounding: a GPU may add up in another order."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-9)
    return one == other
