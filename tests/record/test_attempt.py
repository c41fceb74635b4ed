"""The mark of an attempt is for a message alone: it stops no run."""

from __future__ import annotations

from pathlib import Path

from ganbench.record.attempt import MARK, attempt
from ganbench.record.folder import RunFolder


def test_a_disk_that_is_full_fails_no_run_at_the_mark(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with attempt(RunFolder(tmp_path)) as (_, tell):
        tell("ring a")
        monkeypatch.setattr(Path, "write_text", full)
        tell("ring b")
        assert (tmp_path / MARK).read_text() == "ring a\n"
    with attempt(RunFolder(tmp_path)) as (before, tell):
        tell("ring a")
        assert before == ""
