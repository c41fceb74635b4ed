"""AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2): Adam, with a weight decay beside the gradient.

As torch.optim.AdamW computes it.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import zeros_like

from ganbench import Optimizer, hookimpl

Decay = Annotated[float, Field(ge=0, lt=1)]


def start(theta):
    return zeros_like(theta), zeros_like(theta)


def update(
    theta,
    gradient,
    state,
    t,
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[Decay, Decay] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 1e-2,
):
    mean, square = state
    beta1, beta2 = betas
    mean = mean + (1 - beta1) * (gradient - mean)
    square = beta2 * square + (1 - beta2) * gradient * gradient
    scale = square.sqrt() * (1 - beta2**t).rsqrt() + eps
    return theta * (1 - lr * weight_decay) - (lr / (1 - beta1**t)) * (mean / scale), (mean, square)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("adamw", start, update)
