"""The history for a person: a chart and a table at every width, and a page that holds what the table says."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pytest
from histories import SHIFTED, found, points
from rich.console import Console

from ganbench.compare.history.prediction import expected
from ganbench.compare.history.series import series
from ganbench.report.history import as_object, chart, pick, show_history
from ganbench.report.page import html
from ganbench.report.page.history_chart import history_chart
from ganbench.report.page.history_page import history_page


def printed(made, encoding="utf-8", **console):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    show_history(made, found(made), Console(file=file, color_system=None, **{"width": 100, **console}))
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def test_a_chart_has_a_block_for_each_point_and_a_bar_for_each_shift():
    (one,) = found(points([0.1, 1.0]))
    assert chart(one, 80, plain=False) == "▁█"
    assert chart(one, 80, plain=True) == "_#"
    (one,) = found(points([0.1, 0.1, 0.1]))
    assert chart(one, 80, plain=False) == "▅▅▅", "all alike: in the middle"
    (one,) = found(points([0.5, 0.5, 0.1, None, 0.3], version=0))
    assert chart(one, 80, plain=False) == "··▁∞█"
    (one,) = found(points(SHIFTED))
    assert chart(one, 80, plain=False) == "▁" * 8 + "▂" * 2 + "│" + "▇" * 2 + "█" * 8
    assert len(chart(one, 80, plain=True)) == 21
    assert len(chart(one, 7, plain=True)) == 7


@pytest.mark.parametrize("width", [1, 20, 40, 80, 200])
def test_every_width_holds_it(width):
    text = printed(points(SHIFTED), force_terminal=True, width=width)
    if width >= 40:
        assert all(len(line.rstrip()) <= width for line in text.splitlines())
        assert "2026-10-20 00:00" in text


def test_a_shift_is_told_with_its_size_and_the_commits_around_it():
    text = printed(points(SHIFTED), width=120)
    assert "shift on 2026-10-11 (0090090090..0100100100): 0.105 -> 0.205 (+0.100), p <0.001" in text
    assert "the next should read" in text
    assert "from 10 points" in text


def test_an_ascii_output_gets_ascii():
    assert printed(points(SHIFTED), encoding="ascii").isascii()


def test_what_does_not_count_is_said():
    text = printed(points([0.1, 0.1, 0.2, 0.3, 0.3], version=0), width=160)
    assert text.count("measured by protocol 0, now 1") == 2
    assert text.count("as before, seed by seed") == 1
    assert "1 of 5 say the same as an earlier one" in text


def test_the_object_is_json_with_words_for_infinities():
    made = points([0.1, None, 0.3], reason="why")
    (one,) = json.loads(json.dumps(as_object("made", made, found(made), ["a note"]), allow_nan=False))["series"]
    assert [point["value"] for point in one["points"]] == [pytest.approx(0.10035), "inf", pytest.approx(0.30035)]
    assert one["expected"] is None


def test_only_what_is_asked_for_is_shown():
    all_ = series([point.run for point in points([0.1])])
    assert [one.measure for one in pick(all_, [], [])] == ["jsd"]
    assert [one.measure for one in pick(all_, ["ring8/minimax"], ["all"])] == ["diverged", "jsd"]
    assert [one.measure for one in pick(all_, [], ["diverged"])] == ["diverged"]
    assert pick([], [], []) == ()


@pytest.mark.parametrize(
    "made",
    [
        points(SHIFTED, variant="a<b & 'c' \x00\x1b\ud800", reason="]]> \x07"),
        points([0.1]),
        points([0.1, None, 0.1]),
        points([None]),
        points(np.random.default_rng(0).normal(1, 0.1, 300).tolist()),
    ],
)
def test_a_chart_holds_every_run_and_its_table_reads_as_the_terminals(made):
    for one in found(made):
        drawn = history_chart(made, one, "a title")
        data = drawn.data
        at = [place for place, kind in enumerate(data["kind"]) if kind == "point"]
        assert [data["place"][place] for place in at] == list(range(len(made)))
        low, high = drawn.spec["layer"][3]["encoding"]["y"]["scale"]["domain"]
        assert all(low <= data[name][place] <= high for name in ("value", "low", "high") for place in at)
        assert ["∞" if math.isinf(row.value) else "" for row in one.observations] == [data["label"][p] for p in at]
        assert len(drawn.rows) == len(made)
        assert {len(row) for row in drawn.rows} == {len(drawn.head)}
        assert [data["reads"][place] for place in at] == [row[1] for row in drawn.rows]


def test_a_shift_on_the_chart_has_its_place_and_size_and_the_band_begins_there():
    made = points(SHIFTED)
    (one,) = found(made)
    data = history_chart(made, one, "jsd").data
    (shift, band) = (data["kind"].index(kind) for kind in ("shift", "band"))
    assert (data["place"][shift], data["label"][shift]) == (9.5, "+0.100")
    assert (data["place"][band], data["until"][band]) == (9.5, 19.5)
    assert [data["low"][band], data["high"][band]] == pytest.approx(expected(one), rel=1e-4)


def test_the_page_says_what_has_shifted_and_no_text_of_it_becomes_code(monkeypatch):
    monkeypatch.setattr(html, "library", lambda: "0;")
    evil = "</script><img src=x onerror=alert(1)>"
    made = points(SHIFTED, variant=evil, reason=evil)
    page = history_page(evil, made, found(made), [evil])
    assert "<img" not in page
    assert "19 runs and 1 baseline, 2026-10-01 to 2026-10-20" in page
    assert "(0090090090..0100100100): 0.105 -&gt; 0.205 (+0.100), p &lt;0.001" in page
    assert page.count("<figure") == 1
    assert page.count("<tr>") == 21
    all_ = series([point.run for point in made])
    assert history_page("s", made, all_, []).count("<figure") == len(all_)
