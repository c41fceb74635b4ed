"""The live view of a run on a terminal: how far it is, how long it will take, and what it has found so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ganbench.record.events import CellEnded, CellEvent, CellStarted
from ganbench.record.record import Record
from ganbench.report.lines import PlainLines
from ganbench.report.numbers import duration
from ganbench.report.progress import Progress, reasons
from ganbench.run.observer import CellNoted, CellProgressed, PlannedCell, RunObserver, TaskCounts

#: So rare that it does not slow the training.
_REFRESHES_PER_SECOND = 2
#: The share of the work after which the time left can be estimated.
_PREDICTS = 0.02
_BAR = 24
#: Below this many columns there is no room for the bar and the steps.
_NARROW = 72


class LiveView(RunObserver):
    """Redraws itself in place, and disappears at the end of the run, when the table is printed.

    Failures are printed above the view and remain.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._cells: dict[str, Progress] = {}
        self._recent: list[Progress] = []
        self._began = clock()
        self._before = 0
        self._live: Live | None = None
        self._tasks: TaskCounts | None = None

    def started(self, cells: Sequence[PlannedCell], record: Record) -> None:
        """Show the view."""
        self._cells = Progress.so_far(cells, record)
        self._recent = [progress for progress in self._cells.values() if progress.ended]
        self._before = sum(progress.done for progress in self._cells.values())
        self._began = self._clock()
        self._live = Live(self, console=self._console, refresh_per_second=_REFRESHES_PER_SECOND, transient=True)
        self._live.start()

    def tell(self, event: CellEvent | CellNoted | CellProgressed) -> None:
        """Show how far the cell is; print its note on training and its failures above the view."""
        progress = self._cells[event.cell]
        for line in progress.take(event):
            self._print(progress.cell, line, "red")
        match event:
            case CellStarted(_, engine, note) if note:
                self._print(progress.cell, f"{engine or 'data'}: {note}", "dim")
            case CellNoted(_, text):
                self._print(progress.cell, text, "yellow")
            case CellEnded():
                self._recent.append(progress)
                for line in reasons(event.seeds):
                    self._print(progress.cell, line, "red")

    def counted(self, tasks: TaskCounts) -> None:
        """Show the tasks beside the cells."""
        self._tasks = tasks

    def note(self, line: str) -> None:
        """Print it above the view."""
        self._console.print(Text(line))

    def _print(self, cell: PlannedCell, text: str, style: str) -> None:
        self._console.print(Text(f"{cell.dataset} {cell.variant}  {text}", style=style))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The overall line, as many cells as fit, and the number of the others."""
        plain, width = options.ascii_only, options.max_width
        yield self._overall(plain, width)
        # Room for the overall line, the one that counts the rest, and the cursor's.
        shown = self._choose(console.height - 3)
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        lines = [_line(progress, plain) for progress in shown]
        longest = max((name.cell_len for _, name, *_ in lines), default=0)
        for least in (1, max(1, min(longest, width - 8)), None, None)[: 4 if width >= _NARROW else 3]:
            table.add_column(no_wrap=True, overflow="crop" if plain else "ellipsis", min_width=least)
        for line in lines:
            table.add_row(*line[: len(table.columns)])
        yield table
        if hidden := [progress for progress in self._cells.values() if progress not in shown]:
            ended = sum(progress.ended for progress in hidden)
            counts = ((ended, "ended"), (len(hidden) - ended, "waiting"))
            yield Text("   and " + ", ".join(f"{n} {what}" for n, what in counts if n), style="dim", no_wrap=True)

    def _overall(self, plain: bool, width: int) -> Text | Table:
        cells = self._cells.values()
        total, done = sum(cell.work for cell in cells), sum(cell.done for cell in cells)
        elapsed = self._clock() - self._began
        times = duration(elapsed)
        # What an earlier attempt has done took none of this one's time; the first few steps predict nothing.
        if (here := done - self._before) > _PREDICTS * total and done < total:
            times += f", about {duration(elapsed / here * (total - done))} left"
        if self._tasks:
            times = f"{_in_words(self._tasks)}  {times}"
        text = Text(f"{sum(cell.ended for cell in cells)}/{len(cells)} cells  {times}", no_wrap=True)
        if width < _NARROW:
            return text
        row = Table.grid(padding=(0, 2, 0, 0))
        row.add_row(_bar(done, total, plain), text)
        return row

    def _choose(self, room: int) -> list[Progress]:
        """The cells to show, in the plan's order: those running, then the latest to end, then the next in turn."""
        cells = list(self._cells.values())
        running = [cell for cell in cells if cell.running]
        waiting = [cell for cell in cells if not cell.running and not cell.ended]
        first = [*running, *reversed(self._recent), *waiting][: max(1, room)]
        return [cell for cell in cells if cell in first]


def observer(console: Console) -> RunObserver:
    """The observer that fits where ``console`` writes: a live view on a terminal, else plain lines."""
    if console.is_interactive and console.file.isatty():
        return LiveView(console)
    return PlainLines(console.file)


def _in_words(tasks: TaskCounts) -> str:
    """``tasks: 3 done, 2 running, 1 lost``: those that there are."""
    named = {**tasks._asdict(), "submitted again": tasks.again}
    del named["again"]
    return "tasks: " + ", ".join(f"{count} {name}" for name, count in named.items() if count)


def _line(progress: Progress, plain: bool) -> tuple[Text, ...]:
    running, cell = progress.running, progress.cell
    if progress.failed:
        sign = Text("x" if plain else "✗", style="red")
    elif progress.ended:
        sign = Text("+" if plain else "✓", style="green")
    else:
        sign = Text(("*" if plain else "•") if running else " ", style="cyan")
    style = "" if running or progress.ended else "dim"
    name = Text(f"{cell.dataset} {cell.variant}", style=style)
    numbers = Text("  ".join(f"{label} {value}" for label, value in progress.headline()), style=style)
    numbers.append(f"  {progress.troubles}" if progress.troubles else "", style="yellow")
    steps = Text(f"{progress.step}/{cell.steps}" if running else "", style="dim")
    return sign, name, numbers, steps


def _bar(done: int, total: int, plain: bool) -> Text | ProgressBar:
    if not plain:
        return ProgressBar(total=max(1, total), completed=done, width=_BAR, complete_style="cyan")
    filled = _BAR * done // max(1, total)
    return Text("#" * filled + "." * (_BAR - filled))
