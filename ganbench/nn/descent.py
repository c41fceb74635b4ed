"""What plugins that fit a model of their own by gradient descent share: first weights, scaled rows, noise, and Adam.

A reference is fitted outside the game, so it has torch's own optimisers; but each random number is from the generator
that it is given, as the plain modules of torch do not have it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class UnitScale:
    """Where the rows of data lie: ``low``, and ``span`` above it, one number each for all coordinates; their ``shape``.

    For pixels a common scale keeps an image an image. Data all of one value have a span of 1.
    """

    low: float
    span: float
    shape: tuple[int, ...]

    @classmethod
    def of(cls, training: Tensor) -> UnitScale:
        """The scale of training points, (n, *shape)."""
        low, high = training.min().item(), training.max().item()
        return cls(low, high - low or 1.0, tuple(training.shape[1:]))

    def rows(self, points: Tensor) -> Tensor:
        """Points, (n, *shape), as rows of numbers from 0 to 1, (n, d)."""
        return (points.flatten(1) - self.low) / self.span

    def points(self, rows: Tensor) -> Tensor:
        """Rows, (n, d), as points of the data, (n, *shape)."""
        return (rows * self.span + self.low).view(-1, *self.shape)


@dataclass(frozen=True)
class GaussianNoise:
    """Gaussian noise on all coordinates of a row, of one std that is trained: its logarithm, a scalar."""

    log_std: Tensor

    @classmethod
    def of(cls, rows: Tensor) -> GaussianNoise:
        """The noise to begin with: as wide as the coordinates of the rows, (n, d), are on average."""
        return cls(rows.std(0, correction=0).mean().clamp(min=0.01).log().requires_grad_())

    def surprise(self, rows: Tensor, mean: Tensor) -> Tensor:
        """Minus the log density of each row, (n, d), about its mean, (n, d): (n,), in nats."""
        error = ((rows - mean) / self.log_std.exp()).square().sum(1) / 2
        return error + rows.shape[1] * (self.log_std + math.log(2 * math.pi) / 2)

    def added(self, mean: Tensor, random: torch.Generator) -> Tensor:
        """The means, (n, d), with noise, on the generator's device."""
        return mean + self.log_std.exp().to(mean.device) * normal(mean, random)


def normal(like: Tensor, random: torch.Generator) -> Tensor:
    """Standard normal numbers of the shape of a tensor, on the generator's device."""
    return torch.randn(like.shape, generator=random, device=random.device)


def layer(inputs: int, outputs: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """The weights, (inputs, outputs), and the biases, (outputs,), of a layer (Glorot & Bengio 2010: normal).

    Args:
        inputs: how many numbers go in.
        outputs: how many come out.
        random: where the weights are drawn from.

    Returns:
        The weights and the biases, which are 0; both may be trained.
    """
    wide = (2 / (inputs + outputs)) ** 0.5
    weights = wide * torch.randn(inputs, outputs, generator=random, device=random.device)
    return weights.requires_grad_(), torch.zeros(outputs, device=random.device, requires_grad=True)


def minimise(
    loss: Callable[[Tensor], Tensor],
    parameters: Sequence[Tensor],
    rows: Tensor,
    random: torch.Generator,
    *,
    steps: int,
    batch: int,
    lr: float,
) -> None:
    """Lower the mean loss of rows by Adam, in place; the rate falls to 0 in a straight line.

    Args:
        loss: of a minibatch, (batch, d), to a scalar.
        parameters: what is changed; afterwards they need no gradient.
        rows: the training rows, (n, d).
        random: where the minibatches are drawn from.
        steps: how many.
        batch: rows a step, drawn with replacement.
        lr: the rate of the first step.
    """
    with torch.enable_grad():
        optimizer = torch.optim.Adam(parameters, lr=lr)
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = lr * (1 - step / steps)
            chosen = torch.randint(len(rows), (batch,), generator=random, device=random.device)
            optimizer.zero_grad()
            loss(rows[chosen]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    for parameter in parameters:
        parameter.requires_grad_(False)
