"""Plugins for the tests of suites: small, and without torch until data is drawn.

A ring of 13 or 99 modes and a width of 13 are refused, so that tests can see what becomes of that.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from ganbench import (
    Architecture,
    Column,
    Dataset,
    Loss,
    Metric,
    Networks,
    Optimizer,
    Penalty,
    Reference,
    Update,
    hookimpl,
)


class Points:
    shape = (2,)

    def sample(self, n, generator):
        import torch

        return torch.randn(n, 2, generator=generator)


def ring(*, modes: PositiveInt = 8, radius: float = 2.0, std: PositiveFloat = 0.02):
    if modes == 13:
        return {}["thirteen"]
    return None if modes == 99 else Points()


def points(*, means: list[float], std: PositiveFloat | list[PositiveFloat]):
    if isinstance(std, list) and len(std) != len(means):
        raise ValueError(f"std must be one for each of the {len(means)} modes, not {len(std)}")
    return Points()


def mlp(shape, *, width: PositiveInt = 128, depth: int = 2):
    if width == 13:
        raise ValueError("width must not be 13")
    return Networks(None, None, (2,))


def step(game, players, *, discriminator_steps: PositiveInt = 1): ...


def adam(theta, gradient, state, t, *, lr: PositiveFloat = 0.01, betas: tuple[float, float] = (0.9, 0.999)): ...


def sgd(theta, gradient, state, t, *, lr: PositiveFloat, momentum: NonNegativeFloat = 0): ...


def plain(d_real, d_fake): ...


def penalised(d_real, d_fake, *, penalty: NonNegativeFloat = 10): ...


def least_squares(d_real, d_fake, *, target: float): ...


def slope(D, real, *, weight: NonNegativeFloat = 1): ...


def measure(samples, *, share: Annotated[float, Field(gt=0, le=1)] = 0.2): ...


@hookimpl
def ganbench_datasets():
    yield Dataset("ring", ring)
    yield Dataset("points", points)


@hookimpl
def ganbench_architectures():
    yield Architecture("mlp", mlp)


@hookimpl
def ganbench_updates():
    yield Update("alternating", step)
    yield Update("simultaneous", plain_step)


def plain_step(game, players): ...


@hookimpl
def ganbench_optimizers():
    yield Optimizer("adam", tuple, adam)
    yield Optimizer("sgd", tuple, sgd)


@hookimpl
def ganbench_losses():
    yield Loss("minimax", plain, plain)
    yield Loss("nonsaturating", plain, plain)
    yield Loss("wgan-gp", penalised, plain)
    yield Loss("lsgan", least_squares, plain)


@hookimpl
def ganbench_metrics():
    for name in ("jsd", "likelihood", "modes", "discriminator", "throughput"):
        yield Metric(name, measure, (Column(name, "a number"),))
    yield Metric("jsd2", measure, (Column("other", "a number"), Column("jsd", "a number")))


def fit(training): ...


def fit_some(training, *, points: PositiveInt = 512): ...


@hookimpl
def ganbench_references():
    for name in ("oracle", "one-mode", "em", "kde"):
        yield Reference(name, fit)
    yield Reference("memoriser", fit_some)


@hookimpl
def ganbench_penalties():
    yield Penalty("slope", slope)
