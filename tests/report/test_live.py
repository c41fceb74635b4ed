"""ganbench.report.live and lines: what is seen of a run while it goes on."""

from __future__ import annotations

import io
import re
import threading

import pytest
from columns import column
from rich.console import Console

from ganbench.record.events import CellStarted, SeedOutcome, from_json
from ganbench.record.status import Status
from ganbench.report.lines import PlainLines
from ganbench.report.live import LiveView, observer
from ganbench.report.progress import Progress, reasons
from ganbench.run.observer import CellProgressed


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def view(told, width=100, height=24, file=None):
    """A live view in the middle of nothing, its clock, and a function that tells what it shows."""
    settings = {"force_terminal": True, "color_system": None, "width": width, "height": height}
    made = Console(file=file or io.StringIO(), **settings)
    # The view is shown to another console of the same kind: this one adds the view to all it prints.
    other = Console(file=io.TextIOWrapper(io.BytesIO(), encoding=made.encoding), **settings)
    clock = Clock()
    watching = LiveView(made, clock)
    watching.started(told.cells, told.record)

    def shown():
        with other.capture() as capture:
            other.print(watching)
        return [line.rstrip() for line in capture.get().splitlines()]

    return watching, clock, shown


def started(cell, engine, note):
    return CellStarted(cell.id, engine, note, len(cell.seeds))


def evaluated(cell, step, rows):
    return from_json({"event": "evaluation", "cell": cell.id, "step": step, "rows": rows})


def ended(cell, seeds):
    return from_json({"event": "end", "cell": cell.id, "seeds": seeds})


def test_a_line_for_each_evaluation(story):
    told = story()
    oracle, minimax, r1, *_ = told.cells
    file = io.StringIO()
    lines = PlainLines(file)
    lines.started(told.cells, told.record)
    lines.tell(started(oracle, "", ""))
    lines.tell(evaluated(oracle, 0, told.rows(jsd=0.0001)))
    lines.tell(started(minimax, "compiled", ""))
    lines.tell(CellProgressed(minimax.id, 500))
    lines.tell(evaluated(minimax, 2000, told.rows(modes=6, diverged=(3, 4))))
    lines.tell(evaluated(minimax, 10000, [row for row in told.rows(modes=6) if row["seed"] not in (3, 4)]))
    lines.tell(ended(minimax, told.outcomes(minimax)))
    lines.tell(started(r1, "serial", "it calls .item()"))
    lines.tell(ended(r1, told.outcomes(r1, "error", "RuntimeError: no")))
    assert file.getvalue().splitlines() == [
        "ring8 oracle                          jsd 0.008  modes 8/8",
        "ring8 minimax             2000/10000  jsd 0.208  modes 6/8  2 diverged",
        "ring8 minimax            10000/10000  jsd 0.208  modes 6/8  2 diverged",
        "ring8 nonsaturating-r1   serial: it calls .item()",
        "ring8 nonsaturating-r1   16 seeds error: RuntimeError: no",
    ]


def test_lines_say_what_an_earlier_attempt_has_ended(story):
    told = story()
    told.run(told.cells[0])
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    PlainLines(file).started(told.cells, told.record)
    assert file.buffer.getvalue() == b"going on: 1 of 6 cells have ended already\n", "flushed at once"


def test_lines_survive_names_that_the_output_cannot_hold(story):
    told = story(variants=("größer",))
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    lines = PlainLines(file)
    lines.started(told.cells, told.record)
    lines.tell(evaluated(told.cells[0], 1000, told.rows()))
    assert file.buffer.getvalue().startswith(b"ring8 gr??er")


def test_medians_count_the_seeds_that_have_diverged(story):
    """A mean over survivors would look better with each seed that is lost."""
    told = story(seeds=3)
    progress = Progress(told.cells[1], told.record.columns)
    first = [{"seed": s, "status": "diverged" if s else "done", "jsd": 0.6} for s in range(3)]
    progress.take(evaluated(progress.cell, 10, first))
    progress.take(evaluated(progress.cell, 20, [{"seed": 0, "status": "done", "jsd": 0.1}]))
    assert progress.headline() == [("jsd", "0.600")]
    assert progress.troubles == "2 diverged"


def test_metrics_other_than_ours_show_their_first_two_numbers(story):
    told = story(columns=[column("mmd"), column("none"), column("recall")])
    progress = Progress(told.cells[1], told.record.columns)
    row = {"seed": 0, "status": "done", "mmd": 0.5, "none": None, "recall": 1.0}
    progress.take(evaluated(progress.cell, 10, [row]))
    assert progress.headline() == [("mmd", "0.5")]


def test_reasons_are_said_once_each():
    seeds = [
        SeedOutcome(0, Status.DONE, 1),
        SeedOutcome(1, Status.DIVERGED, 1),
        SeedOutcome(2, Status.ERROR, 1, "no"),
        SeedOutcome(3, Status.ERROR, 1, "no"),
        SeedOutcome(4, Status.OUT_OF_MEMORY, 1),
    ]
    assert reasons(seeds) == ["2 seeds error: no", "1 seed out of memory"]


def test_view_shows_each_cell_and_the_time_left(story):
    told = story()
    watching, clock, shown = view(told)
    with watching:
        assert shown()[0].endswith("0/6 cells  0 s"), "nothing is known of the time yet"
        oracle, minimax, *_ = told.cells
        watching.tell(started(oracle, "", ""))
        watching.tell(evaluated(oracle, 0, told.rows(jsd=0.0001)))
        watching.tell(ended(oracle, told.outcomes(oracle)))
        watching.tell(started(minimax, "compiled", ""))
        clock.now = 30.0
        watching.tell(CellProgressed(minimax.id, 5000))
        watching.tell(evaluated(minimax, 5000, told.rows(modes=6, diverged=(0,))))
        lines = shown()
    # One eighth of the work took 30 s.
    assert lines[0].endswith("1/6 cells  30 s, about 3 min 30 s left")
    assert lines[1] == "✓  ring8 oracle             jsd 0.008  modes 8/8"
    assert lines[2] == "•  ring8 minimax            jsd 0.208  modes 6/8  1 diverged  5000/10000"
    assert lines[3:] == ["   " + f"{cell.dataset} {cell.variant}" for cell in told.cells[2:]]


def test_what_an_earlier_attempt_did_is_not_counted_as_speed(story):
    told = story()
    for cell in told.cells[:2]:
        told.run(cell)
    watching, clock, shown = view(told)
    with watching:
        assert shown()[0].endswith("2/6 cells  0 s")
        clock.now = 10.0
        watching.tell(started(told.cells[2], "compiled", ""))
        watching.tell(CellProgressed(told.cells[2].id, 10000))
        # A third of what was left is done.
        assert shown()[0].endswith("about 20 s left")
        assert "modes 8/8" in shown()[1]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("height", [1, 5, 12])
def test_more_cells_than_lines_do_not_break_it(story, width, height):
    told = story(datasets=[f"data{i}" for i in range(20)])
    for cell in told.cells[:10]:
        told.run(cell)
    watching, _, shown = view(told, width, height)
    with watching:
        watching.tell(started(told.cells[30], "compiled", ""))
        lines = shown()
    assert len(lines) <= max(3, height - 1)
    assert all(len(line) <= width for line in lines)
    assert any(f"{told.cells[30].dataset} minimax"[:8] in line or "data10" in line for line in lines), "the running one"
    counted = sum(map(int, re.findall(r"(\d+) (?:ended|waiting)", lines[-1])))
    assert counted + len(lines) - 2 == len(told.cells), "every cell is shown or counted"


def test_failures_stay_above_the_view(story):
    told = story()
    watching, _, shown = view(told)
    with watching:
        watching.tell(started(told.cells[1], "serial", "it calls .item()"))
        watching.tell(ended(told.cells[1], told.outcomes(told.cells[1], "error", "RuntimeError: no")))
        assert shown()[2].startswith("✗  ring8 minimax")
    text = watching._console.file.getvalue()
    assert "ring8 minimax  serial: it calls .item()" in text
    assert "ring8 minimax  16 seeds error: RuntimeError: no" in text


def test_terminal_without_unicode_gets_ascii(story):
    told = story()
    told.run(told.cells[0])
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    watching, _, shown = view(told, file=file)
    with watching:
        watching.tell(started(told.cells[1], "compiled", ""))
        lines = shown()
    assert "\n".join(lines).isascii()
    assert lines[2].startswith("*  ring8 minimax")


def test_view_is_gone_and_its_thread_too_when_the_run_breaks(story):
    before = set(threading.enumerate())
    watching, _, _ = view(story())
    with pytest.raises(KeyboardInterrupt), watching:
        raise KeyboardInterrupt
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before


def test_observer_is_chosen_by_where_it_writes(monkeypatch):
    assert isinstance(observer(Console(file=io.StringIO())), PlainLines)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(observer(Console(file=io.StringIO())), PlainLines), "colour is no reason to draw into a log"
    file = io.StringIO()
    file.isatty = lambda: True
    assert isinstance(observer(Console(file=file, force_terminal=True, force_interactive=True)), LiveView)
