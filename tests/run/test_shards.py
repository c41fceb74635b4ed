"""Shards: parts of a run, on any machines; merged, they are the run that one machine would have made."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections import Counter
from glob import glob
from pathlib import Path

import pandas as pd
import pytest

from ganbench.core.shard import Shard
from ganbench.plugin.registry import Registry
from ganbench.record import journal, provenance
from ganbench.record.events import CellMeasured, CellStarted, Evaluated
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.record import Record
from ganbench.report.page.shown_run import ShownRun
from ganbench.suite.load import parse
from ganbench.suite.plan import batches, of_shard, plan
from ganbench.train.engine import chunks, speed

PLUGIN = '''"""A loss of one's own (no citation)."""
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl

def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake, *, weight: float = 1.0):
    return weight * softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("own", discriminator, generator)
'''
#: Two datasets, two references beside the oracle, a sweep whose settings train together, and one that trains apart.
SUITE = """
suite: parts
seeds: 3
budget: {steps: 40, batch: 16}
evaluate: {every: 20, samples: 200}
datasets: {ring8: {name: ring, std: 0.1}, line: gaussian-1d}
references: [memoriser]
defaults: {architecture: {name: mlp, width: 8}}
variants:
  own: {loss: own, sweep: {optimizer.lr: [1.0e-3, 1.0e-2]}}
  ns: {loss: nonsaturating, sweep: {optimizer.lr: [1.0e-3, 3.0e-3]}}
  wide: {loss: minimax, sweep: {architecture.width: [4, 6]}}
metrics: [modes, mmd]
"""
#: What a machine with clocks measures: little of it.
TIMED = """
suite: timed
seeds: 2
budget: {steps: 4, batch: 8}
evaluate: {every: 2, samples: 60}
datasets: {ring8: ring}
references: []
defaults: {architecture: {name: mlp, width: 4}}
variants: {a: {loss: minimax}, b: {loss: nonsaturating}}
metrics: [modes, throughput]
"""
TABLES = ("curves", "seeds", "table", "differences", "profiles", "tries")
PATIENCE = 600


@pytest.fixture
def suites(tmp_path, monkeypatch):
    """A folder with the suites and the plugin, in which commands are given."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "own.py").write_text(PLUGIN)
    (tmp_path / "parts.yaml").write_text(SUITE)
    (tmp_path / "timed.yaml").write_text(TIMED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(speed, "TIMED_SECONDS", 0.01)
    return tmp_path


@pytest.fixture
def ran(gb):
    """Give a command that must succeed: what it printed."""

    def give(*arguments):
        code, out, err = gb(*arguments)
        assert code == 0, err
        return out + err

    return give


def one(home):
    (path,) = home.glob("[!.]*/")
    return RunFolder(path)


def shard(folder, name, suite="parts"):
    return one(folder / "results" / "shards" / name / suite)


def files(folder):
    """All that a run has written, but what tells the time, the host or the path, by its name in the folder."""
    left_out = ("run.json", "journal.jsonl", "lock", "report.html")
    return {
        path.relative_to(folder.path).as_posix(): path.read_bytes()
        for path in sorted(folder.path.rglob("*"))
        if path.is_file() and path.name not in left_out
    }


@pytest.mark.parametrize("n", [2, 3])
def test_merged_shards_are_the_run_that_one_machine_makes_to_the_byte(n, suites, ran):
    """Tables, pictures and samples; with a sweep, references and two datasets; in whatever order they are named."""
    ran("run", "parts.yaml", "--engine", "eager", "--save-samples", "--out", "whole")
    for i in range(1, n + 1):
        said = ran("run", "parts.yaml", "--engine", "eager", "--save-samples", f"--shard={i}/{n}")
        assert f"shard {i} of {n}: " in said
        assert "of the 16 rows" in said
    said = ran("merge", *(f"results/shards/{i}-of-{n}/parts" for i in range(n, 0, -1)))
    whole, merged = one(suites / "whole" / "parts"), one(suites / "results" / "parts")
    assert {f"{name}.csv" for name in TABLES} < files(merged).keys()
    assert files(merged) == files(whole)
    assert "shard" not in said.replace("results/shards", "")
    (ours, theirs) = (folder.describe() for folder in (merged, whole))
    assert ours["identity"] == theirs["identity"]
    assert ours["command"] == ["ganbench", "run", "parts.yaml", "--engine", "eager", "--save-samples"]
    for key in theirs.keys() - {"run", "created", "command"}:
        assert ours[key] == theirs[key], key
    assert [made["shard"] for made in ours["shards"]] == [f"{i}/{n}" for i in range(1, n + 1)]
    # What reads a run reads it.
    assert ran("show", "results/parts").count("memoriser") == 2
    ran("report", "results/parts")
    ran("compare", whole.path, merged.path, "--strict")
    samples = merged.path / "samples" / "line" / "memoriser" / "0.npz"
    assert "mmd" in ran("score", samples, "--dataset", "gaussian-1d", "--metric", "mmd").lower()


def test_a_shard_that_was_killed_goes_on_and_is_named_until_it_has_finished(suites, ran, gb):
    """By the system, with an evaluation in its journal; the command that goes on is in the message."""
    ran("run", "parts.yaml", "--engine", "eager", "--out", "whole")
    ran("run", "parts.yaml", "--engine", "eager", "--shard", "1/2")
    words = [sys.executable, "-m", "ganbench", "run", "parts.yaml", "--engine", "eager", "--shard", "2/2"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began = time.monotonic()
    journals = suites / "results" / "shards" / "2-of-2" / "parts"
    while not any(b'"evaluation"' in path.read_bytes() for path in journals.glob("[!.]*/journal.jsonl")):
        assert process.poll() is None
        assert time.monotonic() < began + PATIENCE
        time.sleep(0.01)
    process.kill()
    process.wait()
    killed = shard(suites, "2-of-2")
    if killed.finished:
        pytest.skip("it was too fast to be killed")
    code, _, err = gb("merge", "results/shards/1-of-2/parts", killed.path)
    assert code == 2
    (line,) = (line for line in err.splitlines() if "has not finished" in line)
    command = line.partition("go on with it: ")[2]
    assert line.startswith(f"{killed.path}: shard 2 of 2 has not finished, ")
    assert "--shard 2/2" in command
    assert not (suites / "results" / "parts").exists() or not list((suites / "results" / "parts").glob("[!.]*"))
    ran("run", "parts.yaml", "--engine", "eager", "--shard", "2/2")
    assert shard(suites, "2-of-2").path == killed.path
    ran("merge", "results/shards/1-of-2/parts", "results/shards/2-of-2/parts")
    assert files(one(suites / "results" / "parts")) == files(one(suites / "whole" / "parts"))


def test_what_does_not_make_a_run_is_refused_in_one_line_each(suites, ran, gb):
    """And nothing is written: a missing shard with its command, one that is there twice, a whole run, another division,
    another suite, another plugin, and a run that is there already."""

    def refused(*names):
        code, out, err = gb("merge", *names)
        assert (code, out) == (2, "")
        return [line for line in err.splitlines() if "its newest run is" not in line]

    ran("run", "timed.yaml", "--shard", "1/2")
    first = shard(suites, "1-of-2", "timed").path
    (line,) = refused(first)
    assert line == "shard 2 of 2 is missing: name its folder, or make it: ganbench run timed.yaml --shard 2/2"
    (line,) = refused(first, first)
    assert line == f"{first} and {first} are both shard 1 of 2: name one of them"
    code, _, err = gb("compare", first, first)
    assert code == 2
    assert f"{first}: is shard 1 of 2, a part of a run" in err
    ran("run", "timed.yaml", "--shard", "1/3", "--out", "other")
    (line,) = refused(first, "other/shards/1-of-3/timed")
    assert "is shard 1 of 3, and" in line
    assert line.endswith("is shard 1 of 2: of another division")
    ran("run", "timed.yaml", "--out", "whole")
    (line,) = refused(first, "whole/timed")
    assert line.endswith("is a whole run and no shard: shards come from ganbench run SUITE --shard i/n")
    ran("run", "timed.yaml", "--shard", "2/2", "--seeds", "3", "--out", "other")
    (line,) = refused(first, "other/shards/2-of-2/timed")
    assert "is of another run than" in line
    assert line.endswith("the suite's seeds is [0, 1, 2] (it was --seeds 2)")
    ran(*shlex.split("run timed.yaml --shard 2/2"))
    assert not (suites / "results" / "timed").exists()
    parts = ("results/shards/1-of-2/timed", "results/shards/2-of-2/timed")
    ran("merge", *parts)
    (line,) = refused(*parts)
    assert line.endswith(": is there already: move it away, or write the run elsewhere with --out DIR")
    run = json.loads((first / "run.json").read_text())
    (first / "run.json").write_text(json.dumps({name: run[name] for name in run if name != "plan"}))
    (line,) = refused(*parts)
    assert line.endswith(f"{first.name}: its run.json lacks 'plan': make the shard again")
    (first / "run.json").write_text(json.dumps(run))
    before = files(one(suites / "results" / "timed"))
    ran("merge", *parts, "--out", "elsewhere")
    assert files(one(suites / "elsewhere" / "timed")) == before


def test_a_shard_of_another_plugin_is_refused_by_the_name_of_its_file(suites, ran, gb):
    (suites / "parts.yaml").write_text(TIMED.replace("timed", "parts").replace("minimax", "own"))
    ran("run", "parts.yaml", "--shard", "1/2")
    (suites / "plugins" / "own.py").write_text(PLUGIN.replace("weight * softplus", "2 * weight * softplus"))
    ran("run", "parts.yaml", "--shard", "2/2")
    code, _, err = gb("merge", "results/shards/1-of-2/parts", "results/shards/2-of-2/parts")
    assert code == 2
    assert err.splitlines()[-1].endswith(": own.py has changed")


def test_shards_of_two_kinds_of_device_are_merged_without_their_clocks(suites, ran, monkeypatch):
    """All else is kept, each row says why, and the journal still has what each clock measured."""
    ran("run", "timed.yaml", "--engine", "eager", "--out", "whole")
    ran("run", "timed.yaml", "--engine", "eager", "--shard", "1/2")
    here = provenance.device
    monkeypatch.setattr(provenance, "device", lambda name: here(name) | {"cpu": "another CPU"})
    ran("run", "timed.yaml", "--engine", "eager", "--shard", "2/2")
    said = " ".join(ran("merge", "results/shards/1-of-2/timed", "results/shards/2-of-2/timed").split())
    assert "no clocks: the cells were trained on 2 kinds of device, whose speeds do not compare" in said
    merged, whole = one(suites / "results" / "timed"), one(suites / "whole" / "timed")
    assert "another CPU" in merged.describe()["device"]["cpu"]
    record = Record.read(merged)
    table, theirs = pd.read_csv(merged.table), pd.read_csv(whole.table)
    clocks = [name for column in record.columns if column.is_time for name in column.fills]
    assert clocks
    assert table[clocks].isna().all(axis=None)
    assert theirs[clocks].notna().any(axis=None)
    pd.testing.assert_frame_equal(table.drop(columns=clocks), theirs.drop(columns=clocks))
    rows = pd.read_csv(merged.seeds)
    trained = rows["variant"].isin(["a", "b"])
    assert rows[trained]["message"].str.contains("no clocks").all()
    assert len({cell.device for cell in record.cells}) == 2
    measured = [event for event in journal.read(merged.journal) if isinstance(event, CellMeasured)]
    assert len(measured) == 2
    assert all(event.values["model_steps_per_second"] > 0 for event in measured)
    assert "no clocks" in ShownRun.read(merged).warnings[0]
    ran("compare", merged.path, whole.path)


def test_each_row_says_where_it_was_made(suites, ran):
    ran("run", "timed.yaml", "--shard", "1/1")
    run = shard(suites, "1-of-1", "timed")
    started = [event for event in journal.read(run.journal) if isinstance(event, CellStarted)]
    assert {event.cell for event in started} == {cell["id"] for cell in run.describe()["cells"]}
    assert {(event.host != "", event.device) for event in started} == {
        (True, provenance.kind(run.describe()["device"]))
    }


@pytest.mark.parametrize("text", ["0/2", "3/2", "2/x", "1", "0/0", "-1/2", "1/2/3", "", "1.0/2", "²/2"])
def test_a_shard_that_cannot_be_is_refused_with_the_cure(text, suites, gb):
    code, out, err = gb("run", "timed.yaml", f"--shard={text}")
    assert (code, out) == (2, "")
    assert err.startswith("--shard: ")
    assert len(err.splitlines()) == 1
    assert "1/" in err
    assert not (suites / "results").exists()


def test_more_shards_than_there_is_to_share_out_are_refused(suites, gb):
    code, _, err = gb("run", "timed.yaml", "--shard", "4/4")
    assert code == 2
    assert err == "shard 4 of 4: the suite has only 3 batches of cells that train together: write i/n with n up to 3\n"


def test_the_shards_share_out_the_plan_and_nothing_is_trained_twice(tmp_path):
    (tmp_path / "own.py").write_text(PLUGIN)
    cells = plan(parse(SUITE, Registry.load(extra=tmp_path)))
    together = batches(cells)
    for n in range(1, len(together) + 1):
        shards = [of_shard(cells, Shard(i, n)) for i in range(1, n + 1)]
        assert Counter(cell.id for one in shards for cell in one) == Counter(cell.id for cell in cells)
        assert all(shards)
        for batch in together:
            assert sum(any(cell in one for cell in batch) for one in shards) == 1
        if n == 2:
            loads = [sum(cell.steps for cell in one) for one in shards]
            assert max(loads) == min(loads)


def test_a_run_goes_on_with_the_chunks_that_it_began_with(suites, ran, gb, monkeypatch, room_for):
    """Begun where memory for one seed at a time is free, and gone on with where it is for all of them."""

    def sizes(folder):
        return [
            event.chunk for event in journal.read(folder.journal) if isinstance(event, CellStarted) and event.engine
        ]

    command = ("run", "timed.yaml", "--engine", "eager")
    ran(*command, "--out", "wide")
    assert set(sizes(one(suites / "wide" / "timed"))) == {2}
    monkeypatch.setattr(chunks, "free_memory", lambda device: 1000.0)
    ran(*command, "--out", "narrow")
    with room_for(6, Journal, "append", KeyboardInterrupt):
        assert gb(*command)[0] == 130
    stopped = one(suites / "results" / "timed")
    assert not stopped.finished
    assert any(isinstance(event, Evaluated) for event in journal.read(stopped.journal))
    monkeypatch.setattr(chunks, "free_memory", lambda device: 1e12)
    ran(*command)
    assert stopped.finished
    assert set(sizes(stopped)) == {1} == set(sizes(one(suites / "narrow" / "timed")))
    assert stopped.curves.read_bytes() == one(suites / "narrow" / "timed").curves.read_bytes()
    assert json.loads((stopped.path / "run.json").read_text())["most_bytes"] == 512


def test_what_a_killed_merge_has_left_is_no_run_and_in_nobodys_way(suites, ran, room_for):
    for i in (1, 2):
        ran("run", "timed.yaml", "--shard", f"{i}/2")
    parts = ("results/shards/1-of-2/timed", "results/shards/2-of-2/timed")
    ran("merge", *parts)
    merged = one(suites / "results" / "timed")
    hidden = merged.path.with_name(f".merging-{merged.path.name}")
    shutil.move(merged.path, hidden)
    (hidden / "table.csv").write_text("half")
    ran("merge", *parts)
    assert one(suites / "results" / "timed").path == merged.path
    assert not hidden.exists()
    assert "half" not in merged.table.read_text()


def test_the_block_of_the_page_works_as_it_stands(suites, ran):
    """Given line by line, as one shell after another gives it."""
    page = Path(__file__).parents[2] / "results" / "machines.md"
    (block,) = re.findall(r"^```sh shards\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (suites / "suite.yaml").write_text(TIMED.replace("timed", "first"))
    for line in block.splitlines():
        words = shlex.split(line, comments=True)
        assert words.pop(0) == "ganbench"
        ran(*(found for word in words for found in (sorted(glob(word)) if "*" in word else [word])))
    assert one(suites / "results" / "first").finished
