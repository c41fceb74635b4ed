"""``ganbench list``: what it says at any width, of one plugin, in BibTeX and to machines."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console

from ganbench.report.plugins import show_plugin, show_plugins

DOC = """{title}

It has ``words`` in its first paragraph, enough of them that they must go on in a second line of eighty.

Direction: lower.
Source: Gretton et al. 2012, JMLR 13:723-773."""


def row(name, kind="loss", **more):
    plain = {
        "aliases": [],
        "parameters": [],
        "source": f"plugins/{name}.py",
        "origin": "shipped",
        "sha256": "0",
        "broken": None,
    }
    return {"kind": kind, "name": name, "citation": more.pop("title", ""), **plain, **more}


PARAMETERS = [
    {"name": "weight", "type": "a number of at least 0", "default": 10.0, "required": False},
    {"name": "betas", "type": "a list of 2 numbers", "default": [0.5, 0.999], "required": False},
    {"name": "means", "type": "a list", "default": None, "required": True},
]
TITLES = {
    "least-squares": "LSGAN (Mao et al. 2017, arXiv:1611.04076): squared distances from labels called a, b and c.",
    "ragan": "Relativisticaveragely (Jolicoeur-Martineau 2018, arXiv:1807.00734): one word.",
    "mine": "Mine, which is my own and cites nobody at all, in as many words as fill most of a line; no citation.",
}  # fmt: skip
ROWS = [row(name, title=title, parameters=PARAMETERS) for name, title in TITLES.items()]
ROWS[2] |= {"origin": "folder", "broken": "loss 'mine' is defined by plugins/mine.py and plugins/other.py"}
ROWS.append(row("mmd", "metric", title="Squared maximum mean discrepancy, a title without citation."))
DOCS = [DOC.format(title=one["citation"]) for one in ROWS]
BROKEN = row(None, None, source="plugins/broken.py", broken="line 1: ImportError: cannot import name 'nonsense'")


def printed(function, *arguments, width=None, **named):
    out = io.StringIO()
    terminal = {} if width is None else {"width": width, "force_terminal": True, "color_system": None}
    function(*arguments, Console(file=out, highlight=False, **terminal), **named)
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 61, 72, 80, 90, 100, 118, 140, 200])
@pytest.mark.parametrize("parameters", [False, True])
def test_it_fits_any_terminal_and_breaks_no_word(width, parameters):
    text = printed(show_plugins, [*ROWS, BROKEN], [*DOCS, ""], width=width, parameters=parameters)
    assert max(map(len, text.splitlines())) <= width
    whole = {word.strip(",;:.") for doc in DOCS for word in doc.split()}
    for clipped in re.findall(r"(\S+) …", text):
        assert clipped.strip(",;:") in whole
    for one in (
        "LSGAN: ",
        "losses (3)",
        "metrics (1)",
        "broken",
        "from plugins/mine.py",
    ):
        assert one in text, one
    for author, year in (("Mao", "2017"), ("Gretton", "2012"), ("Martineau", "2018")):
        assert (author in text) == (width >= 70)
        assert (year in text) == (width >= 90)
    assert ("betas=[0.5, 0.999]" in text) == parameters


def test_a_plugin_is_one_line_in_a_terminal_and_whole_in_a_pipe():
    of_shipped = [line for line in printed(show_plugins, ROWS[:2], DOCS[:2], width=70).splitlines() if line.strip()]
    assert len(of_shipped) == 3
    piped = printed(show_plugins, ROWS, DOCS)
    for said in (
        "labels called a, b and c  Mao et al. 2017, arXiv:1611.04076",
        "fill most of a line  Gretton et al. 2012\n",
    ):
        assert said in piped


def test_one_plugin_in_full_fits_with_docstring_parameters_use_and_address():
    text = printed(show_plugin, ROWS[0], DOCS[0], width=80)
    assert max(map(len, text.splitlines())) <= 80
    for said in (
        "loss least-squares\n",
        "in its first paragraph, enough of them that they must go on\n  in a second line",
        "\n  Direction: lower.\n  Source: Gretton",
        "\n    weight: 10.0         a number of at least 0\n",
        "\n    means: required      a list\n",
        "\n  loss: {name: least-squares, weight: 10.0, betas: [0.5, 0.999], means: ...}\n",
        "\n  Mao et al. 2017  https://arxiv.org/abs/1611.04076\n",
    ):
        assert said in text
    assert "\n  metrics: [mmd]\n" in printed(show_plugin, ROWS[3], DOCS[3], width=80)


def test_kinds_and_names_choose(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = gb("list")
    assert (code, err) == (0, "")
    assert "\n  wgan-gp " in out
    assert "arXiv:1704.00028" in out
    assert "penalty=10.0" not in out
    code, out, _ = gb("list", "losses")
    assert code == 0
    assert "\n      penalty=10.0\n" in out
    assert "datasets" not in out
    assert gb("list", "loss") == gb("list", "losses")
    code, out, _ = gb("list", "wgan-gp")
    assert code == 0
    assert out.startswith("loss wgan-gp\n")
    assert "five discriminator steps" in out
    assert [one["name"] for one in json.loads(gb("list", "wgan-gp", "ring", "--json")[1])] == ["wgan-gp", "ring"]
    code, out, err = gb("list", "wgan-gq")
    assert (code, out) == (2, "")
    assert err.startswith("Usage: ganbench list ")
    assert err.endswith(", nor a plugin's name, did you mean 'wgan-gp'?\n")


def test_bibtex_of_all_that_is_shipped_has_every_paper_once(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = gb("list", "--bibtex")
    assert (code, err) == (0, "")
    assert out.count("eprint = {1406.2661}") == 1
    (line,) = [line for line in out.splitlines() if line.startswith("%") and "loss minimax" in line]
    assert "loss nonsaturating" in line
    assert gb("list", "minimax", "--bibtex")[1].count("@") == 1
    assert gb("list", "--bibtex", "--json")[0] == 2


def test_a_name_whose_file_is_broken_says_why(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "my_gan.py").write_text("from ganbench import hookimpl, nonsense\n")
    code, _, err = gb("list", "my-gan")
    assert code == 2
    assert "(plugins/my_gan.py could not be loaded: line 1: ImportError: cannot import name 'nonsense'" in err


def test_plugins_of_one_file_are_told_apart_by_their_functions_docstrings(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "two.py").write_text(
        '"""Two (Mao et al. 2017, arXiv:1611.04076)."""\n\n'
        "from ganbench import Dataset, Mixture, hookimpl\n\n\n"
        'def first():\n    """The first of them."""\n    return Mixture([[0, 0]], 1)\n\n\n'
        "def second():\n    return Mixture([[0, 0]], 1)\n\n\n"
        "@hookimpl\ndef ganbench_datasets():\n"
        '    yield from (Dataset("one-of-two", first), Dataset("two-of-two", second))\n'
    )
    out = gb("list")[1]
    assert "one-of-two" in out
    assert "  The first of them  Mao et al. 2017" in out
    assert "  Two  Mao et al. 2017" in out


def test_a_narrow_terminal_keeps_half_of_its_lines_for_what_a_plugin_is():
    long = row("a-name-of-more-than-twenty-four-letters", title="What this long one is, in words (Mao et al. 2017).")
    rows, docs = [*ROWS[:3], long], [*DOCS[:3], long["citation"]]
    lines = printed(show_plugins, rows, docs, width=60).splitlines()
    whole = next(line for line in lines if line.startswith("  mine"))
    assert len(whole[28:]) > 20
    assert whole.startswith("  mine           Mine, which is my own")
    at = lines.index("  a-name-of-more-than-twenty-four-letters")
    assert lines[at + 1].strip() == "What this long one is, in words"
    assert "  a-name-of-more-than-twenty-four-letters  What this" in printed(show_plugins, rows, docs, width=140)


def test_the_hint_at_the_end_fits(monkeypatch, gb, tmp_path):
    import ganbench.cli.plugins as module

    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    monkeypatch.setattr(
        module, "console_for", lambda: Console(file=out, width=60, force_terminal=True, color_system=None)
    )
    assert gb("list")[0] == 0
    lines = out.getvalue().splitlines()
    assert "ganbench list NAME" in out.getvalue()
    assert max(map(len, lines[-4:])) <= 60


def test_a_file_is_shown_with_all_that_it_holds(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (
        '"""Two (Mao et al. 2017, arXiv:1611.04076)."""\n\nfrom ganbench import Dataset, Mixture, hookimpl\n\n\n'
        "def first(*, spread: float = 1.0):\n    return Mixture([[0, 0]], spread)\n\n\n@hookimpl\n"
        'def ganbench_datasets():\n    yield from (Dataset("{0}-a", first), Dataset("{0}-b", first))\n'
    )
    for folder in ("plugins", "elsewhere"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "two.py").write_text(text.format(folder))
        code, out, err = gb("list", f"{folder}/two.py")
        assert (code, err) == (0, "")
        assert f"dataset {folder}-a\n" in out
        assert f"dataset {folder}-b\n" in out
        assert "spread: 1.0" in out
    assert gb("list", "none.py")[::2] == (2, "none.py: there is no such file\n")
    (tmp_path / "bad.py").write_text("def ganbench_losses(:")
    code, _, err = gb("list", "bad.py")
    assert code == 2
    assert err.startswith("bad.py: line 1: syntax error")
