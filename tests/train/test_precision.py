"""Less exact arithmetic: only where a suite asks for it, close to what is exact, and said in each row."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from ganbench.plugin.registry import Registry
from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.load import parse
from ganbench.train.device import set_tf32
from ganbench.train.trainer import Trainer
from ganbench.train.why import why_serial

SGD = "optimizer: {name: sgd, lr: 0.01}"
VARIANT = f"{{loss: nonsaturating-r1, {SGD}}}"
SUITE = """
suite: precise
seeds: 2
budget: {{steps: 40, batch: 16}}
precision: {precision}
evaluate: {{samples: 200}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 8}}}}
variants: {{it: {{loss: minimax}}}}
metrics: [jsd]
references: []
"""


@pytest.fixture
def trainer(settings, shipped, cpu):
    def build(precision, engine="eager", variant=VARIANT):
        (one,) = settings(variant, "{}", seeds=3, precision=precision)
        return Trainer([one], cpu, engine)

    return build


@pytest.mark.parametrize("engine", ["eager", "serial", pytest.param("compiled", marks=pytest.mark.slow)])
def test_bfloat16_is_close_to_float32_for_the_first_steps_and_is_not_it(engine, trainer, apart):
    """8 bits of a product's factors are kept: 100 steps of SGD, each of a few hundredths, end within a hundredth."""
    low, exact = trainer("bfloat16", engine), trainer("float32")
    a, b = (one.advance(one.start, 0, 100) for one in (low, exact))
    moved = apart(b, exact.start)
    assert 1e-6 < apart(a, b) < 0.1 * moved
    assert a.survived.tolist() == [100] * 3


def test_engines_agree_in_bfloat16_as_far_as_it_goes(trainer, apart):
    eager, serial = (trainer("bfloat16", engine) for engine in ("eager", "serial"))
    a, b = (one.advance(one.start, 0, 100) for one in (eager, serial))
    assert apart(a, b) < 0.05 * apart(a, eager.start)


def test_parameters_optimisers_and_samples_stay_float32(trainer):
    one = trainer("bfloat16", variant="{loss: nonsaturating}")
    state = one.advance(one.start, 0, 5)
    for player in state.players:
        assert {tensor.dtype for tensor in (player.theta, *player.state, player.t)} == {torch.float32}
    outcome = one.metric_inputs(state, 5, 0, frozenset({"samples", "real", "d_real", "d_fake"}), final=True)
    assert {outcome[name].dtype for name in ("samples", "d_real", "d_fake")} == {torch.float32}


def test_with_bfloat16_small_steps_still_add_up(trainer):
    """Each is of about 1e-5 of a parameter: none would move one that itself had 8 bits."""
    one = trainer("bfloat16", variant="{loss: nonsaturating, optimizer: {name: sgd, lr: 1.0e-5}}")
    state = one.advance(one.start, 0, 50)
    assert not torch.equal(state.players.D.theta, one.start.players.D.theta)
    as_bfloat16 = (each.players.D.theta.bfloat16() for each in (state, one.start))
    same = torch.eq(*as_bfloat16).float().mean()
    assert same > 0.9


def test_normalisation_and_dropout_train_in_bfloat16(trainer):
    architecture = "architecture: {name: mlp, width: 8, norm: layer, dropout: 0.2}"
    one = trainer("bfloat16", variant=f"{{loss: wgan-gp, {SGD}, {architecture}}}")
    assert one.advance(one.start, 0, 20).survived.tolist() == [20] * 3


@pytest.mark.parametrize(("reduced", "accused"), [(True, "precision: bfloat16"), (False, ".double() and .half()")])
def test_what_torch_cannot_batch_in_bfloat16_is_no_mistake_of_a_network(reduced, accused):
    """As the gradient of a batch norm on a CPU, at torch 2.14."""
    rules = SimpleNamespace(generator=SimpleNamespace(bfloat16=reduced))
    assert accused in why_serial(RuntimeError("expected scalar type BFloat16 but found Float"), rules)


def test_a_cpu_has_no_tf32_and_says_so(trainer, apart):
    low, exact = trainer("tf32"), trainer("float32")
    assert low.note == "a CPU has no tf32: trained in float32"
    assert exact.note == ""
    assert apart(*(one.advance(one.start, 0, 20) for one in (low, exact))) == 0


@pytest.mark.parametrize(
    ("precision", "arithmetic", "message"),
    [
        ("float32", "float32", ""),
        ("bfloat16", "bfloat16", ""),
        ("tf32", "float32", "a CPU has no tf32: trained in float32"),
    ],
)
def test_each_row_says_what_it_was_computed_in(precision, arithmetic, message, tmp_path):
    registry = Registry.load()
    folder = run(
        parse(SUITE.format(precision=precision), registry),
        out=tmp_path,
        device=torch.device("cpu"),
        engine="auto",
        command=["ganbench"],
        observer=RunObserver(),
    ).folder
    seeds, table = (pd.read_csv(path, keep_default_na=False) for path in (folder.seeds, folder.table))
    assert set(seeds[seeds["variant"] == "it"]["arithmetic"]) == {arithmetic}
    assert set(table[table["variant"] == "it"]["arithmetic"]) == {arithmetic}
    assert set(seeds[seeds["variant"] == "it"]["message"]) == {message}


def test_a_gpus_shortcuts_are_taken_only_where_asked_for():
    """And given up again for the next cell."""
    cuda = torch.device("cuda")
    try:
        for precision, taken in (("tf32", True), ("float32", False), ("tf32", True), ("bfloat16", False)):
            set_tf32(precision, cuda)
            assert torch.backends.cuda.matmul.allow_tf32 == torch.backends.cudnn.allow_tf32 == taken
        set_tf32("tf32", torch.device("cpu"))
        assert not torch.backends.cuda.matmul.allow_tf32
    finally:
        set_tf32("float32", cuda)
