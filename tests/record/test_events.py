"""ganbench.record.events: each event has one form as a line of the journal."""

from __future__ import annotations

import dataclasses
import json
import typing

import pytest

from ganbench.record.events import (
    CellEnded,
    CellMeasured,
    CellStarted,
    Evaluated,
    Event,
    Pictured,
    RunFinished,
    SeedOutcome,
    SeedRow,
    from_json,
    to_json,
)
from ganbench.record.status import Status

#: Journals that are on disk have these lines: a change of the form is a change of the format.
LINES = {
    '{"event":"start","cell":"a1","engine":"serial","note":"it calls .item()","replicas":2}': CellStarted(
        "a1", "serial", "it calls .item()", 2
    ),
    '{"event":"speed","cell":"a1","values":{"kernels_per_step":7,"note":"clock: stopped"}}': CellMeasured(
        "a1", {"kernels_per_step": 7, "note": "clock: stopped"}
    ),
    '{"event":"evaluation","cell":"a1","step":20,"rows":[{"seed":0,"status":"done","jsd":0.1,"modes_covered":8},'
    '{"seed":1,"status":"diverged","jsd":null,"modes_covered":0}]}': Evaluated(
        "a1",
        20,
        (
            SeedRow(0, Status.DONE, {"jsd": 0.1, "modes_covered": 8}),
            SeedRow(1, Status.DIVERGED, {"jsd": None, "modes_covered": 0}),
        ),
    ),
    '{"event":"end","cell":"a1","seeds":[{"seed":0,"status":"done","step":40,"message":""},'
    '{"seed":1,"status":"diverged","step":8,"message":"why"}]}': CellEnded(
        "a1", (SeedOutcome(0, Status.DONE, 40), SeedOutcome(1, Status.DIVERGED, 8, "why"))
    ),
    '{"event":"pictures","cell":"a1","step":20,"file":"ab","data":"cd"}': Pictured("a1", 20, "ab", "cd"),
    '{"event":"finished"}': RunFinished(),
}


@pytest.mark.parametrize("line", LINES)
def test_each_event_has_its_line_key_for_key(line):
    assert json.dumps(to_json(LINES[line]), separators=(",", ":")) == line
    assert from_json(json.loads(line)) == LINES[line]


def test_there_is_a_line_of_each_class_and_none_can_be_changed():
    assert {type(event) for event in LINES.values()} == set(typing.get_args(Event))
    for event in LINES.values():
        assert type(event).__dataclass_params__.frozen


def test_a_kind_that_is_not_known_is_no_event():
    assert from_json({"event": "checkpoint", "cell": 7}) is None


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], "'event' must be text, not null"),
        ({"event": ["start"]}, r"'event' must be text, not \['start'\]"),
        ({"event": "start", "cell": "a1", "engine": "", "note": ""}, "'replicas' must be a whole number, not null"),
        (
            {"event": "start", "cell": "a1", "engine": "", "note": "", "replicas": True},
            "'replicas' must be .* not true",
        ),
        ({"event": "speed", "cell": "a1", "values": [1]}, r"'values' must be a mapping, not \[1\]"),
        ({"event": "evaluation", "cell": "a1", "step": 1, "rows": [0.5]}, "'seed' must be a whole number, not null"),
        ({"event": "end", "cell": "a1", "seeds": [{"seed": 0, "status": "fine"}]}, "'fine' is not a valid Status"),
    ],
)
def test_an_event_of_another_form_is_told_in_one_line(line, words):
    with pytest.raises(ValueError, match=f"^{words}$"):
        from_json(line)


def test_what_an_event_says_cannot_be_assigned():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunFinished().cell = "a1"
