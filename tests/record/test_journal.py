"""ganbench.record.journal: nothing written is lost, nothing torn is believed."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.record import journal
from ganbench.record.events import (
    CellEnded,
    CellMeasured,
    CellStarted,
    Evaluated,
    RunFinished,
    SeedOutcome,
    SeedRow,
    from_json,
)
from ganbench.record.journal import Journal, JournalError, read
from ganbench.record.status import Status

EVENTS = [
    CellStarted("a1", "compiled", "", 2),
    Evaluated("a1", 10, (SeedRow(0, Status.DONE, {"jsd": 0.1 + 0.2}),)),
    CellEnded("a1", (SeedOutcome(0, Status.DONE, 10, "é\n☃"),)),
]
START = b'{"event":"start","cell":"a1","engine":"compiled","note":"","replicas":2}\n'


def write(path, events):
    with Journal(path) as journal:
        for event in events:
            journal.append(event)


def test_what_is_appended_is_read(tmp_path):
    write(tmp_path / "journal.jsonl", EVENTS)
    assert read(tmp_path / "journal.jsonl") == EVENTS
    write(tmp_path / "journal.jsonl", EVENTS)
    assert read(tmp_path / "journal.jsonl") == EVENTS * 2, "opening again appends"


def test_journal_torn_at_any_byte_of_its_last_line_loses_that_line_only(tmp_path):
    """Wherever a kill falls, the reader and the next writer agree on what was written."""
    whole = tmp_path / "whole.jsonl"
    write(whole, EVENTS)
    content = whole.read_bytes()
    last = content[:-1].rindex(b"\n") + 1
    torn = tmp_path / "torn.jsonl"
    for cut in range(last, len(content)):
        torn.write_bytes(content[:cut])
        assert read(torn) == EVENTS[:2]
        write(torn, [RunFinished()])
        assert read(torn) == [*EVENTS[:2], RunFinished()]
        assert torn.read_bytes().startswith(content[:last])


def test_journal_that_is_one_torn_line_is_empty(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event":"sta')
    assert read(path) == []
    write(path, EVENTS[:1])
    assert read(path) == EVENTS[:1]


@pytest.mark.parametrize(
    "broken", [b'{"event":"sta', b"\0\0\0\0", b"[1]", b"", b"\xff\xfe", b"{}", b'{"event":"start"}']
)
def test_broken_line_that_is_whole_is_an_error_with_its_number(tmp_path, broken):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(START + broken + b'\n{"event":"finished"}\n')
    with pytest.raises(JournalError, match=r"^[^\n]*journal\.jsonl:2: not a journal line: [^\n]+$"):
        read(path)


def test_events_of_other_kinds_are_left_to_those_who_know_them(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(START + b'{"event":"checkpoint","cell":7}\n{"event":"finished"}\n')
    assert read(path) == [EVENTS[0], RunFinished()]


def test_a_journal_of_another_version_is_said_to_be_one(tmp_path):
    """As it was written, by its checksum, yet without what is looked for here; or with an event of another kind."""
    path = tmp_path / "journal.jsonl"
    write(path, EVENTS[:1])
    content = b'{"event":"end","cell":"a1"}'
    path.write_bytes(path.read_bytes() + content[:-1] + b',"sha256":"' + journal._checksum(content) + b'"}\n')
    with pytest.raises(JournalError, match=r"jsonl:2: was written by another version of ganbench: 'seeds' must"):
        read(path)
    path.write_bytes(START + b'{"event":"checkpoint","cell":7}\n{"event":"finished"}\n{"event":"checkpoint"}\n')
    assert journal.unknown(path) == ("checkpoint",)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(), plain, max_size=5), max_size=4))
def test_round_trip_is_exact(numbers):
    events = [CellMeasured("a1", values) for values in numbers]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.jsonl")
        write(path, events)
        found = read(path)
    # repr tells 0.0 from -0.0, 1 from 1.0 and True.
    assert repr(found) == repr(events)


def test_what_json_cannot_say_is_written_as_documented(tmp_path):
    path = tmp_path / "journal.jsonl"
    odd = {"nan": math.nan, "up": math.inf, "down": -math.inf, "i": np.int64(3), "f": np.float64(0.1), "b": np.True_}
    write(path, [CellMeasured("a1", {**odd, "nested": [{"nan": np.float32("nan")}], "tuple": (1, 2)})])
    assert b"NaN" not in path.read_bytes()
    assert b"Infinity" not in path.read_bytes()
    (event,) = read(path)
    assert event.values == (
        {"nan": None, "up": "inf", "down": "-inf", "i": 3, "f": 0.1, "b": True}
        | {"nested": [{"nan": None}], "tuple": [1, 2]}
    )


def test_event_that_cannot_be_written_leaves_the_journal_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append(EVENTS[0])
        with pytest.raises(TypeError):
            journal.append(CellMeasured("a1", {"x": object()}))

        whole_write = os.write

        def disk_full(file, data):
            if len(data) > 10:
                return whole_write(file, data[:10])
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", lambda file, data: disk_full(file, bytes(data)[:11]))
        with pytest.raises(OSError, match="No space"):
            journal.append(EVENTS[1])
        monkeypatch.undo()
        journal.append(EVENTS[2])
    assert read(path) == [EVENTS[0], EVENTS[2]]


def test_a_line_is_compact_json_that_others_can_read(tmp_path):
    path = tmp_path / "journal.jsonl"
    write(path, EVENTS)
    lines = path.read_text("ascii").splitlines()
    assert [from_json(json.loads(line)) for line in lines] == EVENTS
    seal = json.loads(lines[0])["sha256"]
    assert lines[0] == START.decode().replace("}\n", f',"sha256":"{seal}"}}')


def edited(tmp_path, old, new):
    """The path of a journal with one part of it written anew."""
    path = tmp_path / "journal.jsonl"
    write(path, EVENTS)
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"0.30000000000000004", b"0.10000000000000004", 2),
        (b'"compiled"', b'"eager"', 1),
        (b'"status":"done","step"', b'"status":"diverged","step"', 3),
        (b',"cell"', b', "cell"', 1),
        (b'"sha256":"', b'"sha256":"0', 1),
    ],
)
def test_a_line_that_was_edited_is_not_believed(tmp_path, old, new, line):
    """A digit that a hand has changed would be taken for a measured one."""
    with pytest.raises(JournalError, match=rf"jsonl:{line}: was edited after it was written: its checksum [^\n]+$"):
        read(edited(tmp_path, old, new))


@pytest.mark.parametrize("at", [1, 2])
def test_a_line_whose_checksum_was_taken_away_is_not_believed_beside_others(tmp_path, at):
    path = tmp_path / "journal.jsonl"
    write(path, EVENTS)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[at] = lines[at].partition(b',"sha256"')[0] + b"}\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=rf"jsonl:{at + 1}: was edited after it was written"):
        read(path)


def test_a_journal_of_an_older_ganbench_has_no_checksums_and_is_read(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(START)
    write(path, EVENTS[1:])
    assert read(path) == EVENTS


def test_other_ends_of_lines_are_no_edit(tmp_path):
    """An editor, or git, may write them."""
    path = tmp_path / "journal.jsonl"
    write(path, EVENTS)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(path) == EVENTS
