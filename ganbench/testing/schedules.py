"""Properties of a schedule: numbers of at least 0 at every step, the same whether its parameters are swept or not."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import NotApplicableError, raise_if_stopped
from ganbench.core.plain_words import plain_words
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.testing.purity import global_rng_untouched, unchanged
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.train.step.check import check_factor
from ganbench.train.step.rules import looked_at

#: A budget that any schedule should fit into.
LONG = 10_000
#: What rounding in float64 may differ by.
ROUNDING = 1e-12


def at_every_step(subject: Subject) -> str:
    """A finite number of at least 0 at every step of every budget, from a single step on."""
    least, most = math.inf, 0.0
    for steps in _budgets(subject):
        for step in looked_at(steps):
            value = _factor(subject, step, steps)
            if not 0 <= value < math.inf:
                raise WrongError(f"is {value:.4g} at step {step} of {steps}, and no finite number of at least 0")
            least, most = min(least, value), max(most, value)
    return f"from {least:.3g} to {most:.3g}"


def pure(subject: Subject) -> None:
    """The same step has the same number, and nothing else is changed."""
    steps = _budgets(subject)[-1]
    for step in (0, steps // 2, steps - 1):
        given = {"step": _at(step), "steps": steps}
        with global_rng_untouched(), unchanged(given):
            one, other = (float(_bound(subject)(given)) for _ in range(2))
        if one != other:
            raise WrongError(f"gives {one:.6g} and then {other:.6g} at step {step}")


def swept(subject: Subject) -> None:
    """With parameters as a sweep gives them, one for each seed, it has the same numbers as with those of one suite."""
    numbers = {name: value for name, value in subject.parameters.items() if type(value) is float}
    if not numbers:
        raise NotApplicableError("has no parameter that is a real number")
    bound, steps = _bound(subject), _budgets(subject)[-1]
    each = {name: torch.tensor([value, value], dtype=torch.float64) for name, value in numbers.items()}

    def one(own: dict[str, Tensor], step: Tensor) -> Any:
        moved = BoundFunction(bound.function, bound.names, {**bound.parameters, **own})
        return torch.as_tensor(check_factor(moved({"step": step, "steps": steps}), subject.entry.name))

    for step in [*looked_at(steps)][::10]:
        try:
            together = torch.func.vmap(one, in_dims=(0, None))(each, _at(step))
        except BaseException as error:
            raise_if_stopped(error)
            raise NotApplicableError(f"in a sweep each setting trains alone: {plain_words(error)}") from error
        alone = _factor(subject, step, steps)
        for value in together.tolist():
            if not math.isclose(value, alone, rel_tol=ROUNDING, abs_tol=ROUNDING):
                raise WrongError(f"swept it is {value:.8g} at step {step}, alone {alone:.8g}")


PROPERTIES = (
    Property("a number of at least 0 at every step", at_every_step),
    Property("the same step, the same number", pure),
    Property("swept = alone", swept),
)


def budget(subject: Subject) -> int:
    """A budget of generator steps that all parameters which are numbers of steps fit into."""
    return max(LONG, 2 * _longest(subject))


def _longest(subject: Subject) -> int:
    """The greatest of the parameters that are numbers of steps."""
    found = [subject.parameters.get(name) for name in subject.value.in_steps]
    each = [one for value in found for one in (value if isinstance(value, list | tuple) else [value])]
    return math.ceil(max((one for one in each if one is not None), default=0))


def _budgets(subject: Subject) -> tuple[int, ...]:
    shortest = _longest(subject) + 1
    return shortest, shortest + 1, shortest + 6, budget(subject)


def _bound(subject: Subject) -> BoundFunction[Any]:
    return bind(subject.value.factor, subject.parameters)


def _factor(subject: Subject, step: int, steps: int) -> float:
    return float(check_factor(_bound(subject)({"step": _at(step), "steps": steps}), subject.entry.name))


def _at(step: int) -> Tensor:
    return torch.tensor(float(step), dtype=torch.float64)
