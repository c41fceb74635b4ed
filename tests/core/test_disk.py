"""ganbench.core.disk: a file is there whole or not at all, on each system."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ganbench.core.disk import write


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
