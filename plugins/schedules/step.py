"""Step decay (He et al. 2016, arXiv:1512.03385, section 4.2): times gamma at each milestone, a share of the steps.

The paper divides by 10 at a half and at three quarters of CIFAR's 64,000 steps. The step at a milestone is the first
that is smaller, as in torch's MultiStepLR. The warm-up rises from 1 / warmup to 1 (Ma & Yarats 2019,
arXiv:1910.04209); milestones are shares of all steps, with it.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat

from ganbench import Schedule, hookimpl

Steps = Annotated[float, Field(ge=0, multiple_of=1)]
Share = Annotated[float, Field(gt=0, lt=1)]
Milestones = Annotated[
    tuple[Share, ...], Field(min_length=1, description="shares of the steps above 0 and below 1, such as [0.5, 0.75]")
]


def step_decay(
    step,
    steps,
    *,
    warmup: Steps = 0.0,
    milestones: Milestones = (0.5, 0.75),
    gamma: NonNegativeFloat = 0.1,
):
    rise = ((step + 1) / warmup).clamp(max=1)
    # 0.07 * 100 is a little more than 7.
    passed = sum((step >= share * steps - 1e-9).to(step) for share in milestones)
    return rise * gamma**passed


@hookimpl
def ganbench_schedules():
    yield Schedule("step", step_decay, in_steps=("warmup",))
