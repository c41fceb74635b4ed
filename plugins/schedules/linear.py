"""Linear decay (as Gulrajani et al. 2017, arXiv:1704.00028, in their code): down to `final` along a line.

Over the steps after the warm-up; for the share `hold` of these the factor stays 1 first, as for the first half in
CycleGAN (Zhu et al. 2017, arXiv:1703.10593). The last factor is a step short of `final`, as in torch's LinearLR and
optax's linear_schedule. The warm-up rises from 1 / warmup to 1 (Ma & Yarats 2019, arXiv:1910.04209).
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat

from ganbench import Schedule, hookimpl

Steps = Annotated[float, Field(ge=0, multiple_of=1)]


def linear(
    step,
    steps,
    *,
    warmup: Steps = 0.0,
    hold: Annotated[float, Field(ge=0, lt=1)] = 0.0,
    final: NonNegativeFloat = 0.0,
):
    rise = ((step + 1) / warmup).clamp(max=1)
    done = (step - warmup) / (steps - warmup)
    left = ((1 - done) / (1 - hold)).clamp(0, 1)
    return rise * (final + (1 - final) * left)


@hookimpl
def ganbench_schedules():
    yield Schedule("linear", linear, in_steps=("warmup",))
