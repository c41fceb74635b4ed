"""The shipped optimisers are torch's own, computed as functions."""

from __future__ import annotations

import pytest
import torch

CASES = {
    "sgd": ("SGD", {}),
    "sgd momentum": ("SGD", {"momentum": 0.9}),
    "sgd damped": ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    "sgd nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {}),
    "adam toys": ("Adam", {"betas": (0.5, 0.999), "lr": 0.01}),
    "adam zero": ("Adam", {"betas": (0.0, 0.99), "weight_decay": 0.1, "eps": 1e-6}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop momentum": ("RMSprop", {"momentum": 0.5, "alpha": 0.9, "weight_decay": 0.01}),
}


def gradient(theta):
    """Of a bumpy function, so that gradients keep changing sign and size."""
    return torch.cos(3 * theta) + 0.1 * theta


@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_are_those_of_torch_optim(case, shipped):
    name, parameters = CASES[case]
    ours = shipped.get("optimizer", name.lower()).value
    start = torch.linspace(-2, 2, 41, dtype=torch.float64)
    leaf = start.clone().requires_grad_()
    parameters = {"lr": 0.05, **parameters}
    theirs = getattr(torch.optim, name)([leaf], **parameters)
    theta, state = start, ours.start(start)
    for t in range(1, 101):
        theta, state = ours.update(theta, gradient(theta), state, torch.tensor(float(t)), **parameters)
        leaf.grad = gradient(leaf.detach())
        theirs.step()
    torch.testing.assert_close(theta, leaf.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_defaults_are_torchs(name, shipped):
    """Where a parameter has torch's name it has torch's default."""
    defaults = getattr(torch.optim, name)([torch.zeros(1)]).defaults
    for parameter in shipped.get("optimizer", name.lower()).parameters:
        assert parameter.common or parameter.default == defaults[parameter.name]
