"""Numbers that differ from replica to replica, so that a sweep (learning rates x seeds, say) trains as one batch.

And numbers that change from step to step: those that schedules multiply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.played import Players
from ganbench.suite.choice import SCHEDULE
from ganbench.suite.suite import Variant
from ganbench.train.step.average import RunningAverage
from ganbench.train.step.check import check_factor
from ganbench.train.step.rules import BoundSchedule, Rules

#: For each part of a variant, the parameters that differ: (replicas,), or (replicas, n) where a parameter is n numbers.
SweptValues = dict[str, dict[str, Tensor]]


def swept_values(variants: Sequence[Variant], seeds: int, device: torch.device) -> SweptValues:
    """The parameters that differ between the settings of a variant.

    Args:
        variants: the settings, which differ in numbers alone
        seeds: how many seeds each setting has
        device: where the tensors are made

    Returns:
        For each part and parameter its values, in float64, each setting's repeated for its seeds: (settings * seeds,),
        or (settings * seeds, n). Empty where nothing differs.
    """
    found: SweptValues = {}
    for part in variants[0].parts():
        for name in variants[0].parts()[part].parameters:
            values = [variant.parts()[part].parameters[name] for variant in variants]
            if any(value != values[0] for value in values):
                # In float64, since Python's floats, which they replace, have 64 bits too.
                each = torch.tensor(values, dtype=torch.float64, device=device)
                found.setdefault(part, {})[name] = each.repeat_interleave(seeds, 0)
    averages = [RunningAverage.of(variant.average) for variant in variants if variant.average]
    if any(average != averages[0] for average in averages):
        each = torch.tensor([average.number for average in averages], dtype=torch.float64, device=device)
        found["average"] = {"number": each.repeat_interleave(seeds, 0)}
    return found


def with_values(
    rules: Rules, update: BoundFunction[Players], swept_values: SweptValues, step: Tensor
) -> tuple[Rules, BoundFunction[Players]]:
    """Set one replica's numbers, as they are at one step, in the rules and in the update rule.

    Args:
        rules: the rules, with the parameters of the first setting
        update: the update rule, with the parameters of the first setting
        swept_values: one replica's numbers, without the replica axis
        step: the generator step, a scalar, from 0

    Returns:
        The rules and the update rule with these numbers.

    Raises:
        PluginError: where a schedule gives no scalar
    """
    values: dict[str, Mapping[str, Any]] = {**swept_values}
    for schedule in rules.schedules:
        own = values.get(schedule.part, {})
        number = own.get(schedule.parameter, schedule.number)
        values[schedule.part] = {**own, schedule.parameter: number * _factor(schedule, swept_values, step)}
    if not values:
        return rules, update
    loss = values.get("loss", {})
    average = rules.average
    if average and "average" in values:
        average = replace(average, number=values["average"]["number"])
    changed: dict[str, Any] = {
        "discriminator_loss": _set(rules.discriminator_loss, loss),
        "generator_loss": _set(rules.generator_loss, loss),
        "project": rules.project and _set(rules.project, loss),
        "penalties": tuple(
            replace(penalty, functions={name: _set(bound, own) for name, bound in penalty.functions.items()})
            for penalty in rules.penalties
            for own in [values.get(f"penalty.{penalty.name}", {})]
        ),
        "discriminator_optimizer": _set(rules.discriminator_optimizer, values.get("discriminator_optimizer", {})),
        "generator_optimizer": _set(rules.generator_optimizer, values.get("generator_optimizer", {})),
        "average": average,
    }
    return replace(rules, **changed), _set(update, values.get("update", {}))


def _factor(schedule: BoundSchedule, swept_values: SweptValues, step: Tensor) -> Tensor | float:
    bound = _set(schedule.factor, swept_values.get(schedule.part + SCHEDULE, {}))
    # Steps are timed beyond the budget too, where a schedule need not be defined. In float64, as the swept numbers.
    at = step.clamp(max=schedule.steps - 1).double()
    return check_factor(bound({"step": at, "steps": schedule.steps}), schedule.name, bound.where)


def _set(bound: BoundFunction[Any], own: Mapping[str, Any]) -> BoundFunction[Any]:
    # A loss's two functions share their parameters, but each need not have all of them.
    named = {name: value for name, value in own.items() if name in bound.parameters}
    values = {
        name: tuple(value.unbind()) if isinstance(value, Tensor) and value.dim() else value
        for name, value in named.items()
    }
    return replace(bound, parameters={**bound.parameters, **values})
