"""Optimistic steps (Daskalakis et al. 2018, arXiv:1711.00141): each corrects the last by what has changed since.

A player moves by twice its present step less its last one, as if it knew its opponent's next move. Under the rule
`simultaneous` these are the paper's methods; the last step before the first is 0.
"""

from typing import Annotated

from pydantic import Field, PositiveFloat
from torch import zeros_like

from ganbench import Optimizer, hookimpl

Decay = Annotated[float, Field(ge=0, lt=1)]


def start_sgd(theta):
    return (zeros_like(theta),)


def sgd(theta, gradient, state, t, *, lr: PositiveFloat = 1e-3):
    """Optimistic mirror descent: theta - 2 lr gradient + lr (the last gradient)."""
    (last,) = state
    return theta - 2 * lr * gradient + lr * last, (gradient,)


def start_adam(theta):
    return zeros_like(theta), zeros_like(theta), zeros_like(theta)


def adam(
    theta,
    gradient,
    state,
    t,
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[Decay, Decay] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
):
    """Optimistic Adam (Daskalakis et al. 2018, arXiv:1711.00141, algorithm 1): twice Adam's step less its last."""
    mean, square, last = state
    beta1, beta2 = betas
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient * gradient
    step = mean / (1 - beta1**t) / ((square / (1 - beta2**t)).sqrt() + eps)
    return theta - 2 * lr * step + lr * last, (mean, square, step)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("optimistic-sgd", start_sgd, sgd)
    yield Optimizer("optimistic-adam", start_adam, adam)
