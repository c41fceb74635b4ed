"""Exponential decay, as torch's ExponentialLR and optax's exponential_decay: to `final` by one factor at each step.

Over the steps after the warm-up: the first factor is 1, the last a step short of `final`. The warm-up rises from
1 / warmup to 1 (Ma & Yarats 2019, arXiv:1910.04209).
"""

from typing import Annotated

from pydantic import Field, PositiveFloat

from ganbench import Schedule, hookimpl

Steps = Annotated[float, Field(ge=0, multiple_of=1)]


def exponential(step, steps, *, warmup: Steps = 0.0, final: PositiveFloat = 0.01):
    rise = ((step + 1) / warmup).clamp(max=1)
    done = ((step - warmup) / (steps - warmup)).clamp(0, 1)
    return rise * final**done


@hookimpl
def ganbench_schedules():
    yield Schedule("exponential", exponential, in_steps=("warmup",))
