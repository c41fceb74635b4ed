"""``ganbench merge``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ganbench.cli.options import UserMistakeError, result_options, tell
from ganbench.cli.run import print_result
from ganbench.cli.run_argument import name_newest, newest_run
from ganbench.core.disk import os_error_line


@click.command()
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@result_options
def merge(folders: tuple[Path, ...], out: Path, no_report: bool, as_json: bool) -> None:
    """Make one run of all its shards, which `ganbench run SUITE --shard i/n` has trained.

    DIR is a shard's run, or a folder of its runs: its newest. The shards stay as they are.
    """
    from ganbench.record.folder import RunLockedError
    from ganbench.record.lock import NoLocksError
    from ganbench.run.merge import merge as merge_shards

    try:
        shards = [newest_run(folder) for folder in folders]
        for shard, asked in zip(shards, folders, strict=True):
            name_newest(shard, asked)
        merged, notes = merge_shards(shards, out)
    except (RunLockedError, ValueError) as error:
        raise UserMistakeError(str(error)) from None
    except NoLocksError as error:
        raise UserMistakeError(os_error_line(error, out)) from None
    except OSError as error:
        raise UserMistakeError(f"{os_error_line(error, out)}; write the run elsewhere with --out DIR") from None
    for line in notes:
        tell(line)
    sys.exit(print_result(merged, as_json=as_json, no_report=no_report))
