"""The script that proves on a GPU what is promised of one runs on a CPU, in its dry form: the script itself works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("prove.sh")
STEPS = ["machine", "promises", "engines", "seeds", "peers"]


def proved(*options, out):
    """The exit code, the lines of the summary, and all that was printed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = ["bash", SCRIPT, *options, "--out", out]
    done = subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False, timeout=1800
    )
    summary = out / "summary.txt"
    return done.returncode, summary.read_text().splitlines() if summary.exists() else [], done.stdout + done.stderr


@pytest.mark.slow
def test_a_dry_run_passes_each_step_and_says_so(tmp_path):
    code, lines, printed = proved("--dry", out=tmp_path)
    assert [line.split()[0] for line in lines] == STEPS
    ended = {line.split()[0]: line.split()[1] for line in lines}
    assert ended == dict.fromkeys(STEPS, "passed"), printed
    assert code == 0
    assert printed.splitlines() == lines
    assert list((tmp_path / "runs").glob("*/*/seeds.csv"))


def test_a_step_that_has_no_time_is_told_and_stops_no_other(tmp_path):
    code, lines, _ = proved("--dry", "--seconds", "0", out=tmp_path)
    assert code == 1
    assert [line.split()[0] for line in lines] == STEPS
    assert {line.split(maxsplit=1)[1] for line in lines} == {"late     0 s  no time was left"}


def test_a_step_that_fails_is_told_with_its_last_line_and_stops_no_other(tmp_path):
    """Python is another program here, that fails."""
    (tmp_path / "python").write_text("#!/bin/sh\necho 'one line'\necho 'what is wrong'\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", SCRIPT, "--dry", "--out", tmp_path / "out"]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == STEPS
    failed = [line for line in lines if line.split()[1] == "failed"]
    assert len(failed) == len(STEPS)
    assert all(line.endswith("what is wrong") for line in failed)


def test_an_unknown_option_is_refused_in_a_line(tmp_path):
    code, lines, printed = proved("--wet", out=tmp_path)
    assert (code, lines) == (2, [])
    assert "unknown option --wet" in printed
    assert len(printed.splitlines()) == 1
