"""Bugs planted in a plugin, and the suite really trained with and without: each turns the comparison red."""

from __future__ import annotations

import pytest
import torch

from ganbench.compare.sides.load import load
from ganbench.compare.verdicts.finding import Comparison, Outcome
from ganbench.compare.verdicts.judge import compare
from ganbench.plugin.registry import Registry
from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.load import load as load_suite

SUITE = """
suite: planted
seeds: 16
budget: {steps: 300, batch: 64}
evaluate: {every: 60, samples: 1200}
datasets: {ring3: {name: ring, modes: 3, radius: 1.0, std: 0.3}}
references: []
defaults:
  architecture: {name: mlp, width: 32}
  optimizer: {name: adam, lr: 2e-3, betas: [0.5, 0.999], discriminator: {lr: 1e-2}}
variants: {mine: {loss: mine, update: mine}}
metrics: [jsd, modes, cost]
"""
PLUGIN = """
import time

import torch
from torch.nn.functional import softplus

from ganbench import Loss, Update, hookimpl


def discriminator(d_real, d_fake, real):
    return softplus(-d_real).mean() + softplus(d_fake).mean()


def generator(d_real, d_fake, real, step):
    return softplus(-d_fake).mean()


def update(game, players):
    players = game.move(players, discriminator=game.discriminator_gradient(players, game.draw()))
    return game.move(players, generator=game.generator_gradient(players, game.draw()))


def again(step):
    summed = torch.compile(lambda x: x.sum(), backend="eager", dynamic=False)
    return summed(torch.ones(int(step) + 1))


@hookimpl
def ganbench_losses():
    yield Loss("mine", discriminator, generator, probability=True)


@hookimpl
def ganbench_updates():
    yield Update("mine", update)
"""
GENERATOR = "return softplus(-d_fake).mean()"
TOTAL = "return softplus(-d_real).mean() + softplus(d_fake).mean()\n"
#: What is written in place of what, and which measures of the case become worse for it.
BUGS = {
    "sign of the generator's loss": ((GENERATOR, "return -softplus(-d_fake).mean()"), {"jsd", "all_modes"}),
    # The gradient that the discriminator's loss has in the generator's parameters is added to the generator's own.
    "missing detach": (
        (GENERATOR, "return softplus(-d_fake).mean() + discriminator(d_real, d_fake, real)"),
        {"jsd", "all_modes"},
    ),
    # The discriminator is not shown one of the modes.
    "lost modes": (
        (TOTAL, "return ((real[:, 1] < 0.4) * softplus(-d_real)).mean() + softplus(d_fake).mean()\n"),
        {"jsd", "all_modes"},
    ),
    "NaN after n steps": (
        (GENERATOR, "return torch.where(step >= 100, torch.nan, 1.0) * softplus(-d_fake).mean()"),
        {"diverged", "jsd", "all_modes"},
    ),
    # What it compiles fits one step only: that costs seconds and changes no number.
    "a recompile each step": ((GENERATOR, "return softplus(-d_fake).mean() + 0 * again(step)"), {"recompilations"}),
    "an operation more": ((GENERATOR, "return softplus(-d_fake.clone()).mean()"), {"operations_per_step"}),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The side that a run of the suite with this plugin makes; the same again is not run again."""
    known: dict[tuple[str, int], object] = {}

    def train(plugin: str, steps: int = 150):
        if (plugin, steps) not in known:
            home = tmp_path_factory.mktemp("planted")
            (home / "plugins").mkdir()
            (home / "plugins" / "mine.py").write_text(plugin)
            shorter = SUITE.replace("steps: 300", f"steps: {steps}").replace("every: 60", "every: 30")
            (home / "suite.yaml").write_text(shorter)
            registry = Registry.load([home / "plugins"])
            result = run(
                load_suite(home / "suite.yaml", registry),
                out=home / "results",
                device=torch.device("cpu"),
                engine="eager",
                command=["ganbench", "run", "suite.yaml"],
                observer=RunObserver(),
            )
            known[plugin, steps] = load(str(result.folder.path))
        return known[plugin, steps]

    return train


def worse(found: Comparison) -> set[str]:
    return {finding.measure for finding in found.findings if finding.outcome is Outcome.WORSE}


def test_an_unchanged_tree_is_green(trained):
    """A comment more is another plugin file, and the same training."""
    found = compare(trained(PLUGIN, 30), trained(PLUGIN + "# the same\n", 30))
    assert {finding.outcome for finding in found.findings} == {Outcome.SAME}
    assert all(finding.identical for finding in found.findings)
    assert found.exit_code(strict=True) == 0


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_red(bug, trained):
    (right, wrong), measures = BUGS[bug]
    assert PLUGIN.count(right) == 1
    # What is counted, not estimated, needs no trained networks to differ.
    steps = 30 if measures <= {"recompilations", "operations_per_step"} else 150
    found = compare(trained(PLUGIN, steps), trained(PLUGIN.replace(right, wrong), steps))
    assert worse(found) >= measures
    assert found.exit_code() == 1
