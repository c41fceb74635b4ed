"""Linear warm-up (Ma & Yarats 2019, arXiv:1910.04209): up to 1 in `warmup` steps, and no decay.

The first factor is 1 / warmup, since with a factor of 0 a step would move nothing; from the last step of the warm-up on
it is 1. The default is the paper's 2 / (1 - beta2) steps, for a beta2 of 0.999.
"""

from typing import Annotated

from pydantic import Field

from ganbench import Schedule, hookimpl


def warm_up(step, *, warmup: Annotated[float, Field(ge=1, multiple_of=1)] = 2000.0):
    return ((step + 1) / warmup).clamp(max=1)


@hookimpl
def ganbench_schedules():
    yield Schedule("warmup", warm_up, in_steps=("warmup",))
