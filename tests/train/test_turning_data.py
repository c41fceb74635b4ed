"""Data that change during training: what is drawn, what is measured against, and what is made of it."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from columns import column

from ganbench.core.rng import stream
from ganbench.data.mixture import Mixture
from ganbench.record.events import CellEnded, CellStarted, Evaluated, RunFinished, SeedOutcome, SeedRow
from ganbench.record.journal import Journal
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.record.tables.tables import as_rows, seeds, table
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train.data import build_dataset, held_out
from ganbench.train.step.draws import DrawSpec, RandomBlocks
from ganbench.train.trainer import Trainer

PLUGIN = ""
SUITE = """
suite: turning
seeds: 2
budget: {steps: 80, batch: 16}
evaluate: {every: 10, samples: 500}
datasets: {r: DATA}
references: [em]
defaults: {architecture: {name: mlp, width: 8}}
variants: {a: {loss: nonsaturating}}
metrics: [jsd, modes, learned]
"""
BEFORE = "{name: ring, std: 0.1}"
TURNING = "{name: turning-ring, std: 0.1, degrees: 22.5}"
pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_step_draws_what_its_phase_alone_would_draw(cpu):
    """Exactly, before and after the change, also where it is inside a block of draws."""
    before, after = Mixture([[0.0, 0.0]], 0.1), Mixture([[5.0, 5.0]], 0.1)
    alone = Mixture(after.means, 0.1)
    after.phases = ((0.0, before), (0.7, after))
    draws = [DrawSpec("real.0", "real", (16, 2)), DrawSpec("latent.0", "normal", (16, 4))]
    noise = {data: RandomBlocks(draws, data, [3, 5], cpu, 100) for data in (before, after, alone)}
    for step in (0, 63, 64, 69, 70, 71, 99, 130):
        real, latent = noise[after].at(step)
        of_phase = noise[before if step < 70 else alone].at(step)
        assert torch.equal(real, of_phase[0])
        assert torch.equal(latent, of_phase[1])
    assert torch.equal(noise[after].span(60, 20)[0][9], noise[before].at(69)[0])


def test_when_data_change_is_known_without_their_fingerprint(run_text, monkeypatch):
    """Else a verdict would count the evaluations before the change, too."""
    monkeypatch.setattr("ganbench.run.description.fingerprint", lambda choice: None)
    text = SUITE.replace("DATA", TURNING).replace("80, batch", "4, batch").replace("every: 10", "every: 2")
    folder = run_text(text.replace("metrics: [jsd, modes, learned]", "metrics: [modes]"), engine="eager").folder
    assert {cell.turn for cell in Record.read(folder).cells if not cell.reference} == {2}


def test_the_data_of_a_seed_that_diverged_is_looked_at_in_its_own_phase(shipped, cpu, monkeypatch):
    """What it was given at the step where it diverged, and not what the data become later."""
    looked = []
    monkeypatch.setattr("ganbench.train.trainer.check_drawn", lambda name, drawn, seed, step: looked.append(drawn))
    trained = [cell for cell in plan(parse(SUITE.replace("DATA", TURNING), shipped)) if cell.trained]
    trainer = Trainer(trained, cpu, "eager")
    for step in (10, 70):
        trainer.check_data(0, step)
        given = trainer.noise((trainer.seeds[0],)).at(step)
        real = [each[0] for draw, each in zip(trainer.probe.draws, given, strict=True) if draw.kind == "real"]
        assert real
        assert all(any(torch.equal(one, other) for other in real) for one in looked)
        looked.clear()


@pytest.fixture(scope="module")
def turned(run_text):
    return run_text(SUITE.replace("DATA", TURNING), engine="eager")


@pytest.fixture(scope="module")
def still(run_text):
    return run_text(SUITE.replace("DATA", BEFORE), engine="eager")


def curves(result):
    return pd.read_csv(result.folder.curves).query("variant == 'a'")


def test_until_the_turn_a_run_is_that_on_the_data_before_it_to_the_digit(turned, still):
    """The evaluation at the step of the turn has only seen the data before it, and is measured against them."""
    ours, theirs = curves(turned), curves(still)
    before = ours["step"] <= 40
    for name in ("jsd", "spread", "modes_touched"):
        assert ours[name][before].equals(theirs[name][before])
    assert (ours["spread"][~before] != theirs["spread"][~before]).all()


def test_a_run_killed_at_any_moment_goes_on_to_the_digit(run_text, room_for, turned, tmp_path):
    for at in (9, 13):  # before the turn, and after it
        with room_for(at, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            run_text(SUITE.replace("DATA", TURNING), engine="eager", out=tmp_path)
        again = run_text(SUITE.replace("DATA", TURNING), engine="eager", out=tmp_path)
        assert again.folder.curves.read_bytes() == turned.folder.curves.read_bytes()


def test_references_are_of_the_last_phase_and_say_so(turned):
    rows = pd.read_csv(turned.folder.seeds).query("variant in ('oracle', 'em')")
    assert (rows["jsd"] < 0.1).all()
    assert rows["message"].str.contains("of the data after the last change").all()
    oracle = rows.query("variant == 'oracle'")["message"]
    assert oracle.str.contains("the data change at 0.5 of the training's steps").all()


def test_each_phase_has_held_out_data_of_its_own(shipped, cpu):
    (one,) = (cell for cell in plan(parse(SUITE.replace("DATA", TURNING), shipped)) if cell.trained)
    trainer = Trainer([one], cpu, "eager")
    names = frozenset({"samples", "real", "dataset"})
    first, second = (trainer.metric_inputs(trainer.start, step, 0, names, final=False) for step in (40, 41))
    data = build_dataset(one.data)
    before = data.phases[0][1]
    assert (first["dataset"], second["dataset"]) == (before, data)
    assert torch.equal(first["real"], before.sample(500, stream(0, "evaluate.real")))
    assert torch.equal(second["real"], data.sample(500, stream(0, "evaluate.real")))
    # Asked for again, from what is kept.
    assert torch.equal(held_out(before, 500, 0, cpu), first["real"])
    assert torch.equal(held_out(data, 500, 0, cpu), second["real"])


def test_networks_made_from_data_are_made_from_the_data_at_the_beginning(shipped, cpu):
    """BourGAN places its latents at the data's modes: before the turn they are those of the still ring."""
    text = SUITE.replace("nonsaturating", "bourgan")
    still, turning = (
        next(cell for cell in plan(parse(text.replace("DATA", data), shipped)) if cell.trained)
        for data in (BEFORE, TURNING)
    )
    one, other = (Trainer([each], cpu, "eager") for each in (still, turning))
    assert torch.equal(one.start.players.G.theta, other.start.players.G.theta)
    for name, buffer in one.constants.G.items():
        assert torch.equal(buffer, other.constants.G[name])


MODES = {"modes_covered": 8, "modes_total": 8}
COLUMNS = [column(name) for name in ("jsd", "modes_covered", "modes_total", "learned")]


def record(curves, turn=0.5):
    """A run of 100 steps, evaluated every 10; ``curves``: for each seed whether it has learned, at each evaluation."""
    cell = {"id": "c", "dataset": "d", "variant": "v", "seeds": [*range(len(curves))], "steps": 100, "every": 10}
    cell |= {"reference": False, "family": "v", "precision": "float32"}
    events = [CellStarted("c", "eager", "", len(curves))]
    for at in range(10):
        rows = [
            SeedRow(seed, Status.DONE, {"jsd": 0.01 if own[at] else 0.6, "learned": own[at], **MODES})
            for seed, own in enumerate(curves)
        ]
        events.append(Evaluated("c", 10 * (at + 1), tuple(rows)))
    events.append(CellEnded("c", tuple(SeedOutcome(seed, Status.DONE, 100) for seed in range(len(curves)))))
    data = {"d": {"phases": [0.0, turn]}} if turn else {}
    about = {"run": "r", "columns": COLUMNS, "cells": [cell], "data": data}
    return Record.replay(about, [*events, RunFinished()])


def curve(text):
    return [sign == "+" for sign in text]


def test_the_steps_to_recover_are_counted_from_the_turn():
    """The first five are before the turn, at step 50: they neither count as recovered nor against it."""
    found = record([curve("+++++" + after) for after in ("+++++", "-++++", "---++", "-----", "+-+++")])
    rows = as_rows(seeds(found))
    # Five of five after the turn are needed: fewer than HELD evaluations would be all of them.
    assert [row["held_learned_step"] for row in rows] == [10, None, None, None, None]
    assert [row["first_learned_step"] for row in rows] == [10, 20, 40, None, 10]
    assert [row["learned_departures"] for row in rows] == [0, 0, 0, 0, 1]
    (row,) = as_rows(table(found))
    assert row["learned_share"] == 0.2
    assert row["held_learned_step"] is None, "censored for more than half of the seeds"
    assert row["first_learned_step"] == 20
    later = record([curve("++" + after) for after in ("--++++++", "+-------")], turn=0.2)
    assert [row["held_learned_step"] for row in as_rows(seeds(later))] == [30, None]


def test_verdicts_are_made_from_what_comes_after_the_turn():
    """A seed that had learned before, and never again, has not converged; nor does what was before call it moving."""
    ends = ("+++++-----", "+++++-++++", "-----+++++")
    words = [row["verdict"] for row in as_rows(seeds(record([curve(end) for end in ends])))]
    assert words == ["wrong shape", "improving", "converged"]
    still = [row["verdict"] for row in as_rows(seeds(record([curve(end) for end in ends], turn=0)))]
    assert still == words, "the last five evaluations are those after the turn"
    early = record([curve("+++++++---")], turn=0.7)
    assert as_rows(seeds(early))[0]["verdict"] == "wrong shape"
    assert "3 of 5 evaluations" in as_rows(seeds(early))[0]["verdict_reason"]
    assert as_rows(seeds(record([curve("+++++++---")], turn=0)))[0]["verdict"] == "oscillating"
