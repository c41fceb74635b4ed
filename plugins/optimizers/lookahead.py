"""Lookahead-minmax (Chavdarova et al. 2021, arXiv:2006.14567, algorithm 1): Adam that returns part of the way.

After k updates a player returns to slow + alpha (theta - slow), slow being where it last returned to. Both players
return together, as in the algorithm, under rules in which both move once a step; not under `extragradient`, whose steps
ahead it would count too.
"""

from typing import Annotated

from pydantic import Field, PositiveFloat, PositiveInt
from torch import where, zeros_like

from ganbench import Optimizer, hookimpl

Decay = Annotated[float, Field(ge=0, lt=1)]


def start(theta):
    return zeros_like(theta), zeros_like(theta), theta.clone()


def update(
    theta,
    gradient,
    state,
    t,
    *,
    lr: PositiveFloat = 1e-3,
    betas: tuple[Decay, Decay] = (0.9, 0.999),
    eps: PositiveFloat = 1e-8,
    k: PositiveInt = 5,
    alpha: Annotated[float, Field(gt=0, le=1)] = 0.5,
):
    mean, square, slow = state
    beta1, beta2 = betas
    mean = beta1 * mean + (1 - beta1) * gradient
    square = beta2 * square + (1 - beta2) * gradient * gradient
    fast = theta - lr * (mean / (1 - beta1**t)) / ((square / (1 - beta2**t)).sqrt() + eps)
    slow = where(t % k == 0, slow + alpha * (fast - slow), slow)
    return where(t % k == 0, slow, fast), (mean, square, slow)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("lookahead-adam", start, update)
