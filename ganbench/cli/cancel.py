"""``ganbench cancel``."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, plugin_named, plugins_option
from ganbench.cli.run_argument import name_newest, newest_run


@click.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@plugins_option
def cancel(folder: Path, plugins: Path | None) -> None:
    """Stop the tasks of a RUN that an executor trains.

    RUN is a run's folder, or a suite's folder of runs: its newest. The command that began the run goes on from there.
    """
    from ganbench.plugin.registry import Registry
    from ganbench.record.folder import RunLockedError
    from ganbench.record.tasks import Tasks
    from ganbench.run.executors.cancel import cancel as cancel_tasks

    try:
        run = newest_run(folder)
        tasks = Tasks(run)
        if not tasks.there:
            raise UserMistakeError(
                f"{run.path}: no executor trains it: a run in one process is stopped by Ctrl-C there"
            )
        plan = tasks.plan()
        registry = Registry.load([Path(plan.cwd) / "plugins"], plugins)
        name_newest(run, folder)
        stopped = cancel_tasks(run, plugin_named("executor", plan.executor, plan.parameters, registry))
    except RunLockedError as error:
        raise UserMistakeError(f"{error}: it was asked to stop") from None
    except ValueError as error:
        raise UserMistakeError(str(error)) from None
    jobs = f"{stopped.jobs} of its tasks stopped" if stopped.jobs else ""
    what = jobs or ("its command stopped" if stopped.head else "nothing was at work on it")
    click.echo(f"{run.path}: {what}; the command that began it goes on from there")
