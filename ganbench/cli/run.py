"""``ganbench run``."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganbench.cli.executor_options import ExecutorCommand
from ganbench.cli.options import (
    UserMistakeError,
    choose_device,
    console_for,
    load_suite,
    observer_named,
    plugin_named,
    result_options,
    suite_options,
    tell,
)
from ganbench.cli.report import write_report
from ganbench.core.disk import os_error_line
from ganbench.core.fresh_process import must_go_on_with
from ganbench.core.streams import aside

if TYPE_CHECKING:
    from ganbench.core.shard import Shard
    from ganbench.plugin.registry import Registry
    from ganbench.run.executors.executed import Execution
    from ganbench.run.run import RunResult
    from ganbench.run.task_of import TaskOf
    from ganbench.suite.suite import Suite


@click.command(cls=ExecutorCommand)
@suite_options
@result_options
@click.option("--save-samples", is_flag=True, help="Keep each seed's last samples beside the tables, as .npz.")
@click.option("--save-generators", is_flag=True, help="Keep each seed's generator, for `ganbench sample`.")
@click.option("--shard", metavar="i/n", help="Run part i of n, from 1/n to n/n, each on its machine; then merge them.")
@click.option(
    "--executor",
    metavar="NAME",
    help="Train tasks of the run elsewhere: local, slurm, ray, or your own. What it has to be told: --NAME KEY=VALUE.",
)
@click.option("--workers", type=click.IntRange(1, 100_000), metavar="N", help="With --executor: N tasks at a time.")
@click.option(
    "--tasks", type=click.IntRange(1, 100_000), metavar="N", help="With --executor: cut the run into N tasks."
)
@click.option("--detach", is_flag=True, help="With --executor: Ctrl-C leaves the tasks at work.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="MINUTES",
    help="End a cell that trains for longer, in place of the suite's budget.",
)
@click.option("--no-pictures", is_flag=True, help="Record nothing for the pictures of a report.")
@click.option(
    "--observer", "observers", multiple=True, metavar="NAME", help="Tell this observer too, such as tensorboard."
)
def run(
    suite: str,
    device: str,
    engine: str,
    seeds: int | None,
    plugins: Path | None,
    out: Path,
    shard: str | None,
    executor: tuple[str, Mapping[str, Any]] | None,
    workers: int | None,
    tasks: int | None,
    detach: bool,
    timeout: float | None,
    save_samples: bool,
    save_generators: bool,
    no_pictures: bool,
    no_report: bool,
    observers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Train and measure every cell of SUITE.

    A run that was stopped goes on where it was when the same command is given again. A shard is kept under
    DIR/shards/<i>-of-<n>/.
    """
    from ganbench.core.shard import Shard

    try:
        part = None if shard is None else Shard.parse(shard)
    except ValueError as error:
        raise UserMistakeError(f"--shard: {error}") from None
    resolved, registry = _suite(suite, seeds, plugins, observers, pictures=not no_pictures, minutes=timeout)
    execution = _execution(executor, registry, workers, tasks, device, detach=detach, shard=part)
    from ganbench.record.folder import RunLockedError
    from ganbench.record.lock import NoLocksError
    from ganbench.report.live import observer
    from ganbench.run.executors.executed import run_elsewhere
    from ganbench.run.executors.head import CancelledError, TasksLostError
    from ganbench.run.run import RunStoppedError
    from ganbench.run.run import run as run_suite
    from ganbench.train.device import NoDeviceError

    # Each cell collects garbage, for which all that was imported would be looked through: a fifth of a second.
    gc.freeze()
    command = ["ganbench", *sys.argv[1:]]
    try:
        console = console_for(file=sys.stderr if as_json else sys.stdout)
        with observer(console) as watching, aside():
            if execution is not None:
                result = run_elsewhere(resolved, execution, out=out, engine=engine, command=command, observer=watching)
            else:
                result = run_suite(
                    resolved,
                    out=out,
                    device=choose_device(device),
                    engine=engine,
                    command=command,
                    observer=watching,
                    save_samples=save_samples,
                    save_generators=save_generators,
                    shard=part,
                    must_be=must_go_on_with(),
                )
    except (RunLockedError, NoDeviceError, ValueError) as error:
        raise UserMistakeError(str(error)) from None
    except BrokenPipeError:
        raise  # the program that reads our output has ended: click then exits without a message
    except (RunStoppedError, NoLocksError) as error:
        raise UserMistakeError(os_error_line(error, out)) from None
    except OSError as error:
        raise UserMistakeError(f"{os_error_line(error, out)}; keep runs in another folder with --out DIR") from None
    except TasksLostError as error:
        tell(str(error))
        sys.exit(3)
    except CancelledError as error:
        tell(str(error))
        sys.exit(130)
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
    sys.exit(print_result(result, as_json=as_json, no_report=no_report))


def run_task(given: Mapping[str, Any], *, shard: Shard, out: Path, device: str, task: TaskOf) -> None:
    """Train a task of a run, as the command that began the run would train it.

    Args:
        given: what that command was given
        shard: the task
        out: where the task is kept
        device: the device
        task: the run

    Raises:
        UserMistakeError: the suite or the device is not there, or the suite has mistakes.
        ValueError: the task would be of another run.
        RuntimeError: another process trains it, nothing can be computed on the device, or nothing more.
        OSError: the disk fails.
    """
    from ganbench.report.lines import TaskNotes
    from ganbench.run.run import run as run_suite

    pictures, minutes = not given["no_pictures"], given["timeout"]
    suite, seeds, plugins = (given[name] for name in ("suite", "seeds", "plugins"))
    resolved, _ = _suite(suite, seeds, plugins, (), pictures=pictures, minutes=minutes)
    gc.freeze()
    run_suite(
        replace(resolved, observers=()),
        out=out,
        device=choose_device(device),
        engine=given["engine"],
        command=task.command,
        observer=TaskNotes(sys.stdout),
        save_samples=given["save_samples"],
        save_generators=given["save_generators"],
        shard=shard,
        task=task,
        must_be=must_go_on_with(),
    )


def _suite(
    suite: str,
    seeds: int | None,
    plugins: Path | None,
    observers: Sequence[str],
    *,
    pictures: bool,
    minutes: float | None,
) -> tuple[Suite, Registry]:
    """The suite as the options want it, and all plugins."""
    resolved, registry = load_suite(suite, seeds, plugins)
    told = [observer_named(name, registry) for name in dict.fromkeys(observers)]
    known = {choice.name for choice in resolved.observers}
    both = (*resolved.observers, *(one for one in told if one.name not in known))
    resolved = replace(resolved, observers=both, pictures=resolved.pictures and pictures)
    return (resolved if minutes is None else replace(resolved, minutes=minutes)), registry


def _execution(
    executor: tuple[str, Mapping[str, Any]] | None,
    registry: Registry,
    workers: int | None,
    tasks: int | None,
    device: str,
    *,
    detach: bool,
    shard: Shard | None,
) -> Execution | None:
    """Where the tasks of the run are trained; None for this process."""
    devices = tuple(device.split(","))
    if executor is None:
        for option, given in (("--workers", workers), ("--tasks", tasks), ("--detach", detach)):
            if given:
                raise UserMistakeError(f"{option}: is for tasks of a run: add --executor NAME, such as local")
        if len(devices) > 1:
            raise UserMistakeError(f"--device {device}: one process trains on one device: add --executor local")
        return None
    if shard is not None:
        raise UserMistakeError("--shard: an executor cuts the run itself: leave out --shard, or --executor")
    from ganbench.run.executors.executed import Execution

    return Execution(plugin_named("executor", *executor, registry), workers, devices, tasks, detach)


def print_result(result: RunResult, *, as_json: bool, no_report: bool) -> int:
    """Print the table of a run that has just ended, and write its page.

    Args:
        result: the run
        as_json: whether to print one JSON object in place of the table
        no_report: whether to write no page

    Returns:
        The exit code.
    """
    from ganbench.record.control import as_object
    from ganbench.record.record import Record
    from ganbench.record.tables.best_of_k import tries
    from ganbench.record.tables.published import published
    from ganbench.record.tables.tables import as_rows
    from ganbench.report.published import show_published
    from ganbench.report.table import show as show_table
    from ganbench.report.tries import show_tries

    console, record = console_for(), Record.read(result.folder)
    if as_json:
        found = {"run": str(result.folder.path), "table": as_rows(result.table)} | as_object(result.controls)
        found |= {"about": list(record.about)} if record.about else {}
        click.echo(json.dumps(found | ({"published": as_rows(published(record))} if record.published else {})))
    else:
        told = (result.folder.table, result.failures, result.controls, record.about)
        show_table(result.table, console, result.columns, *told)
        if record.swept:
            show_tries(tries(record, columns=1), console, record.columns)
        if record.published:
            show_published(published(record), console, record.columns, record.published.source)
    if not no_report:
        write_report(result.folder, err=as_json)
    return 0 if result.complete else 3
