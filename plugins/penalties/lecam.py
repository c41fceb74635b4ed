"""LeCam regularisation (Tseng et al. 2021, arXiv:2104.03310): D's logits held near running means.

The paper's equation squares D(real) - mean(fake) and D(fake) - mean(real); its public code, taken here, only where a
logit is on its own side of that mean. Both running means start at 0 and see a batch after it was judged; the code lets
them see it before, and waits for a number of steps until the penalty begins.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat
from torch.nn.functional import relu

from ganbench import Penalty, hookimpl


def discriminator(d_real, d_fake, memory, *, weight: NonNegativeFloat = 0.3):
    mean_real, mean_fake = memory
    return weight * (relu(d_real - mean_fake).square().mean() + relu(mean_real - d_fake).square().mean())


def remember(memory, d_real, d_fake, *, decay: Annotated[float, Field(ge=0, lt=1)] = 0.99):
    mean_real, mean_fake = memory
    return (
        decay * mean_real + (1 - decay) * d_real.mean(),
        decay * mean_fake + (1 - decay) * d_fake.mean(),
    )


@hookimpl
def ganbench_penalties():
    yield Penalty("lecam", discriminator, memory=(0.0, 0.0), remember=remember)
