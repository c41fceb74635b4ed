"""Muon (Jordan et al. 2024; Liu et al. 2025, arXiv:2502.16982, section 2.2): orthogonal steps of the hidden layers.

Where the momentum of a hidden layer's weights is U S V^T, they move along U V^T, about: five steps of Newton and Schulz
are rougher and cheaper. Hidden are all weights of two or more dimensions but each network's first and last; those,
biases and gains move as with AdamW. Of a network with several first layers inside, as MGAN's generator, one counts as
first. All have one rate, by the scale of Liu et al., under which Muon's steps are as long as AdamW's. As
torch.optim.Muon computes it with "match_rms_adamw", but in float32.
"""

from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import cat, zeros_like

from ganbench import Optimizer, hookimpl

Decay = Annotated[float, Field(ge=0, lt=1)]


def orthogonal(matrix):
    """About U V^T of a matrix U S V^T: the odd polynomial of Jordan et al., which drives all of S towards 1."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.mT if tall else matrix
    x = x / (x.square().sum().sqrt() + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.mT if tall else x


def hidden_step(momentum, shape):
    """The step of one hidden layer at a rate of 1: (numbers,), as the momentum is."""
    matrix = momentum.view(shape).flatten(1)
    return 0.2 * max(matrix.shape) ** 0.5 * orthogonal(matrix).reshape(-1)


def hidden_layers(network):
    """Of each shape of one network's parameters, whether it is a hidden layer's weights."""
    weights = [at for at, shape in enumerate(network) if len(shape) > 1]
    return [at in weights[1:-1] for at in range(len(network))]


def start(theta):
    return zeros_like(theta), zeros_like(theta), zeros_like(theta)


def update(
    theta,
    gradient,
    state,
    t,
    networks,
    *,
    lr: PositiveFloat = 1e-3,
    momentum: Decay = 0.95,
    betas: tuple[Decay, Decay] = (0.9, 0.95),
    eps: PositiveFloat = 1e-8,
    weight_decay: NonNegativeFloat = 0.0,
):
    shapes = [shape for network in networks for shape in network]
    hidden = [inner for network in networks for inner in hidden_layers(network)]
    if not any(hidden):
        raise ValueError("muon moves hidden layers, and a player has none between its first and its last: take adamw")
    velocity, mean, square = state
    beta1, beta2 = betas
    velocity = velocity + (1 - momentum) * (gradient - velocity)
    mean = mean + (1 - beta1) * (gradient - mean)
    square = beta2 * square + (1 - beta2) * gradient * gradient
    step = mean / (1 - beta1**t) / (square.sqrt() * (1 - beta2**t).rsqrt() + eps)
    # Nesterov's momentum: one step ahead.
    ahead = gradient + momentum * (velocity - gradient)
    sizes = [shape.numel() for shape in shapes]
    layers = zip(hidden, shapes, step.split(sizes), ahead.split(sizes), strict=True)
    steps = [hidden_step(own, shape) if inner else adam for inner, shape, adam, own in layers]
    return theta * (1 - lr * weight_decay) - lr * cat(steps), (velocity, mean, square)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("muon", start, update)
