"""ganbench.core.disk: a file is there whole or not at all, on each system."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ganbench.core.disk import link, write


def test_write_replaces_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "table.csv"
    write(path, "old\n")
    monkeypatch.setattr(os, "fsync", lambda file: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        write(path, "new\n")
    assert path.read_text() == "old\n"
    monkeypatch.undo()
    write(path, "new\né")
    assert path.read_bytes() == "new\né".encode()


def test_a_system_that_opens_no_folder_or_replaces_no_open_file(tmp_path, monkeypatch):
    """As on Windows: a folder cannot be synced, and a table that a spreadsheet has open cannot be written."""
    opened = os.open

    def no_folders(path, *flags):
        if os.path.isdir(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *flags)

    monkeypatch.setattr(os, "open", no_folders)
    write(tmp_path / "table.csv", "one")
    assert (tmp_path / "table.csv").read_text() == "one"

    def is_open(path, target):
        raise PermissionError(errno.EACCES, "Access is denied", str(path))

    monkeypatch.setattr(Path, "replace", is_open)
    with pytest.raises(PermissionError, match="close it where it is open") as error:
        write(tmp_path / "table.csv", "two")
    assert error.value.filename == str(tmp_path / "table.csv")


def test_a_link_holds_wherever_the_disk_is_seen_and_a_disk_without_links_keeps_the_copy(tmp_path, monkeypatch):
    run = tmp_path / "here" / "run"
    for name in ("one", "two"):
        (run / "tasks" / name).mkdir(parents=True)
        write(run / "tasks" / name / "suite.yaml", "a")
    write(run / "suite.yaml", "a")
    link(run / "tasks" / "one" / "suite.yaml", run / "suite.yaml")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "symlink_to", lambda *given: (_ for _ in ()).throw(OSError(errno.EPERM, "no")))
        link(run / "tasks" / "two" / "suite.yaml", run / "suite.yaml")
    run.parent.rename(tmp_path / "there")
    one, two = (tmp_path / "there" / "run" / "tasks" / name for name in ("one", "two"))
    assert one.joinpath("suite.yaml").is_symlink()
    assert not two.joinpath("suite.yaml").is_symlink()
    assert [path.name for path in sorted([*one.iterdir(), *two.iterdir()])] == ["suite.yaml"] * 2
    assert one.joinpath("suite.yaml").read_text() == two.joinpath("suite.yaml").read_text() == "a"
    write(one / "suite.yaml", "b")
    assert (tmp_path / "there" / "run" / "suite.yaml").read_text() == "a"
