"""No text that comes from outside controls the terminal, a log or a CI service that shows it."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from ganbench.core.controls import has_controls, on_one_line, without_controls
from ganbench.report.console import SafeConsole

EVIL = "a\x1b[31m\x07\r\n::error::y\n  ::set-output::\u202e\x9b\ud800\x00"


@given(st.text())
def test_a_text_without_controls_has_none_and_stays_so(text):
    shown = without_controls(text)
    assert all(not has_controls(sign) or sign in "\n\t" for sign in shown)
    assert not any(line.lstrip().startswith("::") for line in shown.split("\n"))
    assert without_controls(shown) == shown
    assert "\n" not in on_one_line(text)
    shown.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_a_text_for_people_is_left_as_it_is(text):
    assert without_controls(text) == text or "::" in text


def test_the_console_shows_none_in_any_place():
    file = io.StringIO()
    console = SafeConsole(file=file, force_terminal=False, width=200)
    table = Table("head")
    table.add_row(Text(EVIL))
    console.print(EVIL, Text(EVIL), table, sep="\n", markup=False)
    out = file.getvalue()
    assert "\\x1b[31m" in out
    assert not any(sign in out for sign in "\x1b\x07\r\u202e\x9b\ud800\x00")
    assert not any(line.lstrip(" \u2502").startswith("::") for line in out.splitlines())
