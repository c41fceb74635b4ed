"""The shipped optimisers are torch's own, or their papers' algorithms, computed as functions."""

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
    "adamw": ("AdamW", {}),
    "adamw toys": ("AdamW", {"betas": (0.5, 0.999), "lr": 0.01, "weight_decay": 0.3, "eps": 1e-6}),
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


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_defaults_are_torchs(name, shipped):
    """Where a parameter has torch's name it has torch's default."""
    defaults = getattr(torch.optim, name)([torch.zeros(1)]).defaults
    for parameter in shipped.get("optimizer", name.lower()).parameters:
        assert parameter.common or parameter.default == defaults[parameter.name]


@pytest.mark.parametrize("parameters", [{}, {"lr": 0.05, "betas": (0.5, 0.9), "weight_decay": 0.3}])
def test_lion_is_the_papers_algorithm(parameters, shipped):
    """Algorithm 2 of Chen et al. 2023, number by number; the defaults are those of the authors' code."""
    lion = shipped.get("optimizer", "lion").value
    eta, (beta1, beta2), decay = ({"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0} | parameters).values()
    theta = torch.linspace(-2, 2, 41, dtype=torch.float64)
    state, numbers, m = lion.start(theta), theta.tolist(), [0.0] * 41
    for _ in range(100):
        theta, state = lion.update(theta, gradient(theta), state, **parameters)
        for i, g in enumerate(gradient(torch.tensor(numbers, dtype=torch.float64)).tolist()):
            c = beta1 * m[i] + (1 - beta1) * g
            numbers[i] -= eta * ((c > 0) - (c < 0) + decay * numbers[i])
            m[i] = beta2 * m[i] + (1 - beta2) * g
    torch.testing.assert_close(theta, torch.tensor(numbers, dtype=torch.float64))
