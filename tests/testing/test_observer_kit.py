"""The kit on observers: a sound one passes, and each broken one fails at the property that is meant to catch it."""

from __future__ import annotations

import pytest

from ganbench.testing import check

FILE = '''"""An observer of a test."""
from ganbench import Observer, hookimpl

class Mine:
    def __init__(self, run, resumed):
        self.open = {{}}
        (run / "mine").mkdir(exist_ok={again})
    def cell_started(self, cell):
        self.open[cell.name] = cell
    def {method}(self, cell, step, rows, summary):
        {code}
    def closed(self):
        {closed}

@hookimpl
def ganbench_observers():
    yield Observer("mine", lambda run, resumed: Mine(run, resumed){needs})
'''
SOUND = {"again": True, "method": "evaluated", "code": "self.open[cell.name]", "closed": "pass", "needs": ""}
BROKEN = {
    "it counts on all that was measured": ({"closed": "self.open['data/a']"}, "a run that is stopped", "KeyError"),
    "it cannot go on": ({"again": False}, "a run that goes on", "File exists"),
    "it takes each number for finite": (
        {"code": "[round(row.values['distance']) for row in rows]"}, "every event of a run", "OverflowError"),
    "it changes a table": ({"code": "summary.clear()"}, "nothing changed", "evaluated() changes summary in place"),
    "a method that is never called": ({"method": "evaluate"}, "every event of a run", "did you mean 'evaluated'"),
}  # fmt: skip


@pytest.fixture
def checked(tmp_path):
    def run(**changed):
        file = tmp_path / "mine.py"
        file.write_text(FILE.format(**SOUND | changed))
        return {each.property: each for each in check(file)}

    return run


def test_a_sound_observer_passes_all(checked):
    found = checked()
    assert {each.status for each in found.values()} == {"pass"}
    assert found["every event of a run"].reason == "cell_started, evaluated, closed"


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_observer_fails_where_it_should(name, checked):
    changed, what, reason = BROKEN[name]
    result = checked(**changed)[what]
    assert (result.status, reason in result.reason) == ("fail", True), result.reason


def test_one_without_its_package_is_not_tested_and_says_what_to_install(checked):
    found = checked(needs=", needs={'no_such': 'ganbench[such]'}")
    assert {each.status for each in found.values()} == {"n/a"}
    assert found["nothing changed"].reason.endswith("no_such, which is not installed: pip install 'ganbench[such]'")
