"""A fresh process of the same command in place of this one, where a device can compute nothing more in this one.

After an assertion of the device, as of an index out of range on a GPU, no computation on it works any more in the
process. What had been measured stands in the run's folder: a fresh process of the command goes on from there.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

#: The run that a fresh process must go on with: one that began another would run into the same again and again.
VARIABLE = "GANBENCH_GOES_ON_WITH"


class DeviceLostError(RuntimeError):
    """A device can compute nothing more in this process, and the run has cells left.

    ``why``: the device's error, in a line; ``run``: the run's folder. Its text says what a caller does.
    """

    def __init__(self, why: str, run: Path) -> None:
        lost = f"the device can compute nothing more in this process ({why})"
        super().__init__(f"{lost}: the same again in a fresh process goes on with the cells that are left")
        self.note = f"{lost}: a fresh process goes on with the cells that are left"
        self.run = run.resolve()


@dataclass(frozen=True)
class Begun:
    """How this process was begun: the words after the interpreter, the folder, and the environment."""

    words: Sequence[str]
    folder: str
    environment: Mapping[str, str]

    @classmethod
    def now(cls) -> Begun | None:
        """How it was begun, before anything changes the folder or the environment.

        None where it was not begun for the command in ``sys.argv``: it is somebody else's, such as a notebook's.
        """
        given = sys.argv[1:]
        if not sys.executable or sys.orig_argv[max(1, len(sys.orig_argv) - len(given)) :] != given:
            return None
        with suppress(OSError):  # the folder was removed
            return cls(sys.orig_argv[1:], os.getcwd(), dict(os.environ))
        return None

    def again(self, run: Path) -> NoReturn:
        """Let a fresh process of the same command go on with a run, in place of this one, which ends here.

        On Windows no process takes the place of another: this one waits for it, and ends as it does. Raises OSError
        where it cannot be started.
        """
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        # As at the end of any process: this ends torch's compiling processes, too.
        atexit._run_exitfuncs()
        os.chdir(self.folder)
        command = [sys.executable, *self.words]
        environment = {**self.environment, VARIABLE: str(run)}
        if os.name == "nt":
            sys.exit(beside(command, environment))
        # The handles of a driver that live on would keep the device's memory.
        for number in map(int, os.listdir("/dev/fd")):
            if number > 2:
                with suppress(OSError):  # that of the list itself
                    os.set_inheritable(number, False)
        os.execve(sys.executable, command, environment)


def beside(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code of a process that has this one's streams; Ctrl-C is for that one, which gets it, too."""
    process = subprocess.Popen(command, env=environment)
    while True:
        with suppress(KeyboardInterrupt):
            return process.wait()


def must_go_on_with() -> Path | None:
    """The run that this process was begun to go on with; None where it may begin any. It is told once."""
    told = os.environ.pop(VARIABLE, "")
    return Path(told) if told else None
