"""A cell gives the same numbers, to rounding, in all engines, after whatever else was trained; so does a seed alone."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from ganbench.train.trainer import Trainer

#: A number that the loss takes from each seed's data: held as a buffer, or, where a seed is alone, as a Python number.
CODE = """'''A test's plugin.'''
import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl

class Times(nn.Module):
    def __init__(self, factor, buffer):
        super().__init__()
        if buffer:
            self.register_buffer("factor", factor)
        else:
            self.factor = factor.item()

    def forward(self, x):
        return self.factor * x

def scaled(buffer):
    def players(build, shape, data):
        networks = build(shape)
        networks.generator.append(Times(data(64).std(), buffer))
        return networks

    return players

def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("by-buffer", discriminator, generator, players=scaled(True))
    yield Loss("by-number", discriminator, generator, players=scaled(False))
"""
STEPS = 8
VARIANTS = {
    "buffer": "{loss: by-buffer, architecture: {name: mlp, width: 8, depth: 0}}",
    "dropout": "{loss: nonsaturating, average: 0.9, architecture: {name: mlp, width: 8, depth: 1, dropout: 0.3}}",
    "penalty": "{loss: wgan-gp, optimizer: {name: sgd, clip: 1.0}, architecture: {name: mlp, width: 8, depth: 1}}",
}
ALONE = {"number": VARIANTS["buffer"].replace("by-buffer", "by-number")}


@pytest.fixture
def trained_all(foreign, cell, cpu):
    """The parameters of each cell, {variant, radius: (seeds, numbers)}, trained in the order that is given."""
    registry = foreign(CODE)

    def train(variants, engine, seeds, order):
        cells = {}
        for (name, variant), radius in itertools.product(variants.items(), (1.0, 3.0)):
            one = cell(variant, seeds=seeds, registry=registry, batch=16)
            data = replace(one.data, parameters={**one.data.parameters, "radius": radius})
            cells[name, radius] = replace(one, data=data)
        found = {}
        for name in order(list(cells)):
            trainer = Trainer([cells[name]], cpu, engine)
            trainer.prepare()
            assert trainer.engine == engine, trainer.note
            players = trainer.advance(trainer.start, 0, STEPS).players
            found[name] = torch.cat([player.theta for player in players], 1)
        return found

    return train


def reverse(names):
    return names[::-1]


def same(one, other, among=slice(None)):
    assert other
    for name, numbers in other.items():
        torch.testing.assert_close(
            one[name][among], numbers, atol=1e-5, rtol=1e-5, msg=lambda why, of=name: f"{of}: {why}"
        )


@pytest.mark.parametrize("engine", ["eager", "serial", pytest.param("compiled", marks=pytest.mark.slow)])
def test_a_cells_numbers_are_its_own(engine, trained_all):
    eager = trained_all(VARIANTS, "eager", [0, 1, 2], list)
    same(eager, trained_all(VARIANTS, engine, [0, 1, 2], reverse))
    # Alone it is another shape: each is compiled, which takes seconds, so of those the one that draws most.
    alone = {"dropout": VARIANTS["dropout"]} if engine == "compiled" else VARIANTS
    same(eager, trained_all(alone, engine, [1], list), among=[1])


@pytest.mark.parametrize("engine", ["serial", pytest.param("compiled", marks=pytest.mark.slow)])
def test_a_python_number_is_that_of_its_seed_and_its_data(engine, trained_all):
    """Two seeds with two numbers are refused together; alone each has its own, whatever was compiled before."""
    for seed in (0, 1):
        same(trained_all(ALONE, "eager", [seed], list), trained_all(ALONE, engine, [seed], reverse))


def test_a_python_number_trains_as_the_same_number_in_a_buffer(trained_all):
    for seed in (0, 1):
        as_buffer = trained_all({"number": VARIANTS["buffer"]}, "eager", [seed], list)
        same(as_buffer, trained_all(ALONE, "eager", [seed], list))
