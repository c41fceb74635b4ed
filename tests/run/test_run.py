"""A run as a whole, in this process: every seed of every cell ends as one row, whatever its plugins do."""

from __future__ import annotations

import contextlib
import errno
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ganbench.metrics.divergence import divergences
from ganbench.plugin.registry import Registry
from ganbench.record import journal, samples
from ganbench.record.events import CellStarted
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.record import Record
from ganbench.record.status import Status
from ganbench.run.executors.local import run_cells
from ganbench.run.observer import RunObserver
from ganbench.run.run import RunStoppedError
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train.data import build_dataset
from ganbench.train.engine import speed

PLUGIN = '''"""Losses, metrics and references that do what they should not, or do it seldom."""
import sys
import torch
from torch.nn.functional import softplus
from ganbench import Column, Loss, Metric, NotApplicableError, Reference, Thresholds, hookimpl

def plain(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()

def at_seven(d_real, d_fake, step):
    return plain(d_real, d_fake) + torch.where(step == 7, torch.nan, 0.0)

def unlucky(d_real, d_fake, random, *, chance: float = 0.0):
    return plain(d_real, d_fake) + torch.where(random.uniform(1).sum() < chance, torch.nan, 0.0)

def poisoned(d_real, d_fake, random):
    return plain(d_real, d_fake) * torch.where(random.uniform(1).sum() < 0.02, torch.nan, 1.0)

def raises(d_real, d_fake):
    raise RuntimeError("the plugin's own words")  # THE LINE

def raises_later(d_real, d_fake, step):
    if step > 15:
        raise RuntimeError("enough")
    return plain(d_real, d_fake)

def leaves(d_real, d_fake):
    sys.exit(0)

def memory(d_real, d_fake):
    raise MemoryError

def cuda_memory(d_real, d_fake):
    raise torch.OutOfMemoryError("CUDA out of memory.")

def cpu_memory(d_real, d_fake):
    return plain(d_real, d_fake) + torch.empty(10**16).sum()

def branches(d_real, d_fake):
    if d_real.mean() > 1e9:
        raise ValueError("unlikely")
    return plain(d_real, d_fake)

@hookimpl
def ganbench_losses():
    for f in (at_seven, unlucky, poisoned, raises, raises_later, leaves, memory, cuda_memory, cpu_memory, branches):
        yield Loss(f.__name__.replace("_", "-"), f, generator)

def fails(samples):
    raise RuntimeError("no number today")

def undeclared(samples):
    return {"x": 1.0, "y": 2.0}

def words(samples):
    return {"x": "one"}

def fussy(samples):
    if not samples.isfinite().all():
        raise ValueError("not finite")
    return {"x": 1.0}

def share(samples):
    return {"all_modes_share": 1.0}

def late(samples, final):
    return {"late": float(final)}

def total(samples):
    return {"total": samples.double().sum().item()}

def silent(samples):
    return {}

def shy(samples):
    raise NotApplicableError("nothing to say today")

def broken_clock(speed):
    return {"tick": torch.ones(3)}

def once(samples, final):
    if not final:
        raise OverflowError("too much")
    return {"distance": 1.0}

def timid(speed):
    raise NotApplicableError("no clock")

@hookimpl
def ganbench_metrics():
    for f in (fails, undeclared, words, fussy, silent, shy):
        yield Metric(f.__name__, f, (Column("x", "a number"),))
    yield Metric("share", share, (Column("all_modes_share", "what the table makes of all_modes"),))
    yield Metric("late", late, (Column("late", "whether it is the last evaluation"),), at="end")
    yield Metric("total", total, (Column("total", "the sum of all numbers"),))
    yield Metric("broken_clock", broken_clock, (Column("tick", "a number", summary="same"),))
    primary = dict(better="lower", role="primary", thresholds=Thresholds(min_effect=0.1, converged=0.1, settled=0.1))
    yield Metric("once", once, (Column("distance", "a number", **primary),))
    yield Metric("timid", timid, (Column("pace", "a number", summary="same"),))

class Noted:
    shape = (2,)

    def __init__(self, dataset, note):
        self.sample, self.note = dataset.sample, note

def unfit(training):
    raise RuntimeError("no fit today")

def noted(training, dataset):
    return Noted(dataset, f"fitted from {training[0, 0].item():.6f} on")

def odd_note(dataset, *, note: int):
    return Noted(dataset, {0: None, 1: ("a", "b"), 2: print}[note])

@hookimpl
def ganbench_references():
    for f in (unfit, noted, odd_note):
        yield Reference(f.__name__.replace("_", "-"), f)
'''
SUITE = """
suite: small
seeds: {seeds}
budget: {{steps: 30, batch: 16}}
evaluate: {{every: 10, samples: 300}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 8, depth: 1}}}}
variants: {variants}
metrics: [{metrics}]
references: [{references}]
"""
#: The references of a suite that says nothing of them.
DEFAULT = "oracle, memoriser, one-mode, em, kde"
HEALTHY = "{minimax: {loss: minimax}, nonsaturating: {loss: nonsaturating}}"
FULL = partial(OSError, errno.ENOSPC, "No space left on device")
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def go(run_text):
    """Run variants into a folder: the result and its tables seeds, curves and table.

    The only reference is the oracle, unless others are named.
    """

    def build(variants=HEALTHY, seeds=3, metrics="jsd, modes", references="", **more):
        text = SUITE.format(variants=variants, seeds=seeds, metrics=metrics, references=references)
        result = run_text(text, **more)
        folder = result.folder
        return result, pd.read_csv(folder.seeds), pd.read_csv(folder.curves), pd.read_csv(folder.table)

    return build


@pytest.fixture(scope="module", autouse=True)
def _short_clock():
    """That there is a speed is looked at here, and not what it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "TIMED_SECONDS", 0.01)
        yield


@pytest.fixture(scope="module")
def undisturbed(go):
    """What a run ends as that nothing stops."""
    return go(seeds=2)[0].folder


@pytest.fixture(scope="module")
def healthy(go):
    return go(HEALTHY, metrics="jsd, modes, throughput")


@pytest.fixture(scope="module")
def troubled(go):
    """A run of variants that each fail in their own way, and one that does not."""
    named = ("raises", "raises-later", "leaves", "memory", "cuda-memory", "cpu-memory", "at-seven", "branches")
    more = "calm: {loss: unlucky}, unlucky: {loss: {name: unlucky, chance: 0.04}}, fine: {loss: nonsaturating}"
    return go(f"{{{', '.join(f'{name}: {{loss: {name}}}' for name in named)}, {more}}}", seeds=6)


def of(frame, variant):
    return frame[frame["variant"] == variant].reset_index(drop=True)


def test_every_planned_seed_of_every_cell_is_exactly_one_row(healthy, troubled):
    for result, seeds, _, table in (healthy, troubled):
        planned = [(cell["variant"], seed) for cell in result.folder.describe()["cells"] for seed in cell["seeds"]]
        assert list(zip(seeds["variant"], seeds["seed"], strict=True)) == planned
        assert set(seeds["status"]) <= set(map(str, Status))
        assert list(table["variant"]) == list(dict.fromkeys(variant for variant, _ in planned))
        assert (table["done"] + table["diverged"] + table["failed"]).equals(table["seeds"])
        assert result.folder.finished


def test_the_oracle_has_no_divergence_and_all_modes(healthy):
    _, seeds, curves, table = healthy
    oracle = table.iloc[0]
    assert oracle["variant"] == "oracle"
    # 300 samples a seed are few: an estimate of 0 within the noise that many leave.
    assert (of(seeds, "oracle")["jsd"] < 0.05).all()
    assert oracle["jsd"] < 0.02
    assert (oracle["modes_covered"], oracle["modes_total"], oracle["all_modes_share"]) == (8, 8, 1)
    assert list(of(curves, "oracle")["step"]) == [0, 0, 0]


def test_the_tables_have_the_columns_that_others_rely_on(healthy):
    _, seeds, curves, table = healthy
    names = "dataset variant seed status step jsd jsd_low jsd_high modes_covered modes_total high_quality reverse_kl"
    for frame in (seeds, curves):
        assert {*names.split(), "first_all_modes_step"} <= set(frame)
    names = (
        "dataset variant seeds jsd jsd_low jsd_high modes_covered modes_total all_modes_share all_modes_low "
        "all_modes_high high_quality model_steps_per_second model_steps_per_second_one"
    )
    assert set(names.split()) <= set(table)
    assert (table["model_steps_per_second_one"][1:] > 0).all()
    assert list(of(curves, "minimax")["step"]) == [10, 20, 30] * 3
    assert healthy[0].complete


def test_a_run_says_what_it_was(healthy):
    about = healthy[0].folder.describe()
    assert about["versions"]["torch"] == torch.__version__
    assert about["device"]["device"] == "cpu"
    sources = {(one["kind"], one["name"]): one["sha256"] for one in about["plugins"]}
    assert len(sources["loss", "minimax"]) == 64
    assert parse(healthy[0].folder.suite.read_text(), Registry.load()).name == "small"


def test_the_same_seeds_give_the_same_tables_bit_for_bit(undisturbed, go):
    again = go(seeds=2)[0].folder
    assert undisturbed.path != again.path
    same_tables(undisturbed, again)


def test_a_diverging_variant_is_diverged_at_its_step_and_ends_early(troubled):
    _, seeds, curves, _ = troubled
    # `step` counts from 0: the loss of the eighth step is the first that is not finite.
    assert list(of(seeds, "at-seven")["status"]) == ["diverged"] * 6
    assert list(of(seeds, "at-seven")["step"]) == [8] * 6
    assert list(of(curves, "at-seven")["step"]) == [10] * 6
    assert list(of(curves, "at-seven")["status"]) == ["diverged"] * 6


def test_a_diverging_seed_leaves_its_batch_mates_unharmed(troubled):
    """They end as they would have, had it not diverged."""
    _, seeds, curves, table = troubled
    unlucky, calm = of(seeds, "unlucky"), of(seeds, "calm")
    fell = unlucky["status"] == "diverged"
    # Which seeds fall is decided by their streams, and so the same everywhere.
    assert 0 < fell.sum() < 6
    assert (calm["status"] == "done").all()
    pd.testing.assert_frame_equal(*(frame[~fell].drop(columns=["variant", "family"]) for frame in (unlucky, calm)))
    for row in unlucky[fell].itertuples():
        own = of(curves, "unlucky").query("seed == @row.seed")
        assert list(own["step"]) == list(range(10, 10 * -(-int(row.step) // 10) + 1, 10))
        assert list(own["status"]) == ["done"] * (len(own) - 1) + ["diverged"]
    counts = of(table, "unlucky").iloc[0]
    assert (counts["done"], counts["diverged"], counts["failed"]) == (6 - fell.sum(), fell.sum(), 0)


def test_a_raising_plugin_is_an_error_with_its_file_and_line(troubled):
    result, seeds, _, _ = troubled
    line = PLUGIN.split("# THE LINE")[0].count("\n") + 1
    assert not result.complete
    assert list(of(seeds, "raises")["status"]) == ["error"] * 6
    assert set(of(seeds, "raises")["message"]) == {f"RuntimeError: the plugin's own words (foreign.py:{line})"}
    assert of(seeds, "leaves")["message"].str.startswith("SystemExit: 0 (foreign.py:").all()
    assert list(of(seeds, "fine")["status"]) == ["done"] * 6


def test_a_plugin_that_raises_in_the_middle_keeps_what_was_measured(troubled):
    _, seeds, curves, _ = troubled
    rows = of(seeds, "raises-later")
    assert list(rows["status"]) == ["error"] * 6
    assert rows["step"].between(10, 20).all()
    assert rows["jsd"].isna().all()
    assert list(of(curves, "raises-later")["step"]) == [10] * 6


@pytest.mark.parametrize("variant", ["memory", "cuda-memory", "cpu-memory"])
def test_running_out_of_memory_has_its_own_status(variant, troubled):
    rows = of(troubled[1], variant)
    assert list(rows["status"]) == ["out_of_memory"] * 6
    assert rows["message"].str.contains("emory").all()


def test_a_plugin_that_cannot_be_batched_is_trained_seed_by_seed_and_says_so(troubled):
    result, seeds, _, table = troubled
    assert set(of(seeds, "branches")["engine"]) == set(of(table, "branches")["engine"]) == {"serial"}
    assert list(of(seeds, "branches")["status"]) == ["done"] * 6
    starts = [event for event in journal.read(result.folder.journal) if isinstance(event, CellStarted)]
    (note,) = [event.note for event in starts if event.engine == "serial"]
    assert note.startswith("trained seed by seed: ")


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("fails", r"metric fails: RuntimeError: no number today \(foreign\.py:\d+\)"),
        ("undeclared", "metric undeclared: gave 'y', which none of its columns declares: add a Column for it"),
        ("words", r"metric words: x must be a number, not 'one': float\(\) makes one of it, .*"),
    ],
)
def test_a_bad_metric_costs_only_its_own_numbers(metric, message, go):
    """The other metrics lose nothing, each seed says why, and the run is not complete: exit code 3."""
    result, seeds, curves, _ = go("{fine: {loss: minimax}}", seeds=2, metrics=f"{metric}, modes, jsd")
    assert set(seeds["status"]) == {"done"}
    assert seeds["message"].str.fullmatch(message).all()
    assert seeds["x"].isna().all()
    assert curves[["jsd", "modes_covered"]].notna().all(axis=None)
    assert not result.complete
    ((line, cells),) = result.failures.items()
    assert re.fullmatch(message, line)
    assert cells == ["ring8 oracle", "ring8 fine"]


def test_a_metric_of_the_cell_that_fails_costs_only_its_own_numbers(go):
    result, seeds, _, table = go("{fine: {loss: minimax}}", metrics="broken_clock, throughput, modes", seeds=2)
    assert set(seeds["status"]) == {"done"}
    assert set(of(seeds, "fine")["message"]) == {
        "metric broken_clock: tick must be one number, not a Tensor of shape (3,): take its .mean(), "
        "or declare a Column for each"
    }
    assert (of(table, "fine")["model_steps_per_second"] > 0).all()
    assert not result.complete


def test_a_primary_metric_that_fails_at_one_evaluation_says_so(go):
    """The tables are there, with no verdict where the primary number is missing."""
    result, seeds, curves, _ = go("{fine: {loss: minimax}}", metrics="once, modes", seeds=2)
    fine = of(seeds, "fine")
    assert (
        fine["message"]
        .str.fullmatch(r"metric once: OverflowError: too much \(foreign.py:\d+\) \(at 2 of 3 evaluations\)")
        .all()
    )
    assert list(of(curves, "fine")["distance"].isna()) == [True, True, False] * 2
    assert not result.complete


def test_two_metrics_that_fill_one_column_of_the_table_are_refused(go):
    with pytest.raises(ValueError, match=r"^the column 'all_modes_share' would be filled twice.*$"):
        go(metrics="modes, share")


def test_a_changed_plugin_is_another_run(go, plugins, tmp_path):
    variants = "{it: {loss: unlucky}}"
    with pytest.raises(BrokenPipeError):
        go(variants, out=tmp_path, observer=GoneAfter(9))
    source = plugins / "foreign.py"
    source.write_text(PLUGIN + "# another\n")
    try:
        go(variants, out=tmp_path)
    finally:
        source.write_text(PLUGIN)
    assert len(list((tmp_path / "small").glob("*/run.json"))) == 2


class GoneAfter(RunObserver):
    """An observer whose output breaks after ``n`` events that it was told of."""

    def __init__(self, n):
        self.left = n

    def tell(self, event):
        self.left -= 1
        if self.left < 0:
            raise BrokenPipeError


def test_a_terminal_that_goes_away_stops_the_run_and_is_no_result(undisturbed, go, tmp_path):
    """Wherever it happens; the same command then goes on and ends with the tables of an undisturbed run."""
    for n in (0, 2, 5, 4, 3, 1):
        with pytest.raises(BrokenPipeError):
            go(seeds=2, out=tmp_path, observer=GoneAfter(n))
    again, seeds, *_ = go(seeds=2, out=tmp_path)
    assert set(seeds["status"]) == {"done"}
    same_tables(again.folder, undisturbed)
    assert len(list((tmp_path / "small").glob("*/run.json"))) == 1


def test_a_full_disk_stops_the_run_at_any_event_and_is_no_result(undisturbed, go, room_for, tmp_path):
    """Each attempt gets three events further at most; the last ends with the tables of an undisturbed run."""
    result, attempts = None, 0
    while result is None:
        attempts += 1
        with contextlib.suppress(OSError), room_for(3, Journal, "append", FULL):
            result, *_ = go(seeds=2, out=tmp_path)
    assert attempts > 3
    same_tables(result.folder, undisturbed)
    assert len(list((tmp_path / "small").glob("*/run.json"))) == 1
    assert not (result.folder.path / "checkpoints").exists()


class Does(RunObserver):
    """Does something when the second cell starts."""

    def __init__(self, action):
        self.action, self.cells = action, 0

    def tell(self, event):
        if isinstance(event, CellStarted):
            self.cells += 1
            if self.cells == 2:
                self.action()


@pytest.mark.parametrize("moved", [False, True])
def test_a_run_whose_folder_is_taken_away_says_so_and_what_is_left(go, tmp_path, moved):
    """Not that what was measured is kept; and it makes no new folder there."""
    home = tmp_path / "results" / "small"

    def take_away():
        home.rename(tmp_path / "elsewhere") if moved else shutil.rmtree(home)

    with pytest.raises(RunStoppedError) as error:
        go(out=tmp_path / "results", observer=Does(take_away))
    left = "what was measured is in it, wherever it is now" if moved else "what was measured is lost"
    assert error.value.strerror == f"was removed or moved while the run was going on; {left}"
    assert Path(error.value.filename).parent == home
    assert not home.exists()
    if moved:
        go(out=tmp_path / "results")
        moved_back = next((tmp_path / "elsewhere").glob("*/"))
        assert Record.read(RunFolder(moved_back)).cells


def test_a_full_disk_says_that_something_is_kept_only_where_it_is(go, room_for, tmp_path):
    for events, kept in ((0, "nothing had been measured"), (4, "is kept, and the same command goes on from there")):
        told = pytest.raises(RunStoppedError, match=f"No space left on device; .*{kept}")
        with told, room_for(events, Journal, "append", FULL):
            go(out=tmp_path)


def same_tables(one, other):
    for name in ("curves", "seeds", "table", "differences", "profiles"):
        assert getattr(one, name).read_bytes() == getattr(other, name).read_bytes(), name


def test_an_ended_cell_is_not_run_again(go, tmp_path, monkeypatch):
    with pytest.raises(BrokenPipeError):
        go(out=tmp_path, observer=GoneAfter(13))
    ran = []

    def remember(cells, *rest):
        ran.extend(cell.variant for cell in cells)
        run_cells(cells, *rest)

    monkeypatch.setattr("ganbench.run.run.run_cells", remember)
    go(out=tmp_path)
    assert ran == ["nonsaturating"]


def test_a_metric_that_fails_on_a_diverged_seed_leaves_the_others_their_numbers(go):
    """Its row says diverged, with empty columns."""
    result, seeds, *_ = go("{poisoned: {loss: poisoned}}", seeds=6, metrics="fussy")
    assert result.complete
    poisoned = of(seeds, "poisoned")
    assert set(poisoned["status"]) == {"done", "diverged"}
    assert ((poisoned["x"] == 1.0) == (poisoned["status"] == "done")).all()


@pytest.mark.parametrize("metric", ["silent", "shy"])
def test_a_run_that_measured_nothing_is_not_complete(metric, go):
    """Exit code 3: every seed trained, and no metric had anything to say."""
    result, *_ = go("{fine: {loss: minimax}}", seeds=1, metrics=f"discriminator, {metric}")
    assert result.complete
    result, seeds, _, _ = go("{wgan: {loss: wgan-gp}}", seeds=1, metrics=metric)
    assert set(seeds["status"]) == {"done"}
    assert not result.complete


@pytest.mark.parametrize(
    ("metric", "column", "why"), [("shy", "x", "nothing to say today"), ("timid", "pace", "no clock")]
)
def test_a_metric_that_is_not_applicable_leaves_its_columns_empty_and_says_why(metric, column, why, go):
    """Of a seed, or of a cell's speed, which only those have that train; the other metrics lose nothing."""
    result, seeds, curves, table = go("{fine: {loss: minimax}}", metrics=f"jsd, {metric}", references="noted")
    assert result.complete
    assert set(seeds["status"]) == {"done"}
    said = seeds["message"].str.contains(f"{metric}: {why}", regex=False, na=False)
    assert (said == ((metric == "shy") | (seeds["variant"] == "fine"))).all()
    # It hides nothing else that there is to say.
    assert of(seeds, "noted")["message"].str.startswith("fitted from ").all()
    assert table[column].isna().all()
    assert seeds["jsd"].notna().all()
    if metric == "shy":
        assert seeds["x"].isna().all()
        assert curves["x"].isna().all()


# References


@pytest.fixture(scope="module")
def referred(go):
    return go(seeds=2, references=DEFAULT)


def test_references_are_rows_that_come_first_and_are_named_as_such(referred):
    result, seeds, curves, table = referred
    names = DEFAULT.split(", ")
    assert list(table["variant"]) == [*names, "minimax", "nonsaturating"]
    assert list(table["reference"]) == [True] * 5 + [False] * 2
    told = [(cell["variant"], cell["reference"], cell["steps"]) for cell in result.folder.describe()["cells"]]
    assert told == [(name, True, 0) for name in names] + [("minimax", False, 30), ("nonsaturating", False, 30)]
    assert result.complete
    assert set(seeds["status"]) == {"done"}
    assert set(curves[curves["variant"].isin(names)]["step"]) == {0}
    assert table["jsd"].notna().all()
    # What each is there for: one made of data, and one that lacks most of it.
    assert of(table, "oracle")["jsd"][0] < of(table, "one-mode")["jsd"][0]
    assert list(table["modes_covered"][:5]) == [8, 8, 1, 8, 8]


def test_the_references_of_a_suite_that_says_nothing_of_them_are_those(shipped):
    text = SUITE.format(variants=HEALTHY, seeds=1, metrics="jsd", references="")
    silent = parse(text.replace("references: []\n", ""), shipped)
    assert ", ".join(cell.variant for cell in plan(silent) if cell.reference) == DEFAULT


@pytest.fixture(scope="module")
def fitted(go):
    """A run with a reference that cannot be fitted, one that notes something, and one that does neither."""
    return go("{fine: {loss: minimax}}", references="unfit, noted, memoriser")


def test_a_reference_that_cannot_be_fitted_is_an_error_and_the_others_go_on(fitted):
    result, seeds, _, table = fitted
    assert list(table["variant"]) == ["oracle", "unfit", "noted", "memoriser", "fine"]
    assert list(table["done"]) == [3, 0, 3, 3, 3]
    assert list(of(seeds, "unfit")["status"]) == ["error"] * 3
    why = of(seeds, "unfit")["message"]
    assert why.str.fullmatch(r"reference unfit: RuntimeError: no fit today \(foreign\.py:\d+\)").all()
    assert of(seeds, "unfit")["jsd"].isna().all()
    assert not result.complete


def test_what_a_fitted_reference_notes_is_its_seeds_message(fitted):
    _, seeds, _, _ = fitted
    notes = of(seeds, "noted")["message"]
    assert notes.str.fullmatch(r"fitted from -?\d\.\d{6} on").all()
    assert notes.nunique() == 3
    assert of(seeds, "memoriser")["message"].isna().all()


@pytest.mark.parametrize(("note", "message"), [(0, ""), (1, "('a', 'b')"), (2, "<built-in function print>")])
def test_a_note_that_is_no_text_stops_no_run(note, message, go):
    result, seeds, _, _ = go(
        "{fine: {loss: minimax}}", seeds=1, metrics="modes", references=f"{{name: odd-note, note: {note}}}"
    )
    assert result.complete
    assert set(of(seeds, "odd-note")["message"].astype(object).fillna("")) == {message}


def test_the_suite_that_a_run_keeps_is_the_one_that_it_ran(referred, plugins):
    registry = Registry.load(extra=plugins)
    text = SUITE.format(variants=HEALTHY, seeds=2, metrics="jsd, modes", references=DEFAULT)
    kept = parse(referred[0].folder.suite.read_text(), registry)
    # Runs of the tests record no pictures.
    assert kept == replace(parse(text, registry), pictures=False)
    assert [choice.name for choice in kept.references] == DEFAULT.split(", ")
    assert [cell.id for cell in plan(kept)] == [cell["id"] for cell in referred[0].folder.describe()["cells"]]


# The end of a seed


@pytest.fixture(scope="module")
def ends(go):
    """Seeds that end at different steps, measured at their ends, with their last samples kept."""
    variants = "{unlucky: {loss: {name: unlucky, chance: 0.04}}, at-seven: {loss: at-seven}}"
    return variants, go(variants, seeds=6, metrics="jsd, late, total", references="memoriser", save_samples=True)


def test_what_is_measured_at_the_end_is_there_at_a_seeds_last_evaluation_only(ends):
    """Whether it trained to the end, diverged before, or was never trained."""
    _, (_, seeds, curves, table) = ends
    last = curves.groupby(["variant", "seed"])["step"].transform("max")
    assert set(last[curves["variant"] == "unlucky"]) >= {10, 30}
    assert set(last[curves["variant"] == "at-seven"]) == {10}
    assert (curves["late"].notna() == (curves["step"] == last)).all()
    assert (seeds["late"] == 1).all()
    assert (table["late"] == 1).all()


def kept(folder):
    """The files of samples, by their paths in the run's folder."""
    files = (path for path in sorted((folder.path / "samples").rglob("*")) if path.is_file())
    return {path.relative_to(folder.path).as_posix(): path for path in files}


def test_the_samples_that_a_run_keeps_are_those_that_were_measured(ends, plugins):
    """A file a seed, of the step at which it was last measured, with the divergence and the sum of its row."""
    _, (result, seeds, curves, _) = ends
    registry = Registry.load(extra=plugins)
    dataset = build_dataset(parse(result.folder.suite.read_text(), registry).datasets["ring8"])
    files = kept(result.folder)
    assert set(files) == {f"samples/ring8/{row.variant}/{row.seed}.npz" for row in seeds.itertuples()}
    for row in seeds.itertuples():
        read = samples.read(files[f"samples/ring8/{row.variant}/{row.seed}.npz"])
        assert (read.seed, read.values.shape, read.values.dtype) == (row.seed, (300, 2), np.float32)
        assert read.step == curves.query("variant == @row.variant and seed == @row.seed")["step"].max()
        values = torch.from_numpy(read.values)[None]
        assert divergences(values, dataset, None, final=True)[0].value == pytest.approx(row.jsd, abs=1e-9)
        assert read.values.sum(dtype=np.float64) == pytest.approx(row.total, abs=1e-9)
    assert (seeds.groupby("variant")["total"].nunique() == 6).all()


def same_samples(one, other):
    assert list(kept(one)) == list(kept(other))
    for name, path in kept(one).items():
        with np.load(path) as mine, np.load(kept(other)[name]) as yours:
            assert {key: mine[key].tobytes() for key in mine} == {key: yours[key].tobytes() for key in yours}, name


def test_the_samples_of_a_run_that_was_stopped_are_those_of_one_that_was_not(ends, go, tmp_path):
    variants, (undisturbed, *_) = ends
    again = {"seeds": 6, "metrics": "jsd, late, total", "references": "memoriser", "save_samples": True}
    again["out"] = tmp_path
    for n in (1, 4, 8, 3, 2):
        with pytest.raises(BrokenPipeError):
            go(variants, observer=GoneAfter(n), **again)
    result, *_ = go(variants, **again)
    same_tables(result.folder, undisturbed.folder)
    same_samples(result.folder, undisturbed.folder)


def test_a_disk_too_full_for_the_samples_stops_the_run_and_is_no_result(ends, go, room_for, tmp_path):
    """Each attempt has room for seven files; the last ends as an undisturbed run."""
    variants, (undisturbed, *_) = ends
    again = {"seeds": 6, "metrics": "jsd, late, total", "references": "memoriser", "save_samples": True}
    result, attempts = None, 0
    while result is None:
        attempts += 1
        with contextlib.suppress(OSError), room_for(7, np, "savez", FULL):
            result, *_ = go(variants, out=tmp_path, **again)
    assert attempts > 3
    same_tables(result.folder, undisturbed.folder)
    same_samples(result.folder, undisturbed.folder)
