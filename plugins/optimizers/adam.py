"""Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), as torch.optim.Adam computes it."""

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
    weight_decay: NonNegativeFloat = 0.0,
):
    mean, square = state
    beta1, beta2 = betas
    if weight_decay:
        gradient = gradient + weight_decay * theta
    mean = mean + (1 - beta1) * (gradient - mean)
    square = beta2 * square + (1 - beta2) * gradient * gradient
    # One division a parameter, not two: they are what Adam costs.
    scale = square.sqrt() * (1 - beta2**t).rsqrt() + eps
    return theta - (lr / (1 - beta1**t)) * (mean / scale), (mean, square)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("adam", start, update)
