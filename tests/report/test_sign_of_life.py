"""A sign of life: none of a short work; of a long one a line that goes away, or seldom a plain one."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from ganbench.report import sign_of_life
from ganbench.report.sign_of_life import SignOfLife


@pytest.mark.parametrize("terminal", [True, False])
def test_short_work_is_silent(terminal):
    out = io.StringIO()
    with SignOfLife(Console(file=out, force_terminal=terminal), "score x.npy") as sign:
        sign("the file is read")
    assert out.getvalue() == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_long_work_says_what_it_does(terminal, monkeypatch):
    for name in ("SOON", "AGAIN", "SELDOM"):
        monkeypatch.setattr(sign_of_life, name, 0.01)
    out = io.StringIO()
    with SignOfLife(Console(file=out, force_terminal=terminal, width=120), "score [b]x.npy") as sign:
        sign("the file [1] is read")
        until = time.monotonic() + 20
        while "the file [1] is read (" not in out.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert "score [b]x.npy: the file [1] is read (" in out.getvalue()
    assert ("\r" in out.getvalue() or "\x1b" in out.getvalue()) == terminal
