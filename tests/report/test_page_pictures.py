"""The pictures on the page of a run: what is drawn is what was recorded, and a run without them says so."""

from __future__ import annotations

import base64
import json
import re
import shutil
import zlib
from dataclasses import replace

import numpy as np
import pytest
from paged import SEEDS, STEPS, paged
from pictured import CORNERS, SQUARE, keep, pictured

from ganbench.record.picture_arrays import DataPicture, Picture
from ganbench.record.pictures import cell_place, read_pictures
from ganbench.report.page import html
from ganbench.report.page import page as pages
from ganbench.report.page.atlas import Atlas, levels
from ganbench.report.page.best_d import best_ds, best_of
from ganbench.report.page.figure_files import write_figures
from ganbench.report.page.figure_one import figure_one
from ganbench.report.page.marks import marks
from ganbench.report.page.mode_time import held, mode_times
from ganbench.report.page.picture_part import LOST, NONE
from ganbench.report.page.section import Section
from ganbench.report.page.seed_order import chosen, spread, thinned
from ganbench.report.page.shown_run import ShownRun
from ganbench.report.page.wall import walls


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return ShownRun.read(pictured(tmp_path_factory.mktemp("runs")))


@pytest.fixture(scope="module")
def drawn(run):
    pictures, known, atlas = read_pictures(run.folder), marks([run.record]), Atlas()
    assert not pictures.lacking
    made = {f.__name__: f(run, pictures, known, atlas) for f in (walls, best_ds, mode_times)}
    return made, zlib.decompress(base64.b64decode(atlas.packed()))


def test_the_points_on_the_wall_are_those_of_the_seeds_the_best_seed_first(run, drawn):
    made, content = drawn
    (ring, _) = made["walls"]
    (row,) = ring.rows
    last = {
        seed: cell["jsd"]
        for cell in run.record.cells[1:2]
        for seed, cell in ((s, run.record.cells[1].result(s)) for s in SEEDS)
    }
    assert [one.seed for one in row.seeds] == sorted(SEEDS, key=last.__getitem__)
    draw = row.draw[[one.seed for one in row.seeds].index(7)]
    assert draw["steps"] == list(STEPS)
    points = np.frombuffer(content, np.uint8, 2 * draw["count"], draw["at"] + draw["each"]).reshape(-1, 2) / 254 * 4 - 2
    np.testing.assert_allclose(points, CORNERS[:3].repeat(8, 0)[: draw["count"]], atol=4 / 254)


def test_a_wall_says_which_sign_is_which_verdict(drawn):
    (ring, _) = drawn[0]["walls"]
    assert [(sign, word) for sign, word, _ in ring.key] == [("◇", "wrong shape")]


def test_a_mode_that_is_lost_and_comes_back_is_counted_once_each(drawn):
    made, content = drawn
    (ring,) = made["mode_times"]
    (row,) = ring.rows
    assert (row.lost, row.regained) == (1, 1)
    draw = row.draw[[one.seed for one in row.seeds].index(7)]
    held = np.frombuffer(content, np.uint8, 3 * 4, draw["at"]).reshape(3, 4)
    np.testing.assert_array_equal(held, [[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]])


def held_by(points, **more):
    """Which modes a seed with these points holds, of the four corners."""
    near = {"reach": np.full((1, 4), 0.3), "expected": np.full((1, 4), 0.25)} | more
    data = DataPicture("ring8", (0,), SQUARE, modes=CORNERS[None], **near)
    return held(Picture("ring8", "plain", False, 10, (0,), (True,), points=np.asarray(points)[None]), 0, data).tolist()


def test_points_between_the_modes_hold_none_of_them_as_in_the_table():
    """Each is nearest to some mode: a blob in the middle would hold all."""
    assert held_by(CORNERS.repeat(5, 0) / 2) == [0, 0, 0, 0]
    assert held_by(np.concatenate([CORNERS.repeat(5, 0) / 2, CORNERS[:1].repeat(2, 0)])) == [1, 0, 0, 0]


def test_a_rare_mode_is_held_by_few_points_and_a_frequent_one_is_not():
    points = np.concatenate([CORNERS[:1].repeat(97, 0), CORNERS[1:]])
    assert held_by(points) == [1, 0, 0, 0]
    assert held_by(points, expected=np.array([[0.95, 0.01, 0.02, 0.06]])) == [1, 1, 1, 0]


def test_of_pictures_that_do_not_say_how_near_a_mode_is_there_are_no_modes_by_time(run, monkeypatch):
    pictures = read_pictures(run.folder)
    older = replace(pictures.data["ring8"], reach=None, expected=None)
    older = replace(pictures, data={**pictures.data, "ring8": older})
    assert not mode_times(run, older, marks([run.record]), Atlas())
    monkeypatch.setattr("ganbench.report.page.picture_part.read_pictures", lambda _: older)
    monkeypatch.setattr(html, "library", lambda: "0;")
    text = pages.page([run])
    assert "Modes by time" not in text
    assert "ring8: its pictures do not say how near a mode a sample must be" in text


def test_where_generator_and_data_are_alike_the_best_d_is_a_half_and_so_is_the_gap_zero(drawn):
    (one,) = drawn[0]["best_ds"]
    assert [row.which for row in one.rows] == ["best seed", "median seed", "worst seed"]
    assert all(gap < 0.005 for row in one.rows for gap in row.draw["gap"])


def test_what_is_best_among_some_seeds_is_not_called_the_best(run, monkeypatch):
    """Of a run with many seeds some are followed, and those that diverged are no more: the page says of how many."""
    cell = run.cells("ring8")[-1]
    assert [which for which, _ in chosen(run, cell, SEEDS)] == ["best seed", "median seed", "worst seed"]
    few = chosen(run, cell, SEEDS[:3])
    assert [which for which, _ in few] == [f"{one} of 3 followed seeds" for one in ("best", "median", "worst")]
    assert [which for which, _ in chosen(run, cell, SEEDS[:1])] == ["best of 1 followed seed"]
    pictures = read_pictures(run.folder)
    cells = {
        place: tuple(replace(one, followed=SEEDS[:3], logits=one.logits[:3], counts=one.counts[:3]) for one in some)
        for place, some in pictures.cells.items()
    }
    monkeypatch.setattr("ganbench.report.page.picture_part.read_pictures", lambda _: replace(pictures, cells=cells))
    monkeypatch.setattr(html, "library", lambda: "0;")
    text = pages.page([run])
    assert f"median of 3 followed seeds ({few[1][1].seed})" in text
    assert "Followed: the suite's first seeds" in text
    assert f"seed {few[1][1].seed}, the median of 3 followed seeds" in text, "and on figure 1"


def test_where_no_seed_has_a_number_none_is_the_best(run, monkeypatch):
    monkeypatch.setattr(ShownRun, "main", property(lambda _: None))
    found = chosen(run, run.cells("ring8")[-1], SEEDS)
    assert [(which, one.seed) for which, one in found] == [
        ("first seed", SEEDS[0]),
        ("middle seed", SEEDS[len(SEEDS) // 2]),
        ("last seed", SEEDS[-1]),
    ]


def test_of_many_seeds_those_that_are_shown_by_time_are_not_the_best_alone():
    assert spread([*range(10)], 4) == [0, 3, 6, 9]
    assert spread([], 4) == []
    assert spread([1, 2], 4) == [1, 2]


def test_the_best_d_is_blank_where_nothing_is():
    found = best_of(np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 3.0, 0.0]))
    np.testing.assert_array_equal(found, [0.5, 1.0, 0.0, np.nan])


def test_of_many_pictures_some_are_left_out_and_never_the_last():
    assert thinned([*range(10)], 4) == [0, 3, 6, 9]
    assert thinned([*range(10)], 0) == thinned([*range(10)], 1) == [9]
    assert thinned([1, 2], 5) == [1, 2]


def test_what_is_not_finite_has_a_code_of_its_own():
    np.testing.assert_array_equal(levels(np.array([-9.0, 0, 1, 9, np.nan]), 0, 1), [0, 0, 254, 254, 255])


def test_figure_one_has_the_moments_that_there_are_and_arrows_that_end_at_the_samples(run):
    charts = figure_one(run, "grid9", read_pictures(run.folder), marks([run.record]))
    assert [chart.title for chart in charts] == [f"plain, step {step}" for step in STEPS]
    rows = [dict(zip(charts[0].data, one, strict=True)) for one in zip(*charts[0].data.values(), strict=True)]
    assert {row["y"] for row in rows if row["kind"] == "D"} == {0.5}
    ends = [(row["x"], row["x2"]) for row in rows if row["kind"] == "arrow"]
    assert ends == sorted(ends)
    assert all(min(abs(np.linspace(-1, 1, 20) - end)) < 1e-3 for _, end in ends)


def test_the_moments_of_figure_one_are_one_file_with_a_title_each_and_one_legend(run, tmp_path, monkeypatch):
    for name in ("outcomes", "curves", "effort"):
        monkeypatch.setattr(f"ganbench.report.page.figure_files.{name}", lambda *_: Section("", "", "", ()))
    (file,) = write_figures(run, tmp_path)
    assert file.name == "grid9-plain-figure-1.svg"
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", file.read_text())
    assert [text for text in texts if text.startswith("plain")] == [f"plain, step {step}" for step in STEPS]
    assert sorted(text for text in texts if text in ("D", "best D", "p, the data")) == ["D", "best D", "p, the data"]
    said = file.with_suffix(".txt").read_text()
    assert all(f"step {step}" in said for step in STEPS)


def test_the_page_has_a_canvas_for_each_seed_and_says_which_seed(run, monkeypatch):
    monkeypatch.setattr(html, "library", lambda: "0;")
    text = pages.page([run])
    names = re.findall(r'<canvas[^>]*aria-label="([^"]*)"', text)
    assert len([name for name in names if name.startswith("ring8, plain, seed ")]) == 2 * len(SEEDS)
    assert NONE not in text
    assert text.count("Under each: the sign of its verdict, and its JSD in nats.") == 2, "on each wall"
    assert len(re.findall(r'title="seed 7, wrong shape"', text)) >= 3, "on both walls, and by its modes"
    assert "modes lost: 1, regained: 1, over 8 seeds" in text
    assert json.loads(re.search(r'id="steps">(.*?)<', text)[1]) == list(STEPS)


def test_a_run_without_pictures_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(html, "library", lambda: "0;")
    text = pages.page([ShownRun.read(paged(tmp_path))])
    assert NONE in text
    assert "<canvas" not in text


def test_a_run_whose_pictures_are_gone_is_not_said_to_have_recorded_none(tmp_path, monkeypatch):
    folder = pictured(tmp_path)
    shutil.rmtree(folder.path / "pictures")
    monkeypatch.setattr(html, "library", lambda: "0;")
    text = pages.page([ShownRun.read(folder)])
    assert LOST in text
    assert NONE not in text


def test_a_picture_that_is_not_as_the_run_wrote_it_is_left_out(run, tmp_path):
    place = cell_place(run.folder.path / "pictures", "ring8", "plain", STEPS[0])
    before = place.read_bytes()
    try:
        keep(place, replace(Picture("ring8", "plain", reference=False, step=1, seeds=(0,), final=(True,))))
        found = read_pictures(run.folder)
        (ring, _) = walls(run, found, marks([run.record]), Atlas())
        assert ring.rows[0].draw[0]["steps"] == list(STEPS[1:])
        assert len(found.lacking) == 1
    finally:
        place.write_bytes(before)
