"""What no loss can mend is said before training: parameters that no gradient reaches, a D without logits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench import Networks
from ganbench.train.reached import unreached
from ganbench.train.trainer import Trainer

CODE = """'''A test's plugin.'''
import torch
from torch import nn
from ganbench import Architecture, Networks, hookimpl

class Part(nn.Module):
    def __init__(self, ends):
        super().__init__()
        self.first, self.last, self.gate = nn.Linear(2, 8), nn.Linear(8, ends), nn.Parameter(torch.zeros(1))

    def forward(self, x):
        {first}
        return self.last(torch.relu(h)) + self.gate * x.sum(1, keepdim=True)

class Plain(Part):
    def forward(self, x):
        return self.last(torch.relu(self.first(x))) + self.gate * x.sum(1, keepdim=True)

def build(shape):
    return Networks({G}(2), {D}(1), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""
STOPS = {
    "no_grad": "with torch.no_grad(): h = self.first(x)",
    "detach": "h = self.first(x).detach()",
    "data": "h = nn.functional.linear(x, self.first.weight.detach(), self.first.bias.detach())",
    "not used": "h = torch.ones(len(x), 8) + 0 * x.sum()",
}
VARIANT = "{loss: nonsaturating, architecture: foreign}"


@pytest.mark.parametrize("player", ["G", "D"])
@pytest.mark.parametrize("what", STOPS)
@pytest.mark.parametrize("engine", ["serial", "eager"])
def test_a_layer_that_no_gradient_reaches_is_said_with_what_stops_it(player, what, engine, foreign, cell, cpu):
    code = CODE.format(first=STOPS[what], **({"G": "Plain", "D": "Plain"} | {player: "Part"}))
    whose = "generator" if player == "G" else "discriminator"
    note = Trainer([cell(VARIANT, seeds=2, registry=foreign(code))], cpu, engine).note
    assert note.startswith(f"no gradient reaches the {whose}'s 'first.weight' and 1 more, so it is never trained: ")
    line = code.splitlines().index(f"        {STOPS[what]}") + 1
    assert (f"(foreign.py:{line})" in note) == (what != "not used")
    assert "nonsaturating.py" not in note


def test_a_gate_that_starts_at_0_and_a_small_network_are_not(foreign, cell, cpu):
    code = CODE.format(first="h = self.first(x)", G="Part", D="Part")
    assert not Trainer([cell(VARIANT, seeds=2, registry=foreign(code))], cpu, "eager").note


@pytest.mark.parametrize(("end", "said"), [("torch.sigmoid(h)", True), ("h.tanh() * 0.5 + 0.5", True), ("h", False)])
def test_a_probability_that_forward_makes_is_said(end, said, foreign, cell, cpu):
    code = CODE.format(first="h = self.first(x)", G="Plain", D="Ends") + "\n"
    code = code.replace(
        "def build",
        "class Ends(Plain):\n    def forward(self, x):\n        h = self.last(self.first(x)) + self.gate\n"
        f"        return {end}\n\ndef build",
    )
    note = Trainer([cell(VARIANT, seeds=2, registry=foreign(code))], cpu, "eager").note
    assert note == ("the discriminator gives probabilities, and losses take logits: leave the last sigmoid out" * said)


def test_layers_that_are_at_rest_where_they_start_are_not():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        resting = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
        nn.init.constant_(resting[0].bias, -3.0)
        assert not unreached(Networks(nn.Linear(2, 2), resting, (2,)))
