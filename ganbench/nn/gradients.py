"""Gradients with respect to a discriminator's input, for penalties; they work batched over seeds and compiled."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganbench.plugin.played import RandomSource


def input_gradient(D: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The gradient of each sample's logit with respect to that sample: x (batch, *shape) -> (batch, *shape).

    Use it in place of ``torch.autograd.grad``, which cannot run inside a batch of seeds.
    """
    if torch._C._functorch.peek_interpreter_stack() is None:
        # Seed by seed there is no batch, and the autograd tape takes code that torch.func does not, as backward hooks.
        with torch.enable_grad():
            point = x if x.requires_grad else x.detach().requires_grad_()
            total = D(point).sum()
            if not total.requires_grad:
                return torch.zeros_like(x)
            return torch.autograd.grad(total, point, create_graph=True, materialize_grads=True)[0]
    gradient: Callable[[Tensor], Tensor] = torch.func.grad(lambda inputs: D(inputs).sum())
    return gradient(x)


def squared_norm(gradient: Tensor) -> Tensor:
    """The squared Euclidean norm of each sample's gradient: (batch, *shape) -> (batch,)."""
    return gradient.square().flatten(1).sum(1)


def gradient_norm(D: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """|grad D(x)|, the Euclidean norm of each sample's input gradient: x (batch, *shape) -> (batch,)."""
    # The small constant keeps the derivative of the root finite where a gradient is exactly zero.
    return (squared_norm(input_gradient(D, x)) + 1e-12).sqrt()


def between(real: Tensor, fake: Tensor, random: RandomSource) -> Tensor:
    """Points drawn uniformly on the segments between pairs of real and fake samples.

    Args:
        real: real samples, (batch, *shape).
        fake: generated samples, (batch, *shape).
        random: the source of the weights, one for each sample, not for each pixel.

    Returns:
        The points, (batch, *shape).
    """
    weight = random.uniform(real.shape[0]).reshape(-1, *[1] * (real.dim() - 1))
    return fake + weight * (real - fake)


def gradient_penalty(
    D: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, random: RandomSource, *, target: float = 1.0
) -> Tensor:
    """E (|grad D(x)| - target)^2 at x drawn uniformly between pairs of real and fake samples.

    Gulrajani et al. 2017, arXiv:1704.00028, equation 3.

    Args:
        D: the discriminator, (batch, *shape) -> logits.
        real: real samples, (batch, *shape).
        fake: generated samples, (batch, *shape).
        random: the source of the points between them.
        target: the norm of the gradient that is not penalised.

    Returns:
        The mean over the batch, a scalar, without a weight.
    """
    return (gradient_norm(D, between(real, fake, random)) - target).square().mean()
