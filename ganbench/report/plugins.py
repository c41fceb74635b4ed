"""The list of plugins, a line each, and one plugin in full."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import shorten, wrap
from typing import Any

from rich.console import Console
from rich.style import Style
from rich.text import Text

from ganbench.plugin.citation import Citation, clause, find
from ganbench.plugin.kinds import plural

Row = dict[str, Any]

#: From these widths on there is room for the number of a paper, for its authors, and for the first author's name alone.
WIDE, MIDDLING, NARROW = 118, 90, 70
#: In less than MIDDLING a longer name has a line of its own.
LONGEST_NAME = 24
#: Wider, a citation would stand too far from what it belongs to.
WIDEST = 150


def show_plugins(rows: Sequence[Row], docs: Sequence[str], console: Console, parameters: bool = False) -> None:
    """Print a list of plugins by kind, a line for each, and then the broken ones.

    A terminal's lines are as wide as it is; nothing is shortened in a pipe.

    Args:
        rows: The rows of ``ganbench.plugin.listing.listed``.
        docs: The docstring of each row.
        console: Where to print.
        parameters: Whether to print each plugin's parameters too.
    """
    usable = [(row, doc) for row, doc in zip(rows, docs, strict=True) if row["kind"]]
    width = min(console.width, WIDEST) if console.is_terminal else None
    for kind, group in groupby(usable, key=lambda pair: str(pair[0]["kind"])):
        of_kind = list(group)
        cap = LONGEST_NAME if width is not None and width < MIDDLING else 1000
        widest = max((len(row["name"]) for row, _ in of_kind if len(row["name"]) <= cap), default=cap)
        _line(console, Text.assemble((plural(kind), "bold"), (f" ({len(of_kind)})", "dim")))
        for row, doc in of_kind:
            summary = _summary(row, doc, widest, width)
            if len(row["name"]) > cap:
                _line(console, summary[: 2 + len(row["name"])])
                summary = _summary(row | {"name": ""}, doc, widest, width)
            _line(console, summary)
            _show_notes(row, console)
            if parameters:
                texts = [f"{one['name']}={_default(one)}" for one in row["parameters"]]
                _show_filled(texts, console, indent=6, style="dim")
        console.print()
    _show_broken(rows, console)


def show_plugin(row: Row, doc: str, console: Console) -> None:
    """Print one plugin in full: its docstring, its parameters, how a suite names it, and links to its papers.

    Args:
        row: Its row of ``ganbench.plugin.listing.listed``.
        doc: Its docstring.
        console: Where to print.
    """
    _line(console, Text.assemble((f"{row['kind']} ", "bold"), (row["name"], "bold cyan")))
    _line(console, Text(f"  from {row['source']} ({row['origin']})", style="dim"))
    if row["broken"]:
        _show_words(row["broken"], console, indent=2, style="red")
    if row["aliases"]:
        _show_words(f"also called {', '.join(row['aliases'])}", console, indent=2, more=2, style="dim")
    console.print()
    for paragraph in _paragraphs(doc):
        _show_words(paragraph, console, indent=2)
    console.print()
    if row["parameters"]:
        _line(console, Text("  parameters", style="bold"))
        heads = [f"{one['name']}: {_default(one)}" for one in row["parameters"]]
        widest = min(max(map(len, heads)), 40)
        for head, one in zip(heads, row["parameters"], strict=True):
            _show_words(f"{head:{widest}}  {one['type']}", console, indent=4, more=widest + 2)
        console.print()
    _show_filled(_in_suite(row), console, indent=2, style="green", more=2)
    console.print()
    for citation in find(doc):
        if citation.url:
            where = Text(citation.url, Style(dim=True, link=citation.url))
            _line(console, Text.assemble(f"  {citation.label}  ", where))


def _in_suite(row: Row) -> list[str]:
    """How a suite, or a command, names a plugin, as words between which a line may be broken."""
    if row["kind"] == "executor":
        told = (f"--{row['name']} {one['name']}={_default(one)}" for one in row["parameters"])
        return ["ganbench run SUITE", f"--executor {row['name']}", *told]
    if not row["parameters"]:
        words = [row["name"]]
    else:
        words = [f"{{name: {row['name']},"]
        words += [f"{one['name']}: {'...' if one['required'] else _default(one)}," for one in row["parameters"]]
        words[-1] = f"{words[-1][:-1]}}}"
    before, after = {
        "dataset": (f"datasets: {{{row['name']}: ", "}"),
        "metric": ("metrics: [", "]"),
        "reference": ("references: [", "]"),
        "schedule": ("optimizer: {schedule: ", "}"),
        "observer": ("observers: [", "]"),
    }.get(row["kind"], (f"{row['kind']}: ", ""))
    return [before + words[0], *words[1:-1], words[-1] + after] if len(words) > 1 else [before + words[0] + after]


def _summary(row: Row, doc: str, widest: int, width: int | None) -> Text:
    """``  name  what it is  citation``: ``width`` characters with the citation at the end; None: not shortened."""
    what, cited = clause(doc.partition("\n")[0]), _paper(row, doc)
    text = Text(f"  {row['name']:{widest}}  ", style="cyan")
    citation = _cited(cited, width)
    if width is not None:
        room = max(width - len(text) - (len(citation) + 2 if citation else 0), 1)
        if len(what) > room:
            whole_words = shorten(what, room, placeholder=" …", break_on_hyphens=False)
            what = whole_words if len(whole_words) > 2 else what[: room - 1] + "…"
        if citation:
            what = f"{what:{room}}"
    text.append(what, style="default")
    if cited and citation:
        text.append(f"  {citation}", style=Style(dim=True, link=cited.url or None))
    return text


def _paper(row: Row, doc: str) -> Citation | None:
    """The first paper of a docstring's first line, else of its line ``Source: ...``, else of the file's first line."""
    source = re.search(r"^Source: .*?(?=\n\n|\n[A-Z]\w+: |\Z)", doc, re.MULTILINE | re.DOTALL)
    return next(iter((*find(doc.partition("\n")[0]), *find(source[0] if source else ""), *find(row["citation"]))), None)


def _cited(citation: Citation | None, width: int | None) -> str:
    if citation is None:
        return ""
    if width is None or width >= WIDE:
        return citation.full
    if width >= MIDDLING:
        return citation.label
    return citation.short.removesuffix(f" {citation.year}") if width >= NARROW else ""


def _show_notes(row: Row, console: Console) -> None:
    """Where a plugin is from, unless it was shipped, and why it cannot be used, if so."""
    if row["origin"] != "shipped":
        # A path is never broken, so that it can be copied.
        _line(console, Text(f"      from {row['source']} ({row['origin']})", style="dim"))
    if row["broken"]:
        _show_words(row["broken"], console, indent=6, style="red")


def _show_broken(rows: Iterable[Row], console: Console) -> None:
    broken = [row for row in rows if not row["kind"]]
    if broken:
        _line(console, Text("broken", style="bold red"))
        for row in broken:
            _show_words(f"{row['source']}: {row['broken']}", console, indent=2)


def _paragraphs(doc: str) -> Iterator[str]:
    """The paragraphs of a docstring, each one line; a line ``Unit: ...`` begins one of its own."""
    for index, block in enumerate(re.split(r"\n\s*\n", doc)):
        if index:
            yield ""
        yield from (" ".join(part.split()) for part in re.split(r"\n(?=[A-Z]\w+: )", block))


def _show_words(text: str, console: Console, indent: int, more: int = 0, style: str = "") -> None:
    """Wrap at spaces only: names and paths stay whole; lines after the first are indented by ``more``."""
    width = max(console.width if console.is_terminal else 120, indent + more + 20)
    margin = " " * indent
    lines = wrap(
        text,
        width,
        initial_indent=margin,
        subsequent_indent=margin + " " * more,
        break_long_words=False,
        break_on_hyphens=False,
    )
    for line in lines or [""]:
        _line(console, Text(line, style=style))


def _show_filled(words: Sequence[str], console: Console, indent: int, style: str, more: int = 0) -> None:
    """Wrap between ``words``; no word is broken, not even at its spaces."""
    if words:
        joined = ("  " if not more else " ").join(word.replace(" ", "\0") for word in words)
        width = max(console.width if console.is_terminal else 120, indent + more + 20)
        lines = wrap(
            joined, width - indent, subsequent_indent=" " * more, break_long_words=False, break_on_hyphens=False
        )
        for line in lines:
            _line(console, Text(" " * indent + line.replace("\0", " "), style=style))


def _line(console: Console, text: Text) -> None:
    """One line, which the console must not change."""
    console.print(text, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)


def _default(parameter: Row) -> str:
    return "required" if parameter["required"] else _plain(parameter["default"])


def _plain(value: Any) -> str:
    """A default as a suite file would write it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return f"[{', '.join(_plain(item) for item in value)}]" if isinstance(value, (list, tuple)) else str(value)
