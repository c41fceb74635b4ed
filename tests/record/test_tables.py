"""ganbench.record.tables.tables: hand-made journals, answers known by hand."""

from __future__ import annotations

import csv
import io
import json
import math
import random

import pytest
from columns import column

from ganbench.plugin.column import Column, check_columns
from ganbench.record.events import from_json
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.record import Record
from ganbench.record.tables.tables import as_rows, curves, seeds, table, write_tables
from ganbench.stats.paired import effect

COLUMNS = [
    column("jsd"),
    column("jsd_low"),
    column("jsd_high"),
    column("modes_covered"),
    column("modes_total"),
    column("all_modes"),
    column("high_quality", better="higher"),
    column("reverse_kl", unit=""),
    column("model_steps_per_second"),
    column("model_steps_per_second_one"),
]


def plan(n=16, variants=("oracle", "minimax"), dataset="ring8"):
    return [
        {
            "id": f"{dataset}-{v}",
            "dataset": dataset,
            "variant": v,
            "seeds": list(range(n)),
            "steps": 30 * (v != "oracle"),
            "reference": v == "oracle",
            "family": v,
            "precision": "float32",
        }
        for v in variants
    ]


def row(seed, jsd=0.1, modes=8, status="done", **more):
    numbers = {"jsd": jsd, "jsd_low": None, "jsd_high": None, "modes_covered": modes, "modes_total": 8}
    numbers |= {"all_modes": None if modes is None else modes == 8, "high_quality": 0.9, "reverse_kl": 0.0}
    return {"seed": seed, "status": status} | numbers | more


def evaluation(cell, step, rows):
    return {"event": "evaluation", "cell": cell, "step": step, "rows": rows}


def end(cell, statuses, step=30, message=""):
    ended = [{"seed": seed, "status": s, "step": step, "message": message} for seed, s in enumerate(statuses)]
    return {"event": "end", "cell": cell, "seeds": ended}


def replay(events, cells, columns=COLUMNS):
    return Record.replay(
        {"run": "r", "columns": columns, "cells": cells}, map(from_json, json.loads(json.dumps(events)))
    )


def one(frame, variant="minimax"):
    (found,) = [found for found in as_rows(frame) if found["variant"] == variant]
    return found


def test_table_of_sixteen_seeds_has_the_numbers_worked_out_by_hand():
    cell = "ring8-minimax"
    record = replay(
        [
            {"event": "start", "cell": cell, "engine": "compiled", "note": "", "replicas": 16},
            {
                "event": "speed",
                "cell": cell,
                "values": {"model_steps_per_second": 1e4, "model_steps_per_second_one": 9e2},
            },
            evaluation(cell, 10, [row(s, 0.5, 8 if s < 5 else 3) for s in range(16)]),
            # jsd is 0.00, 0.01 ... 0.15; seeds 0 to 11 have all modes at the last five evaluations but for seed 11,
            # which loses them once; 5 had them at step 10 already.
            *[evaluation(cell, step, [row(s, s / 100, 8 if s < 12 else 6) for s in range(16)]) for step in (20, 22)],
            evaluation(cell, 24, [row(s, s / 100, 8 if s < 11 else 6) for s in range(16)]),
            *[evaluation(cell, step, [row(s, s / 100, 8 if s < 12 else 6) for s in range(16)]) for step in (26, 30)],
            end(cell, ["done"] * 16),
        ],
        plan(16, ("minimax",)),
    )
    found = one(table(record))
    assert found == found | {
        "dataset": "ring8",
        "seeds": 16,
        "done": 16,
        "diverged": 0,
        "failed": 0,
        "jsd": pytest.approx(0.075),
        "jsd_low": 0.03,
        "jsd_high": 0.12,
        "modes_covered": 8.0,
        "modes_total": 8,
        "reference": False,
        # Seeds 0 to 5 are at or below 0.05 from step 20 on, 0 to 4 of them had all modes at step 10 already; 6 to 10
        # settle above it, 11 loses its modes on the way, 12 to 15 have 6.
        "verdicts": "6 x converged, 5 x wrong shape, 4 x modes lost, 1 x oscillating",
        # The mean of 0.04 ... 0.11.
        "jsd_iqm": pytest.approx(0.075),
        "all_modes_share": 11 / 16,
        # Clopper & Pearson for 11 of 16: the quantiles of Beta(11, 6) and Beta(12, 5).
        "all_modes_low": pytest.approx(0.4134, abs=5e-5),
        "all_modes_high": pytest.approx(0.8898, abs=5e-5),
        # 5 at step 10, 7 at step 20, 4 never: the 8th and 9th of 16 are 20, the 4th 10, the 13th never.
        "first_all_modes_step": 20.0,
        "first_all_modes_step_low": 10.0,
        "first_all_modes_step_high": None,
        # 5 hold them from step 10, 6 from step 20, 5 never.
        "held_all_modes_step": 20.0,
        "held_all_modes_step_low": 10.0,
        "held_all_modes_step_high": None,
        # Of the 12 that ever had them one lost them.
        "all_modes_departures": 0.0,
        "high_quality": 0.9,
        "model_steps_per_second": 1e4,
        "model_steps_per_second_one": 9e2,
        "engine": "compiled",
    }
    promised = "dataset variant seeds jsd jsd_low jsd_high modes_covered modes_total all_modes_share all_modes_low"
    promised += " all_modes_high high_quality model_steps_per_second model_steps_per_second_one"
    assert set(promised.split()) <= set(found)


def test_seeds_and_curves_have_the_promised_columns_and_every_row():
    cell = "ring8-minimax"
    record = replay(
        [
            {"event": "start", "cell": cell, "engine": "eager", "note": "", "replicas": 2},
            evaluation(cell, 20, [row(0, 0.2, 8), row(1, 0.4, 8)]),
            evaluation(cell, 10, [row(0, 0.3, 7), row(1, 0.5, 8)]),
            evaluation(cell, 30, [row(0, 0.1, 7), row(1, 0.3, 8)]),
            end(cell, ["done", "done"]),
        ],
        plan(2, ("minimax",)),
    )
    promised = "dataset variant seed status step jsd jsd_low jsd_high modes_covered modes_total high_quality reverse_kl"
    for frame in (seeds(record), curves(record)):
        assert {*promised.split(), "first_all_modes_step"} <= set(frame)
        assert not [name for name in frame if "per_second" in name], "time is not a seed's"
    assert [(r["seed"], r["step"], r["jsd"], r["first_all_modes_step"]) for r in as_rows(curves(record))] == [
        (0, 10, 0.3, None),
        (0, 20, 0.2, 20),
        (0, 30, 0.1, 20),
        (1, 10, 0.5, 10),
        (1, 20, 0.4, 10),
        (1, 30, 0.3, 10),
    ]
    assert [
        (r["seed"], r["step"], r["jsd"], r["first_all_modes_step"], r["engine"]) for r in as_rows(seeds(record))
    ] == [
        (0, 30, 0.1, 20, "eager"),
        (1, 30, 0.3, 10, "eager"),
    ]


def test_diverged_seed_is_a_result_and_what_it_does_not_say_counts_as_the_worst():
    cell = "ring8-minimax"
    silent = {"jsd": math.log(2), "modes_covered": None, "all_modes": None, "high_quality": None, "reverse_kl": None}
    gone = [row(s, status="diverged") | silent for s in (0, 1)]
    well = [row(s, 0.1) for s in range(2, 7)]
    events = [
        evaluation(cell, 10, gone + well),
        evaluation(cell, 20, well),
        end(cell, ["diverged"] * 2 + ["done"] * 5, step=7),
    ]
    found = one(table(replay(events, plan(7, ("minimax",)))))
    assert (found["done"], found["diverged"], found["failed"]) == (5, 2, 0)
    assert found["all_modes_share"] == 5 / 7
    assert (found["jsd"], found["jsd_high"]) == (0.1, math.log(2))
    # 8 is the median of five 8s and two "worse than all"; the interval of 7 is all of them, so one end is not known.
    assert (found["modes_covered"], found["modes_covered_low"], found["modes_covered_high"]) == (8, None, 8)
    assert (found["reverse_kl"], found["reverse_kl_low"], found["reverse_kl_high"]) == (0, 0, None)
    first = as_rows(seeds(replay(events, plan(7, ("minimax",)))))[0]
    assert (first["status"], first["step"], first["jsd"], first["modes_covered"]) == ("diverged", 7, math.log(2), None)


def test_all_diverged_is_no_mode_share_and_no_step():
    cell = "ring8-minimax"
    events = [
        evaluation(cell, 10, [row(s, modes=None, status="diverged") for s in range(8)]),
        end(cell, ["diverged"] * 8),
    ]
    found = one(table(replay(events, plan(8, ("minimax",)))))
    assert (found["all_modes_share"], found["first_all_modes_step"], found["modes_covered"]) == (0, None, None)


@pytest.mark.parametrize("status", ["error", "out_of_memory", "lost"])
def test_stopped_seed_is_a_row_without_numbers(status):
    cell = "ring8-minimax"
    rows = [row(s, 0.9 if s == 0 else 0.1) for s in range(7)]
    record = replay(
        [evaluation(cell, 10, rows), end(cell, [status] + ["done"] * 6, message="why")], plan(7, ("minimax",))
    )
    found = one(table(record))
    assert (found["seeds"], found["done"], found["failed"]) == (7, 6, 1)
    assert (found["jsd"], found["jsd_high"], found["all_modes_share"]) == (0.1, 0.1, 1.0)
    first = as_rows(seeds(record))[0]
    assert (first["status"], first["message"], first["jsd"], first["first_all_modes_step"]) == (
        status,
        "why",
        None,
        None,
    )
    assert len(curves(record)) == 7, "what was measured before stays in the curves"


def test_message_is_all_there_is_to_say_about_a_seed():
    """How it ended, what its last row and the cell's speed could not say and why, and how it was trained."""
    cell = "ring8-minimax"
    rows = [row(0, note="mmd: too few"), row(1), row(2, status="diverged", note="mmd: not finite"), row(3, note="gone")]
    events = [
        evaluation(cell, 10, [row(s, note="not the last") for s in range(4)]),
        evaluation(cell, 30, rows),
        end(cell, ["done", "done", "diverged", "error"], message="why"),
    ]
    start = {"event": "start", "cell": cell, "engine": "serial", "note": "trained seed by seed", "replicas": 4}
    speed = {"event": "speed", "cell": cell, "values": {"note": "clock: stopped"}}
    quiet = [*events[:2], end(cell, ["done"] * 4)]

    def messages(*events):
        return [r["message"] for r in as_rows(seeds(replay(events, plan(4, ("minimax",)))))]

    assert messages(*events) == ["why; mmd: too few", "why", "why; mmd: not finite", "why"]
    assert messages(*quiet) == ["mmd: too few", "", "mmd: not finite", "gone"]
    all_of_it = "why; mmd: too few; clock: stopped; trained seed by seed"
    assert messages(start, speed, *events)[:2] == [all_of_it, "why; clock: stopped; trained seed by seed"]
    assert "note" not in seeds(replay(events, plan(4, ("minimax",))))


def test_unfinished_run_has_a_row_for_every_planned_seed():
    cells = plan(3) + plan(3, dataset="grid25")
    events = [
        evaluation("ring8-oracle", 0, [row(s, 0.0) for s in range(3)]),
        end("ring8-oracle", ["done"] * 3, step=0),
        {"event": "start", "cell": "ring8-minimax", "engine": "eager", "note": "", "replicas": 3},
        evaluation("ring8-minimax", 10, [row(s) for s in range(3)]),
    ]
    record = replay(events, cells)
    assert not record.finished
    found = as_rows(seeds(record))
    assert [(r["dataset"], r["variant"], r["seed"]) for r in found] == [
        (c["dataset"], c["variant"], seed) for c in cells for seed in range(3)
    ]
    assert [(r["status"], r["step"]) for r in found] == [("done", 0)] * 3 + [("lost", 10)] * 3 + [("lost", 0)] * 6
    assert [(r["done"], r["failed"]) for r in as_rows(table(record))] == [(3, 0), (0, 3), (0, 3), (0, 3)]
    for frame in (table(replay([], cells)), seeds(replay([], cells)), curves(replay([], cells))):
        assert list(frame) == list(frame.columns)
    assert list(curves(replay([], cells)))[:6] == ["dataset", "variant", "family", "seed", "status", "step"]


def test_tables_do_not_depend_on_how_often_the_run_was_killed(tmp_path):
    """A killed run writes some evaluations again: the same bytes come out, whatever was said twice."""
    r = random.Random(0)
    cells = plan(6)
    events = [
        evaluation("ring8-oracle", 0, [row(s, r.random() / 100) for s in range(6)]),
        end("ring8-oracle", ["done"] * 6),
    ]
    events += [{"event": "start", "cell": "ring8-minimax", "engine": "eager", "note": "", "replicas": 6}]
    events += [{"event": "speed", "cell": "ring8-minimax", "values": {"model_steps_per_second": 123.456}}]
    events += [evaluation("ring8-minimax", step, [row(s, r.random(), 7) for s in range(6)]) for step in (10, 20, 30)]
    twice = [*events[:5], events[2], *events[4:]]
    written = []
    for story in (events, twice):
        folder = RunFolder.create(tmp_path, "mog", "0" * 12, "", {"columns": COLUMNS, "cells": cells})
        with Journal(folder.journal) as journal:
            for event in [*story, end("ring8-minimax", ["done"] * 6), {"event": "finished"}]:
                journal.append(from_json(event))
        write_tables(folder)
        tables = (folder.curves, folder.seeds, folder.table, folder.differences, folder.profiles)
        written.append([path.read_bytes() for path in tables])
        assert b"123.456" in folder.table.read_bytes()
    assert written[0] == written[1]
    again = csv.DictReader(io.StringIO(written[0][0].decode()))
    expected = [one["jsd"] for event in events if event["event"] == "evaluation" for one in event["rows"]]
    assert sorted(float(line["jsd"]) for line in again) == sorted(expected), "all digits are kept"


def test_whole_numbers_stay_whole_beside_missing_ones():
    cell = "ring8-minimax"
    rows = [row(0, modes=8), row(1, modes=None, status="diverged")]
    text = seeds(replay([evaluation(cell, 10, rows), end(cell, ["done", "diverged"])], plan(2, ("minimax",)))).to_csv()
    assert ",8,8,True," in text
    assert "8.0" not in text


def test_infinities_are_kept_for_a_seed_and_for_a_median_that_is_one():
    cell = "ring8-minimax"
    record = replay([evaluation(cell, 10, [row(0, reverse_kl="inf")]), end(cell, ["done"])], plan(1, ("minimax",)))
    assert seeds(record)["reverse_kl"][0] == math.inf
    assert as_rows(seeds(record))[0]["reverse_kl"] == "inf"
    assert one(table(record))["reverse_kl"] == "inf"
    assert one(table(record))["reverse_kl_high"] is None
    json.dumps(as_rows(seeds(record)), allow_nan=False)


def test_metric_that_does_not_apply_leaves_its_columns_empty():
    cell = "ring8-minimax"
    record = replay(
        [evaluation(cell, 10, [row(s, modes=None) for s in range(6)]), end(cell, ["done"] * 6)], plan(6, ("minimax",))
    )
    found = one(table(record))
    assert (found["modes_covered"], found["all_modes_share"], found["first_all_modes_step"]) == (None, None, None)


def test_same_that_is_not_the_same_is_not_made_up():
    cell = "ring8-minimax"
    rows = [row(0), row(1, modes_total=9)]
    record = replay([evaluation(cell, 10, rows), end(cell, ["done"] * 2)], plan(2, ("minimax",)))
    assert one(table(record))["modes_total"] is None


@pytest.mark.parametrize(
    "event",
    [
        {"event": "start", "cell": "other", "engine": "", "note": "", "replicas": 1},
        evaluation("ring8-minimax", 10, [row(7)]),
        evaluation("ring8-minimax", 10, [row(0, accuracy=1.0)]),
        {"event": "speed", "cell": "ring8-minimax", "values": {"flops": 1}},
        end("ring8-minimax", ["done"] * 3),
    ],
)
def test_what_was_not_planned_is_not_dropped_in_silence(event):
    with pytest.raises(ValueError, match=r"the journal speaks of a .* that run.json does not plan"):
        replay([event], plan(1))


@pytest.mark.parametrize(
    "columns",
    [
        [Column("jsd", ""), Column("jsd", "")],
        [Column("jsd", ""), Column("jsd_low", "")],
        [Column("all_modes", "", summary="share"), Column("all_modes_share", "", summary="same")],
        [Column("all_modes", "", summary="share"), Column("first_all_modes_step", "", summary="none")],
        [Column("all_modes", "", summary="share"), Column("all_modes_departures", "", summary="none")],
        [Column("jsd", "", better="lower"), Column("jsd_iqm", "")],
        [Column("verdict", "", summary="words")],
        [Column("status", "", summary="none")],
        [Column("seeds", "")],
    ],
)
def test_columns_that_would_overwrite_each_other_are_refused(columns):
    with pytest.raises(ValueError, match="would be filled twice"):
        check_columns(columns)
    check_columns([Column("jsd", ""), Column("jsd_low", "", summary="none")])


def test_columns_of_time_are_known():
    assert Column("speed", "", unit="1/s").is_time
    assert Column("pause", "", unit="ms").is_time
    assert not Column("jsd", "", unit="nats").is_time


def test_share_counts_only_what_holds_to_the_end_and_says_when_it_came_and_went():
    """Seed 0 holds from step 20; 1 reaches all modes first and loses them twice; 2 has them at last only; 3 never."""
    cell = "ring8-minimax"
    modes = {10: (7, 8, 7, 7), 20: (8, 8, 7, 7), 30: (8, 7, 7, 7), 40: (8, 8, 7, 7), 50: (8, 7, 7, 7), 60: (8, 8, 8, 7)}
    events = [evaluation(cell, step, [row(s, modes=had[s]) for s in range(4)]) for step, had in modes.items()]
    record = replay([*events, end(cell, ["done"] * 4, step=60)], plan(4, ("minimax",)))
    found = [
        (r["first_all_modes_step"], r["held_all_modes_step"], r["all_modes_departures"]) for r in as_rows(seeds(record))
    ]
    assert found == [(20, 20, 0), (10, None, 2), (60, None, 0), (None, None, 0)]
    assert one(table(record))["all_modes_share"] == 0.25
    so_far = [(r["step"], r["held_all_modes_step"]) for r in as_rows(curves(record)) if r["seed"] == 0]
    assert so_far == [(10, None), (20, None), (30, None), (40, None), (50, None), (60, 20)]


def test_with_fewer_evaluations_holding_means_at_all_of_them_and_a_reference_has_one():
    events = [
        evaluation("ring8-oracle", 0, [row(0), row(1, modes=7)]),
        end("ring8-oracle", ["done"] * 2, step=0),
        evaluation("ring8-minimax", 10, [row(0), row(1, modes=7)]),
        evaluation("ring8-minimax", 20, [row(0), row(1)]),
        end("ring8-minimax", ["done"] * 2),
    ]
    record = replay(events, plan(2))
    assert [r["all_modes_share"] for r in as_rows(table(record))] == [0.5, 0.5]
    assert [r["held_all_modes_step"] for r in as_rows(seeds(record))] == [0, None, 10, None]


def test_share_that_is_measured_at_the_end_only_is_held_if_true_there():
    columns = [*COLUMNS, column("memorised", summary="share", better="lower")]
    cell = "ring8-minimax"
    events = [evaluation(cell, step, [row(s) for s in range(2)]) for step in (10, 20)]
    events += [evaluation(cell, 30, [row(0, memorised=True), row(1, memorised=False)]), end(cell, ["done"] * 2)]
    found = one(table(replay(events, plan(2, ("minimax",)), columns)))
    assert (found["memorised_share"], found["first_memorised_step"]) == (0.5, None)


def test_verdicts_are_of_trained_and_measured_seeds_only():
    oracle, trained = "ring8-oracle", "ring8-minimax"
    events = [evaluation(oracle, 0, [row(s, 0.0) for s in range(3)]), end(oracle, ["done"] * 3, step=0)]
    events += [evaluation(trained, step, [row(s, 0.4) for s in range(3)]) for step in (5, 10, 15, 20, 25)]
    events += [end(trained, ["done", "diverged", "error"])]
    record = replay(events, plan(3))
    assert [r["verdicts"] for r in as_rows(table(record))] == [None, "1 x wrong shape, 1 x diverged"]
    assert [r["verdict"] for r in as_rows(seeds(record))] == [None] * 3 + ["wrong shape", "diverged", None]
    assert as_rows(seeds(record))[3]["verdict_reason"] == "all 8 modes, JSD 0.400 over the last 5 evaluations"


def test_references_are_those_that_run_json_names():
    cells = [one | {"reference": one["variant"] != "minimax"} for one in plan(1, ("oracle", "kde", "minimax"))]
    assert list(table(replay([], cells))["reference"]) == [True, True, False]


def test_run_of_an_older_ganbench_says_so_in_one_line(tmp_path):
    old = [{key: value for key, value in one.items() if key not in ("role", "of", "title")} for one in COLUMNS]
    folder = RunFolder.create(tmp_path, "mog", "0" * 12, "", {"columns": old, "cells": plan(1)})
    with pytest.raises(ValueError, match=f"^{folder.path}: was made by an older ganbench: run it again$"):
        Record.read(folder)


def test_words_are_counted_the_commonest_first():
    columns = [*COLUMNS, column("method", summary="words")]
    cell = "ring8-minimax"
    said = ["b", "a", None, "a"]
    events = [evaluation(cell, 10, [row(s, method=word) for s, word in enumerate(said)]), end(cell, ["done"] * 4)]
    record = replay(events, plan(4, ("minimax",)), columns)
    assert one(table(record))["method"] == "2 x a; 1 x b"
    assert [r["method"] for r in as_rows(seeds(record))] == said
    assert one(table(replay([], plan(4, ("minimax",)), columns)))["method"] is None


def test_smallest_difference_is_to_the_first_trained_variant_and_its_own_to_its_equal():
    cells = plan(8, ("oracle", "a", "b"))
    numbers = {"ring8-oracle": [0.0] * 8, "ring8-a": [s / 10 for s in range(8)], "ring8-b": [s / 5 for s in range(8)]}
    events = [evaluation(cell, 30, [row(s, jsd) for s, jsd in enumerate(said)]) for cell, said in numbers.items()]
    events += [end(cell, ["done"] * 8) for cell in numbers]
    found = {r["variant"]: r["jsd_detectable"] for r in as_rows(table(replay(events, cells)))}
    scatter = math.sqrt(6) / 10  # of 0, 0.1 ... 0.7: the variance is (64 - 1) / 12 x 8 / 7 hundredths
    assert found["oracle"] is None
    assert found["b"] == pytest.approx(scatter * effect(8))
    assert found["a"] == pytest.approx(math.sqrt(2) * scatter * effect(8))
