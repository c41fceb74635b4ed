"""A side's worker: a process of its own, with its own ganbench, that times steps on request (see ``timing_worker``)."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from ganbench.compare.sides.compared_run import Name
from ganbench.compare.speed import timing_worker
from ganbench.compare.speed.checkout import HOME, Checkout

#: Where a revision has its timing worker: the place now, and the place in older revisions.
SCRIPTS = (Path("compare/speed/timing_worker.py"), Path("compare/pacer.py"))
#: Seconds that a worker may take to import torch and to read the suite; and to compile and warm up a case.
STARTING = 300.0
PREPARING = 900.0


class WorkerError(Exception):
    """A worker could not answer a request, in one line. ``lost``: the worker has ended, or must be ended."""

    def __init__(self, message: str, *, lost: bool) -> None:
        super().__init__(message)
        self.lost = lost


@dataclass(frozen=True)
class Command:
    """How to start the worker of one side.

    ``label``: the side's name, for messages. ``source``: the folder to import ganbench from; None: the one that is
    installed for ``python``. ``suite``: the suite's file; ``fallback``: the file to read where that cannot be read.
    ``beside``, ``plugins``: folders of plugins, as for ``ganbench run``. ``device``, ``engine``: what to train with.
    ``seeds``: train seeds 0 to ``seeds`` - 1; None: the suite's.
    """

    label: str
    suite: Path
    source: Path | None = None
    python: str = sys.executable
    fallback: Path | None = None
    beside: tuple[Path, ...] = ()
    plugins: Path | None = None
    device: str = "auto"
    engine: str = "auto"
    seeds: int | None = None

    def package(self) -> Path:
        """The folder of the ganbench that the worker will import. Raises WorkerError where there is none."""
        if self.source is not None:
            return self.source / "ganbench"
        code = "import ganbench, os; print(os.path.dirname(os.path.abspath(ganbench.__file__)))"
        try:
            printed = subprocess.run(
                [self.python, "-P", "-c", code],
                capture_output=True,
                text=True,
                timeout=STARTING,
                env=self.environment(),
                cwd=tempfile.gettempdir(),
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            why = getattr(error, "stderr", None) or str(error)
            raise WorkerError(f"{self.python} has no ganbench: {why.strip().splitlines()[-1]}", lost=True) from None
        return Path(printed.stdout.strip())

    def arguments(self, script: Path) -> list[str]:
        """The command line of the worker."""
        given = [self.python, "-P", str(script), str(self.suite), "--device", self.device]
        for name, value in (("--fallback", self.fallback), ("--plugins", self.plugins), ("--seeds", self.seeds)):
            given += [] if value is None else [name, str(value)]
        return given + [part for folder in self.beside for part in ("--beside", str(folder))]

    def environment(self) -> dict[str, str]:
        """This process's environment, with ganbench from the side's own source first."""
        ours = dict(os.environ)
        # Another Python has a path of its own. A relative path is made absolute: the worker runs in another folder.
        path = [] if self.python != sys.executable else ours.get("PYTHONPATH", "").split(os.pathsep)
        path = [str(Path(one).resolve()) for one in path if one]
        ours["PYTHONPATH"] = os.pathsep.join([*([str(self.source)] if self.source else []), *path])
        if self.python != sys.executable:
            ours.pop("PYTHONHOME", None)
        return ours


def commands(
    suite: Path,
    there: Checkout | None = None,
    *,
    python: str | None = None,
    plugins: Path | None = None,
    device: str = "auto",
    engine: str = "auto",
    seeds: int | None = None,
) -> tuple[Command, Command]:
    """How to start the workers of both sides: the base is another revision, another Python, or both.

    Both sides read the same suite; a base that cannot read it reads the checkout's own version of it. A folder of
    plugins in the revision's repository is taken from the checkout for the base; any other folder is the same for both.

    Args:
        suite: the suite's file
        there: the base's revision; None: the base has the same code
        python: the base's Python, with its own ganbench or, if it has none, with this one; None: this Python
        plugins: a folder of plugins to load too
        device: the device to train on
        engine: the engine to train with
        seeds: train seeds 0 to ``seeds`` - 1; None: the suite's

    Returns:
        The commands of the base and of the new side.
    """
    suite = suite.resolve()
    beside = (suite.parent / "plugins", Path.cwd() / "plugins")
    ours = None if HOME.name in ("site-packages", "dist-packages") else HOME
    extra = None if plugins is None else plugins.resolve()
    new = Command("this", suite, ours, sys.executable, None, beside, extra, device, engine, seeds)

    def of(path: Path) -> Path:
        return (there.at(path) if there else None) or path

    own = of(suite)
    source = (there.source if there else None) or (None if python else ours)
    base = Command(
        " with ".join(filter(None, (there.label if there else "", python or ""))) or "this",
        suite,
        source,
        python or sys.executable,
        own if own != suite and own.is_file() else None,
        tuple(of(folder) for folder in beside),
        None if extra is None else of(extra),
        device,
        engine,
        seeds,
    )
    if source is None and ours is not None:
        try:
            base.package()
        except WorkerError:
            base = replace(base, source=ours)
    return base, new


class Worker:
    """A running worker. Use it in a ``with``: at its end the worker and all of its child processes are ended."""

    def __init__(self, command: Command) -> None:
        self.command = command
        package = command.package()
        own = [script for place in SCRIPTS if (script := package / place).is_file()]
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        here = Path(timing_worker.__file__).resolve()
        for script in dict.fromkeys([*own[:1], here]):
            self._start(script)
            try:
                #: What the worker writes first: the batches that it can time.
                self.about = self._read(STARTING)
            except BaseException:
                self.close()
                raise
            version = self.about.get("pacer")
            if version == timing_worker.VERSION:
                return
            # Another version of the protocol: our own timing worker may work with the revision's ganbench.
            self._kill()
        self.close()
        raise WorkerError(f"its timing protocol has version {version}, not {timing_worker.VERSION}", lost=True)

    def _start(self, script: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="ganbench-", ignore_cleanup_errors=True)
        # A session of its own: Ctrl-C does not reach it, and all its child processes can be ended with it.
        try:
            self._process = subprocess.Popen(
                self.command.arguments(script),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                text=True,
                encoding="utf-8",
                env=self.command.environment(),
                cwd=self._folder.name,
                start_new_session=True,
            )
        except OSError as error:
            self._folder.cleanup()
            self._log.close()
            why = error.strerror or str(error)
            raise WorkerError(f"{self.command.python} cannot be started: {why}", lost=True) from None
        self._ended = False
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=_listen, args=(self._process.stdout, self._lines), daemon=True)
        self._listener.start()

    def prepare(self, case: Name, engine: str) -> dict[str, Any]:
        """Make a case ready; gives its ``engine``, ``replicas``, ``block`` and ``note``. Raises WorkerError."""
        return self._ask(PREPARING, do="prepare", case=case, engine=engine)

    def time(self, begin: int, steps: int, times: int, *, timeout: float) -> list[float]:
        """Time chunks of steps of the case that is ready.

        Args:
            begin: the index of the first step
            steps: how many steps a chunk has
            times: how many chunks to time
            timeout: how many seconds to wait for the answer

        Returns:
            The seconds of each chunk.

        Raises:
            WorkerError: where the worker fails, or does not answer in time
        """
        answer = self._ask(timeout, do="time", begin=begin, steps=steps, times=times)
        return [float(one) for one in answer["seconds"]]

    def _ask(self, timeout: float, **request: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise WorkerError(self._how_it_ended(), lost=True) from None
        return self._read(timeout)

    def _read(self, timeout: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise WorkerError(f"no answer within {timeout:.0f} s", lost=True) from None
        if line is None:
            raise WorkerError(self._how_it_ended(), lost=True)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(str(answer["error"]), lost=False)
        return answer

    def _how_it_ended(self) -> str:
        """How the process ended, with the last line that it printed."""
        code = self._process.wait(timeout=60)
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return f"{how}: {lines[-1].strip()}" if lines else how

    def close(self) -> None:
        """End the process at once, with its child processes."""
        self._kill()
        self._log.close()

    def _kill(self) -> None:
        if self._ended:
            return
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:  # Windows has no groups of processes: what the worker started ends when its pipes close.
                self._process.kill()
        self._process.wait()
        self._ended = True
        self._listener.join(timeout=10)
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._folder.cleanup()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _listen(pipe: IO[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Pass on the lines that a worker writes, and None when there are no more."""
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(None)
