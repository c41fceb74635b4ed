"""The results of the conformance kit in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ganbench.testing.result import CheckResult, Status, grouped_by_reason

STYLES = {"pass": "green", "fail": "bold red", "n/a": "dim"}


def show_results(results: Sequence[CheckResult], console: Console, *, brief: bool) -> None:
    """Print one plugin's results, a line for each property.

    Properties that fail, or do not apply, for the same reason share a line.

    Args:
        results: The results of one plugin.
        console: Where to print.
        brief: Whether to print one line only, and one more for each property that fails.
    """
    counts = Counter(result.status for result in results)
    failed = counts["fail"] > 0
    head = Text(f"{results[0].kind} ", style="dim")
    head.append(results[0].name, style="bold red" if failed else "bold")
    head.append(f"  {summary(counts)}", style="red" if failed else "dim")
    console.print(head)
    shown = [result for result in results if result.status == "fail"] if brief else results
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(width=6, justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for status, what, reason in grouped_by_reason(shown, names=not brief):
        line = Text(what)
        line.append(f": {reason}" if reason else "", style="dim" if status != "fail" else "")
        table.add_row(Text(status, style=STYLES[status]), line)
        if not console.is_terminal:
            console.print(f"{status:>6} {line}", soft_wrap=True, markup=False, highlight=False)
    if console.is_terminal and shown:
        console.print(table)


def summary(counts: Mapping[Status, int]) -> str:
    """Counts of statuses as words: ``12 pass, 1 fails, 3 not applicable``."""
    words: dict[Status, str] = {"pass": "pass", "fail": "fail", "n/a": "not applicable"}
    return ", ".join(f"{counts[status]} {word}" for status, word in words.items() if counts.get(status))
