"""The history of a suite: read from runs, files and git, oldest first, and what may be joined in it."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from made import PROTOCOL, case, side
from recorded import recorded

from ganbench.compare.history.history import history, prior_runs
from ganbench.compare.history.series import series
from ganbench.compare.sides.baseline import save
from ganbench.record.status import Status
from ganbench.report.page import html

RESULTS = Path("results")

pytestmark = pytest.mark.usefixtures("away")


def run(jsd: float, **more):
    """A finished run whose seeds say about this JSD."""
    return recorded(RESULTS, {("one", seed): {"jsd": jsd + seed / 1000} for seed in range(3)}, **more)


def points(suite="smoke"):
    found, notes = history(suite, RESULTS)
    assert notes == ()
    return found


def test_finished_runs_are_points_in_the_order_of_time():
    made = [run(0.1), run(0.2), run(0.3, finished=False)]
    run(0.4, suite="other")
    found = points()
    assert [point.name for point in found] == [one.path.name for one in made[:2]]
    assert {point.source for point in found} == {"run"}
    assert {point.commit for point in found} == {"c0ffee" + "0" * 34}
    (jsd,) = (one for one in series([point.run for point in found]) if (one.variant, one.measure) == ("one", "jsd"))
    assert [reading.value for reading in jsd.observations] == pytest.approx([0.101, 0.201])


def test_a_run_that_became_the_baseline_is_one_point_with_the_reason():
    made = run(0.1)
    save(made, RESULTS / "baselines", "a better loss")
    (point,) = points()
    assert (point.source, point.name, point.reason) == ("baseline", made.path.name, "a better loss")


def test_folders_of_one_name_are_two_points_where_their_numbers_differ():
    made = run(0.1)
    for name in ("again", "other"):
        shutil.copytree(made.path, made.path.with_name(name))
    journal = RESULTS / "smoke" / "other" / "journal.jsonl"
    # Another run: its lines without the checksums of the first one's.
    text = re.sub(r',"sha256":"[0-9a-f]{16}"', "", journal.read_text())
    journal.write_text(text.replace('"jsd":0.1,', '"jsd":0.7,'))
    save(made, RESULTS / "baselines")
    found = points()
    assert {(point.name, point.source) for point in found} == {(made.path.name, "baseline"), ("other", "run")}
    spoken = {point.name: point.run.cases["ring8", "one"].seeds[0].values["jsd"] for point in found}
    assert spoken == {made.path.name: 0.1, "other": 0.7}


def test_what_was_before_an_accepted_baseline_predicts_nothing():
    run(0.1)
    save(run(0.2), RESULTS / "baselines")
    assert len(prior_runs(points())) == 2, "the first baseline accepts nothing"
    save(run(0.3), RESULTS / "baselines", "a better loss")
    run(0.4)
    assert [side.cases["ring8", "one"].seeds[0].values["jsd"] for side in prior_runs(points())] == [0.3, 0.4]


def test_every_committed_version_of_the_baseline_is_a_point(repository):
    commits = []
    for jsd in (0.1, 0.2, 0.3):
        made = run(jsd, project=None)
        save(made, RESULTS / "baselines", f"because {jsd}")
        repository("add", "-f", "results/baselines")
        repository("commit", "-q", "-m", "baseline")
        commits.append(repository("rev-parse", "HEAD"))
    for path in (RESULTS / "smoke").glob("*/"):
        subprocess.run(["rm", "-r", str(path)], check=True)
    found = points()
    assert [point.source for point in found] == ["baseline"] * 3
    assert [point.reason for point in found] == ["because 0.1", "because 0.2", "because 0.3"]
    assert [point.commit for point in found] == commits
    jsd = next(one for one in series([point.run for point in found]) if one.measure == "jsd")
    assert [reading.value for reading in jsd.observations] == pytest.approx([0.101, 0.201, 0.301])
    repository("rm", "-rq", "results/baselines")
    repository("commit", "-q", "-m", "gone")
    assert len(points()) == 3, "what was committed once is history"


def test_what_is_damaged_is_left_out_and_said():
    good, bad = run(0.1), run(0.2)
    bad.suite.write_text("suite: [")
    save(good, RESULTS / "baselines")
    (RESULTS / "baselines" / "smoke.csv").write_text("nonsense\n")
    found, notes = history("smoke", RESULTS)
    assert [point.name for point in found] == [good.path.name]
    assert len(notes) == 2
    assert all(note.startswith("left out: results/") and "\n" not in note for note in notes)


def test_what_an_older_ganbench_made_is_left_out_and_said():
    good, old = run(0.1), run(0.2)
    about = old.path / "run.json"
    about.write_text(about.read_text().replace('"protocol": ', '"other": '))
    beside = save(good, RESULTS / "baselines").path.with_suffix(".json")
    beside.write_text(beside.read_text().replace('"plugins": ', '"other": '))
    found, notes = history("smoke", RESULTS)
    assert [point.name for point in found] == [good.path.name]
    assert set(notes) == {
        f"left out: {old.path}: its run.json has no 'protocol': it was made by an older ganbench: run it again",
        f"left out: {beside}: missing key 'plugins': it was made by an older ganbench: run it again",
    }


def test_only_what_means_the_same_and_is_new_counts():
    jsd = [0.1, 0.2, 0.3]
    old = side(case([0.5, 0.5, 0.5]), protocol={**PROTOCOL, "version": 0})
    fewer = side(case([0.1]))
    first, again, newest = side(case(jsd)), side(case(jsd)), side(case([0.1, 0.2, 0.4]))
    metrics = {**PROTOCOL["metrics"], "jsd": {"name": "jsd", "bins": 3}}
    otherwise = side(case(jsd), protocol={**PROTOCOL, "metrics": metrics})
    found = {one.measure: one for one in series([old, fewer, first, again, otherwise, newest])}
    readings = found["jsd"].observations
    assert [reading.reason for reading in readings] == [
        "measured by protocol 0, now 1",
        "1 seeds, now 3",
        "",
        "",
        "the metric 'jsd' is another: bins 3 -> None",
        "",
    ]
    assert [reading.counts for reading in readings] == [False, False, True, False, False, True]
    assert [reading.reason for reading in found["diverged"].observations][4] == "", "that does not rest on the metric"


def test_a_reading_is_what_the_table_says():
    status = {0: Status.DIVERGED, 1: Status.ERROR}
    made = side(
        case([0.9, None, *[0.1] * 6], [True] * 8, [None] * 8, status=status, speed={"model_steps_per_second": 5.0})
    )
    found = {one.measure: one.observations[0] for one in series([made])}
    assert (found["jsd"].value, found["jsd"].low, found["jsd"].high, found["jsd"].seeds) == (0.1, 0.1, 0.9, 7)
    assert found["diverged"].value == 1 / 7
    assert found["all_modes"].value == 1.0
    assert found["held_all_modes_step"].value == math.inf
    assert found["model_steps_per_second"].value == 5.0


def test_cases_that_only_earlier_sides_have_come_last():
    earlier = side(case([0.1], variant="gone"), case([0.1], variant="kept"))
    found = series([earlier, side(case([0.1], variant="kept"), case([0.2], variant="new"))])
    assert [*dict.fromkeys(one.variant for one in found)] == ["kept", "new", "gone"]


def test_the_command_shows_a_table_and_says_json(gb):
    for at in range(16):
        run(0.1 + (at >= 8) + at / 1e5, project={"commit": f"{at:040x}", "dirty": False})
    code, out, err = gb("history", "smoke", "--case", "ring8/one")
    assert (code, err) == (0, "")
    assert "shift on 2" in out
    assert "(0000000000..0000000000)" not in out
    code, out, _ = gb("history", "smoke", "--measure", "all", "--json")
    found = json.loads(out)
    assert {(one["variant"], one["measure"]) for one in found["series"]} >= {("one", "jsd"), ("null", "all_modes")}
    jsd = next(one for one in found["series"] if one["measure"] == "jsd" and one["variant"] == "one")
    assert len(jsd["points"]) == 16
    assert [shift["at"] for shift in jsd["shifts"]] == [8]
    assert jsd["shifts"][0]["commit"] == f"{8:040x}"


def test_mistakes_are_one_line_and_exit_code_2(gb):
    for arguments, message in (
        (["nothing"], "results: no finished run of 'nothing' and no baseline; 'ganbench run nothing' makes one"),
        (["no.yaml"], "no.yaml: no such file"),
    ):
        assert gb("history", *arguments) == (2, "", message + "\n")
    run(0.1)
    for arguments, message in (
        (["--case", "ring8/oen"], "--case ring8/oen: unknown case, did you mean 'ring8/one'?"),
        (["--measure", "jds"], "--measure jds: unknown measure, did you mean 'jsd'?"),
    ):
        assert gb("history", "smoke", *arguments) == (2, "", message + "\n")


def test_a_suite_may_be_named_by_its_file(gb):
    made = run(0.1)
    code, out, _ = gb("history", made.suite)
    assert code == 0
    assert "ring8/null" in out


def test_the_page_is_in_the_suites_folder_or_where_it_is_asked_for(gb, monkeypatch):
    monkeypatch.setattr(html, "library", lambda: "0;")
    for at in range(2):
        run(0.1 + at)
    code, out, err = gb("history", "smoke", "--html")
    assert (code, err) == (0, "")
    assert out.endswith("\nresults/smoke/history.html\n")
    assert "<title>smoke: ganbench history</title>" in Path("results/smoke/history.html").read_text()
    code, again, _ = gb("history", "smoke")
    assert (code, again) == (0, out.removesuffix("results/smoke/history.html\n")), "the page is no run"
    code, out, _ = gb("history", "smoke", "--out", "new/it.html", "--json")
    assert code == 0
    assert len(json.loads(out)["series"]) > 0
    assert Path("new/it.html").is_file()
    Path("file").touch()
    wrong = "file: is a file, not a folder; write it elsewhere with --out FILE\n"
    assert gb("history", "smoke", "--out", "file/it.html") == (2, "", wrong)
