"""Lion (Chen et al. 2023, arXiv:2302.06675, algorithm 2): steps by the sign of a mean of gradients, all of one length.

The paper advises a rate 3 to 10 times as small as that of AdamW, and a weight decay as many times as large.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import zeros_like

from ganbench import Optimizer, hookimpl

Decay = Annotated[float, Field(ge=0, lt=1)]


def start(theta):
    return (zeros_like(theta),)


def update(
    theta,
    gradient,
    state,
    *,
    lr: PositiveFloat = 1e-4,
    betas: tuple[Decay, Decay] = (0.9, 0.99),
    weight_decay: NonNegativeFloat = 0.0,
):
    (mean,) = state
    beta1, beta2 = betas
    direction = (beta1 * mean + (1 - beta1) * gradient).sign()
    return theta - lr * (direction + weight_decay * theta), (beta2 * mean + (1 - beta2) * gradient,)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("lion", start, update)
