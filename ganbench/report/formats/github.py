"""A comparison as workflow commands of GitHub Actions, which become annotations at the suite's lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome
from ganbench.core.controls import without_controls
from ganbench.report.finding import line, listed, one_line, place
from ganbench.report.formats.nothing import TITLE, why_nothing
from ganbench.report.sentences import cases, gravest, plural
from ganbench.suite.document import Position, read
from ganbench.suite.mistake import SuiteError

#: GitHub shows so many annotations of a kind from one step, and ignores the others.
_MOST = 10
_COMMANDS = {Outcome.WORSE: "error", Outcome.FAILED: "error", Outcome.UNSURE: "warning"}


def as_github(
    comparison: Comparison,
    *,
    strict: bool = False,
    suite_file: str | Path | None = None,
    places: Mapping[str, Position] | None = None,
) -> str:
    """A command a line: ``::error file=suites/smoke.yaml,line=12,col=3,title=...::...``.

    One annotation for each case and kind: an error for what is worse or has failed, a warning for unsure, a notice for
    better, new, gone, not comparable and advice; and one error where nothing was compared, with the reasons. Where
    there are more than GitHub shows, the last names the cases that are missing.

    Args:
        comparison: The comparison.
        strict: Whether an unsure finding towards worse is an error.
        suite_file: The suite's file, at whose lines the annotations are; None where there is none.
        places: Line and column of each variant in that file; read from it unless given.

    Returns:
        The commands.
    """
    path = None if suite_file is None else Path(suite_file)
    file = "" if path is None or not path.is_file() else _relative(path)
    if places is None:
        places = _read(path) if path is not None and file else {}
    found: dict[str, list[tuple[str, list[Finding]]]] = {"error": [], "warning": [], "notice": []}
    advice = [one for one in comparison.findings if one.advice and one.outcome is not Outcome.SAME]
    for findings in cases(comparison).values():
        for command, those in found.items():
            if some := [one for one in findings if _command(one, strict) == command]:
                those.append(("", some))
    for case in dict.fromkeys(one.case for one in advice):
        found["notice"].append(("advice: ", [one for one in advice if one.case == case]))
    lines = []
    if why := why_nothing(comparison):
        lines.append(_command_line("error", {**({"file": file} if file else {}), "title": TITLE}, "\n".join(why)))
    for command, those in found.items():
        those.sort(key=lambda item: place(min(item[1], key=place)))
        shown = those if len(those) <= _MOST else those[: _MOST - 1]
        for prefix, findings in shown:
            where = _where(file, places, findings[0].variant)
            title = f"{prefix}{gravest(findings)}: {findings[0].case}"
            lines.append(
                _command_line(command, {**where, "title": title}, "\n".join(map(line, sorted(findings, key=place))))
            )
        if left := [findings[0].case for _, findings in those[len(shown) :]]:
            where = {"file": file} if file else {}
            more = f"{plural(len(left), 'annotation')} more"
            lines.append(_command_line(command, {**where, "title": more}, listed(dict.fromkeys(left), 50)))
    return "".join(f"{one}\n" for one in lines)


def places_of(path: str | Path) -> dict[str, Position]:
    """Line and column, from 1, of each variant's name in a suite file. Raises SuiteError where it cannot be read."""
    keys = read(Path(path)).keys
    return {str(at[1]): position for at, position in keys.items() if len(at) == 2 and at[0] == "variants"}


def _read(path: Path) -> dict[str, Position]:
    try:
        return places_of(path)
    except SuiteError:
        # The annotations matter more than their places.
        return {}


def _command(finding: Finding, strict: bool) -> str:
    """The command for a finding; empty where it is the same."""
    if finding.outcome is Outcome.SAME:
        return ""
    if strict and finding.unsettled:
        return "error"
    return _COMMANDS.get(finding.outcome, "notice")


def _where(file: str, places: Mapping[str, Position], variant: str) -> dict[str, str]:
    """The place of a variant, or of the variant that a swept row is a setting of; else of the file."""
    if not file:
        return {}
    names = [name for name in places if variant == name or variant.startswith(f"{name} ")]
    if not names:
        return {"file": file}
    row, column = places[max(names, key=len)]
    return {"file": file, "line": str(row), "col": str(column)}


def _relative(path: Path) -> str:
    """The path as GitHub writes it: relative to the working folder if it is in it, with slashes."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def _command_line(command: str, properties: Mapping[str, str], message: str) -> str:
    values = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command}{f' {values}' if values else ''}::{_data(message)}"


def _data(text: str) -> str:
    return without_controls(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")
