"""``core.git``: it answers for the folder that it is asked about, and says nothing where there is nothing to say."""

from __future__ import annotations

import os
import subprocess

import pytest

from ganbench.core import git


def run_git(folder, *arguments):
    settings = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    said = subprocess.run(
        ["git", *settings, *arguments], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / "repository"
    (root / "package").mkdir(parents=True)
    (root / "package" / "code.py").write_text("1\n")
    (root / ".gitignore").write_text("/results/\n/env/\n")
    run_git(root, "init", "-q")
    run_git(root, "add", ".")
    run_git(root, "commit", "-qm", "one")
    return root


def test_git_tells_the_commit_and_whether_the_code_differs_from_it(repository):
    commit = run_git(repository, "rev-parse", "HEAD")
    code = repository / "package" / "code.py"
    assert git.commit_of_file(code) == {"commit": commit, "dirty": False}
    (repository / "results").mkdir()
    (repository / "results" / "table.csv").write_text("ignored")
    assert git.commit_of_file(code) == {"commit": commit, "dirty": False}
    (repository / "elsewhere.py").write_text("2\n")
    assert git.commit_of_file(code) == {"commit": commit, "dirty": True}, "the repository, not just the file's folder"


def test_git_is_not_fooled_by_where_one_stands(repository, tmp_path, monkeypatch):
    """Neither by the working folder, nor by a hook's environment, nor by a repository around an installed package."""
    outside = tmp_path / "code.py"
    outside.write_text("1\n")
    installed = repository / "env" / "code.py"
    installed.parent.mkdir()
    installed.write_text("1\n")
    monkeypatch.chdir(repository)
    assert git.commit_of_file(outside) is None
    assert git.commit_of_file(installed) is None
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    assert git.commit_of_file(outside) is None


def test_git_is_none_where_there_is_no_git_or_no_commit(repository, tmp_path, monkeypatch):
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "code.py").write_text("1\n")
    run_git(fresh, "init", "-q")
    run_git(fresh, "add", ".")
    assert git.commit_of_file(fresh / "code.py") is None
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert git.commit_of_file(repository / "package" / "code.py") is None
