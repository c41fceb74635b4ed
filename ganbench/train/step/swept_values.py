"""Numbers that differ from replica to replica, so that a sweep (learning rates x seeds, say) trains as one batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganbench.plugin.binding import Bound
from ganbench.plugin.types import Players
from ganbench.suite.suite import Variant
from ganbench.train.step.rules import Rules

#: For each part of a variant, the parameters that differ: (replicas,), or (replicas, n) where a parameter is n numbers.
Scalars = dict[str, dict[str, Tensor]]


def scalars(recipes: Sequence[Variant], seeds: int, device: torch.device) -> Scalars:
    """What differs between recipes, each repeated for all its seeds; empty where nothing does."""
    found: Scalars = {}
    for part in recipes[0].parts():
        for name in recipes[0].parts()[part].parameters:
            values = [recipe.parts()[part].parameters[name] for recipe in recipes]
            if any(value != values[0] for value in values):
                # A plugin computes with Python's floats, 64 bits, until they meet a tensor: so do these.
                each = torch.tensor(values, dtype=torch.float64, device=device)
                found.setdefault(part, {})[name] = each.repeat_interleave(seeds, 0)
    return found


def lay(rules: Rules, update: Bound[Players], scalars: Scalars) -> tuple[Rules, Bound[Players]]:
    """The rules and the update rule with one replica's numbers in place of those they were bound with."""
    if not scalars:
        return rules, update
    loss = scalars.get("loss", {})
    changed: dict[str, Any] = {
        "discriminator_loss": _lay(rules.discriminator_loss, loss),
        "generator_loss": _lay(rules.generator_loss, loss),
        "project": rules.project and _lay(rules.project, loss),
        "penalties": tuple(
            replace(penalty, functions={name: _lay(bound, own) for name, bound in penalty.functions.items()})
            for penalty in rules.penalties
            for own in [scalars.get(f"penalty.{penalty.name}", {})]
        ),
        "discriminator_optimizer": _lay(rules.discriminator_optimizer, scalars.get("discriminator_optimizer", {})),
        "generator_optimizer": _lay(rules.generator_optimizer, scalars.get("generator_optimizer", {})),
    }
    return replace(rules, **changed), _lay(update, scalars.get("update", {}))


def _lay(bound: Bound[Any], own: Mapping[str, Tensor]) -> Bound[Any]:
    # A loss's two functions share their parameters, and need not both have all of them.
    named = {name: value for name, value in own.items() if name in bound.parameters}
    values = {name: tuple(value.unbind()) if value.dim() else value for name, value in named.items()}
    return replace(bound, parameters={**bound.parameters, **values})
