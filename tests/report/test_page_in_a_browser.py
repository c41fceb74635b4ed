"""Each kind of page in a real browser: nothing leaves it, nothing fails in it, and it does what it is said to do.

To have these: ``apt-get install chromium`` and ``pip install playwright axe-playwright-python``; without them they are
skipped, and say which is missing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from compared import compared, jsd, same
from histories import SHIFTED, found, points
from pictured import pictured

from ganbench.record.folder import RunFolder
from ganbench.report.formats.html import as_html
from ganbench.report.page.history_page import history_page
from ganbench.report.page.page import page as render
from ganbench.report.page.shown_run import ShownRun

pytestmark = pytest.mark.slow

browsers = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium")
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
EVIL = "</script><img src=x onerror=alert(1)>"
AXE = find_spec("axe_playwright_python")
KINDS = ("report", "images", "side by side", "history", "comparison")
IMAGES = """\
suite: images
seeds: 2
budget: {steps: 20, batch: 32}
evaluate: {every: 10, samples: 200}
datasets: {digits: digits}
references: [memoriser]
defaults: {architecture: {name: mlp, width: 16}}
variants: {plain: {loss: nonsaturating}}
metrics: [jsd]
"""


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    with browsers.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A page of each kind, with names that would be code in it; that of images is of a real run."""
    home = tmp_path_factory.mktemp("pages")
    measured = points(SHIFTED, variant=EVIL, reason=EVIL)
    runs = [pictured(home / name, variants=("plain", EVIL)) for name in ("one", "other")]
    shown = [ShownRun.read(run, label) for run, label in zip(runs, ("first", EVIL), strict=True)]
    (home / "images.yaml").write_text(IMAGES)
    options = ("--engine", "eager", "--no-report", "--out", str(home))
    subprocess.run([sys.executable, "-m", "ganbench", "run", str(home / "images.yaml"), *options], check=True)
    made = {
        "report": render(shown[:1]),
        "images": render([ShownRun.read(RunFolder.newest(home, "images"))]),
        "side by side": render(shown),
        "history": history_page(EVIL, measured, found(measured), [EVIL]),
        "comparison": as_html(compared(jsd(f"ring8/{EVIL}"), same("ring8/b"))),
    }
    for kind, text in made.items():
        (home / f"{kind}.html").write_text(text, encoding="utf-8")
    return home


@pytest.fixture
def opened(chromium, files):
    """Opens a page; whatever it asks for and whatever fails is kept."""
    pages = []

    def opened(kind):
        page = chromium.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        page.asked, page.said = [], []
        page.on("request", lambda one: page.asked.append(one.url))
        page.on("console", lambda one: page.said.append(one.text))
        page.on("pageerror", lambda one: page.said.append(str(one)))
        page.on("dialog", lambda one: page.said.append(one.message))
        page.goto((files / f"{kind}.html").as_uri())
        pages.append(page)
        return page

    yield opened
    for page in pages:
        page.close()


@pytest.fixture
def page(opened):
    return opened("report")


def drawn(page):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("[...document.querySelectorAll('.plot')].every((one) => one.querySelector('svg'))")
    page.evaluate("dispatchEvent(new Event('afterprint'))")


@pytest.mark.parametrize("kind", KINDS)
def test_all_is_drawn_nothing_is_asked_for_or_fails_and_no_width_scrolls_sideways(opened, files, kind):
    page = opened(kind)
    drawn(page)
    assert page.asked == [(files / f"{kind}.html").as_uri()]
    for width in (1400, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.images.length") == 0
    assert page.said == []


def test_each_chart_has_its_numbers_in_a_table_and_each_picture_says_what_it_is(page):
    without = (
        "[...document.querySelectorAll('figure.chart')].filter((one) => !one.querySelector('table tbody tr')).length"
    )
    assert page.evaluate(without) == 0
    assert page.locator("canvas.picture").count() > 10
    assert page.locator("canvas.picture:not([aria-label])").count() == 0


def test_the_slider_moves_every_picture_by_keyboard(page):
    page.wait_for_function("document.documentElement.dataset.pictures === 'drawn'")
    first = page.locator("canvas.picture[data-kind=modes]").last
    first.scroll_into_view_if_needed()
    slider, seen = page.locator("#step"), []
    for key in ("End", "ArrowLeft", "Home"):
        slider.press(key)
        seen.append((page.locator("#at-step").text_content(), first.evaluate("(one) => one.toDataURL()")))
    assert [step for step, _ in seen] == ["step 300", "step 200", "step 100"]
    assert len({picture for _, picture in seen}) == 3
    assert slider.get_attribute("aria-valuetext") == "step 100"


def test_the_pictures_of_d_are_equally_wide_on_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 900})
    page.locator(".three").first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.gap').textContent.endsWith('in the mean')")
    widths = page.evaluate("[...document.querySelectorAll('.three canvas')].map((one) => Math.round(one.clientWidth))")
    assert len(widths) >= 3
    assert max(widths) - min(widths) <= 1


def test_no_word_of_a_chart_is_beyond_the_edge_of_a_phone(page):
    page.set_viewport_size({"width": 390, "height": 900})
    drawn(page)
    right = "(one) => one.getBoundingClientRect().right"
    assert page.evaluate(f"Math.max(...[...document.querySelectorAll('.plot svg text')].map({right}))") <= 390


def test_on_paper_pictures_have_the_colours_of_paper_whatever_the_screen_has(opened):
    seen = []
    for scheme in ("light", "dark"):
        page = opened("report")
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("document.documentElement.dataset.pictures === 'drawn'")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        seen.append(page.locator("canvas.picture").first.evaluate("(one) => one.toDataURL()"))
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        seen.append(page.evaluate("document.documentElement.className"))
    assert seen[0] == seen[2]
    assert seen[1] == seen[3] == ""


def test_a_table_is_not_wider_than_the_paper_and_what_is_open_keeps_its_heading(page):
    page.set_viewport_size({"width": 718, "height": 1000})  # of A4, without its margins
    page.emulate_media(media="print")
    right = "(one) => one.getBoundingClientRect().right"
    assert page.evaluate(f"Math.max(...[...document.querySelectorAll('table.results')].map({right}))") <= 718
    assert page.get_by_text("Versions, machine and code").is_visible()
    assert not page.get_by_text("What the columns are").is_visible()


def test_no_column_of_a_table_is_out_of_sight_on_a_wide_screen(page):
    beyond = "(one) => one.scrollWidth - one.clientWidth"
    tables = "[...document.querySelectorAll('.tabled .scroll')]"
    assert page.evaluate(f"Math.max(...{tables}.map({beyond}))") <= 0


def test_a_head_sorts_the_rows_by_keyboard(page):
    text = "(body) => [...body.rows].map((row) => row.cells[0].textContent.trim())"
    names = f"[...document.querySelectorAll('tbody.trained')].map({text})"
    before = page.evaluate(names)
    head = page.locator("table.results thead button").first
    head.press("Enter")
    assert page.evaluate(names) == [sorted(one) for one in before]
    head.press("Enter")
    assert page.evaluate(names) == [sorted(one, reverse=True) for one in before]
    assert page.locator("th[aria-sort=descending]").count() == 1


def test_a_link_leads_to_a_heading_that_no_legend_covers(page):
    page.emulate_media(reduced_motion="reduce")
    page.evaluate("document.querySelector('.legend').style.height = '200px'")
    page.wait_for_timeout(300)
    page.locator("nav a[href='#curves']").click()
    page.wait_for_timeout(300)
    legend = page.locator(".legend").evaluate("(one) => one.getBoundingClientRect().bottom")
    assert page.locator("#curves").evaluate("(one) => one.getBoundingClientRect().top") >= legend


def test_a_variant_is_hidden_in_every_chart(page):
    drawn(page)
    paths = "document.querySelectorAll('.plot path[stroke-width=\"0.7\"]').length"
    before = page.evaluate(paths)
    chip = page.locator("button.chip").first
    chip.press("Space")
    assert chip.get_attribute("aria-pressed") == "false"
    assert 0 < page.evaluate(paths) < before
    page.locator("#everyone").click()
    assert page.evaluate(paths) == before


@pytest.mark.skipif(AXE is None, reason="needs axe-playwright-python, which carries axe-core")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, kind, scheme):
    page = opened(kind)
    page.emulate_media(color_scheme=scheme)
    drawn(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate((Path(AXE.submodule_search_locations[0]) / "axe.min.js").read_text() + ";0")
    violations = page.evaluate("axe.run(document)")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == []
