"""Lines of figures grouped by dataset, as wide as there is room: a column that does not fit is left out, never cut."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console, OverflowMethod
from rich.table import Table
from rich.text import Text

from ganbench.report.figures import Figures

_PIPE_WIDTH = 120
_GAP = 2
_RULE = "    \n    \n -  \n    \n    \n    \n    \n    \n"
#: A rule below the head and nothing else, in ASCII alone or not.
BOXES = {True: Box(_RULE, ascii=True), False: Box(_RULE.replace("-", "─"))}


def show_grid(
    console: Console,
    groups: Iterable[object],
    names: Iterable[object],
    columns: Sequence[Figures],
    dimmed: Sequence[bool],
) -> list[Figures]:
    """Print a line for each name, under its group.

    The width is the terminal's; output to a pipe is plain text at least 120 wide.

    Args:
        console: Where to print.
        groups: The group of each line, such as its dataset.
        names: The name of each line.
        columns: The columns in order of importance; the first is always printed.
        dimmed: For each line, whether it is dimmed.

    Returns:
        The columns for which there was no room.
    """
    width = console.width if console.is_terminal else max(console.width, _PIPE_WIDTH)
    lines = [safe(console, f" {name}") for name in names]
    heads = [safe(console, group) for group in groups]
    longest = max(map(cell_len, (*lines, *heads)), default=0)
    if not console.is_terminal and columns:
        width = max(width, longest + _GAP + columns[0].width)
    fitting, dropped = _fit(columns, width - longest)
    room = width - longest - sum(column.width + _GAP for column in fitting)

    plain = console.options.ascii_only
    overflow: OverflowMethod = "crop" if plain else "ellipsis"
    table = Table(box=BOXES[plain], show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0), header_style="")
    first = max(1, longest + min(room, 0))
    table.add_column(Text(""), no_wrap=True, overflow=overflow, min_width=first, max_width=first)
    for column in fitting:
        head = Text(safe(console, column.title)).append(f"\n{safe(console, column.under)}", style="dim")
        table.add_column(
            head,
            justify="left" if column.words else "right",
            no_wrap=True,
            overflow=overflow,
            min_width=min(column.width, width),
        )
    for index, (line, group) in enumerate(zip(lines, heads, strict=True)):
        if index == 0 or group != heads[index - 1]:
            if index:
                table.add_row()
            table.add_row(Text(group, style="bold"))
        cells = [
            Text(safe(console, number)).append(safe(console, rest), style="dim")
            for number, rest in (column.cells[index] for column in fitting)
        ]
        table.add_row(Text(line), *cells, style="dim" if dimmed[index] else "")
    console.print(table, crop=False)
    console.print()
    return dropped


def print_line(console: Console, text: str, style: str) -> None:
    """Print a line under a table.

    A text without a style, such as a path, is never wrapped; nor is any output to a pipe.

    Args:
        console: Where to print.
        text: The line.
        style: Its style as rich names it; empty for none.
    """
    console.print(Text(safe(console, text), style=style), soft_wrap=style == "" or not console.is_terminal)


def safe(console: Console, text: object) -> str:
    """The text with a question mark for each character that the output cannot hold."""
    return str(text).encode(console.encoding, "replace").decode(console.encoding)


def _fit(columns: Sequence[Figures], room: int) -> tuple[list[Figures], list[Figures]]:
    """The columns that fit and those that do not: each at its shortest first, then at length where there is room."""
    fitting: list[Figures] = []
    dropped = []
    for column in columns:
        shortest = column.shorter or column
        if fitting and shortest.width + _GAP > room:
            dropped.append(column)
        else:
            fitting.append(shortest)
            room -= shortest.width + _GAP
    for column in columns:
        if column.shorter in fitting and column.shorter and column.width - column.shorter.width <= room:
            fitting[fitting.index(column.shorter)] = column
            room -= column.width - column.shorter.width
    return fitting, dropped
