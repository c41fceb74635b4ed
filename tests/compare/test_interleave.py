"""Interleaved timing: its outcomes, what becomes of workers that fail, die or hang, and that none is left behind.

Most workers here only say how long a step took: no torch, no waiting.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganbench.compare.speed import interleave
from ganbench.compare.speed import worker_process as worker_module
from ganbench.compare.speed.interleave import time_interleaved
from ganbench.compare.speed.timing_worker import VERSION
from ganbench.compare.speed.worker_process import SCRIPTS, Command, Worker, WorkerError, commands
from ganbench.compare.verdicts.finding import Outcome

#: Where a revision has its timing worker, from its top.
WORKER = Path("ganbench") / SCRIPTS[0]
#: A timing worker that computes nothing: a variant's name says how it behaves, SPEED how many times as fast a step is.
FAKE = """
import json, os, random, subprocess, sys, time
random.seed(SEED)
def say(**said): print(json.dumps(said), flush=True)
say(pacer=VERSION, suite=SUITE, batches=[{"cases": [["ring8", one] for one in cases], "work": WORK} for cases in CASES])
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "prepare":
        case = asked["case"][1]
        if case == "fails":
            say(error="PluginError: no such luck")
            continue
        if case == "dies":
            sys.exit("out of luck")
        if case == "parent":
            open("PIDS", "a").write(f"{os.getpid()} {subprocess.Popen(['sleep', '600']).pid}\\n")
        say(engine="eager", replicas=4, block=8, note="")
    else:
        if case == "hangs":
            time.sleep(600)
        speed = SPEED if case == "it" else 1
        say(seconds=[asked["steps"] * 0.01 / speed * random.uniform(1, 1.05) for _ in range(asked["times"])])
"""


@pytest.fixture
def side(tmp_path):
    """A side run by the fake worker: ``side("base", speed=0.8, cases=[["it"]])``."""

    def build(label, *, speed=1.0, cases=(("it",),), version=VERSION, suite="suite", work=1, seed=0) -> Command:
        folder = tmp_path / label
        (folder / WORKER).parent.mkdir(parents=True)
        text = FAKE.replace("SEED", str(seed or len(label))).replace("VERSION", str(version)).replace("WORK", str(work))
        text = text.replace("CASES", repr([list(one) for one in cases])).replace("SUITE", repr(suite))
        text = text.replace("SPEED", str(speed)).replace("PIDS", str(tmp_path / "pids"))
        (folder / WORKER).write_text(text)
        return Command(label, tmp_path / "suite.yaml", folder)

    return build


def words(findings) -> dict[str, Outcome]:
    return {finding.variant: finding.outcome for finding in findings}


def running(pid: int) -> bool:
    """Whether a process is there, and no zombie that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_end(pids) -> bool:
    """Whether none of the processes is left within some seconds: a busy machine takes its time to end them."""
    pids, until = list(pids), time.monotonic() + 10
    while any(map(running, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(running, pids))


@pytest.mark.parametrize(("speed", "word"), [(1.0, Outcome.SAME), (0.8, Outcome.WORSE), (1.25, Outcome.BETTER)])
def test_the_word_follows_the_speed(side, speed, word):
    cases = (("it",), ("still",))
    (it, still) = time_interleaved(side("base", cases=cases), side("new", speed=speed, cases=cases))
    assert it.outcome is word
    assert still.outcome is Outcome.SAME
    assert it.effect == pytest.approx(speed, rel=0.03)
    assert it.low <= it.effect <= it.high
    assert it.base == pytest.approx(4 / 0.01, rel=0.06)
    assert (it.kind, it.better, it.advice) == ("clock", "higher", False)
    assert it.reason == ("8 rounds in turn" if word is Outcome.SAME else "8 + 16 rounds in turn")


def test_a_floor_of_the_suite_is_kept_to_and_false_leaves_a_case_out(side):
    cases = (("it",), ("still",))
    min_effects = {("ring8", "it"): 0.3, ("ring8", "still"): False}
    found = time_interleaved(side("base", cases=cases), side("new", speed=0.8, cases=cases), min_effects=min_effects)
    assert words(found) == {"it": Outcome.SAME}


def test_what_has_failed_died_or_hangs_is_said_and_the_others_go_on(side, monkeypatch):
    monkeypatch.setattr(interleave, "GRACE", 0.5)
    monkeypatch.setattr(interleave, "PATIENCE", 1)
    cases = (("fails",), ("dies",), ("hangs",), ("it",))
    told = []
    new = side("new", cases=cases, speed=0.8)
    base = side("base", cases=cases)
    # The base does not fail: its names only look so.
    fake = base.source / WORKER
    fake.write_text(fake.read_text().replace('"fails"', "0").replace('"dies"', "0").replace('"hangs"', "0"))
    found = time_interleaved(base, new, tell=told.append)
    assert words(found) == {
        "fails": Outcome.FAILED,
        "dies": Outcome.FAILED,
        "hangs": Outcome.FAILED,
        "it": Outcome.WORSE,
    }
    reasons = [finding.reason for finding in found]
    assert "no such luck" in reasons[0]
    assert "ended with exit code 1: out of luck" in reasons[1]
    assert "no answer within" in reasons[2]
    assert any("measured again: ring8/it" in line for line in told)


def test_a_case_that_only_the_base_fails_is_not_comparable(side):
    new = side("new", cases=(("fails",),))
    fake = new.source / WORKER
    fake.write_text(fake.read_text().replace('"fails":', "0:"))
    (found,) = time_interleaved(side("base", cases=(("fails",),)), new)
    assert found.outcome is Outcome.NOT_COMPARABLE
    assert "the base could not be timed" in found.reason


def test_cases_of_one_side_only_are_new_or_gone(side):
    found = time_interleaved(side("base", cases=(("it",), ("old",))), side("new", cases=(("it",), ("young",))))
    assert words(found) == {"it": Outcome.SAME, "young": Outcome.NEW, "old": Outcome.GONE}


def test_settings_that_train_as_one_are_timed_as_one_and_told_each(side):
    cases = (("it", "it2", "it3"),)
    found = time_interleaved(side("base", cases=cases), side("new", speed=0.8, cases=cases))
    assert words(found) == dict.fromkeys(["it", "it2", "it3"], Outcome.WORSE)
    assert len({finding.effect for finding in found}) == 1


def test_another_suite_is_not_compared_unless_it_asks_for_the_same(side):
    base = side("base", suite="theirs", work=2)
    assert words(time_interleaved(base, side("new", suite="ours"))) == {"it": Outcome.NOT_COMPARABLE}
    assert words(time_interleaved(base, side("same", suite="ours", work=2))) == {"it": Outcome.SAME}


def test_a_worker_leaves_no_child_behind_when_it_is_closed(side, tmp_path):
    time_interleaved(side("base", cases=(("parent",),)), side("new", cases=(("parent",),)))
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 4
    assert all_end(pids)


def test_ctrl_c_ends_both_sides_and_their_children(side, tmp_path):
    base, new = side("base", cases=(("parent",), ("hangs",))), side("new", cases=(("parent",), ("hangs",)))
    script = tmp_path / "go.py"
    script.write_text(
        "from pathlib import Path\nfrom ganbench.compare.speed.interleave import time_interleaved\n"
        "from ganbench.compare.speed.worker_process import Command\n"
        f"time_interleaved(*[Command(str(p), Path('s'), Path(p)) for p in {[str(base.source), str(new.source)]!r}])\n"
    )
    path = os.pathsep.join([str(Path(interleave.__file__).resolve().parents[3]), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True
    )
    pids = tmp_path / "pids"
    try:
        for _ in range(300):
            if pids.exists() and len(pids.read_text().split()) == 4:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in said
    assert all_end(int(pid) for pid in pids.read_text().split())


def test_a_side_that_cannot_start_is_told_in_a_line(side, tmp_path):
    base = side("base")
    (base.source / WORKER).write_text("raise SystemExit('no torch here')")
    with pytest.raises(WorkerError, match="base cannot be timed: ended with exit code 1: no torch here"):
        time_interleaved(base, side("new"))


def test_a_revision_from_before_the_rooms_is_timed_by_its_own_worker(side):
    base, new = side("base", speed=1.0), side("new", speed=0.8)
    old = base.source / "ganbench" / SCRIPTS[1]
    (base.source / WORKER).rename(old)
    assert words(time_interleaved(base, new)) == {"it": Outcome.WORSE}
    assert old.is_file()


def test_a_worker_of_another_version_gives_way_to_this_one(side, tmp_path):
    """This one says that there is no such suite: it was asked."""
    with pytest.raises(WorkerError, match="no such file"), Worker(side("base", version=VERSION + 1)):
        pass


def test_a_python_without_ganbench_is_told_in_a_line(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_module, "HOME", tmp_path / "site-packages")
    base, _ = commands(tmp_path / "suite.yaml", python="/nowhere/python")
    with pytest.raises(WorkerError, match="/nowhere/python "), Worker(base):
        pass


def test_the_same_code_on_real_steps_is_timed_on_both_sides(tmp_path, monkeypatch):
    monkeypatch.setattr(interleave, "TURN", 0.05)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    suite = tmp_path / "tiny.yaml"
    suite.write_text(
        "suite: tiny\nseeds: 2\nbudget: {steps: 10, batch: 8}\nevaluate: {every: 10, samples: 100}\n"
        "datasets: {ring8: {name: ring, std: 0.1}}\ndefaults: {architecture: {name: mlp, width: 8}}\n"
        "variants: {minimax: {loss: minimax}}\nmetrics: [jsd]\n"
    )
    base, new = commands(suite, device="cpu", engine="eager")
    (found,) = time_interleaved(base, new, rounds=3)
    assert found.outcome in (Outcome.SAME, Outcome.UNSURE)
    assert found.base > 0
    assert found.new > 0


@pytest.mark.parametrize(("kind", "why"), [("none", "No such file"), ("folder", "ermission"), ("text", "ermission")])
def test_a_python_that_cannot_be_started_is_told_in_one_line(tmp_path, kind, why):
    python = tmp_path / "python"
    if kind == "folder":
        python.mkdir()
    elif kind == "text":
        python.write_text("print()")
    command = Command("base", tmp_path / "suite.yaml", source=tmp_path, python=str(python))
    with pytest.raises(WorkerError, match=f"^{python} cannot be started: .*{why}") as told, Worker(command):
        pass
    assert told.value.lost
    assert "\n" not in str(told.value)
