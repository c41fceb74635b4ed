"""What a kill or a disk left of a run, damaged: no evaluation is missing silently, and no other number appears."""

from __future__ import annotations

import json
import random
import re
import shutil

import pytest
import torch

from ganbench.record import journal
from ganbench.record.events import CellMeasured, Evaluated
from ganbench.record.folder import RunFolder
from ganbench.record.gaps import gaps
from ganbench.record.journal import Journal
from ganbench.record.record import Record
from ganbench.run.observer import CellNoted, RunObserver

PLUGIN = """
from ganbench import Column, Metric, hookimpl

def steady(speed):
    return {"pace": 1.0}

@hookimpl
def ganbench_metrics():
    pace = Column("pace", "a number", unit="1/s", better="higher", summary="same", role="clock")
    yield Metric("steady", steady, (pace,))
"""
SUITE = """
suite: small
seeds: 2
budget: {steps: 9, batch: 8}
evaluate: {every: 3, samples: 50}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 4, depth: 1}}
variants:
  first: {loss: minimax}
  second: {loss: nonsaturating, average: {width: 0.1}, optimizer: {schedule: {name: cosine, warmup: 5}}}
metrics: [modes, steady]
references: []
"""
#: Start, speed, three evaluations, end: the first cell; the second is stopped before its last evaluation.
EVENTS = 3 + 6 + 4
pytestmark = pytest.mark.usefixtures("one_thread")


class Told(RunObserver):
    """Keeps the lines that are for a person."""

    def __init__(self):
        self.lines = []

    def tell(self, event):
        if isinstance(event, CellNoted):
            self.lines.append(event.text)


@pytest.fixture(scope="module", autouse=True)
def _no_clock():
    """Timing a step takes longer than all else here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganbench.train.trainer.Trainer.speed", lambda self: None)
        yield


@pytest.fixture(scope="module")
def whole(run_text):
    return run_text(SUITE, engine="eager").folder


@pytest.fixture(scope="module")
def stopped(run_text, room_for, tmp_path_factory):
    """The results of a run that was stopped in its second cell, after an evaluation with a checkpoint."""
    out = tmp_path_factory.mktemp("stopped")
    with room_for(EVENTS, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_text(SUITE, engine="eager", out=out)
    return out


@pytest.fixture
def go_on(stopped, whole, run_text, tmp_path):
    """Damage a copy of the stopped run and go on with it: what was said; its tables are those of an unstopped run."""

    def build(damage):
        out = tmp_path / "out"
        shutil.copytree(stopped, out)
        (path,) = (path.parent for path in out.glob("small/*/run.json"))
        damage(RunFolder(path))
        watching = Told()
        again = run_text(SUITE, engine="eager", out=out, observer=watching).folder
        assert again.path == path
        for name in ("curves", "seeds", "table", "differences", "profiles"):
            assert getattr(again, name).read_bytes() == getattr(whole, name).read_bytes(), name
        assert gaps(Record.read(again)) == {}
        return watching.lines

    return build


def edit(change):
    """A damage: the lines of the journal, changed."""

    def damage(folder):
        lines = folder.journal.read_bytes().splitlines(keepends=True)
        assert len(lines) == EVENTS
        folder.journal.write_bytes(b"".join(change(lines)))

    return damage


def test_what_is_not_damaged_goes_on_without_a_word(go_on):
    assert go_on(lambda folder: None) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda lines: [*lines[:-1], lines[-1][:-9]], ["the journal lacks the evaluation at step 6"]),
        (lambda lines: [], ["the journal lacks how it was started"]),
        (lambda lines: lines[:5] + lines[6:], ["the journal lacks the evaluation at step 3"]),
        (lambda lines: lines[:3] + lines[4:], ["the journal lacks how it was started"]),
        (lambda lines: lines[:4] + lines[5:], ["the journal lacks its speed and cost"]),
        (lambda lines: lines[:9] + lines[10:], ["the journal lacks how it was started"]),
        (lambda lines: [line for line in lines for _ in range(2)], []),
        (lambda lines: lines[9:] + lines[:9], []),
        (lambda lines: [*lines[:3], lines[9], *lines[4:9], lines[3], *lines[10:]], []),
        (lambda lines: [*lines, b"\0" * 512], []),
    ],
    ids=["cut", "emptied", "middle", "start", "speed", "started", "twice", "cells", "swapped", "zeros"],
)
def test_a_journal_that_is_behind_its_checkpoint_trains_the_cell_again(change, told, go_on):
    assert go_on(edit(change)) == [f"{line}: trained again from the start" for line in told]


@pytest.mark.parametrize("seed", range(3))
def test_any_lines_of_a_journal_may_be_gone(seed, go_on):
    choose = random.Random(seed)
    go_on(edit(lambda lines: [line for line in lines if choose.random() < 0.6]))


def test_a_row_of_a_seed_that_is_gone_is_measured_again(go_on):
    """As an older ganbench may have left it: a line with a checksum cannot lack a row."""

    def without_a_seed(lines):
        told = [{name: value for name, value in json.loads(line).items() if name != "sha256"} for line in lines]
        told[6]["rows"] = told[6]["rows"][:1]
        return [json.dumps(line).encode() + b"\n" for line in told]

    assert go_on(edit(without_a_seed)) == [
        "the journal lacks the evaluation at step 6 of seed 1: trained again from the start"
    ]


def flipped(path):
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 2, len(content) // 2 + 40):
        content[at] ^= 0xFF
    path.write_bytes(content)


def a_folder(path):
    path.unlink()
    (path / "inner").mkdir(parents=True)


@pytest.mark.parametrize(
    "damage", [flipped, lambda path: torch.save([1, 2], path), a_folder], ids=["flipped", "list", "folder"]
)
def test_a_checkpoint_that_is_not_what_was_written_is_not_believed(damage, go_on):
    def of_folder(folder):
        (path,) = (folder.path / "checkpoints").iterdir()
        damage(path)

    assert go_on(of_folder) == ["its checkpoint is not what was written: trained again from the start"]


def test_a_file_where_checkpoints_are_kept_is_in_nobodys_way(go_on):
    def of_folder(folder):
        shutil.rmtree(folder.path / "checkpoints")
        (folder.path / "checkpoints").write_text("mine")

    assert go_on(of_folder) == []


def test_an_edited_digit_is_one_line_and_nothing_is_run(whole, gb, tmp_path):
    """In every command that reads a run: a number that was not measured is nowhere taken for one."""
    path = tmp_path / "small" / whole.path.name
    shutil.copytree(whole.path, path)
    text = (path / "journal.jsonl").read_text()
    edit = re.sub(r'("status":"done","\w+":)(\d)', lambda found: f"{found[1]}{int(found[2]) + 1}", text, count=1)
    assert edit != text
    (path / "journal.jsonl").write_text(edit)
    export = ("export", path, "--format", "bencher")
    for command in (("show", path), ("compare", whole.path, path), ("baseline", "save", path), export):
        code, out, err = gb(*command)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "was edited after it was written: its checksum does not fit" in err


def test_a_finished_run_that_lacks_an_evaluation_says_so(whole, gb, tmp_path):
    """In show on stderr; as a side of a comparison, or as a baseline, it is refused."""
    path = tmp_path / "small" / whole.path.name
    shutil.copytree(whole.path, path)
    lines = (path / "journal.jsonl").read_text().splitlines(keepends=True)
    kinds = [type(event) for event in journal.read(path / "journal.jsonl")]
    assert kinds[4:6] == [CellMeasured, Evaluated]
    (path / "journal.jsonl").write_text("".join(lines[:5] + lines[6:]))
    lacks = "the journal lacks the evaluation at step 3 of ring8 first"
    code, out, err = gb("show", path)
    assert (code, lacks in err, "ring8" in out) == (0, True, True)
    for command in (("compare", whole.path, path), ("baseline", "save", path, "--out", tmp_path / "b")):
        code, _, err = gb(*command)
        assert (code, lacks in err) == (2, True)
