"""Step throughput by a clock that the test turns: what is counted, what is not, and for how many models."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.utils._pytree import tree_map

from ganbench.train.engine import cell_cost, speed
from ganbench.train.engine.engine import Engine
from ganbench.train.engine.speed import CellSpeed, Speed, measure_speed
from ganbench.train.trainer import Trainer

BLOCK = 64


class Machine:
    """Runs steps in the seconds that ``seconds(step)`` says, and remembers what it was asked to run."""

    def __init__(self, seconds):
        self.now = 100.0
        self.seconds = seconds
        self.asked = []

    def run(self, start, stop):
        self.asked.append((start, stop))
        self.now += sum(self.seconds(step) for step in range(start, stop))


@pytest.fixture
def machine(monkeypatch):
    def build(seconds):
        made = Machine(seconds)
        monkeypatch.setattr(speed, "time", SimpleNamespace(perf_counter=lambda: made.now))
        return made

    return build


def figures(measured):
    return measured.median, measured.low, measured.high


@pytest.mark.parametrize("replicas", [1, 5])
def test_the_rate_is_steps_times_replicas_a_second(replicas, machine, cpu):
    clock = machine(lambda step: 0.01)
    assert figures(measure_speed(clock.run, BLOCK, replicas, cpu)) == pytest.approx((100 * replicas,) * 3)


def test_compiling_and_warming_up_are_not_counted_and_the_rest_is_in_whole_blocks(machine, cpu):
    """A first step of 30 s, a slow first chunk; then three chunks each of 1, 2 and 4 ms a step."""

    def seconds(step):
        if step == 0:
            return 30.0
        if step < BLOCK:
            return 0.001
        return 1.0 if step < 2 * BLOCK else 0.001 * 2 ** (step // BLOCK % 3)

    clock = machine(seconds)
    assert figures(measure_speed(clock.run, BLOCK, 6, cpu)) == pytest.approx((3000, 1500, 6000))
    assert clock.asked[2:] == [(at * BLOCK, (at + 1) * BLOCK) for at in range(1, 8)]


def test_a_block_that_takes_too_long_is_timed_in_parts(machine, cpu):
    clock = machine(lambda step: 0.1)
    assert figures(measure_speed(clock.run, BLOCK, 2, cpu)) == pytest.approx((20, 20, 20))
    assert clock.now - 100 < 3
    assert clock.asked[2][0] == BLOCK


def test_a_gpu_is_waited_for(machine, monkeypatch):
    """On a GPU a step returns before it is done: only a synchronisation tells how long it took."""
    clock = machine(lambda step: 0.0)
    queued = []

    def synchronize(device):
        clock.now += 0.01 * sum(queued)
        queued.clear()

    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    measured = measure_speed(lambda start, stop: queued.append(stop - start), BLOCK, 3, torch.device("cuda"))
    assert figures(measured) == pytest.approx((300, 300, 300))


@pytest.mark.parametrize(("engine", "alone"), [("eager", "serial"), ("serial", "serial"), ("compiled", "compiled")])
def test_a_cells_speed_is_of_all_seeds_together_and_of_one_model_alone(engine, alone, cell, cpu, monkeypatch):
    """One model alone has the best engine for it, and counts once however many seeds the cell has."""
    small = cell("{loss: minimax}", seeds=4)
    trainer = Trainer([small], cpu, engine)
    before = [player.theta.clone() for player in trainer.start.players]
    ran, counted = [], []
    run = Engine.run

    def spy(engine, state, *rest):
        ran.append((engine.name, len(state.survived)))
        return state if engine.name == "compiled" else run(engine, state, *rest)

    def measure(run, block, replicas, device):
        run(0, 2)
        counted.append((block, replicas, device))
        return Speed(*[float(replicas)] * 3)

    monkeypatch.setattr(Engine, "run", spy)
    monkeypatch.setattr(cell_cost, "measure_speed", measure)
    measured = trainer.speed()
    # Compiled, one model runs a step before, so that to compile it is not timed.
    assert {*ran} == {(engine, 4), (alone, 1)}
    assert len(ran) == 2 + (engine == "compiled")
    assert counted == [(BLOCK, 4, cpu), (BLOCK, 1, cpu)]
    assert (measured.together.median, measured.one.median) == (4, 1)
    assert all(torch.equal(a, b.theta) for a, b in zip(before, trainer.start.players, strict=True))


def test_one_model_is_timed_unbatched_where_it_alone_cannot_be_compiled(cell, cpu, monkeypatch):
    trainer = Trainer([cell("{loss: minimax}", seeds=2)], cpu, "compiled")

    def fails(engine, state, constants):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(Engine, "prepare", fails)
    assert trainer._alone().name == "serial"
    assert "one model alone could not be compiled: " in trainer.note


def test_a_step_that_is_timed_seeds_the_global_generators_only_where_its_code_draws_from_them(cell, cpu, monkeypatch):
    trainer = Trainer([cell("{loss: minimax}", seeds=2)], cpu, "eager")
    seeded = []
    monkeypatch.setattr("ganbench.train.engine.engine.reseed", lambda *of: seeded.append(of))
    trainer._alone().run(*(tree_map(lambda each: each[:1], tree) for tree in (trainer.start, trainer.constants)), 0, 3)
    assert not seeded


def test_the_throughput_metric_reports_what_was_measured(shipped):
    measured = CellSpeed(Speed(20.0, 10.0, 30.0), Speed(2.0, 1.0, 3.0))
    assert shipped.get("metric", "throughput").value.measure(measured) == {
        "model_steps_per_second": 20.0,
        "model_steps_per_second_low": 10.0,
        "model_steps_per_second_high": 30.0,
        "model_steps_per_second_one": 2.0,
        "model_steps_per_second_one_low": 1.0,
        "model_steps_per_second_one_high": 3.0,
    }
