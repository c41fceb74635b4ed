"""ganbench.record.folder: a run is there whole or not at all, and one process at a time runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from ganbench.record.events import RunFinished
from ganbench.record.folder import NotARunError, RunFolder, RunLockedError
from ganbench.record.journal import Journal

ONE, OTHER = "a1b2c3d4e5f6", "ffffffffffff"

CLAIM = """
import sys, time
from pathlib import Path
from ganbench.record.events import RunFinished
from ganbench.record.folder import RunFolder, RunLockedError
try:
    with RunFolder.claim(Path(sys.argv[1]), "mog", "a1b2c3d4e5f6", "suite: mog\\n", {}) as folder:
        print(folder.path, flush=True)
        time.sleep(float(sys.argv[2]))
except RunLockedError as error:
    print("locked:", error, flush=True)
"""


def claimed(out, seconds):
    return subprocess.Popen([sys.executable, "-c", CLAIM, str(out), str(seconds)], stdout=subprocess.PIPE, text=True)


def create(out, identity=ONE):
    return RunFolder.create(out, "mog", identity, "suite: mog\n", {"cells": []})


def finish(folder):
    with Journal(folder.journal) as journal:
        journal.append(RunFinished())


def test_a_new_run_has_its_name_and_all_its_files(tmp_path):
    folder = create(tmp_path)
    assert folder.path.parent == tmp_path / "mog"
    assert re.fullmatch(r"\d{8}-\d{6}-a1b2c3d4", folder.path.name)
    assert folder.suite.read_text() == "suite: mog\n"
    run = RunFolder.open(folder.path).describe()
    assert {key: run[key] for key in ("run", "suite", "identity", "cells")} == {
        "run": folder.path.name,
        "suite": "mog",
        "identity": ONE,
        "cells": [],
    }
    assert not folder.finished
    assert not [path for path in (tmp_path / "mog").iterdir() if path.name.startswith(".")]


def test_two_runs_in_the_same_second_are_two_runs(tmp_path):
    assert len({create(tmp_path).path for _ in range(4)}) == 4


def test_unfinished_is_the_newest_with_this_identity(tmp_path):
    assert RunFolder.unfinished(tmp_path, "mog", ONE) is None
    create(tmp_path, OTHER)
    first, second = create(tmp_path), create(tmp_path)
    assert RunFolder.unfinished(tmp_path, "mog", ONE) == second
    finish(second)
    assert RunFolder.unfinished(tmp_path, "mog", ONE) == first
    finish(first)
    assert RunFolder.unfinished(tmp_path, "mog", ONE) is None


def test_what_is_no_run_is_passed_over_and_left_alone(tmp_path):
    home = tmp_path / "mog"
    for name, content in {"empty": None, "broken": '{"identity": "a1b', "list": "[1]", "alone": "{}"}.items():
        (home / name).mkdir(parents=True)
        if content is not None:
            (home / name / "run.json").write_text(content)
    (home / "notes.txt").write_text("mine")
    (home / ".hidden").mkdir()
    with RunFolder.claim(tmp_path, "mog", ONE, "", {}) as folder:
        assert folder.path.name not in {"empty", "broken", "list", "alone"}
    assert {"empty", "broken", "list", "alone", "notes.txt", ".hidden"} <= {path.name for path in home.iterdir()}
    for name in ("empty", "broken", "list", "alone", "nowhere"):
        with pytest.raises(NotARunError, match="is not a run"):
            RunFolder.open(home / name)


def test_claim_goes_on_with_what_was_stopped_and_begins_anew_after_what_finished(tmp_path):
    with RunFolder.claim(tmp_path, "mog", ONE, "", {}) as first:
        pass
    with RunFolder.claim(tmp_path, "mog", ONE, "", {}) as again:
        assert again == first
        finish(again)
    with RunFolder.claim(tmp_path, "mog", ONE, "", {}) as new:
        assert new != first


def test_our_own_half_written_folders_are_swept_up(tmp_path):
    leftover = tmp_path / "mog" / ".creating-20260101-000000-a1b2c3d4"
    leftover.mkdir(parents=True)
    (leftover / "run.json").write_text("{")
    with RunFolder.claim(tmp_path, "mog", ONE, "", {}):
        assert not leftover.exists()


def test_second_process_on_one_run_says_so_and_stops(tmp_path):
    with RunFolder.claim(tmp_path, "mog", ONE, "", {}) as folder:
        with claimed(tmp_path, 0) as second:
            said = second.stdout.read()
        assert said == (
            f"locked: {folder.path} is being run by process {os.getpid()}; wait for it or choose another --out\n"
        )
        with pytest.raises(RunLockedError), folder.lock():
            pass
        with RunFolder.claim(tmp_path, "mog", OTHER, "", {}) as other:
            assert other != folder, "another identity is another run"


def test_of_processes_that_start_together_one_makes_a_run(tmp_path):
    """From nothing at all, and while all of them are alive: one folder, one runner."""
    processes = [claimed(tmp_path, 60) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda process: process.stdout.readline(), processes))
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()
    assert sum(line.startswith("locked:") for line in said) == 3
    assert len([path for path in (tmp_path / "mog").iterdir() if not path.name.startswith(".")]) == 1


def test_killed_runner_leaves_a_run_to_go_on_with(tmp_path):
    with claimed(tmp_path, 60) as process:
        path = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
    with RunFolder.claim(tmp_path, "mog", ONE, "", {}) as folder:
        assert str(folder.path) == path


@pytest.mark.parametrize("name", ["", ".", "..", ".mog", "a/b", "/tmp"])
def test_suite_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="must be able to name a folder"):
        RunFolder.create(tmp_path, name, ONE, "", {})


def test_what_stands_in_a_folders_way_is_named(tmp_path):
    (tmp_path / "link").symlink_to("/nowhere/at/all")
    (tmp_path / "file").write_text("")
    for name, what in (
        ("link", "is a link to /nowhere/at/all, which does not exist"),
        ("file", "is a file, not a folder"),
    ):
        for out in (tmp_path / name, tmp_path / name / "below"):
            with pytest.raises(OSError, match=what) as error, RunFolder.claim(out, "mog", ONE, "", {}):
                pytest.fail("made")
            assert error.value.filename == str(tmp_path / name)
