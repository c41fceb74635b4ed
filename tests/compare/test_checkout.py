"""Another revision in a folder of its own: what is in it, what is left alone, and how mistakes are told."""

from __future__ import annotations

import os
import subprocess

import pytest

from ganbench.compare.speed.checkout import checkout


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Two commits, a changed working tree, and what would mislead git in the environment."""
    top = tmp_path / "repository"
    (top / "deep").mkdir(parents=True)

    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        command = ["git", "-C", str(top), *identity, *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=clean)
        return done.stdout.strip()

    git("init", "-q")
    for text in ("first", "second"):
        (top / "deep" / "file.txt").write_text(text)
        git("add", "-A")
        git("commit", "-qm", text)
    (top / "deep" / "file.txt").write_text("not committed")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    return top, git


def test_a_revision_is_laid_out_and_the_repository_left_as_it_is(repository):
    top, git = repository
    before = (git("status", "--porcelain"), git("worktree", "list"))
    with checkout("HEAD~1", top / "deep") as there:
        there_now = there.folder
        assert (there.folder / "deep" / "file.txt").read_text() == "first"
        assert there.commit == git("rev-parse", "HEAD~1")
        assert there.label == f"HEAD~1 ({there.commit[:9]})"
        assert there.source is None
        assert (git("status", "--porcelain"), git("worktree", "list")) == before
    assert not there_now.exists()


def test_paths_inside_are_found_again_and_others_are_nobodys(repository, tmp_path):
    top, _ = repository
    with checkout("HEAD", top) as there:
        assert there.at(top / "deep" / "file.txt").read_text() == "second"
        assert there.at(tmp_path) is None


def test_the_working_folders_repository_is_the_usual_one(repository, monkeypatch):
    top, _ = repository
    monkeypatch.chdir(top / "deep")
    with checkout("HEAD") as there:
        assert there.top == top.resolve()


def test_ganbench_itself_is_imported_from_a_revision_that_holds_it(repository):
    top, git = repository
    (top / "ganbench").mkdir()
    (top / "ganbench" / "__init__.py").touch()
    git("add", "-A")
    git("commit", "-qm", "with ganbench")
    with checkout("HEAD", top) as there:
        assert there.source == there.folder


@pytest.mark.parametrize("revision", ["nobody", "--output=x", "HEAD~7", ""])
def test_an_unknown_revision_is_told_in_one_line(repository, revision):
    top, _ = repository
    with pytest.raises(ValueError, match=r"no such revision in .*repository$"), checkout(revision, top):
        pass


def test_a_shallow_clone_is_named_and_no_other_repository_is_taken_for_it(repository, tmp_path, monkeypatch):
    """Ganbench's own repository may have a HEAD~3; it is not the one that is meant."""
    top, git = repository
    git("clone", "-q", "--depth", "1", top.as_uri(), str(tmp_path / "shallow"))
    monkeypatch.setattr("ganbench.compare.speed.checkout.HOME", top)
    monkeypatch.chdir(tmp_path / "shallow")
    told = pytest.raises(ValueError, match=r"HEAD~1: no such revision in .*/shallow; this clone is shallow: git fetch")
    with told, checkout("HEAD~1"):
        pass
    monkeypatch.chdir(tmp_path)
    with checkout("HEAD~1") as there:
        assert there.top == top.resolve(), "where no repository is around, ganbench's own"


def test_no_repository_is_told_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="there is no git repository around"), checkout("HEAD", tmp_path):
        pass


def test_an_exception_inside_leaves_no_folder(repository):
    top, _ = repository
    with pytest.raises(KeyboardInterrupt), checkout("HEAD", top) as there:
        raise KeyboardInterrupt
    assert not there.folder.exists()
