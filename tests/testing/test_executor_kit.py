"""The kit on executors: a sound one passes, and each broken one fails at the property that is meant to catch it."""

from __future__ import annotations

import pytest

from ganbench.plugin.kinds import KINDS
from ganbench.plugin.scaffold import new_plugin
from ganbench.testing import check, executors

#: What is changed in the template, which property catches it, and what it says.
BROKEN = {
    "a job is never over": (
        "if self.processes[job].poll() is None",
        "",
        "a command is run to its end",
        "a job is over and counts as at work, after 1 s",
    ),
    "a job is over at once": (
        "self.processes[job].poll() is None",
        "False",
        "a job is stopped",
        "a job was submitted, and does not begin, after 1 s",
    ),
    "a job is not stopped": (
        "self.processes[job].kill()\n            self.processes[job].wait()",
        "pass",
        "a job is stopped",
        "a job was stopped, and counts as at work, after 1 s",
    ),
    "jobs are no texts": (
        "return {number: str(process.pid)",
        "return {number: process.pid",
        "a command is run to its end",
        "submit() must return a text for task 1",
    ),
    "it says nothing of its room": (
        "self.room, self.alone = room, room == 1",
        "self.alone = True",
        "a command is run to its end",
        "build() returned Processes, which has no room",
    ),
}


@pytest.fixture
def checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(old="", new=""):
        plugin = new_plugin("executor", "mine")
        plugin.write()
        assert old in plugin.source
        plugin.path.write_text(plugin.source.replace(old, new))
        return {each.property: each for each in check(plugin.path)}

    return run


def test_the_template_and_the_shipped_processes_pass_all(checked):
    assert KINDS["executor"].hook == "ganbench_executors"
    assert {each.status for each in checked().values()} == {"pass"}
    assert {each.status for each in check("local", kind="executor")} == {"pass"}


# What a broken one loses sight of still runs when its object goes.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_executor_fails_where_it_should(name, checked, monkeypatch):
    monkeypatch.setattr(executors, "PATIENCE", 1.0)
    monkeypatch.setattr(executors, "_SLEEPS", "import time; time.sleep(5)")  # what is not stopped ends
    old, new, what, reason = BROKEN[name]
    result = checked(old, new)[what]
    assert result.status == "fail"
    assert reason in result.reason
