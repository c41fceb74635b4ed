"""What the tests of comparisons share: an empty working folder, and one that is a git repository."""

from __future__ import annotations

import os
import subprocess

import pytest


@pytest.fixture
def away(tmp_path, monkeypatch):
    """An empty working folder, which no repository is around."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


@pytest.fixture
def repository(away):
    """The working folder as a git repository: ``repository("commit", ...)`` is what git says."""

    def git(*command):
        who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        environment = {**os.environ, **who, **quiet}
        done = subprocess.run(["git", *command], check=True, capture_output=True, text=True, env=environment)
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    return git
