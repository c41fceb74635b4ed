"""The list of plugins, by kind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ganbench.kinds import plural


def show_plugins(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """Print ``Registry.as_rows``: each plugin's name, parameters, citation and source; then what is broken."""
    usable = [row for row in rows if row["kind"]]
    for kind, group in groupby(usable, key=lambda row: str(row["kind"])):
        console.print(Text(plural(kind), style="bold"))
        for row in group:
            _show_one(row, console)
        console.print()
    broken = [row for row in rows if not row["kind"]]
    if broken:
        console.print(Text("broken", style="bold red"))
        for row in broken:
            console.print(Padding(Text(f"{row['source']}: {row['broken']}"), (0, 0, 0, 2), expand=False))


def _show_one(row: dict[str, Any], console: Console) -> None:
    head = Text(f"  {row['name']}", style="cyan")
    for parameter in row["parameters"]:
        value = "required" if parameter["required"] else _plain(parameter["default"])
        head.append(f"  {parameter['name']}=", style="dim")
        head.append(value, style="dim")
    console.print(head)
    console.print(Padding(Text(row["citation"]), (0, 0, 0, 6), expand=False))
    if row["origin"] != "shipped":
        console.print(Padding(Text(f"from {row['source']} ({row['origin']})", style="dim"), (0, 0, 0, 6), expand=False))
    if row["broken"]:
        console.print(Padding(Text(row["broken"], style="red"), (0, 0, 0, 6), expand=False))


def _plain(value: Any) -> str:
    """A default as a suite file would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return f"[{', '.join(_plain(item) for item in value)}]" if isinstance(value, (list, tuple)) else str(value)
