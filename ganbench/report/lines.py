"""A run as lines of text: for pipes, logs and CI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from ganbench.core.controls import without_controls
from ganbench.record.events import CellEnded, CellEvent, CellStarted, Evaluated
from ganbench.record.record import Record
from ganbench.report.progress import Progress, reasons
from ganbench.run.observer import CellNoted, CellProgressed, PlannedCell, RunObserver


class PlainLines(RunObserver):
    """A line for each evaluation, as it happens: for pipes, logs and CI."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._cells: dict[str, Progress] = {}
        self._name = self._step = 0

    def started(self, cells: Sequence[PlannedCell], record: Record) -> None:
        """Remember the cells, and print how many an earlier attempt has ended."""
        self._cells = Progress.so_far(cells, record)
        self._name = max((len(_name(cell)) for cell in cells), default=0)
        self._step = max((len(str(cell.steps)) for cell in cells), default=0)
        if ended := sum(progress.ended for progress in self._cells.values()):
            self._write(f"going on: {ended} of {len(cells)} cells have ended already")

    def tell(self, event: CellEvent | CellNoted | CellProgressed) -> None:
        """Print a cell's note on its training, its evaluation, its metrics that fail, or its seeds without a result.

        An evaluation is a line such as ``ring8 minimax  2000/10000  jsd 0.231  modes 6/8``.
        """
        progress = self._cells[event.cell]
        cell = progress.cell
        for line in progress.take(event):
            self._print(cell, line)
        match event:
            case CellStarted(_, engine, note) if note:
                self._print(cell, f"{engine or 'data'}: {note}")
            case CellNoted(_, text):
                self._print(cell, text)
            case Evaluated():
                numbers = [f"{name} {value}" for name, value in progress.headline()]
                width = self._step
                steps = f"{event.step:>{width}}/{cell.steps:<{width}}" if cell.steps else " " * (2 * width + 1)
                self._print(cell, steps, *numbers, progress.troubles)
            case CellEnded():
                for line in reasons(event.seeds):
                    self._print(cell, line)

    def note(self, line: str) -> None:
        """Print it."""
        self._write(line)

    def _print(self, cell: PlannedCell, *parts: str) -> None:
        self._write("  ".join([_name(cell).ljust(self._name), *filter(None, parts)]))

    def _write(self, line: str) -> None:
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        line = without_controls(line)
        self._file.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        self._file.flush()


class TaskNotes(RunObserver):
    """What a worker's log has of its task: only what no journal has."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._cells: dict[str, PlannedCell] = {}

    def started(self, cells: Sequence[PlannedCell], record: Record) -> None:
        """Remember the cells."""
        self._cells = {cell.id: cell for cell in cells}

    def tell(self, event: CellEvent | CellNoted | CellProgressed) -> None:
        """Print what is to know of a cell."""
        if isinstance(event, CellNoted):
            self.note(f"{_name(self._cells[event.cell])}  {event.text}")

    def note(self, line: str) -> None:
        """Print it."""
        print(without_controls(line), file=self._file, flush=True)


def _name(cell: PlannedCell) -> str:
    return f"{cell.dataset} {cell.variant}"
