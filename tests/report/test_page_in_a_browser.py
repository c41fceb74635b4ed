"""The page in a real browser: nothing leaves it, nothing fails in it, and it does what it is said to do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from paged import paged

from ganbench.report.page.page import page as render
from ganbench.report.page.shown_run import ShownRun

pytestmark = pytest.mark.slow

browsers = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium")
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
FLAGS += " --disable-component-update --disable-sync"
EVIL = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def chromium():
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    with browsers.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    home = tmp_path_factory.mktemp("page")
    (home / "it.html").write_text(render([ShownRun.read(paged(home, variants=("plain", EVIL)))]), encoding="utf-8")
    return home / "it.html"


@pytest.fixture
def page(chromium, file):
    """The page, drawn to its end; whatever it asks for and whatever fails is kept."""
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    page.asked, page.said = [], []
    page.on("request", lambda one: page.asked.append(one.url))
    page.on("console", lambda one: page.said.append(one.text))
    page.on("pageerror", lambda one: page.said.append(str(one)))
    page.on("dialog", lambda one: page.said.append(one.message))
    page.goto(file.as_uri())
    yield page
    page.close()


def drawn(page):
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("[...document.querySelectorAll('.plot')].every((one) => one.querySelector('svg'))")


def test_all_is_drawn_and_nothing_is_asked_for_or_fails(page, file):
    drawn(page)
    assert page.asked == [file.as_uri()]
    assert page.said == []
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") < 20_000


@pytest.mark.parametrize("width", [1400, 768, 390])
def test_no_width_needs_the_page_to_scroll_sideways(page, width):
    page.set_viewport_size({"width": width, "height": 900})
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


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


@pytest.mark.skipif("AXE" not in os.environ, reason="needs the path of axe.min.js in AXE")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, scheme):
    page.emulate_media(color_scheme=scheme)
    drawn(page)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate(Path(os.environ["AXE"]).read_text() + ";0")
    found = page.evaluate("axe.run(document)")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
