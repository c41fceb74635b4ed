"""A swept suite as a run: one batch a family, a row a setting, and whatever stops or fails, each row as if alone."""

from __future__ import annotations

import contextlib
import math

import pandas as pd
import pytest
import torch

from ganbench.plugin.registry import Registry
from ganbench.record import journal
from ganbench.record.events import CellEnded, CellStarted, Evaluated
from ganbench.record.journal import Journal
from ganbench.suite.load import parse
from ganbench.suite.plan import batches, plan

PLUGIN = '''"""Losses and metrics that only some settings agree with."""
import torch
from torch.nn.functional import softplus
from ganbench import Column, Loss, Metric, hookimpl

def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def outwards(fake, *, weight: float = 0.0):
    return -weight * fake.mean()

def choosy(d_fake, *, weight: float = 0.0):
    if weight > 1:
        raise ValueError("too heavy")
    return weight * softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("outwards", discriminator, outwards)
    yield Loss("choosy", discriminator, choosy)

def near(samples):
    if samples.abs().max() > 1000:
        raise RuntimeError("too far away")
    return {"near": 1.0}

@hookimpl
def ganbench_metrics():
    yield Metric("near", near, (Column("near", "a number", better="higher"),))
'''
SUITE = """
suite: swept
seeds: 2
budget: {{steps: {steps}, batch: 16}}
evaluate: {{every: {every}, samples: 300}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 8}}}}
variants: {variants}
metrics: [{metrics}]
references: []
"""
NS = "ns: {loss: nonsaturating, sweep: {optimizer.lr: [1.0e-3, 1.0e-2]}}"
GP = "gp: {loss: wgan-gp, sweep: {loss.penalty: [0.1, 10.0]}}"
ONE, TWO = f"{{{NS}}}", f"{{{NS}, {GP}}}"
ROWS = ["oracle", "ns lr=0.001", "ns lr=0.01", "gp penalty=0.1", "gp penalty=10"]
TABLES = ("curves", "seeds", "tries", "table", "differences")


@pytest.fixture(scope="module")
def go(run_text):
    """Run variants into a folder: the run's folder."""

    def build(variants=TWO, metrics="jsd, modes", steps=15, **more):
        text = SUITE.format(variants=variants, metrics=metrics, steps=steps, every=steps // 3)
        return run_text(text, **more).folder

    return build


@pytest.fixture(scope="module")
def interrupted(room_for):
    """A run whose journal takes so many events, and that is interrupted at the next: ``with interrupted(5):``."""
    return lambda events: room_for(events, Journal, "append", KeyboardInterrupt)


@pytest.fixture(scope="module")
def whole(go):
    return go()


@pytest.fixture(scope="module")
def one_family(go):
    return go(ONE)


def events(folder):
    return [(type(event), getattr(event, "cell", None)) for event in journal.read(folder.journal)]


def started(folder):
    return {event.cell: event for event in journal.read(folder.journal) if isinstance(event, CellStarted)}


def of(frame, variant):
    return frame[frame["variant"] == variant].reset_index(drop=True)


def numbers(frame):
    return frame.drop(columns=["variant", "family"])


def test_the_settings_of_a_family_train_as_one_batch(whole, plugins):
    registry = Registry.load(extra=plugins)
    cells = plan(parse(whole.suite.read_text(), registry))
    assert [cell.variant for cell in cells] == ROWS
    assert [[cell.variant for cell in batch] for batch in batches(cells)] == [ROWS[:1], ROWS[1:3], ROWS[3:]]
    assert [started(whole)[cell.id].replicas for cell in cells[1:]] == [4] * 4


def test_each_setting_is_a_row_of_its_own_with_all_its_seeds(whole):
    table, seeds, curves = (pd.read_csv(path) for path in (whole.table, whole.seeds, whole.curves))
    assert list(table["variant"]) == ROWS
    assert list(table["family"]) == ["oracle", "ns", "ns", "gp", "gp"]
    assert list(zip(seeds["variant"], seeds["seed"], strict=True)) == [(row, seed) for row in ROWS for seed in (0, 1)]
    assert set(seeds["status"]) == {"done"}
    assert all(list(of(curves, row)["step"]) == [5, 10, 15] * 2 for row in ROWS[1:])


def test_a_swept_row_is_the_row_of_a_suite_without_a_sweep(whole, go):
    """The same numbers, up to what rounding makes of 300 samples: settings in one batch do not touch each other."""
    alone = go("{a: {loss: nonsaturating, optimizer: {lr: 1.0e-2}}, b: {loss: {name: wgan-gp, penalty: 0.1}}}")
    theirs, ours = pd.read_csv(whole.curves), pd.read_csv(alone.curves)
    for row, name in (("ns lr=0.01", "a"), ("gp penalty=0.1", "b")):
        pd.testing.assert_series_equal(of(theirs, row)["jsd"], of(ours, name)["jsd"], atol=0.01, rtol=0)


def test_the_best_of_the_tries_is_told_for_each_family(whole):
    tries = pd.read_csv(whole.tries)
    assert list(tries["family"].unique()) == ["ns", "gp"]
    of_jsd = tries[tries["column"] == "jsd"]
    assert list(zip(of_jsd["family"], of_jsd["k"], strict=True)) == [("ns", 1), ("ns", 2), ("gp", 1), ("gp", 2)]
    assert (of_jsd["settings"] == 2).all()
    # More tries never make the best worse.
    best = of_jsd.pivot_table(index="family", columns="k", values="best")
    assert (best[2] <= best[1]).all()


#: Where in the journal to stop: before the second event of its kind about the first family, and the like. What comes
#: after the first family is trained only where it matters.
STOPS = {
    "after the first start": (ONE, CellStarted, 1, 1),
    "between two cells' evaluations at a step": (ONE, Evaluated, 1, 1),
    "between two cells' ends": (ONE, CellEnded, 1, 1),
    "after both cells' ends": (TWO, CellStarted, 2, 1),
    "in the second family": (TWO, Evaluated, 2, 3),
}


def place(folder, kind, family, count):
    """How many events come before one of a kind that speaks of a family (1 or 2); the first such is 0."""
    told = events(folder)
    cells = list(dict.fromkeys(cell for _, cell in told if cell))
    own = cells[1:3] if family == 1 else cells[3:5]
    return [at for at, (event, cell) in enumerate(told) if event is kind and cell in own][count]


def ended_as(again, undisturbed):
    """The tables are the same, nothing is left to go on from, and what had ended was not trained to be told again."""
    assert len(list(again.path.parent.glob("*/run.json"))) == 1
    for name in TABLES:
        assert getattr(again, name).read_bytes() == getattr(undisturbed, name).read_bytes(), name
    assert not (again.path / "checkpoints").exists()
    ended = [cell for kind, cell in events(again) if kind is CellEnded]
    assert len(ended) == len(set(ended)) == len(pd.read_csv(undisturbed.table))


@pytest.mark.parametrize("stop", STOPS)
def test_stopped_anywhere_and_started_again_a_sweep_ends_with_the_same_tables(
    stop, whole, one_family, go, interrupted, tmp_path
):
    variants, *where = STOPS[stop]
    undisturbed = whole if variants == TWO else one_family
    with interrupted(place(undisturbed, *where)), pytest.raises(KeyboardInterrupt):
        go(variants, out=tmp_path)
    ended_as(go(variants, out=tmp_path), undisturbed)


def test_a_sweep_stopped_again_and_again_ends_with_the_same_tables(whole, go, interrupted, tmp_path):
    """Each attempt gets two events further; those of the second family's cells that were said before are said again."""
    again, attempts = None, 0
    while again is None:
        attempts += 1
        with interrupted(5), contextlib.suppress(KeyboardInterrupt):
            again = go(out=tmp_path)
    assert attempts > 3
    ended_as(again, whole)


def test_settings_that_are_no_one_program_train_one_by_one_and_say_so(go):
    """rpgan leaves out a penalty whose weight is 0: each setting alone, with all its seeds in one batch, to the bit."""
    swept = go("{it: {loss: rpgan, sweep: {loss.r1: [0.0, 1.0]}}}")
    alone = go("{without: {loss: {name: rpgan, r1: 0.0}}, one: {loss: {name: rpgan, r1: 1.0}}}")
    seeds, theirs = pd.read_csv(swept.seeds), pd.read_csv(alone.seeds)
    assert set(seeds["status"]) == {"done"}
    for row, name in (("it r1=0", "without"), ("it r1=1", "one")):
        assert set(of(seeds, row)["engine"]) == {"eager"}
        pd.testing.assert_frame_equal(
            *(numbers(of(f, v)).drop(columns="message") for f, v in ((seeds, row), (theirs, name)))
        )
    said = r"trained apart from the other settings: (\w+ )?reads a number out of a tensor [^;]*"
    assert seeds[2:]["message"].str.match(said).all()
    assert (seeds[2:]["message"].str.count("reads a number") == 1).all()
    assert [one.replicas for one in started(swept).values()] == [2] * 3


def test_a_setting_that_fails_takes_no_other_with_it(go):
    swept = go("{it: {loss: choosy, sweep: {loss.weight: [0.5, 1.0, 2.0]}}}")
    seeds = pd.read_csv(swept.seeds)
    assert list(seeds["status"]) == ["done"] * 6 + ["error"] * 2
    assert seeds[6:]["message"].str.startswith("ValueError: too heavy (foreign.py:").all()


def test_a_metric_that_fails_on_a_setting_leaves_the_others_theirs(go):
    """Though they train as one batch, and the first evaluation of it was still well."""
    sweep = "{optimizer.generator.lr: [1.0e-4, 0.05, 1.0e-3]}"
    swept = go(f"{{it: {{loss: {{name: outwards, weight: 1.0}}, sweep: {sweep}}}}}", metrics="jsd, near", steps=60)
    seeds = pd.read_csv(swept.seeds)
    assert set(seeds["status"]) == {"done"}
    assert seeds["message"][4:6].str.contains("metric near: RuntimeError: too far away").all()
    assert set(of(pd.read_csv(swept.curves), "it lr=0.05")["step"]) == {20, 40, 60}
    assert seeds["jsd"].notna().all()
    fine = seeds.drop(index=[4, 5])
    assert (fine["near"] == 1).all()
    assert fine["jsd"].notna().all()


def test_memory_that_runs_out_in_the_middle_is_said_in_the_rows(go, monkeypatch):
    from ganbench.train.engine import engine

    step = engine.batch

    def hungry(one):
        batched = step(one)

        def limited(state, *rest):
            if len(state.survived) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return batched(state, *rest)

        return limited

    monkeypatch.setattr(engine, "batch", hungry)
    seeds = pd.read_csv(go(ONE).seeds)
    assert set(seeds["status"]) == {"done"}
    assert set(seeds["message"][2:]) == {"memory ran out: 2 of 4 seeds train at once"}


def test_a_resumed_run_keeps_the_engine_that_it_began_with(go, plugins, cpu, interrupted, tmp_path, monkeypatch):
    """Though the choice follows from a clock, a kill changes no row."""
    from ganbench.train import probe
    from ganbench.train.trainer import Trainer

    one = "{ns: {loss: nonsaturating}}"
    with interrupted(6), pytest.raises(KeyboardInterrupt):
        go(one, out=tmp_path)
    # By now the clock says that compiling pays.
    monkeypatch.setattr(probe, "COMPILE_SECONDS", 0.0)
    monkeypatch.setattr(probe, "COMPILED_OPERATIONS", math.inf)
    (suite,) = tmp_path.glob("swept/*/suite.yaml")
    (trained,) = (cell for cell in plan(parse(suite.read_text(), Registry.load(extra=plugins))) if cell.trained)
    assert Trainer([trained], cpu, "auto").engine == "compiled"
    assert set(pd.read_csv(go(one, out=tmp_path).seeds)["engine"][2:]) == {"eager"}
