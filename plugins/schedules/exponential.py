"""Exponential decay, as torch's ExponentialLR and optax's exponential_decay: to `final` by one factor at each step.

Over the steps after the warm-up and after the share `hold` of them in which it stays at 1: the first factor is 1, the
last a step short of `final`. With both it is warmup, stable, decay (WSD; Hu et al. 2024, arXiv:2404.06395, equation 1).
The warm-up rises from 1 / warmup to 1 (Ma & Yarats 2019, arXiv:1910.04209).
"""

from typing import Annotated

from pydantic import Field, PositiveFloat

from ganbench import Schedule, hookimpl

Steps = Annotated[float, Field(ge=0, multiple_of=1)]


def exponential(
    step,
    steps,
    *,
    warmup: Steps = 0.0,
    hold: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    final: PositiveFloat = 0.01,
):
    rise = ((step + 1) / warmup).clamp(max=1)
    done = (step - warmup) / (steps - warmup)
    fallen = ((done - hold) / (1 - hold)).clamp(0, 1)
    return rise * final**fallen


@hookimpl
def ganbench_schedules():
    yield Schedule("exponential", exponential, in_steps=("warmup",))
