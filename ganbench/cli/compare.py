"""``ganbench compare``."""

from __future__ import annotations

import sys
import traceback
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import UserMistakeError, choose_device, console_for, load_suite, tell, training_options
from ganbench.core.disk import os_error_line
from ganbench.core.fresh_process import DeviceLostError, must_go_on_with
from ganbench.core.messages import suggest

if TYPE_CHECKING:
    from ganbench.compare.verdicts.finding import Comparison
    from ganbench.suite.suite import Suite

_SUITES = (".yaml", ".yml")
#: The exit codes that ``git bisect run`` reads as "this commit cannot be tested", and as "stop".
_SKIP, _STOP = 125, 128


@click.command()
@click.argument("base", metavar="BASE")
@click.argument("new", metavar="NEW", required=False)
@click.option("--against", metavar="REV", help="Time SUITE's steps (the only argument) against git revision REV.")
@click.option("--python", "interpreter", metavar="PATH", help="Or against the ganbench of another Python.")
@click.option(
    "--rounds", type=click.IntRange(5, 1000), default=8, show_default=True, help="For --against and --python."
)
@click.option(
    "--strict", is_flag=True, help="Exit with 4 where something is unsure and towards worse, gone or not comparable."
)
@click.option("--bisect", "culprit", metavar="CASE", help="Exit as 'git bisect run' needs: 1 where CASE is worse.")
@click.option("--all", "all_", is_flag=True, help="Print also what is the same.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json", "junit", "github", "html"]),
    default="text",
    show_default=True,
    help="The form of the output.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the output to FILE."
)
@training_options
def compare(
    base: str,
    new: str | None,
    against: str | None,
    interpreter: str | None,
    rounds: int,
    strict: bool,
    culprit: str | None,
    all_: bool,
    form: str,
    out: Path | None,
    device: str,
    engine: str,
    seeds: int | None,
    plugins: Path | None,
) -> None:
    """Judge NEW against BASE: does it converge as before, does it cost as much?

    Each is a run's folder, a folder of runs (its newest), a baseline, a git REV:FILE, or a REV with its baseline; NEW
    may be a suite's file, which is run now. Exit codes: 0 fine, 1 worse, 3 failed or nothing measured, 4 with --strict:
    unsure and towards worse, gone or not comparable.
    """
    if (new is None) == (against is None and interpreter is None):
        raise UserMistakeError("give BASE and NEW; or SUITE alone, with --against REV or --python PATH")
    if against is not None and interpreter is not None:
        raise UserMistakeError("--against and --python: one of the two")
    try:
        if new is None:
            found = _timed(base, against, interpreter, rounds, device, engine, seeds, plugins)
            places = Path(base)
        else:
            found = _judged(base, new, device, engine, seeds, plugins, past=culprit is None)
            places = Path(new) if Path(new).suffix in _SUITES else Path("suites") / f"{found.new.suite}.yaml"
    except (UserMistakeError, ValueError) as error:
        if culprit is not None:
            tell(str(error))
            sys.exit(_SKIP)
        raise error if isinstance(error, UserMistakeError) else UserMistakeError(str(error)) from None
    except (BrokenPipeError, DeviceLostError, click.ClickException):
        raise
    except Exception as error:
        # Python's own exit code would be 1, which means worse.
        if isinstance(error, OSError):
            tell(os_error_line(error, "results"))
        else:
            traceback.print_exc()
        sys.exit(3 if culprit is None else _SKIP)
    _print(found, form, out, places, all_=all_, strict=strict)
    sys.exit(found.exit_code(strict=strict) if culprit is None else _bisected(found, culprit))


def _judged(
    base: str, new: str, device: str, engine: str, seeds: int | None, plugins: Path | None, *, past: bool
) -> Comparison:
    """The verdicts on NEW; with ``past`` also by earlier runs, which in a bisection would be those of bad commits."""
    from ganbench.compare.history.gate import gate
    from ganbench.compare.sides.load import load
    from ganbench.compare.verdicts.judge import compare as verdicts
    from ganbench.compare.verdicts.origin import notes

    if Path(new).suffix in _SUITES:
        resolved, _ = load_suite(new, seeds, plugins)
        # Before training, so that a missing base is reported at once.
        known = load(base, suite=resolved.name)
        now = load(_run(resolved, device, engine))
    else:
        now = load(new)
        known = load(base, suite=now.suite)
    found = gate(known, now, Path("results")) if past else verdicts(known, now)
    return replace(found, notes=(*found.notes, *notes(found, base, new)))


def _run(suite: Suite, device: str, engine: str) -> str:
    """Run a suite now; returns the run's folder."""
    from ganbench.record.folder import RunLockedError
    from ganbench.report.live import observer
    from ganbench.run.run import run
    from ganbench.train.device import NoDeviceError

    try:
        with observer(console_for(stderr=True)) as watching:
            result = run(
                suite,
                out=Path("results"),
                device=choose_device(device),
                engine=engine,
                command=["ganbench", *sys.argv[1:]],
                observer=watching,
                must_be=must_go_on_with(),
            )
    except (RunLockedError, NoDeviceError) as error:
        raise UserMistakeError(str(error)) from None
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
    return str(result.folder.path)


def _timed(
    name: str,
    revision: str | None,
    interpreter: str | None,
    rounds: int,
    device: str,
    engine: str,
    seeds: int | None,
    plugins: Path | None,
) -> Comparison:
    """The steps of a suite, timed against those of another revision or another Python."""
    suite, _ = load_suite(name, seeds, plugins)
    from ganbench.compare.sides.compared_run import ComparedRun
    from ganbench.compare.speed.checkout import checkout
    from ganbench.compare.speed.interleave import time_interleaved
    from ganbench.compare.speed.worker_process import WorkerError, commands
    from ganbench.compare.verdicts.finding import Comparison
    from ganbench.compare.verdicts.measures import min_effects_of
    from ganbench.record import provenance
    from ganbench.suite.guard import SPEED
    from ganbench.suite.load import find
    from ganbench.suite.plan import plan

    device = str(choose_device(device))
    cells = [cell for cell in plan(suite) if cell.trained]
    min_effects = {(cell.dataset, cell.variant): min_effects_of(suite.guard, cell.family) for cell in cells}
    given = {case: min_effect[SPEED] for case, min_effect in min_effects.items() if SPEED in min_effect}
    where = nullcontext() if revision is None else checkout(revision)
    try:
        with where as there:
            if there is not None:
                click.echo(f"timed against {there.label} of the repository {there.top}", err=True)
            theirs, ours = commands(
                find(name), there, python=interpreter, plugins=plugins, device=device, engine=engine, seeds=seeds
            )
            found = time_interleaved(theirs, ours, min_effects=given, rounds=rounds, tell=tell)
    except WorkerError as error:
        raise UserMistakeError(str(error)) from None
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(130)
    about = provenance.device(device)
    base, new = (ComparedRun(one.label, suite.name, {}, {}, {}, {}, device=about) for one in (theirs, ours))
    return Comparison(base, new, found)


def _print(found: Comparison, form: str, out: Path | None, suite_file: Path, *, all_: bool, strict: bool) -> None:
    """Print a comparison, or write it to a file, in the form that was asked for."""
    from ganbench.report.comparison import show_comparison
    from ganbench.report.formats import FORMATS
    from ganbench.report.sentences import headline

    try:
        if form == "text":
            with nullcontext() if out is None else out.open("w", encoding="utf-8") as file:
                show_comparison(found, console_for(file=file), all_=all_)
            return
        text = FORMATS[form](found, strict=strict, suite_file=suite_file if suite_file.is_file() else None)
        if out is not None:
            out.write_text(text, encoding="utf-8", newline="\n")
            return
    except BrokenPipeError:
        raise  # the program that reads our output has ended: that says nothing of the comparison
    except OSError as error:
        raise UserMistakeError(os_error_line(error, out or "the output")) from None
    if form == "github":
        # Without this, the log would be empty where all is fine: then there are no annotations.
        tell(headline(found))
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def _bisected(found: Comparison, culprit: str) -> int:
    """1 where the case is worse, 0 where it is not, 125 where that is unknown, 128 where the base has no such case."""
    from ganbench.compare.verdicts.finding import Outcome

    known = ["/".join(name) for name in found.base.cases]
    if culprit not in known:
        tell(f"--bisect: the base has no case {culprit!r}{suggest(culprit, known)}")
        return _STOP

    outcomes = {finding.outcome for finding in found.counted() if finding.case == culprit}
    if Outcome.WORSE in outcomes:
        return 1
    unknown = {Outcome.FAILED, Outcome.NOT_COMPARABLE, Outcome.NEW, Outcome.GONE}
    return _SKIP if not outcomes or outcomes & unknown else 0
