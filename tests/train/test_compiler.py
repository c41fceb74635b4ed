"""What is compiled gives what was written, once a process and, for the next process, not at all."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import ganbench
from ganbench.core.errors import PluginError
from ganbench.train import trainer as cells
from ganbench.train.engine import compiler
from ganbench.train.engine.compiler import check_cache
from ganbench.train.engine.graph import record
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, Optimizer, hookimpl, input_gradient

"""
#: Tensors made when the module is imported, used with and without a gradient; what is written in place, twice on the
#: same input because of the penalty; an optimiser whose state comes out transposed.
UNUSUAL = """
WEIGHTS = torch.tensor([0.5, 1.5])
FAR = torch.full((1, 2), 3.0)

def discriminator(d_real, d_fake, D, real):
    penalty = (input_gradient(D, real) * WEIGHTS).square().sum(1).mean()
    return softplus(-d_real).mean() + softplus(d_fake).mean() + 0.1 * penalty + 0.1 * softplus(D(FAR)).mean()

def generator(d_fake, fake):
    return softplus(-d_fake).mean() + 0.01 * ((fake - FAR) * WEIGHTS).square().mean()

@hookimpl
def ganbench_losses():
    yield Loss("unusual", discriminator, generator)

def build(shape):
    layers = [nn.Dropout(0.3, inplace=True), nn.Linear(6, 6), nn.LeakyReLU(0.2, inplace=True), nn.Linear(6, 1)]
    G = nn.Sequential(nn.Linear(2, 6), nn.LeakyReLU(0.2, inplace=True), nn.Linear(6, 2))
    return Networks(G, nn.Sequential(nn.Linear(2, 6), *layers), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("unusual", build)

def start(theta):
    return (torch.zeros(*theta.shape, 2),)

def update(theta, gradient, state, t, *, lr: float = 0.01):
    moments = torch.stack([0.9 * state[0][:, 0] + gradient, gradient]).T
    return theta - lr * moments[:, 0], (moments,)

@hookimpl
def ganbench_optimizers():
    yield Optimizer("unusual", start, update)
"""
TINY = "{loss: minimax, architecture: {name: mlp, width: 4, depth: 0}, optimizer: sgd}"


@pytest.mark.slow
def test_unusual_code_compiles_to_what_it_says(foreign, trained, apart):
    variant = "{loss: unusual, architecture: unusual, optimizer: unusual}"
    registry = foreign(HEAD + UNUSUAL)
    eager, compiled, serial = (
        trained(variant, engine, registry=registry) for engine in ("eager", "compiled", "serial")
    )
    assert apart(eager, compiled) < 1e-5
    assert apart(eager, serial) < 1e-5


@pytest.mark.slow
def test_a_shape_is_compiled_once_a_process(cell, shipped, cpu, monkeypatch):
    """For all seeds and chunks of one shape; and not even recorded again."""
    made, compile_ = [], compiler._compile

    def counted(*rest):
        made.append(rest)
        return compile_(*rest)

    monkeypatch.setattr(compiler, "_compile", counted)
    monkeypatch.setattr(compiler, "_COMPILED", {})
    for seeds in ([0, 1], [5, 9], [0, 1]):
        trainer = Trainer([cell(TINY, seeds=seeds)], cpu, "compiled")
        trainer.prepare()
        trainer.advance(trainer.advance(trainer.start, 0, 10), 10, 20)
    assert len(made) == 1


def test_different_steps_of_one_shape_are_not_taken_for_each_other(cell, shipped, cpu, monkeypatch):
    """Whatever decides what a step does is part of what it is known by."""
    keys = set()
    monkeypatch.setattr(cells, "Engine", lambda *rest, shared, **more: keys.add(shared))
    variants = [
        TINY,
        TINY.replace("minimax", "nonsaturating"),
        TINY.replace("sgd", "{name: sgd, lr: 0.1}"),
        TINY.replace("depth: 0", "depth: 0, latent: 3"),
        TINY[:-1] + ", update: simultaneous}",
    ]
    for variant in variants:
        Trainer([cell(variant)], cpu, "compiled")
    assert len(keys) == len(variants)
    Trainer([cell(TINY, seeds=7)], cpu, "compiled")
    assert len(keys) == len(variants)


def test_a_changed_plugin_of_the_same_name_is_another_step(foreign, cell, cpu, monkeypatch):
    keys = set()
    monkeypatch.setattr(cells, "Engine", lambda *rest, shared, **more: keys.add(shared))
    for code in (UNUSUAL, UNUSUAL.replace("0.1 * penalty", "0.2 * penalty")):
        registry = foreign(HEAD + code)
        Trainer([cell("{loss: unusual}", registry=registry)], cpu, "compiled")
    assert len(keys) == 2


#: A number that is taken from the data; one in a helper's module, which another file may change; one that is drawn.
CONSTANTS = """
import sys, types
helper = sys.modules.setdefault("ganbench_test_helper", types.ModuleType("ganbench_test_helper"))
helper.SCALE = 1.0

def players(build, shape, data):
    networks = build(shape)
    networks.generator.append(Times(float(data(64).std())))
    return networks

class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return x * self.factor

def discriminator(d_real, d_fake):
    return helper.SCALE * softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("constants", discriminator, generator, players=players)
"""


def test_what_a_step_took_from_the_data_or_a_module_is_part_of_it(foreign, cell, cpu, monkeypatch):
    """Tracing makes constants of it: two data sets of one shape, two seeds, a helper's module that was edited."""
    keys = []
    monkeypatch.setattr(cells, "Engine", lambda *rest, shared, **more: keys.append(shared))
    registry = foreign(HEAD + CONSTANTS)
    small = cell("{loss: constants}", seeds=[1], registry=registry)
    wider = replace(small.data, parameters={**small.data.parameters, "radius": 3.0})
    for one in (small, small, replace(small, data=wider), replace(small, seeds=(2,))):
        Trainer([one], cpu, "compiled")
    monkeypatch.setattr(sys.modules["ganbench_test_helper"], "SCALE", 2.0)
    Trainer([small], cpu, "compiled")
    first, again, *others = keys
    assert first == again
    assert len({first, *others}) == 4


def test_an_optimizer_starts_each_seed_from_its_own_parameters(foreign, cell, cpu):
    """What it draws is the seed's, and a norm is that of one model."""
    code = UNUSUAL.replace(
        "return (torch.zeros(*theta.shape, 2),)", "return (theta.norm() + torch.rand(len(theta), 2),)"
    )
    registry = foreign(HEAD + code)
    together, alone = (
        Trainer([cell("{loss: minimax, optimizer: unusual}", seeds=seeds, registry=registry)], cpu, "eager").start
        for seeds in ([0, 1, 2], [1])
    )
    assert torch.equal(together.players.D.state[0][1], alone.players.D.state[0][0])
    assert not torch.equal(together.players.D.state[0][1], together.players.D.state[0][0])


@pytest.fixture
def uncompilable(monkeypatch):
    def fail(*rest):
        raise RuntimeError("no compiler today\nand more words")

    monkeypatch.setattr(compiler, "_compile", fail)
    monkeypatch.setattr(compiler, "_COMPILED", {})


def test_what_cannot_be_compiled_is_trained_eagerly_and_says_so(cell, shipped, cpu, uncompilable, trained, apart):
    trainer = Trainer([cell(TINY, steps=10**7)], cpu, "auto")
    assert trainer.engine == "compiled"
    trainer.prepare()
    assert trainer.engine == "eager"
    assert trainer.note == "could not be compiled: RuntimeError: no compiler today"
    assert apart(trainer.advance(trainer.start, 0, 20), trained(TINY, seeds=4, steps=20)) == 0


def test_what_must_be_compiled_and_cannot_is_one_line(cell, shipped, cpu, uncompilable):
    trainer = Trainer([cell(TINY)], cpu, "compiled")
    with pytest.raises(
        PluginError,
        match=r"^the step cannot be compiled: RuntimeError: no compiler today; --engine eager does without$",
    ):
        trainer.prepare()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("C++ compile error\nfatal error: error writing to /tmp/x.s: No space left on device", "no space is left"),
        ("/tmp/x.so: failed to map segment from shared object", "no program may be executed"),
    ],
)
def test_a_disk_that_is_full_or_executes_nothing_is_named_with_the_cure(
    cell, shipped, cpu, uncompilable, monkeypatch, said, what
):
    """As a tiny or noexec /tmp of a container; tried for real once, both were "C++ compile error" and its like."""

    def fail(*rest):
        raise RuntimeError(said)

    monkeypatch.setattr(compiler, "_compile", fail)
    trainer = Trainer([cell(TINY)], cpu, "compiled")
    with pytest.raises(
        PluginError, match=f"{what} in .+: set TORCHINDUCTOR_CACHE_DIR and TMPDIR to folders of another"
    ):
        trainer.prepare()


def test_a_damaged_cache_is_done_without(monkeypatch):
    """What the compiler finds on disk may be cut short, and would be found again each time: then in an empty folder."""
    folders = []

    def compile_(*rest):
        folders.append(os.environ.get("TORCHINDUCTOR_CACHE_DIR"))
        if len(folders) == 1:
            raise ImportError("a.so: cannot read file data")
        return lambda *tensors: tensors

    monkeypatch.setattr(compiler, "_compile", compile_)
    monkeypatch.setattr(compiler, "_COMPILED", {})
    given = ([torch.ones(2)], [], (), torch.tensor(0))
    for _ in range(2):
        step, note = compiler.compiled(lambda *rest: rest, *given, shared="a test's", threads=1)
        assert re.fullmatch("compiled without the compiler's cache, which is damaged: delete .+", note)
    assert len(folders) == 2
    assert folders[0] != folders[1]
    assert torch.equal(step(*given)[0], torch.ones(2))


#: What eager code may do, since the index of a step belongs to no seed.
ALTERNATES = """
def discriminator(d_real, d_fake, step):
    return (1.0 if step % 2 == 0 else 0.5) * (softplus(-d_real).mean() + softplus(d_fake).mean())

def generator(d_fake):
    return softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("alternates", discriminator, generator)
"""


def test_an_if_on_the_step_is_not_frozen_but_said(foreign, cell, cpu):
    registry = foreign(HEAD + ALTERNATES)
    forced = Trainer([cell("{loss: alternates}", registry=registry)], cpu, "compiled")
    with pytest.raises(
        PluginError, match=r"cannot be compiled: .*reads a number out of a tensor.*torch\.where"
    ) as said:
        forced.prepare()
    assert "aten" not in str(said.value)
    free = Trainer([cell("{loss: alternates}", registry=registry, steps=10**7)], cpu, "auto")
    free.prepare()
    assert free.engine == "eager"
    assert "could not be compiled: " in free.note


#: Trains a few compiled steps and prints what inductor's cache did.
ONCE = """
import json
import torch
torch.set_num_threads(1)
from ganbench.suite.plan import plan
from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.train.trainer import Trainer

registry = Registry.load()
text = '''
suite: once
seeds: {seeds}
budget: {{steps: {start}, batch: 16}}
datasets: {{ring8: ring}}
variants: {{it: {variant}}}
references: []
'''
cell = next(cell for cell in plan(parse(text, registry)) if cell.trained)
trainer = Trainer([cell], torch.device("cpu"), "compiled")
trainer.advance(trainer.start, {start}, {start} + 5)
from torch._dynamo.utils import counters
told = dict(counters["inductor"])
print(json.dumps([told.get("fxgraph_cache_hit", 0), told.get("fxgraph_cache_miss", 0)]))
"""


@pytest.mark.slow
def test_the_next_process_finds_what_the_first_compiled(tmp_path):
    """Though it begins at another step, as a resumed run does, with other seeds of as many."""
    environment = os.environ | {
        "PYTHONPATH": str(Path(ganbench.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path),
    }
    told = []
    for seeds, start in (([0, 1], 1), ([3, 4], 100)):
        code = ONCE.format(seeds=seeds, start=start, variant=TINY)
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        told.append(json.loads(done.stdout.splitlines()[-1]))
    assert told == [[0, 1], [1, 0]]


def test_a_recorded_step_has_nothing_twice_and_nothing_unused():
    """The same product of the same matrices, and one whose result goes nowhere."""

    def function(a, b):
        unused = (a @ b).exp()
        del unused
        return [(a @ b).sin() + (a @ b).cos()]

    example = [torch.randn(2, 8, 8), torch.randn(2, 8, 8)]
    module = record(function, example, cpu=False)
    called = [str(node.target) for node in module.graph.nodes if node.op == "call_function"]
    assert called.count("aten.bmm.default") == 1
    assert not any("exp" in name and "expand" not in name for name in called)
    torch.testing.assert_close(module(*example)[0], function(*example)[0])


def test_what_is_written_in_place_is_not_taken_for_what_it_was():
    """Twice the same product, one of them changed in place in between."""

    def function(a, b):
        first = a @ b
        first.mul_(2)
        second = a @ b
        second.add_(1)
        return [first + second]

    example = [torch.randn(2, 8, 8), torch.randn(2, 8, 8)]
    torch.testing.assert_close(record(function, example, cpu=True)(*example)[0], function(*example)[0])


@pytest.mark.parametrize("shape", [(5, 2, 7), (5, 7, 2), (2, 5, 7), (1, 1, 1), (9, 9, 9), (5, 1, 7), (4, 4, 4)])
@pytest.mark.parametrize("transposed", [(), (0,), (1,), (0, 1)])
def test_products_of_thin_matrices_are_products(shape, transposed):
    """Few rows, columns or terms, as they lie in memory or transposed: to float32's rounding."""
    n, k, m = shape
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(3, n, k, generator=generator), torch.randn(3, k, m, generator=generator)
    if 0 in transposed:
        a = a.mT.contiguous().mT
    if 1 in transposed:
        b = b.mT.contiguous().mT

    def function(a, b):
        return [torch.bmm(a, b)]

    module = record(function, [a, b], cpu=True)
    called = [str(node.target) for node in module.graph.nodes if node.op == "call_function"]
    assert ("aten.bmm.default" in called) == (min(shape) > 4 or max(shape) <= 4)
    torch.testing.assert_close(module(a, b)[0], function(a, b)[0], atol=1e-5, rtol=1e-5)


def test_a_chain_of_small_products_is_not_written_out():
    """Powers of a matrix, as a spectral norm takes them: inductor would write each out within the next, and hang."""

    def power(x):
        for _ in range(8):
            x = torch.bmm(x, x)
        return (x,)

    small = torch.rand(2, 3, 3)
    module = record(power, [small], cpu=True)
    torch.testing.assert_close(module(small)[0], power(small)[0])
    operations = [node for node in module.graph.nodes if node.op == "call_function"]
    assert [node.target for node in operations] == [torch.ops.aten.bmm.default] * 8


def test_a_folder_of_compiled_code_that_cannot_be_is_named_before_torch_fails(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(ValueError, match=r"^TORCHINDUCTOR_CACHE_DIR=.*: .*file: is a file, not a folder; torch keeps"):
        check_cache()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "new" / "folder"))
    check_cache()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match=r"cannot be written; .*set it to a folder of yours"):
        check_cache()
