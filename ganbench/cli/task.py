"""What an executor starts on a worker: ``python -m ganbench.cli.task RUN NUMBER ATTEMPT`` trains one task of a run.

It is given where the run is, and which task; all else it reads there. What it says goes into a log in the run's folder,
which is made before anything else: so the head knows that this machine sees the folder.
"""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import click

from ganbench.core.fresh_process import Begun, DeviceLostError
from ganbench.core.shard import Shard
from ganbench.record.folder import RunFolder, RunLockedError
from ganbench.record.tasks import Tasks

#: Seconds between two looks at a task that another process trains.
AGAIN = 5.0


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("number", type=int)
@click.argument("attempt", type=int)
@click.option("--alone", is_flag=True, help="Nothing else uses this machine: clocks measure what is true.")
@click.option("--with-parent", is_flag=True, help="End when the process that started this one ends.")
def task(run: Path, number: int, attempt: int, alone: bool, with_parent: bool) -> None:
    """Train task NUMBER of RUN, for the ATTEMPT-th time."""
    begun = Begun.now()
    if with_parent:
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    log = run / "tasks" / f"{number}.{attempt}.log"
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        sys.exit(f"{platform.node()} does not see the run: {log}: {error.strerror}")
    for stream in (1, 2):
        os.dup2(file, stream)
    os.close(file)
    print(f"attempt {attempt} on {platform.node()}, process {os.getpid()}", flush=True)
    try:
        _train(run, number, alone=alone)
    except (click.ClickException, ValueError) as error:
        _end("refused", error.format_message() if isinstance(error, click.ClickException) else str(error))
    except DeviceLostError as lost:
        if begun is None:
            _end("failed", str(lost))
        print(lost.note, flush=True)
        begun.again(lost.run)
    except Exception as error:
        traceback.print_exc()
        _end("failed", f"{type(error).__name__}: {error}")


def _end(how: str, why: str) -> NoReturn:
    """End, with a last line for the head, see ``record.tasks.Ending``."""
    print(f"{how}: {' / '.join(why.splitlines())}", flush=True)
    sys.exit(1)


def _train(run: Path, number: int, *, alone: bool) -> None:
    from ganbench.cli.run import run as run_command
    from ganbench.cli.run import run_task
    from ganbench.run.task_of import TaskOf

    tasks = Tasks(RunFolder.open(run))
    plan, shard = tasks.plan(), tasks.shard(number)
    _wait_for_others(tasks, shard)
    if (known := tasks.folder(shard)) and known.finished:
        return
    try:
        os.chdir(plan.cwd)
    except OSError as error:
        raise ValueError(f"{plan.cwd}, where the run was begun: {error.strerror}") from None
    given = run_command.make_context("run", [*plan.command[2:]]).params
    device = plan.devices[0].partition(":")[0]
    run_task(given, shard=shard, out=tasks.path, device=device, task=TaskOf(tasks.run, alone))


def _wait_for_others(tasks: Tasks, shard: Shard) -> None:
    """Wait while another process trains the task, and tell the head so, see ``record.tasks.Ending``.

    Who submitted that one was killed before it wrote so down; or Ray or Slurm took it for lost, and it is not.
    """
    said = ""
    while holder := next(_holders(tasks, shard), ""):
        if holder != said:
            print(f"waits: {holder}", flush=True)
        said = holder
        time.sleep(AGAIN)
    if said:
        print("it is over", flush=True)


def _holders(tasks: Tasks, shard: Shard) -> Iterator[str]:
    for folder in tasks.sizes(shard):
        try:
            with folder.lock():
                pass
        except RunLockedError as error:
            yield str(error).partition("; ")[0]


def _end_with(parent: int, end: Callable[[int], NoReturn] = os._exit) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    end(143)


if __name__ == "__main__":
    task()
