"""A seed alone and in a batch must compute the same: code that tells them apart is refused before training."""

from __future__ import annotations

import re

import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.train.alone_and_batched import same_numbers
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, Optimizer, Penalty, Update, hookimpl

def plain(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()
"""
LOSS = """
def discriminator(d_real, d_fake, fake, D):
    loss, k = plain(d_real, d_fake), 1.0
    {}
    return loss * k

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator)
"""
CAUGHT = {
    "item": "try: k = 1.0 + (loss.item() > 0)\n    except: pass",
    "numpy": "try: k = 1.0 + (loss.detach().numpy() > 0)\n    except Exception: k = 0.5",
    "bool": "try: k = 2.0 if loss > 0 else 1.0\n    except RuntimeError: pass",
    "float": "try: k = float(loss)\n    except Exception as error: k = 0.1",
}


@pytest.fixture
def train(foreign, cell, cpu):
    def build(code, variant="{loss: foreign}", seeds=2, engine="auto"):
        return Trainer([cell(variant, seeds=seeds, registry=foreign(HEAD + code))], cpu, engine)

    return build


@pytest.mark.parametrize("what", CAUGHT)
def test_a_loss_that_catches_what_a_batch_forbids_is_refused_with_the_line_that_it_catches(what, train):
    with pytest.raises(PluginError) as raised:
        train(LOSS.format(CAUGHT[what]))
    line = str(raised.value)
    assert line.startswith(
        "the discriminator's gradient is not the same in a batch of seeds as for a seed alone: its code"
    )
    assert re.search(r"catches what only a batch forbids .*: .* reads a number .*\(foreign\.py:15\)$", line), line
    assert "\n" not in line


def test_one_seed_is_refused_as_several_are(train):
    with pytest.raises(PluginError, match="in a batch of seeds"):
        train(LOSS.format(CAUGHT["item"]), seeds=1)


def test_a_loss_that_asks_torch_whether_it_is_batched_is_refused(train):
    asks = "k = 1.0 + torch._C._functorch.is_functorch_wrapped_tensor(fake)"
    with pytest.raises(
        PluginError, match=r"^the discriminator's gradient .*: its code asks whether it runs in a batch"
    ):
        train(LOSS.format(asks))


ELSEWHERE = {
    "a penalty": (
        """
def term(d_real):
    try: return float(d_real.mean()) * d_real.mean()
    except Exception: return 0.0 * d_real.mean()

@hookimpl
def ganbench_penalties():
    yield Penalty("foreign", term)
""",
        "{loss: minimax, penalty: foreign}",
        "the discriminator's gradient",
    ),
    "an update rule": (
        """
def step(game, players):
    batch = game.draw()
    d = game.discriminator_gradient(players, batch)
    try: d = d / d.norm().item()
    except Exception: pass
    return game.move(players, discriminator=d, generator=game.generator_gradient(players, batch))

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
""",
        "{loss: minimax, update: foreign, optimizer: {name: sgd, lr: 0.1}}",
        "the discriminator's parameters",
    ),
    "an optimizer": (
        """
def update(theta, gradient, state):
    scale = 1.0
    try: scale = 1 / gradient.norm().item()
    except Exception: pass
    return theta - 0.1 * scale * gradient, state

@hookimpl
def ganbench_optimizers():
    yield Optimizer("foreign", lambda theta: (), update)
""",
        "{loss: minimax, optimizer: foreign}",
        "the discriminator's parameters",
    ),
    "a network": (
        """
class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
    def forward(self, x):
        try: return self.layer(x) * (2.0 if x.mean() > -9 else 1.0)
        except RuntimeError: return self.layer(x)

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", lambda shape: Networks(nn.Linear(2, 2), D(), (2,)))
""",
        "{loss: minimax, architecture: foreign}",
        "the discriminator's gradient",
    ),
}


@pytest.mark.parametrize("where", ELSEWHERE)
def test_so_is_every_other_plugin_of_a_step(where, train):
    code, variant, what = ELSEWHERE[where]
    with pytest.raises(
        PluginError, match=rf"^{what} (is|are) not the same in a batch of seeds .* \(foreign\.py:\d+\)$"
    ):
        train(code, variant)


FINE = {
    "what is caught changes nothing": "try: loss.item()\n    except Exception: pass",
    "what is caught is the same alone": "try: [][0]\n    except IndexError: k = 0.5",
    "it asks, for another way to the same": "k = 1 + 0 * torch._C._functorch.is_functorch_wrapped_tensor(fake)",
    "a number is read and nothing caught": "k = loss.item()",
}


@pytest.mark.parametrize("what", FINE)
def test_what_computes_the_same_trains(what, train):
    assert "batch of seeds" not in train(LOSS.format(FINE[what])).note


AUTOCAST = """
class D(nn.Sequential):
    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            return super().forward(x).float()

def build(shape):
    layers = [nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)]
    return Networks(nn.Linear(2, 2), D(*layers), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""


@pytest.mark.parametrize("loss", ["minimax", "wgan", "ragan"])
def test_rounding_of_a_networks_own_autocast_is_no_difference(loss, train):
    assert "partly in bfloat16" in train(AUTOCAST, f"{{loss: {loss}, architecture: foreign}}").note


def test_rounding_is_no_difference():
    """Noise of float32 in a gradient that is nearly all zero, and a whole step of it under Adam."""
    random = torch.Generator().manual_seed(0)
    one = torch.randn(1000, generator=random)
    assert same_numbers(one, one + 1e-6 * torch.randn(1000, generator=random))
    assert same_numbers(torch.zeros(10), 1e-9 * torch.randn(10, generator=random))
    assert same_numbers(torch.zeros(0), torch.zeros(0))
    assert same_numbers(torch.full((3,), torch.nan), torch.full((3,), torch.nan))
    assert not same_numbers(one, 1.1 * one)
    assert not same_numbers(torch.tensor(1.0), torch.tensor(torch.nan))
