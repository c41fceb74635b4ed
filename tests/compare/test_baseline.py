"""ganbench.compare.sides.baseline: what is written, what is refused, and that reading gives back what was saved."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded import COLUMNS, COUNTS, SPEED, column, recorded

from ganbench.compare.sides.baseline import as_csv, baselines, open_baseline, save
from ganbench.compare.sides.baseline_reader import read
from ganbench.compare.sides.description import describe_run, rows
from ganbench.plugin.column import OlderFormatError
from ganbench.record.tables.frame import frame


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty working folder; where its baselines go."""
    monkeypatch.chdir(tmp_path)
    return Path("results/baselines")


def saved(home, *args, reason=None, **more):
    return save(recorded(Path("results"), *args, **more), home, reason)


def test_the_table_is_small_and_a_change_of_one_seed_is_one_line_of_diff(home):
    before = saved(home).path.read_text().splitlines()
    after = saved(home, {("one", 1): {"jsd": 0.1 + 0.2}}, reason="another loss").path.read_text().splitlines()
    assert before[:2] == [
        "dataset,variant,family,seed,status,step,verdict,jsd,jsd_note,modes_covered,all_modes,reverse_kl,"
        "first_all_modes_step,held_all_modes_step,all_modes_departures,engine,arithmetic",
        "ring8,one,one,0,done,20,,0.1,,8,True,0.25,20,20,0,eager,float32",
    ]
    assert len(before) == 1 + 2 * 3
    ((was, is_),) = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert is_ == was.replace(",0.1,", ",0.30000000000000004,")


def test_what_is_beside_says_protocol_device_speed_and_history(home):
    about = json.loads(saved(home).path.with_suffix(".json").read_text())
    assert about["protocol"] == {
        "version": 1,
        "budget": {"steps": 20, "batch": 16},
        "evaluate": {"every": 10, "samples": 400},
        "datasets": {"ring8": {"name": "ring", "modes": 8, "std": 0.1}},
        "metrics": {
            "jsd": {"name": "jsd"},
            "modes": {"name": "modes", "share": 0.2},
            "throughput": {"name": "throughput"},
            "cost": {"name": "cost"},
        },
    }
    assert about["device"]["cpu"] == "A processor"
    assert about["plugins"] == [{"kind": "loss", "name": "minimax", "sha256": "ab12"}]
    first, _ = about["cases"]
    assert (first["dataset"], first["variant"], first["speed"]) == ("ring8", "one", SPEED)
    assert first["counts"] == {name: count for name, count in COUNTS.items() if count is not None}
    (entry,) = about["history"]
    assert entry == {"date": entry["date"], "run": about["run"], "commit": about["git"]["commit"], "reason": "first"}


def test_other_numbers_need_a_reason_which_the_history_keeps(home):
    saved(home)
    other = {("one", 1): {"jsd": 0.3}, ("null", 2): {"all_modes": False}}
    with pytest.raises(ValueError, match=r"ring8/one seed 1 jsd 0\.1 -> 0\.3, and 1 more; .* --reason") as refused:
        saved(home, other)
    assert "\n" not in str(refused.value)
    again = saved(home, other, reason="a  smaller\nrate")
    assert again.written
    history = open_baseline(again.path)[1]["history"]
    assert [entry["reason"] for entry in history] == ["first", "a smaller rate"]


def test_the_same_numbers_leave_the_files_as_they_are(home):
    path = saved(home).path
    before = path.read_bytes(), path.with_suffix(".json").read_bytes()
    slower = {name: value / 2 for name, value in SPEED.items()}
    assert not saved(home, speed=slower, counts={**COUNTS, "peak_memory": 7.0}, device={"device": "cuda"}).written
    assert before == (path.read_bytes(), path.with_suffix(".json").read_bytes())
    # With a reason, clocks and device are taken anew.
    assert saved(home, speed=slower, reason="a new machine").written


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"counts": {**COUNTS, "operations_per_step": 121}}, "ring8/one operations_per_step 120.0 -> 121.0"),
        ({"more": "guard: {jsd: 0.1}"}, "another guard"),
        ({"protocol": 2}, r"another protocol \(version\)"),
        ({"variants": ("one",)}, "the run lacks ring8/null"),
        ({"variants": ("one", "null", "two")}, "the baseline lacks ring8/two"),
        ({"seeds": (0, 1)}, "ring8/one seed 2 is gone"),
        ({"statuses": {("one", 0): "diverged"}}, "ring8/one seed 0 done -> diverged"),
    ],
)
def test_each_kind_of_change_needs_a_reason(home, change, words):
    saved(home)
    with pytest.raises(ValueError, match=words):
        saved(home, **change)
    assert saved(home, reason="so be it", **change).written


def test_a_run_that_says_too_little_is_refused(home):
    with pytest.raises(ValueError, match="has not finished"):
        saved(home, finished=False)
    with pytest.raises(ValueError, match=r"cannot be a baseline: ring8/null seed 2 failed \(out_of_memory\)"):
        saved(home, statuses={("null", 2): "out_of_memory"})
    with pytest.raises(ValueError, match="trained nothing"):
        saved(home, variants=())
    assert not home.exists()


def test_a_run_whose_metric_failed_is_no_baseline_and_no_verdict_on_its_numbers(home, gb):
    """Its missing numbers are the metric's fault: they are failed, and neither worse nor unsure."""
    path = saved(home).path
    failed = {("one", 1): ("metric jsd: ValueError: no (j.py:3)",)}
    broken = recorded(Path("results"), {("one", 1): {"jsd": None}}, failed=failed)
    told = "ring8/one: metric jsd: ValueError: no (j.py:3)"
    with pytest.raises(ValueError, match=f"cannot be a baseline: {re.escape(told)}"):
        save(broken, home, "because")
    code, out, _ = gb("compare", path, broken.path)
    assert code == 3
    assert "metric jsd: ValueError: no (j.py:3)" in out
    assert "worse:" not in out
    code, out, _ = gb("compare", broken.path, recorded(Path("results")).path)
    assert code == 0
    assert "its metric failed in the base" in out


def test_a_save_that_was_cut_off_before_its_json_can_be_made_again(home):
    path = saved(home).path
    path.with_suffix(".json").unlink()
    assert saved(home, {("one", 0): {"jsd": 0.5}}).written


NUMBERS = st.none() | st.floats(allow_nan=False)
#: On one line, as ``describe_run`` gives them.
WORDS = (st.text(max_size=9) | st.sampled_from(["nan", "True", "1e3", 'a,"b', "\0"])).map(
    lambda text: " ".join(text.encode("utf-8", "ignore").decode().split()) or None
)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """What is told of a run of three seeds and two variants."""
    return describe_run(recorded(tmp_path_factory.mktemp("described")))


@given(
    numbers=st.lists(NUMBERS, min_size=6, max_size=6),
    counts=st.lists(st.none() | st.integers(-9, 2**60), min_size=6, max_size=6),
    truths=st.lists(st.none() | st.booleans(), min_size=6, max_size=6),
    words=st.lists(WORDS, min_size=6, max_size=6),
)
def test_reading_gives_back_every_value_that_was_written(described, numbers, counts, truths, words):
    table, about = described
    said = {"jsd": numbers, "modes_covered": counts, "all_modes": truths, "jsd_note": words}
    changed = [{**row, **{name: values[at] for name, values in said.items()}} for at, row in enumerate(rows(table))]
    table = frame(changed, [*table.columns])
    beside = json.dumps({**about, "history": [{"date": "", "run": "", "commit": None, "reason": ""}]})
    found, _ = read(as_csv(table).encode(), beside.encode(), "smoke.csv")
    assert list(found.dtypes) == list(table.dtypes)
    # As text, so that 0.0 is not -0.0 and 1 is not True.
    assert [*map(repr, rows(found))] == [*map(repr, rows(table))]


def test_columns_may_have_odd_names(home):
    odd = ["a,b", 'say "x"', "π", "1e3", "True", "nan"]
    spoken = {("one", seed): dict.fromkeys(odd, seed + 0.5) for seed in range(3)}
    path = saved(home, spoken, columns=[*COLUMNS, *(column(name, metric="jsd") for name in odd)]).path
    table, _ = open_baseline(path)
    assert [next(rows(table[table["variant"] == "one"]))[name] for name in odd] == [0.5] * len(odd)


DAMAGES = [
    ("csv", "ring8,one,one,1,", "ring8,one,one,x,", r"smoke\.csv:3: seed must be a number, not 'x'"),
    ("csv", "ring8,one,one,1,", "ring8,one,one,0,", r"smoke\.csv:3: ring8/one has a row of seed 0 already"),
    ("csv", "ring8,one,one,1,done", "ring8,one,one,1,fine", r"smoke\.csv:3: status 'fine' is none of done, diverged"),
    ("csv", "ring8,one,one,1,", "ring8,one,one,1,1,", r"smoke\.csv:3: has 18 cells, and the first line has 17"),
    ("csv", ",0.25,", ",a lot,", r"smoke\.csv:2: reverse_kl must be a number, not 'a lot'"),
    ("csv", "dataset,", "data,", r"smoke\.csv: is no baseline: .* column 'dataset'"),
    ("csv", "ring8,null,", "ring8,nul,", r"smoke\.csv: is not of one piece with its \.json: only .* has ring8/nul"),
    ("csv", "ring8,one,one,1,", "<<<<<<< HEAD\nring8,one,one,1,", r"smoke\.csv:3: a merge conflict"),
    ("csv", "ring8,one,one,1,", '"ring8,one,one,1,', r"smoke\.csv:\d+: "),
    ("json", '  "suite"', '=======\n  "suite"', r"smoke\.json:2: a merge conflict"),
    ("json", '"protocol": {', '"protocol": {,', r"smoke\.json:\d+:\d+: is not JSON"),
    (
        "json",
        '"steps": 20',
        '"steps": "many"',
        r"smoke\.json: protocol\.budget\.steps: must be a whole number, not 'many'",
    ),
    (
        "json",
        '"better": "lower"',
        '"better": "low"',
        r"smoke\.json: columns\[0\]\.better: must be one of 'lower', 'higher' or 'neither', not 'low'",
    ),
    (
        "csv",
        "ring8,one,one,1,done,",
        "ring8,one,one,7,done,",
        r"smoke\.csv: .* no row of ring8/one seed 1, .*\.json names",
    ),
    ("json", '"dataset": "ring8"', '"dataset": 8', r"smoke\.json: cases\[0\]\.dataset: must be text, not 8"),
    ("json", '"ring8": {', '"ring": {', r"smoke\.json: the data set 'ring8' of a case is not in protocol.datasets"),
]


@pytest.mark.parametrize(("file", "old", "new", "words"), DAMAGES)
def test_damage_is_told_in_one_line(home, file, old, new, words):
    path = saved(home).path
    damaged = path.with_suffix(f".{file}")
    text = damaged.read_text()
    assert old in text
    damaged.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=words) as told:
        open_baseline(path)
    assert "\n" not in str(told.value)


def without(column):
    """The CSV without one of its columns."""

    def change(text):
        cells = [line.split(",") for line in text.splitlines()]
        at = cells[0].index(column)
        return "".join(",".join(row[:at] + row[at + 1 :]) + "\n" for row in cells)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("jsd"), "has no column 'jsd', which .*smoke.json names"),
        (without("reverse_kl"), "has no column 'reverse_kl', which .*smoke.json names"),
        (without("first_all_modes_step"), "is not as it was saved"),
        (lambda text: text.replace(",0.1,", ",-5,", 1), "is not as it was saved"),
        (lambda text: text.replace(",0.1,", ",nan,", 1), "is not as it was saved"),
        (lambda text: text.replace(",0.1,", ",,", 1), "is not as it was saved"),
        (lambda text: text.replace(",8,", ",-8,", 1), "is not as it was saved"),
        (
            lambda text: text.replace(",True,", ",1.7,", 1),
            "all_modes of ring8/one seed 0 must be True or False, not 1.7",
        ),
        (lambda text: text.replace(",True,", ",TRUE,"), "all_modes must be a number, not 'TRUE'"),
        (lambda text: text.replace(",done,20,", ",diverged,20,", 1), "is not as it was saved"),
        (lambda text: text.replace(",", ";"), "must name a column 'dataset', once, and commas between them, not ';'"),
        (lambda text: text.replace(",", "\t"), r"a column 'dataset', once, and commas between them, not '\\t'"),
    ],
    ids=range(12),
)
def test_a_baseline_changed_by_hand_is_refused(home, gb, change, words):
    """Its numbers are measured: a comparison with others would end with a verdict that means nothing."""
    path = saved(home).path
    path.write_text(change(path.read_text()))
    with pytest.raises(ValueError, match=rf"^\S+smoke\.csv(:\d+)?: .*{words}") as told:
        open_baseline(path)
    assert "\n" not in str(told.value)
    assert gb("compare", path, recorded(Path("results")).path)[0] == 2


def test_a_json_changed_by_hand_is_refused(home):
    path = saved(home).path
    beside = path.with_suffix(".json")
    before = beside.read_text()
    for old, new in (("120", "-120"), ("1000.5", "1e9"), ('"min_effect": 0.02', '"min_effect": 9.0')):
        assert old in before
        beside.write_text(before.replace(old, new, 1))
        with pytest.raises(ValueError, match=r"smoke\.csv: is not as it was saved: a number in it or in .*smoke\.json"):
            open_baseline(path)


def test_a_baseline_in_another_dress_is_the_same(home):
    """Its lines, columns and keys in another order, a byte order mark, other line ends, other white space."""
    path = saved(home, {("one", 1): {"reverse_kl": "inf", "jsd": None, "jsd_note": "a, b"}}).path
    beside = path.with_suffix(".json")
    before = open_baseline(path)[0].set_index(["variant", "seed"]).sort_index()
    table = pd.read_csv(path, dtype=str, keep_default_na=False)[::-1]
    path.write_bytes(b"\xef\xbb\xbf" + table[table.columns[::-1]].to_csv(index=False, lineterminator="\r\n").encode())
    beside.write_text(json.dumps(json.loads(beside.read_text()), sort_keys=True))
    after = open_baseline(path)[0].set_index(["variant", "seed"]).sort_index()
    pd.testing.assert_frame_equal(after[before.columns], before)


def test_files_that_are_missing_empty_or_no_text_are_told(home):
    path = saved(home).path
    table, about = path.read_bytes(), path.with_suffix(".json").read_bytes()
    for one, other, words in [
        (b"", about, "is no baseline"),
        (b"\xff\xfe", about, "smoke.csv: is not UTF-8"),
        (table, b"[]", "smoke.json: must be a mapping, not []"),
        (table, b"{}", "smoke.json: missing key 'suite'"),
        (table, b"", "smoke.json:1:1: is not JSON"),
    ]:
        with pytest.raises(ValueError, match=re.escape(words)):
            read(one, other, "smoke.csv")
    path.unlink()
    with pytest.raises(ValueError, match=r"smoke\.csv: No such file.*\.csv with its \.json beside"):
        open_baseline(path)


def test_no_message_speaks_of_the_library_that_reads(home):
    """Each value of the JSON, replaced by one of another kind."""
    path = saved(home, more="guard: {jsd: 0.1}").path
    table, about = path.read_bytes(), json.loads(path.with_suffix(".json").read_text())

    def places(value, *at):
        yield at
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in items:
            yield from places(inner, *at, key)

    for place in places(about):
        for wrong in ([1], {"a": object}, "x", 1.5, None):
            content = json.loads(json.dumps({"all": about}))
            *way, last = ("all", *place)
            inner = content
            for key in way:
                inner = inner[key]
            inner[last] = {"a": 1} if isinstance(wrong, dict) else wrong
            said = ""
            try:
                read(table, json.dumps(content["all"]).encode(), "smoke.csv")
            except ValueError as error:
                said = str(error)
            assert not re.search(r"Input|valid|instance|_[A-Z]|Field|\n|literal|another value", said), said
            assert said.startswith("smoke.") or not said, said


def test_the_rows_must_be_those_that_the_json_names(home):
    path = saved(home).path
    table, beside = path.read_text().splitlines(keepends=True), path.with_suffix(".json")
    about = json.loads(beside.read_text())
    assert about["cases"][0]["seeds"] == [0, 1, 2]
    path.write_text("".join(table[:2] + table[3:]))
    with pytest.raises(
        ValueError, match=r"^results/baselines/smoke\.csv: has no row of ring8/one seed 1, .*json names"
    ):
        open_baseline(path)
    path.write_text("".join([*table, table[-1].replace("null,null,2", "null,null,5")]))
    with pytest.raises(ValueError, match=r"smoke\.csv: has a row of ring8/null seed 5, .*json does not name"):
        open_baseline(path)
    for case in about["cases"]:
        del case["seeds"]
    beside.write_text(json.dumps(about))
    with pytest.raises(
        ValueError, match=r"smoke\.json: cases\[0\]: missing key 'seeds': it was made by an older ganbench"
    ):
        open_baseline(path)


def test_line_ends_of_another_system_change_nothing(home):
    path = saved(home).path
    table, about = (path.with_suffix(end).read_bytes() for end in (".csv", ".json"))
    crlf = read(table.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + about.replace(b"\n", b"\r\n"), "smoke.csv")
    assert [*map(repr, rows(crlf[0]))] == [*map(repr, rows(open_baseline(path)[0]))]


# The commands


def test_save_and_list_on_the_command_line(home, gb):
    folder = recorded(Path("results"))
    code, out, err = gb("baseline", "save", folder.path)
    assert (code, err) == (0, "")
    assert out == "6 rows of smoke written to results/baselines/smoke.csv and smoke.json: commit both\n"
    assert baselines(home) == [home / "smoke.csv"]
    # The folder of its runs: the newest that has finished.
    assert gb("baseline", "save", "results/smoke")[:2] == (
        0,
        "results/baselines/smoke.csv and smoke.json say the same already, 6 rows of smoke: left as they are\n",
    )
    recorded(Path("elsewhere"), {("one", 0): {"jsd": 0.7}})
    code, out, err = gb("baseline", "save", "elsewhere/smoke")
    assert (code, out) == (2, "")
    assert err.startswith("results/baselines/smoke.csv: the run says otherwise: ring8/one seed 0 jsd 0.1 -> 0.7; ")
    assert gb("baseline", "save", "elsewhere/smoke", "--reason", "a larger rate")[0] == 0
    code, out, err = gb("baseline", "list")
    assert re.fullmatch(r"smoke  6 rows  \d{4}-\d\d-\d\d  c0ffee000000  a larger rate\n", out)


def test_a_suites_folder_is_its_newest_run_in_every_command_and_is_named(home, gb):
    recorded(Path("results"), {("one", 0): {"jsd": 0.5}})
    newest = recorded(Path("results"))
    named = f"results/smoke: its newest run is {newest.path}\n"
    for command in (("show",), ("show", "--json"), ("export", "--format", "bencher"), ("baseline", "save")):
        of_run, of_suite = (gb(*command, place) for place in (newest.path, "results/smoke"))
        assert of_suite[0] == of_run[0] == 0, command
        assert command[0] == "baseline" or of_suite[1] == of_run[1]
        assert named in of_suite[2]
        assert named not in of_run[2]
    for place in ("results/smoke", "results/smoke/", newest.path, newest.path.resolve()):
        assert gb("history", place) == gb("history", "smoke")
    unfinished = recorded(Path("results"), finished=False)
    code, _, err = gb("show", "results/smoke")
    assert (code, str(unfinished.path) in err) == (0, True)
    assert gb("show", "results") == (2, "", "results: holds the runs of suites: name one, such as results/smoke\n")


def test_a_baseline_is_no_run_to_save_and_is_not_suggested(home, gb):
    saved(home)
    for name in ("smoke.csv", "smoke.json", "smoke", "none.csv", "smok"):
        code, out, err = gb("baseline", "save", home / name)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"{home / name}: ")
        assert "results/baselines" not in err.removeprefix(f"{home / name}: "), err
    assert gb("baseline", "save", home / "smoke.csv")[2] == (
        f"{home}/smoke.csv: is a baseline: name the folder of a run, or a suite's folder of runs\n"
    )


def test_list_says_where_there_is_none_and_which_commits_were_dirty(home, gb):
    nothing = "results/baselines holds no baseline; one is made by: ganbench baseline save RUN\n"
    assert gb("baseline", "list") == (0, nothing, "")
    home.mkdir(parents=True)
    assert gb("baseline", "list") == (0, nothing, "")
    saved(home, project={"commit": "c0ffee" + "0" * 34, "dirty": True})
    assert "  c0ffee000000 (dirty)  first\n" in gb("baseline", "list")[1]


def test_list_tells_what_is_damaged_after_what_is_not(home, gb):
    saved(home, suite="a")
    saved(home, suite="b.c")
    (home / "a.csv").write_text("")
    code, out, err = gb("baseline", "list", home)
    assert code == 2
    assert out.startswith("b.c  6 rows")
    assert err.startswith("results/baselines/a.csv: is no baseline")
    assert gb("baseline", "list", "nowhere")[::2] == (
        2,
        "nowhere: there is no such folder; a baseline is made by: ganbench baseline save RUN\n",
    )


def older(path):
    """Make a baseline, or a run, one from before columns had roles."""
    about = json.loads(path.read_text())
    for one in about["columns"]:
        for key in ("role", "of", "thresholds", "title"):
            del one[key]
    path.write_text(json.dumps(about))


def test_a_baseline_of_an_older_ganbench_says_so_and_is_saved_again_for_a_reason(home, gb):
    path = saved(home).path
    older(path.with_suffix(".json"))
    says = f"{path.with_suffix('.json')}: was made by an older ganbench: save it again, or name a later commit"
    with pytest.raises(OlderFormatError, match=f"^{says}$"):
        open_baseline(path)
    run = recorded(Path("results"))
    code, out, err = gb("compare", path, run.path)
    assert (code, out) == (2, "")
    assert err == f"{says}\n"
    code, _, err = gb("history", "smoke")
    assert code == 0
    assert err == f"left out: {says}\n"
    with pytest.raises(ValueError, match=r"older ganbench; to accept that, say why: --reason"):
        save(run, home)
    assert save(run, home, "columns have roles").written
    assert [entry["reason"] for entry in open_baseline(path)[1]["history"]] == ["first", "columns have roles"]


def test_a_run_of_an_older_ganbench_says_so(home, gb):
    path, run = saved(home).path, recorded(Path("results"))
    older(run.path / "run.json")
    says = f"{run.path}: was made by an older ganbench: run it again\n"
    code, out, err = gb("compare", path, run.path)
    assert (code, out, err) == (2, "", says)
    assert gb("history", "smoke")[2] == f"left out: {says}"
    code, out, err = gb("show", run.path)
    assert (code, out, err) == (2, "", says)
