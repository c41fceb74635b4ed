"""RMSprop (Tieleman & Hinton 2012, lecture 6.5), as torch.optim.RMSprop computes it."""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import zeros_like

from ganbench import Optimizer, hookimpl


def start(theta):
    return zeros_like(theta), zeros_like(theta)


def update(
    theta,
    gradient,
    state,
    t,
    *,
    lr: PositiveFloat = 1e-2,
    alpha: Annotated[float, Field(ge=0, lt=1)] = 0.99,
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
    momentum: NonNegativeFloat = 0.0,
):
    square, velocity = state
    if weight_decay:
        gradient = gradient + weight_decay * theta
    square = alpha * square + (1 - alpha) * gradient * gradient
    direction = gradient / (square.sqrt() + eps)
    if momentum:
        velocity = momentum * velocity + direction
        direction = velocity
    return theta - lr * direction, (square, velocity)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("rmsprop", start, update)
