"""``compare.sides.load``: a run and the baseline saved from it are one side; what is not there is told with what is."""

from __future__ import annotations

import itertools
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from columns import SHIPPED
from recorded import COLUMNS, COUNTS, ROW, SPEED, column, recorded

from ganbench.compare.history.history import history
from ganbench.compare.sides.baseline import save
from ganbench.compare.sides.load import find_run, load, runs
from ganbench.metrics import PROTOCOL
from ganbench.record.status import Status

HOME = Path("results/baselines")

pytestmark = pytest.mark.usefixtures("away")


def told(text, **more):
    with pytest.raises(ValueError, match=r".") as error:
        load(text, **more)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_a_run_is_told_whole_and_without_its_references():
    run = recorded(
        Path("results"),
        {("one", 1): {"reverse_kl": "inf", "modes_covered": None, "all_modes": False, "jsd_note": "said"}},
        statuses={("one", 2): "error"},
        more="guard: {jsd: 0.1, diverged: false}",
    )
    found = load(str(run.path))
    assert (found.suite, found.label, found.steps) == ("smoke", str(run.path), 20)
    assert [*found.cases] == [("ring8", "one"), ("ring8", "null")]
    one = found.cases["ring8", "one"]
    assert [seed.status for seed in one.seeds.values()] == [Status.DONE, Status.DONE, Status.ERROR]
    assert [seed.message for seed in one.seeds.values()] == ["", "", "why"]
    assert one.seeds[0].values == {key: value for key, value in ROW.items() if key != "jsd_note"} | {
        "first_all_modes_step": 20.0,
        "held_all_modes_step": 20.0,
        "all_modes_departures": 0.0,
    }
    assert one.seeds[0].values["all_modes"] is True
    assert one.seeds[1].values["reverse_kl"] == math.inf
    assert one.seeds[1].values["modes_covered"] is None
    assert set(one.seeds[2].values.values()) == {None}
    assert one.speed == SPEED
    assert one.counts == {name: count for name, count in COUNTS.items() if count is not None}
    assert found.columns["jsd"] == SHIPPED["jsd"]
    assert found.metric_of["all_modes"] == "modes"
    assert found.protocol["metrics"]["modes"] == {"name": "modes", "share": 0.2}
    assert found.protocol["version"] == PROTOCOL
    assert found.guard == {"": {"jsd": 0.1, "diverged": False}}


def test_a_run_and_the_baseline_saved_from_it_are_the_same_side():
    run = recorded(
        Path("results"),
        {
            ("one", 0): {"reverse_kl": "-inf", "all_modes": None, "jsd_note": 'a "b", c\r\n d'},
            ("null", 2): {"jsd": 1e-300, "modes_covered": 0, "a,b": 2**53},
        },
        statuses={("null", 1): "diverged"},
        columns=[*COLUMNS, column("a,b", metric="jsd"), column("1e3", metric="jsd")],
        speed={**SPEED, "model_steps_per_second": "inf", "model_steps_per_second_low": 0.1 + 0.2},
        more="guard: {jsd: 0.1}",
    )
    path = save(run, HOME).path
    sides = [
        load(text) for text in (str(run.path), str(path), str(path.with_suffix(".json")), "results/baselines/smoke")
    ]
    assert sides[1].label == str(path)
    assert all(replace(one, label="") == replace(sides[0], label="") for one in sides)
    assert sides[1].cases["ring8", "null"].seeds[1].message == "why"
    # What words say, with line breaks too, is on the row's line.
    assert len(path.read_text().splitlines()) == 7


def test_floors_of_a_variant_are_those_of_each_row_of_its_sweep():
    variants = ("one lr=0.1", "one lr=0.2", "null")
    run = recorded(Path("results"), variants=variants, families=dict.fromkeys(variants[:2], "one"))
    text = run.suite.read_text().replace("one: {", "one: {guard: {all_modes: 0.5}, ")
    run.suite.write_text(text)
    min_effects = {"all_modes": 0.5}
    assert load(str(run.path)).guard == {"one lr=0.1": min_effects, "one lr=0.2": min_effects}


@pytest.mark.parametrize("key", ["protocol", "project", "plugins", "family"])
def test_a_run_of_an_older_ganbench_is_told_in_one_line(key):
    run = recorded(Path("results"))
    text = (run.path / "run.json").read_text().replace(f'"{key}": ', '"other": ')
    (run.path / "run.json").write_text(text)
    expected = f"its run.json has no '{key}': it was made by an older ganbench: run it again"
    assert told(str(run.path)) == f"{run.path}: {expected}"


def test_no_metric_is_lost_where_one_is_named_twice():
    run = recorded(Path("results"))
    run.suite.write_text(run.suite.read_text().replace("{name: cost}]", "{name: cost}, {name: cost, a: 1}]"))
    metrics = load(str(run.path)).protocol["metrics"]
    assert (metrics["cost"], metrics["cost[2]"]) == ({"name": "cost"}, {"name": "cost", "a": 1})


def test_of_a_folder_of_runs_the_newest_is_taken_if_it_has_finished():
    first = recorded(Path("results"))
    second = recorded(Path("results"), {("one", 0): {"jsd": 0.7}})
    Path("results/smoke/.creating-x").mkdir()
    assert find_run(Path("results/smoke")) == second
    assert load("results/smoke/").label == str(second.path)
    third = recorded(Path("results"), finished=False)
    assert [one.path for one in runs(Path("results/smoke"))] == [first.path, second.path, third.path]
    # The older one is of other code.
    with pytest.raises(ValueError, match=f"its newest run has not finished: give the command of {third.path} again"):
        find_run(Path("results/smoke"))


def test_what_an_unfinished_run_has_not_measured_is_lost_and_says_why():
    found = load(str(recorded(Path("results"), finished=False).path))
    seeds = found.cases["ring8", "one"].seeds
    assert {(seed.status, seed.message) for seed in seeds.values()} == {(Status.LOST, "the run has not finished")}


def test_what_is_not_there_is_told_with_what_is():
    assert told("nothing") == "nothing: there is no such run, baseline or git revision; there are none"
    one = recorded(Path("results"), finished=False)
    assert told("results/smoke").startswith("results/smoke: its newest run has not finished: ")
    assert one.path.name in told("results/smoke")
    run = recorded(Path("results"))
    save(run, HOME)
    assert told("results") == "results: holds the runs of suites: name one, such as results/smoke"
    assert "did you mean 'results/smoke'?" in told("results/smok")
    assert f"did you mean '{run.path}'?" in told(f"{run.path}1")
    assert "did you mean 'results/baselines/smoke.csv'?" in told("results/baselines/smoky.csv")
    for file in (run.path / "run.json", run.suite):
        assert told(str(file)) == f"{file}: is a file of a run: name its folder, {run.path}"
    Path("smoke.yaml").touch()
    assert told("smoke.yaml").startswith("smoke.yaml: is neither a run's folder nor a baseline")
    there = "; there is results/baselines/smoke.csv"
    assert told("results/baselines") == f"results/baselines: holds baselines: name one{there}"
    assert told("results/baselines", suite="mog") == f"results/baselines: has no baseline of suite 'mog'{there}"
    assert load("results/baselines", suite="smoke").label == "results/baselines/smoke.csv"
    Path("empty").mkdir()
    assert told("empty") == "empty: holds no run: a run is a folder with a run.json"


def test_a_damaged_run_is_told_in_one_line():
    run = recorded(Path("results"))
    run.suite.write_text("suite: smoke\n")
    assert told(str(run.path)).startswith(f"{run.path}: its run.json and suite.yaml do not fit together: ")
    run.suite.unlink()
    assert told(str(run.path)) == f"{run.suite}: no such file"


# At a git revision


def test_a_baseline_is_read_as_a_revision_has_it(repository, monkeypatch):
    save(recorded(Path("results")), HOME)
    repository("add", "results/baselines")
    repository("commit", "-q", "-m", "first")
    repository("tag", "v1")
    save(recorded(Path("results"), {("one", 0): {"jsd": 0.7}}), HOME, "a larger rate")
    repository("commit", "-q", "-a", "-m", "second")
    commit = repository("rev-parse", "HEAD~1")

    def jsd(text, **more):
        return load(text, **more).cases["ring8", "one"].seeds[0].values["jsd"]

    assert jsd("HEAD", suite="smoke") == jsd("main:results/baselines/smoke.csv") == 0.7
    for name in ("HEAD~1", "v1", commit, commit[:9]):
        assert jsd(name, suite="smoke") == 0.1
        assert jsd(f"{name}:results/baselines/smoke.json") == jsd(f"{name}:./results/baselines/smoke") == 0.1
    assert load("v1", suite="smoke").label == "v1:results/baselines/smoke.csv"
    # In a folder inside, paths are its own first, then those from the top; what a hook sets is not listened to.
    monkeypatch.chdir("results")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert jsd("v1:baselines/smoke.csv") == jsd("v1:results/baselines/smoke.csv") == jsd("v1", suite="smoke") == 0.1
    assert jsd("v1:../results/baselines/smoke.csv") == 0.1
    # A file goes before a revision.
    monkeypatch.chdir("..")
    os.rename("results/baselines/smoke.csv", "v1.csv")
    os.rename("results/baselines/smoke.json", "v1.json")
    assert jsd("v1") == 0.7


def test_what_a_revision_has_not_is_told(repository):
    repository("commit", "-q", "--allow-empty", "-m", "nothing")
    commit = repository("rev-parse", "HEAD")[:12]
    assert told("main", suite="smoke") == (
        f"main ({commit}) has no file results/baselines/smoke.csv; no baseline was committed then"
    )
    save(recorded(Path("results")), HOME)
    repository("add", "results/baselines/smoke.csv")
    repository("commit", "-q", "-m", "half of it")
    assert told("main", suite="smoke").endswith("but no results/baselines/smoke.json beside: it is no baseline")
    assert told("main:x.csv").endswith("has no file x.csv; it has results/baselines/smoke.csv")
    assert told("main") == "main: of which suite is the baseline? Write main:results/baselines/SUITE.csv"
    assert told("mian:x.csv") == "mian:x.csv: there is no git revision 'mian' here, did you mean 'main'?"
    assert told("mian", suite="smoke").endswith("did you mean 'main'?")
    for odd in ("-h", "--all", "--output=x", ":x", "a\0b", "main:"):
        told(odd, suite="smoke")


def test_a_shallow_clone_says_how_to_get_what_it_lacks(repository, monkeypatch):
    for text in ("one", "two"):
        repository("commit", "-q", "--allow-empty", "-m", text)
    repository("clone", "-q", "--depth", "1", Path.cwd().as_uri(), "shallow")
    monkeypatch.chdir("shallow")
    for base in ("HEAD~1", "origin/dev", "HEAD~1:results/baselines/smoke.csv", "0123abc"):
        assert "this clone is shallow: git fetch --unshallow" in told(base, suite="smoke")
    for base in ("results/baselines/smok.csv", "results/smok", "C:\\results\\smoke", "C:/results/smoke.csv"):
        assert "shallow" not in told(base, suite="smoke")
        assert "'C'" not in told(base, suite="smoke")
    measured, notes = history("smoke", Path("results"))
    assert measured == ()
    assert "older versions of smoke.csv are not here; this clone is shallow" in notes[0]


def test_comparing_what_was_recorded_imports_no_torch():
    run = recorded(Path("results"))
    path = save(run, HOME).path
    code = f"""
import sys
from ganbench.compare.verdicts.judge import compare
from ganbench.compare.sides.load import load
assert compare(load({str(run.path)!r}), load({str(path)!r})).exit_code() == 0
assert "torch" not in sys.modules
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_a_side_knows_its_plugins_by_kind_and_name():
    run = recorded(Path("results"))
    found = [load(str(run.path)), load(str(save(run, HOME).path))]
    assert [one.plugins for one in found] == [{"loss minimax": "ab12"}] * 2


def test_a_run_json_of_another_program_is_one_line_wherever_it_differs(gb):
    """Each value of it, replaced by one of another kind in turn, or taken away; never a traceback."""
    run = recorded(Path("results"))
    file = run.path / "run.json"
    about = json.loads(file.read_text())

    def places(value, *at):
        yield at
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            yield from places(inner, *at, key)

    wrongs = itertools.cycle(([1], {"a": 1}, "x", None, 10**30, "gone"))
    refused = 0
    for place, wrong in zip([place for place in places(about) if place], wrongs, strict=False):
        content = json.loads(json.dumps(about))
        *way, last = place
        inner = content
        for key in way:
            inner = inner[key]
        if wrong == "gone":
            del inner[last]
        else:
            inner[last] = wrong
        file.write_text(json.dumps(content))
        said = ""
        try:
            load(str(run.path))
        except ValueError as error:
            said = str(error)
        refused += bool(said)
        assert (said or str(run.path)).startswith(str(run.path)), place
        assert "\n" not in said, place
    assert refused > 50
    del about["columns"][0]["metric"]
    file.write_text(json.dumps(about))
    code, _, err = gb("compare", run.path, run.path)
    assert (code, err) == (2, f"{run.path}: its run.json is damaged: it lacks columns[0].metric\n")
