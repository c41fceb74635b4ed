"""ganbench.record.lock: one holder at a time, whatever becomes of processes."""

from __future__ import annotations

import errno
import fcntl
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from ganbench.record.lock import LockedError, NoLocksError, locked

HOLD = """
import sys, time
from pathlib import Path
from ganbench.record.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """A real process that holds ``tmp_path / "lock"``."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_second_process_is_told_who_holds_it(tmp_path, holder):
    with pytest.raises(LockedError, match=f"process {holder.pid}"), locked(tmp_path / "lock"):
        pass


def test_killed_holder_lets_go(tmp_path, holder):
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    with locked(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text().split()[0] == str(os.getpid())


def test_it_can_be_taken_again_after_it_was_let_go(tmp_path):
    for _ in range(3):
        with locked(tmp_path / "lock"), pytest.raises(LockedError), locked(tmp_path / "lock"):
            pass
    with pytest.raises(RuntimeError, match="inside"), locked(tmp_path / "lock"):
        raise RuntimeError("inside")
    with locked(tmp_path / "lock"):
        pass


def _wait_for_it(path, began, got):
    began.set()
    with locked(path, wait=60):
        got.set()


def test_waiting_for_it_ends_when_it_is_free(tmp_path):
    context = multiprocessing.get_context("spawn")
    began, got = context.Event(), context.Event()
    process = context.Process(target=_wait_for_it, args=(tmp_path / "lock", began, got))
    with locked(tmp_path / "lock"):
        process.start()
        assert began.wait(30)
        assert not got.wait(0.2)
    assert got.wait(30)
    process.join()


def test_forked_child_that_outlives_its_parent_does_not_keep_it(tmp_path):
    """Workers are forked while the lock is held; they must not hold it for a parent that was killed."""
    code = (
        "import os, sys, time\nfrom pathlib import Path\nfrom ganbench.record.lock import locked\n"
        "with locked(Path(sys.argv[1])):\n"
        "    child = os.fork()\n"
        "    if child:\n        print(child, flush=True)\n"
        "    time.sleep(60)\n"
    )
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        # The child closes its copy just after the fork, perhaps a moment after the parent has spoken.
        time.sleep(0.2)
        try:
            parent.kill()
            parent.wait()
            with locked(path):
                pass
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_said_and_nothing_is_run_unlocked(tmp_path, monkeypatch, code):
    def refuses(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuses)
    with pytest.raises(NoLocksError) as error, locked(tmp_path / "lock"):
        pytest.fail("held")
    assert error.value.filename == str(tmp_path)
    assert "has no file locks" in error.value.strerror
    assert "--out DIR" in error.value.strerror


def test_one_who_waits_in_vain_is_told_whom_for(tmp_path, holder):
    with pytest.raises(LockedError, match=f"process {holder.pid}"), locked(tmp_path / "lock", wait=0.1):
        pytest.fail("held")


WITHOUT = f"import sys, warnings; sys.modules['fcntl'] = None; warnings.simplefilter('ignore')\n{HOLD}"


def test_a_system_without_fcntl_has_locks_too(tmp_path):
    """As on Windows, as far as a Linux machine can tell: told who holds it, and a killed holder lets go."""
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "held\n"
        second = subprocess.run(command, capture_output=True, text=True)
        assert second.stderr.splitlines()[-1].endswith(f"is held by process {first.pid}")
        first.kill()
        first.wait()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as third:
        assert third.stdout.readline() == "held\n"
        third.kill()
