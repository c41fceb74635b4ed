"""The first words of a page: what ran, and what its numbers say, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ganbench.plugin.column import Column
from ganbench.record.cell_record import CellRecord
from ganbench.record.tables.values import paired
from ganbench.report.figures import SIGNS, estimates, title
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.verdict_bars import VERDICTS, words
from ganbench.report.sentences import plural
from ganbench.stats.paired import holm, p_value

_LEVEL = 0.05
_NAMED = 6


def what_ran(run: ShownRun) -> str:
    """A run in a sentence: ``mog trained 7 variants on 2 datasets, 16 seeds of each, for 10,000 steps``."""
    trained = [cell for cell in run.record.cells if not cell.reference]
    measured = trained or run.record.cells
    rows = list(dict.fromkeys(cell.variant for cell in trained))
    families = len({cell.family for cell in trained})
    references = len({cell.variant for cell in run.record.cells if cell.reference})
    what = plural(len(rows), "variant") if families == len(rows) else f"{plural(len(rows), 'setting')} of "
    if families < len(rows):
        what += plural(families, "variant")
    datasets = run.datasets[0] if len(run.datasets) == 1 else plural(len(run.datasets), "dataset")
    seeds = _range(len(cell.seeds) for cell in measured)
    each = f"{seeds} {'seed' if seeds == '1' else 'seeds'} of each" if seeds else "no seeds"
    if references and not trained:
        return f"{run.suite} trained nothing on {datasets}: it measured {plural(references, 'reference')}, {each}."
    steps = _range(cell.steps for cell in trained)
    beside = f", beside {plural(references, 'reference')} that no game has trained" if references else ""
    return f"{run.suite} trained {what} on {datasets}, {each}, for {steps or 'no'} steps{beside}."


def when_and_where(run: ShownRun) -> str:
    """The day of a run, its commit and its machine: ``29 November 2026, 15:40 UTC · AMD EPYC, 2 cores · 475d817``."""
    parts = []
    try:
        made = datetime.fromisoformat(str(run.described.get("created", "")))
        parts.append(f"{made.day} {made:%B %Y, %H:%M} UTC")
    except ValueError:
        pass  # of a run that was made otherwise
    device = run.described.get("device")
    if isinstance(device, dict):
        known = [device.get("gpu"), device.get("cpu"), f"{device['cores']} cores" if "cores" in device else ""]
        parts.append(", ".join(str(one) for one in known if one))
    git = run.described.get("git")
    if isinstance(git, dict) and git.get("commit"):
        parts.append(f"commit {str(git['commit'])[:10]}" + (" with changes" if git.get("dirty") else ""))
    return " · ".join(filter(None, parts))


def what_it_says(run: ShownRun) -> list[tuple[str, str]]:
    """For each dataset its name and what the main column says: which row is best, what is told apart from it."""
    found = []
    for dataset in run.datasets:
        trained = run.cells(dataset)
        said = [_best(run, trained, run.main)] if run.main else []
        said.append(_converged(run, trained))
        if text := " ".join(filter(None, said)):
            found.append((dataset, text))
    return found


def _best(run: ShownRun, cells: Sequence[CellRecord], column: Column) -> str:
    frame, known = run.table, {cell.variant: cell for cell in cells}
    rows = frame[(frame["dataset"] == (cells[0].dataset if cells else "")) & frame["variant"].isin(known)]
    rows = rows[rows[column.name].notna()]
    if rows.empty:
        return ""
    rows = rows.sort_values(column.name, ascending=column.better == "lower", kind="stable")
    name, _ = title(column, SIGNS[True])
    ((number, interval),) = estimates(rows[:1], column.name, ["n/a"], SIGNS[False])
    best, others = str(rows["variant"].iloc[0]), [str(one) for one in rows["variant"][1:]]
    word = "lowest" if column.better == "lower" else "highest"
    figure = f"{number}{interval} {column.unit}".rstrip()
    if not others:
        return f"The median {name} of {best} is {figure}."
    text = f"{best} has the {word} median {name}, {figure}."
    corrected = holm([p_value(paired(known[one], known[best], column)) for one in others])
    apart = [one for one, p in zip(others, corrected, strict=True) if p is not None and p < _LEVEL]
    alike = [one for one in others if one not in apart]
    if not alike:
        return f"{text} The seeds tell {_every(others, 'all')} apart from it."
    if not apart:
        return f"{text} The seeds do not tell {_every(others, 'any of the')} apart from it."
    return f"{text} The seeds tell {_listed(apart)} apart from it, not {_listed(alike)}."


def _converged(run: ShownRun, cells: Sequence[CellRecord]) -> str:
    """How many seeds converged, and of which variants; empty where no rule judges any."""
    counts = {
        cell.variant: sum(cell.verdict(seed, run.record.columns).word == "converged" for seed in cell.seeds)
        for cell in cells
        if cell.ended and any(word in VERDICTS for word in words(run, cell))
    }
    if not counts:
        return ""
    some = {variant: count for variant, count in counts.items() if count}
    total = {cell.variant: len(cell.seeds) for cell in cells}
    if not some:
        return "No seed converged."
    ordered = sorted(some, key=lambda variant: -some[variant])
    shown = _listed([f"{some[variant]} of {total[variant]} seeds of {variant}" for variant in ordered])
    return f"Converged: {shown}" + ("." if len(some) == len(counts) else "; none of the others.")


def how_told_apart(run: ShownRun) -> str:
    """What ``told apart`` means, for the note under the sentences."""
    return (
        "Told apart: Wilcoxon's signed-rank test on the same seeds, corrected for all rows of a dataset (Holm), at the "
        "5 % level. The best row is picked by the same numbers, so what is not told apart may still be as good."
        if run.main
        else ""
    )


def _every(names: Sequence[str], word: str) -> str:
    if len(names) == 2:
        return {"all": "both others", "any of the": "either of the others"}[word]
    return names[0] if len(names) == 1 else f"{word} {len(names)} others"


def _listed(names: Sequence[str]) -> str:
    if len(names) > _NAMED:
        return ", ".join(names[:_NAMED]) + f" and {len(names) - _NAMED} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _range(numbers: Iterable[int]) -> str:
    known = sorted(set(numbers))
    ends = dict.fromkeys([known[0], known[-1]]) if known else {}
    return " to ".join(f"{number:,}" for number in ends)
