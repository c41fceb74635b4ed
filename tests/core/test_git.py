"""``core.git``: it answers for the folder that it is asked about, and says nothing where there is nothing to say."""

from __future__ import annotations

import os
import shlex
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


@pytest.fixture
def shallow(repository, tmp_path):
    """A clone of the newest commit of one branch, as CI services make it; the other branch is ``dev``."""
    run_git(repository, "branch", "dev")
    for count in ("2", "3"):
        (repository / "package" / "code.py").write_text(f"{count}\n")
        run_git(repository, "commit", "-qam", count)
    run_git(tmp_path, "clone", "-q", "--depth", "1", repository.as_uri(), "shallow")
    return tmp_path / "shallow"


@pytest.mark.parametrize("revision", ["HEAD~2", "origin/dev"])
def test_what_a_shallow_clone_lacks_comes_by_the_command_that_is_said(shallow, revision):
    assert git.commit_of(revision, shallow) is None
    said = git.missing(revision, shallow)
    assert said.startswith("; this clone is shallow: git fetch --unshallow ")
    assert "fetch-depth: 0" in said
    command = shlex.split(said.partition(": ")[2].partition(" brings")[0])
    run_git(shallow, *command[1:])
    assert git.commit_of(revision, shallow)
    assert git.missing(revision, shallow) in ("", git.missing("origin/dev", shallow))


def test_a_branch_that_only_the_remote_has_comes_by_the_command_that_is_said(repository, tmp_path):
    run_git(tmp_path, "clone", "-q", str(repository), "clone")
    run_git(repository, "branch", "new/branch")
    said = git.missing("origin/new/branch", tmp_path / "clone")
    run_git(tmp_path / "clone", *shlex.split(said.partition(", ")[2].removesuffix(" brings it"))[1:])
    assert git.commit_of("origin/new/branch", tmp_path / "clone")


def test_a_revision_that_is_nowhere_has_no_reason_and_git_that_is_not_there_has_one(repository, tmp_path, monkeypatch):
    assert git.missing("nobody", repository) == ""
    assert git.missing("nobody", tmp_path) == ""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert git.missing("nobody", repository) == "; git is not installed here"


def test_a_repository_of_another_user_is_named_as_one(repository, monkeypatch):
    """In a container, a folder that was mounted; git says so, and that all else is unknown."""
    refused = subprocess.CompletedProcess([], 128, b"", b"fatal: detected dubious ownership in repository at '/x'")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: refused)
    assert "safe.directory" in git.missing("HEAD~1", repository)
