"""Numbers that differ from replica to replica, so that a sweep (learning rates x seeds, say) trains as one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.plugin.binding import BoundFunction
from ganbench.plugin.types import Players
from ganbench.suite.suite import Variant
from ganbench.train.step.rules import Rules

#: For each part of a variant, the parameters that differ: (replicas,), or (replicas, n) where a parameter is n numbers.
SweptValues = dict[str, dict[str, Tensor]]


def swept_values(variants: Sequence[Variant], seeds: int, device: torch.device) -> SweptValues:
    """What differs between variants, each repeated for all its seeds; empty where nothing does."""
    found: SweptValues = {}
    for part in variants[0].parts():
        for name in variants[0].parts()[part].parameters:
            values = [variant.parts()[part].parameters[name] for variant in variants]
            if any(value != values[0] for value in values):
                # A plugin computes with Python's floats, 64 bits, until they meet a tensor: so do these.
                each = torch.tensor(values, dtype=torch.float64, device=device)
                found.setdefault(part, {})[name] = each.repeat_interleave(seeds, 0)
    return found


def with_values(
    rules: Rules, update: BoundFunction[Players], swept_values: SweptValues
) -> tuple[Rules, BoundFunction[Players]]:
    """The rules and the update rule with one replica's numbers in place of those they were bound with."""
    if not swept_values:
        return rules, update
    loss = swept_values.get("loss", {})
    changed: dict[str, Any] = {
        "discriminator_loss": _lay(rules.discriminator_loss, loss),
        "generator_loss": _lay(rules.generator_loss, loss),
        "project": rules.project and _lay(rules.project, loss),
        "penalties": tuple(
            replace(penalty, functions={name: _lay(bound, own) for name, bound in penalty.functions.items()})
            for penalty in rules.penalties
            for own in [swept_values.get(f"penalty.{penalty.name}", {})]
        ),
        "discriminator_optimizer": _lay(rules.discriminator_optimizer, swept_values.get("discriminator_optimizer", {})),
        "generator_optimizer": _lay(rules.generator_optimizer, swept_values.get("generator_optimizer", {})),
    }
    return replace(rules, **changed), _lay(update, swept_values.get("update", {}))


def _lay(bound: BoundFunction[Any], own: Mapping[str, Tensor]) -> BoundFunction[Any]:
    # A loss's two functions share their parameters, and need not both have all of them.
    named = {name: value for name, value in own.items() if name in bound.parameters}
    values = {name: tuple(value.unbind()) if value.dim() else value for name, value in named.items()}
    return replace(bound, parameters={**bound.parameters, **values})
