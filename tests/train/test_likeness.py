"""Networks of all seeds run one network's code: a number that is another for each seed is refused, with the cure."""

from __future__ import annotations

import re

import pytest

from ganbench.core.errors import PluginError
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import functools
import random
import time
from types import SimpleNamespace
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, hookimpl

def one():
    return float(torch.rand(()))

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 2)
        INIT

    def forward(self, x):
        return FORWARD

def build(shape):
    BEFORE
    return Networks(G(), nn.Sequential(nn.Linear(2, 4), nn.LeakyReLU(SLOPE), nn.Dropout(0.1), nn.Linear(4, 1)), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""


def code(init="pass", forward="self.body(x)", before="pass", slope="0.2", more=""):
    text = HEAD.replace("INIT", init).replace("FORWARD", forward).replace("BEFORE", before).replace("SLOPE", slope)
    return text + more


SCALE = "class Scale:\n    def __init__(self, k):\n        self.k = k\n"
#: What is another for each seed, and what the message must say of it.
UNLIKE = {
    "a number": (code("self.scale = one()", "self.scale * self.body(x)"), "the generator.scale is 0."),
    "torch's own layer": (code(slope="one()"), r"discriminator.1.negative_slope is 0.*of LeakyReLU must"),
    "in a list": (code("self.scales = [1.0, one()]", "self.scales[1] * self.body(x)"), r"generator.scales\[1\] is 0"),
    "in a dict": (code("self.s = {'a': one()}", "self.s['a'] * self.body(x)"), r"generator.s\['a'\] is 0"),
    "behind a key that is a module": (
        code("self.s = {self.body: one()}", "self.s[self.body] * self.body(x)"),
        r"generator.s\[#0\] is 0",
    ),
    "behind a key that is a number of numpy": (
        code("self.s = {np.int64(3): one()}", "self.s[3] * self.body(x)", more="import numpy as np\n"),
        r"generator.s\[.*3.*\] is 0",
    ),
    "in a set of objects": (
        code("self.s = {Scale(one()), Scale(2.0)}", "sum(s.k for s in self.s) * self.body(x)", more=SCALE),
        r"generator.s\[\d\].k is",
    ),
    "in a namespace": (code("self.s = SimpleNamespace(a=one())", "self.s.a * self.body(x)"), "generator.s.a is 0"),
    "a tensor in a list": (
        code("self.s = [torch.rand(2)]", "self.s[0] * self.body(x)"),
        r"s\[0\] is a tensor \(2,\) with other numbers for seed 0 than for seed 1, ",
    ),
    "a closure": (code("k = one(); self.act = lambda x: k * x", "self.act(self.body(x))"), "generator.act: k is 0"),
    "a default": (code("self.act = lambda x, k=one(): k * x", "self.act(self.body(x))"), "generator.act: k is 0"),
    "a partial": (code("self.act = functools.partial(torch.mul, one())", "self.act(self.body(x))"), r"args\[0\] is 0"),
    "a hook": (
        code("k = one(); self.body.register_forward_hook(lambda m, x, y: k * y)"),
        r"generator.body._forward_hooks\[0\]: k is 0",
    ),
    "a global": (code("global K; K = one()", "K * self.body(x)", more="K = 0.0\n"), r"foreign.py: K is 0"),
    "a helper's global": (
        code("global K; K = one()", "shifted(self.body(x))", more="K = 0.0\ndef shifted(x):\n    return x + K\n"),
        r"foreign.py: K is 0",
    ),
    "a class attribute": (code("G.scale = one()", "self.scale * self.body(x)"), r"G.scale is 0"),
    "a method's": (
        code("self.k = one()", "self.act(self.body(x))", more="G.act = lambda self, x: self.k * x\n"),
        "the generator.k is 0",
    ),
    "through getattr": (code("self.k1 = one()", "getattr(self, f'k{1}') * self.body(x)"), "the generator.k1 is 0"),
    "layers that torch does not know": (
        code("self.more = [nn.Linear(2, 2)]", "self.more[0](self.body(x))"),
        r"generator.more\[0\].weight is a tensor \(2, 2\).*ModuleList",
    ),
    "another width": (
        code("self.more = nn.Linear(2, 3 if one() < 0.5 else 4)", "self.body(x) + self.more(x).mean()"),
        r"generator.more.weight is \(3, 2\) for seed 0 and \(4, 2\) for seed \d.*a parameter of the suite",
    ),
    "another depth": (
        code(
            "self.more = nn.Sequential(*[nn.Linear(2, 2) for _ in range(1 + (one() > 0.5))])", "self.more(self.body(x))"
        ),
        r"generator.more.1.weight is missing for seed 0 and \(2, 2\) for seed \d.*a parameter of the suite",
    ),
    "a word that chooses": (
        code("self.act = 'tanh' if one() < 0.5 else 'relu'", "getattr(torch, self.act)(self.body(x))"),
        r"of seed \d compute something else than those of seed 0 \(the generator.act is 'tanh' for seed 0",
    ),
    "a lambda that chooses": (
        code("self.act = [torch.tanh, torch.relu][int(one() * 2)]", "self.act(self.body(x))"),
        r"of seed \d compute something else than those of seed 0",
    ),
    "a generator": (
        code("self.gen = torch.Generator().manual_seed(int(one() * 1e6))", "self.body(x) + self.gen.initial_seed()"),
        "generator.gen is a random generator with other numbers for seed 0 .*draw with torch.rand",
    ),
    "what nothing shows": (
        code("self.more = iter([one()])", "self.body(x) * self.more.__reduce__()[1][0][0]"),
        r"of seed 5 compute something else than those of seed 0",
    ),
    "a loss's number of its data": (
        code(
            more="""
STD = 1.0
def players(build, shape, data):
    global STD
    STD = data(64).std().item()
    return build(shape)

def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean() * STD

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator, players=players)
"""
        ),
        r"^loss foreign: foreign.py: STD is 1",
    ),
}
#: What is another for each seed and decides nothing, or what all may share.
ALIKE = {
    "a buffer": code("self.register_buffer('scale', torch.rand(()))", "self.scale * self.body(x)"),
    "a parameter": code("self.scale = nn.Parameter(torch.rand(()))", "self.scale * self.body(x)"),
    "a recurrent layer": code("self.more = nn.GRU(2, 2)", "self.more(x)[0] + self.body(x)"),
    "one's own recurrent layer": code(
        "self.more = Own(2, 2)",
        "self.more(x)",
        more="class Own(nn.GRU):\n    def forward(self, x):\n"
        "        return super().forward(x)[0] + getattr(self, 'bias_ih_l0').sum()\n",
    ),
    "keys that are parameters": code(
        "self.s = {p: 1.0 for p in self.parameters()}", "sum(self.s.values()) * self.body(x)"
    ),
    "keys that are numbers of parameters": code(
        "self.s = {id(p): 1.0 for p in self.parameters()}", "sum(self.s.values()) * self.body(x)"
    ),
    "keys that are modules": code("self.s = {self.body: 2.0}", "self.s[self.body] * self.body(x)"),
    "a set of parameters": code("self.s = {*self.parameters()}", "len(self.s) * self.body(x)"),
    "a set of numbers of parameters": code("self.s = {id(p) for p in self.parameters()}", "len(self.s) * self.body(x)"),
    "a set of objects": code(
        "self.s = {Scale(k) for k in (1.0, 2.0, 3.0)}", "sum(s.k for s in self.s) * self.body(x)", more=SCALE
    ),
    "the time": code("self.built = time.time(); self.seed = torch.initial_seed()"),
    "an alias": code("self.more = [self.body]; self.params = [*self.parameters()]", "self.more[0](x)"),
    "a counter of builds": code("global N; N += 1; self.name = f'G{N}'", more="N = 0\n"),
    "a log of the module": code(
        "import logging; self.log = logging.getLogger('x'); self.me = [self]; self.cache = functools.cache(one)"
    ),
}


def train(foreign, cell, cpu, text, seeds=6):
    loss = "foreign" if "ganbench_losses" in text else "nonsaturating"
    registry = foreign(text)
    return Trainer([cell(f"{{loss: {loss}, architecture: foreign}}", seeds=seeds, registry=registry)], cpu, "eager")


@pytest.mark.parametrize("name", UNLIKE)
def test_what_differs_between_seeds_is_refused_with_the_cure(name, foreign, cell, cpu):
    text, said = UNLIKE[name]
    with pytest.raises(PluginError) as refused:
        train(foreign, cell, cpu, text)
    message = str(refused.value)
    assert re.search(said, message)
    assert "\n" not in message
    assert any(cure in message for cure in ("buffer", "the suite", "ModuleList", "torch.rand"))
    assert "foreign.py:" in message or " compute something else " in message


@pytest.mark.parametrize("name", ALIKE)
def test_what_decides_nothing_or_is_each_seeds_own_is_trained(name, foreign, cell, cpu):
    trainer = train(foreign, cell, cpu, ALIKE[name])
    assert trainer.advance(trainer.start, 0, 2).survived.tolist() == [2] * 6


def test_a_seed_alone_has_numbers_of_its_own(foreign, cell, cpu):
    trainer = train(foreign, cell, cpu, UNLIKE["a number"][0], seeds=1)
    assert trainer.advance(trainer.start, 0, 2).survived.tolist() == [2]


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_parameter_that_is_used_from_a_list_is_refused(seeds, foreign, cell, cpu):
    """It would stay as it was at the start: training gives a network its parameters where its modules have them."""
    text = code("self.ws = [self.body.weight]", "x @ self.ws[0] + self.body.bias")
    with pytest.raises(
        PluginError, match=r"generator\.body\.weight is used through a list, .*name it where it is used"
    ):
        train(foreign, cell, cpu, text, seeds)
