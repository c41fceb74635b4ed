"""The page of a run: its numbers are the terminal's, its texts cannot become code, and it says what it lacks."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import zlib
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from paged import SEEDS, STEPS, paged

from ganbench.plugin.column import find
from ganbench.report.figures import SIGNS, figures
from ganbench.report.page import html, opening, result_table
from ganbench.report.page import library as libraries
from ganbench.report.page import page as pages
from ganbench.report.page.curve import curve
from ganbench.report.page.marks import COLOURS, marks
from ganbench.report.page.opening import what_it_says
from ganbench.report.page.reaching import reaching
from ganbench.report.page.section import curves, outcomes
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.verdict_bars import UNJUDGED, ticks
from ganbench.stats.intervals import median

EVIL = "</script><img src=x onerror=alert(1)>"


class Reader(HTMLParser):
    """The elements of a page with their attributes, and the texts in those that are asked for."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._open = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open.append((tag, dict(attrs).get("id")))

    def handle_endtag(self, tag):
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        for key in self._open:
            self.texts[key] = self.texts.get(key, "") + data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def charts(page):
    """What the page's script draws."""
    return json.loads(zlib.decompress(base64.b64decode(page.texts["script", "charts"])))


@pytest.fixture(scope="module", autouse=True)
def _small_library():
    """The library takes seconds to make, and only the browser's test needs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html, "library", lambda: "0;")
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = paged(tmp_path_factory.mktemp("runs"))
    run = ShownRun.read(folder)
    text = pages.page([run])
    return SimpleNamespace(folder=folder, run=run, text=text, page=Reader(text))


def test_where_no_rule_judges_a_seed_none_is_said_to_have_not_converged(made, monkeypatch):
    assert [text.endswith("No seed converged.") for _, text in what_it_says(made.run)] == [True, True]
    monkeypatch.setattr("ganbench.report.page.opening.words", lambda _, cell: [UNJUDGED] * len(cell.seeds))
    assert [name for name, text in what_it_says(made.run) if "converged" in text] == []


def test_two_others_are_both_or_either_of_them():
    assert [opening._every(["a", "b"], word) for word in ("all", "any of the")] == [
        "both others",
        "either of the others",
    ]
    assert opening._every(["a", "b", "c"], "all") == "all 3 others"
    assert opening._every(["a"], "all") == "a"


def test_an_axis_writes_ten_as_10(made):
    specs = [one.spec for part in (outcomes, curves) for one in part(made.run, marks([made.run.record])).charts]
    assert len(specs) > 5
    assert not re.search(r'"format": "[+]?~g"', json.dumps(specs))


def test_the_table_has_every_text_of_the_terminals(made):
    found = figures(made.run.table, made.run.record.columns, SIGNS[False])
    texts = re.sub(r"<[^>]*>", "", made.text)
    assert len(found) > 5
    assert [text for one in found for text, rest in one.cells if text + rest not in texts] == []
    assert [one.title for one in found if one.title not in texts] == []


def test_the_bands_of_many_variants_are_together_no_darker_than_those_of_four(tmp_path, made):
    names = tuple(f"row-{n}" for n in range(12))
    many = ShownRun.read(paged(tmp_path, variants=names))
    dark = []
    for run in (made.run, many):
        chart = curve(run, "ring8", run.main, marks([run.record]))
        dark.append([layer["mark"]["opacity"] for layer in chart.spec["layer"] if layer["mark"]["type"] == "area"])
    assert dark == [[pytest.approx(0.14)], [pytest.approx(0.14 * 4 / 12)]]


def test_the_name_of_a_reference_can_be_read_where_lines_cross_it(made):
    spec = curve(made.run, "ring8", made.run.main, marks([made.run.record])).spec
    edge, name = (layer["mark"] for layer in spec["layer"] if layer["mark"]["type"] == "text")
    assert (edge["stroke"], name["color"]) == ("var(--page)", "var(--dim)")


def test_more_columns_are_counted_as_one_says_it(made, monkeypatch):
    total = len(figures(made.run.table, made.run.record.columns, SIGNS[False]))
    for left, words in ((1, "Show 1 more column"), (2, "Show 2 more columns")):
        monkeypatch.setattr(result_table, "FIRST", total - left)
        assert f"> {words}</label>" in pages.page([made.run])


def test_every_chart_has_a_name_and_a_table_with_a_row_for_each_variant(made):
    drawn = charts(made.page)["charts"]
    plots = [one for one in made.page.all("div") if one.get("class") == "plot"]
    assert len(plots) == len(drawn) == sum(one.get("class") == "chart" for one in made.page.all("figure"))
    assert all(one["role"] == "img" and len(one["aria-label"]) > 30 for one in plots)
    (part,) = [pages._part(made.run, "r0", marks([made.run.record]))]
    for chart in part.charts.values():
        assert {row[0] for row in chart.rows} >= {str(one) for one in chart.data["variant"]} - {"oracle"}
        assert all(len(row) == len(chart.head) for row in chart.rows)


def test_each_specification_is_one_that_vega_lite_has(made):
    import altair

    found = charts(made.page)
    assert 6 <= len(found["specs"]) <= len(found["charts"])
    for spec in found["specs"]:
        assert altair.Chart.from_dict({**spec, "data": {"values": []}}, validate=True)


def test_the_page_asks_for_nothing_and_runs_no_other_script(made):
    """The policy names each script by its digest, and no element names a file or a server."""
    (policy,) = [one["content"] for one in made.page.all("meta") if "http-equiv" in one]
    assert policy.startswith("default-src 'none'; ")
    scripts = re.findall(r"<script>(.*?)</script>", made.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    assert len(scripts) == 2  # without pictures there is no third
    assert re.findall(r"'sha256-(.*?)'", policy) == digests
    assert not [one for _, one in made.page.elements if {"src", "srcset", "data", "action"} & one.keys()]
    assert {tag for tag, one in made.page.elements if "href" in one} == {"a"}
    assert not [one for _, one in made.page.elements if any(name.startswith("on") for name in one)]


def test_a_script_cannot_end_its_element():
    assert libraries.inline('a = "</script>", b = "<!--"') == r'a = "\x3c/script>", b = "\x3c!--"'


def test_a_name_that_is_html_harms_nothing(tmp_path):
    folder = paged(tmp_path, variants=("plain", EVIL), command=["ganbench", EVIL])
    text = pages.page([ShownRun.read(folder)])
    assert "<img" not in text
    page = Reader(text)
    assert not page.all("img")
    assert len(page.all("script")) == 3
    drawn = charts(page)
    assert any(EVIL in chart["data"]["variant"] for chart in drawn["charts"].values())
    assert EVIL in page.texts["pre", "r0-command"]
    assert all(EVIL not in json.dumps(spec.get("transform")) for spec in drawn["specs"])


def test_a_run_that_goes_on_has_a_page_that_says_so(tmp_path):
    folder = paged(tmp_path, ended=2)
    run = ShownRun.read(folder)
    text = pages.page([run])
    assert "this run has not finished: 2 of 6 cells have ended" in text
    assert curve(run, "grid9", find(run.record.columns, "primary"), marks([run.record])) is None


def test_the_last_median_of_a_curve_is_that_of_the_table_also_where_seeds_diverged(tmp_path):
    run = ShownRun.read(paged(tmp_path, diverged=[("other", seed) for seed in (0, 1, 2)]))
    column = find(run.record.columns, "primary")
    chart = curve(run, "ring8", column, marks([run.record]))
    rows = [dict(zip(chart.data, values, strict=True)) for values in zip(*chart.data.values(), strict=True)]
    last = {row["variant"]: row for row in rows if row["kind"] == "median" and row["step"] == STEPS[-1]}
    others = [row["value"] for row in rows if row["kind"] == "seed" and row["variant"] == "other"]
    assert len(others) == 3 * len(SEEDS) - 3
    alive = [0.25 + seed / 100 - 2 / 50 for seed in SEEDS if seed > 2]
    expected = median([*alive, math.inf, math.inf, math.inf])
    assert last["other"]["value"] == pytest.approx(expected.value)
    assert last["other"]["high"] is expected.high is None


def test_a_seed_that_never_holds_something_counts_at_every_step(made):
    (column,) = [one for one in made.run.record.columns if one.summary == "share"]
    chart = reaching(made.run, "ring8", column, marks([made.run.record]))
    by_row = [dict(zip(chart.data, one, strict=True)) for one in zip(*chart.data.values(), strict=True)]
    plain = [(one["step"], one["share"]) for one in by_row if one["variant"] == "plain"]
    assert plain == [(0, 0.0), (100, 0.5), (300, 0.5)]  # seeds of an odd number get there at the last step alone
    assert {one["of"] for one in by_row} == {len(SEEDS)}


def test_two_runs_stand_side_by_side_and_share_their_marks(tmp_path, made):
    other = ShownRun.read(paged(tmp_path, variants=("other", "third")), "the second")
    page = Reader(pages.page([made.run, other]))
    assert len({one["id"] for one in page.all("figure")}) == len(page.all("figure"))
    assert len({one["id"] for _, one in page.elements if "id" in one}) == sum("id" in one for _, one in page.elements)
    assert [one["data-variant"] for one in page.all("button") if "data-variant" in one] == ["plain", "other", "third"]


def test_a_run_among_others_is_called_by_its_suite_and_its_name(made):
    assert made.run.label == f"mog, run {made.folder.path.name}"


def test_no_two_variants_are_drawn_alike_and_settings_share_a_colour():
    def cell(variant, family):
        return SimpleNamespace(variant=variant, family=family, reference=False)

    swept = [cell(f"gp lr={lr}", "gp") for lr in (1, 2, 3)]
    cells = [*(cell(f"v{at}", f"v{at}") for at in range(3 * COLOURS)), *swept]
    found = marks([SimpleNamespace(cells=cells)])
    assert len({(one.colour, one.shape, one.dash) for one in found.values()}) == len(cells)
    assert len({found[one.variant].colour for one in swept}) == 1


@pytest.mark.parametrize(
    ("seeds", "found"), [(1, [0, 1]), (2, [0, 1, 2]), (6, [*range(7)]), (16, [0, 5, 10, 15]), (64, [0, 20, 40, 60])]
)
def test_the_ticks_of_seeds_are_whole_and_each_is_there_once(seeds, found):
    assert ticks(seeds) == found
