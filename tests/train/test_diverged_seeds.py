"""A seed that diverges early says which number was the first that is not finite: whose, when, and of which part."""

from __future__ import annotations

import pandas as pd
import pytest

CODE = """'''A test's plugins.'''
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, Penalty, hookimpl, input_gradient

def norm(D, real, *, weight: float = 1.0):
    return weight * (input_gradient(D, real).square().sum(1).sqrt() - 1).square().mean()

def late(d_fake, step):
    return d_fake.mean() * torch.where(step == 5, torch.inf, 0.0)

def discriminator(d_real, d_fake):
    return d_fake.mean() - d_real.mean()

def logarithm(d_fake):
    return -torch.log(0 * d_fake).mean()

class Flat(nn.Linear):
    def forward(self, x):
        return 0 * super().forward(x)

def build(shape):
    return Networks(nn.Linear(2, 2), Flat(2, 1), (2,))

@hookimpl
def ganbench_penalties():
    yield Penalty("norm", norm)
    yield Penalty("late", generator=late)

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, logarithm)

@hookimpl
def ganbench_architectures():
    yield Architecture("flat", build)
"""
SUITE = """
suite: t
seeds: 2
budget: {{steps: 10, batch: 16}}
evaluate: {{every: 5, samples: 500}}
datasets: {{r: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 8}}}}
references: []
variants: {{it: {}}}
metrics: [modes]
"""
PLUGIN = CODE


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        (
            "{loss: wgan-gp, architecture: flat, penalty: norm}",
            "not finite at step 1: the discriminator's gradient, of penalty norm, whose value is finite: a root",
        ),
        ("{loss: minimax, penalty: late}", "not finite at step 6: the generator's loss, of penalty late"),
        ("{loss: foreign}", "not finite at step 1: the generator's loss"),
        (
            "{loss: least-squares, optimizer: {name: sgd, lr: 1e12}}",
            "not finite at step 1: the generator's loss: the discriminator's parameters have grown to",
        ),
    ],
    ids=["a norm where D is flat", "a loss that is infinite later", "a logarithm of 0", "a rate that is too high"],
)
def test_what_was_not_finite_first(variant, message, run_text):
    done = run_text(SUITE.format(variant), engine="eager")
    seeds = pd.read_csv(done.folder.path / "seeds.csv")
    seeds = seeds[seeds["variant"] == "it"]
    assert (seeds["status"] == "diverged").all()
    assert all(said.startswith(message) for said in seeds["message"])
