"""ganbench.record.provenance: what it says is about this code and this machine, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ganbench.record import provenance


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
    assert provenance.git(code) == {"commit": commit, "dirty": False}
    (repository / "results").mkdir()
    (repository / "results" / "table.csv").write_text("ignored")
    assert provenance.git(code) == {"commit": commit, "dirty": False}
    (repository / "elsewhere.py").write_text("2\n")
    assert provenance.git(code) == {"commit": commit, "dirty": True}, "the repository, not just the file's folder"


def test_git_is_not_fooled_by_where_one_stands(repository, tmp_path, monkeypatch):
    """Neither by the working folder, nor by a hook's environment, nor by a repository around an installed package."""
    outside = tmp_path / "code.py"
    outside.write_text("1\n")
    installed = repository / "env" / "code.py"
    installed.parent.mkdir()
    installed.write_text("1\n")
    monkeypatch.chdir(repository)
    assert provenance.git(outside) is None
    assert provenance.git(installed) is None
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(repository))
    assert provenance.git(outside) is None


def test_git_is_none_where_there_is_no_git_or_no_commit(repository, tmp_path, monkeypatch):
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    (fresh / "code.py").write_text("1\n")
    run_git(fresh, "init", "-q")
    run_git(fresh, "add", ".")
    assert provenance.git(fresh / "code.py") is None
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert provenance.git(repository / "package" / "code.py") is None


def test_versions_and_device_are_plain_and_stable():
    versions, device = provenance.versions(), provenance.device("cpu")
    assert set(versions) == {"python", "platform", "ganbench", "torch", "numpy", "scipy", "pandas"}
    assert device["device"] == "cpu"
    assert device["cpu"]
    assert device["cores"] >= 1
    assert device["threads"] >= 1
    assert json.loads(json.dumps([versions, device])) == [provenance.versions(), provenance.device("cpu")]


def test_the_record_is_read_without_torch():
    """So that ``ganbench show`` is quick, and works where the plugins are not."""
    code = (
        "import sys, ganbench.record.tables, ganbench.record.provenance, ganbench.report.table, ganbench.report.live\n"
        "assert not {'torch', 'pluggy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
