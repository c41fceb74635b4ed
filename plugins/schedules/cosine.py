"""Cosine annealing (Loshchilov & Hutter 2017, arXiv:1608.03983, equation 5): to `final` along half a cosine.

One cycle without restarts, over the steps after the warm-up: T_i is their number, T_cur those before this one. So the
first factor is 1, and the last a step short of `final`, as in torch's CosineAnnealingLR and optax's
cosine_decay_schedule. The warm-up rises from 1 / warmup to 1 (Ma & Yarats 2019, arXiv:1910.04209).
"""

from math import pi
from typing import Annotated

from pydantic import Field, NonNegativeFloat
from torch import cos

from ganbench import Schedule, hookimpl

Steps = Annotated[float, Field(ge=0, multiple_of=1)]


def cosine(step, steps, *, warmup: Steps = 0.0, final: NonNegativeFloat = 0.0):
    rise = ((step + 1) / warmup).clamp(max=1)
    done = ((step - warmup) / (steps - warmup)).clamp(0, 1)
    return rise * (final + (1 - final) / 2 * (1 + cos(pi * done)))


@hookimpl
def ganbench_schedules():
    yield Schedule("cosine", cosine, in_steps=("warmup",))
