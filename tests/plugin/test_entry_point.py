"""An installed package with an entry point in the group ``ganbench``: built, installed, listed and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.plugin.scaffold import new_plugin

ROOT = Path(__file__).parents[2]

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "some-gans"
version = "1.2"

[project.entry-points.ganbench]
packed = "some_gans.packed"
"""

SUITE = """
suite: installed
seeds: 2
budget: {steps: 4, batch: 16}
evaluate: {samples: 100}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 8, depth: 1}}
variants: {theirs: {loss: {name: packed-gan, real_label: 0.9}}}
references: []
metrics: [modes]
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package in it, built here; it is no part of this environment, but of a path."""
    project, target = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("installed")
    (project / "pyproject.toml").write_text(PROJECT)
    package = project / "some_gans"
    package.mkdir()
    (package / "__init__.py").touch()
    # A package's modules may import each other, which files in a folder cannot.
    (package / "labels.py").write_text("FAKE = 0.0\n")
    source = new_plugin("loss", "packed-gan").source.replace("d_fake**2", "(d_fake - FAKE) ** 2")
    (package / "packed.py").write_text(
        source.replace("\nfrom ganbench", "\nfrom some_gans.labels import FAKE\nfrom ganbench")
    )
    alone = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    call([sys.executable, "-m", "pip", "install", *alone, "--target", str(target), str(project)], project)
    return target


def call(command, folder, *packages):
    """The standard output of a command that must succeed."""
    paths = [*map(str, packages), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_it_is_listed_and_a_suite_can_name_it(installed, tmp_path):
    ganbench = [sys.executable, "-m", "ganbench"]
    (row,) = json.loads(call([*ganbench, "list", "packed-gan", "--json"], tmp_path, installed))
    assert (row["kind"], row["origin"], row["broken"]) == ("loss", "package some-gans", None)
    assert Path(row["source"]) == installed / "some_gans" / "packed.py"
    (tmp_path / "suite.yaml").write_text(SUITE)
    out = call([*ganbench, "run", "suite.yaml", "--engine", "eager", "--device", "cpu", "--json"], tmp_path, installed)
    answer = json.loads(out.splitlines()[-1])
    assert [row["done"] for row in answer["table"] if row["variant"] == "theirs"] == [2]
    about = json.loads((tmp_path / answer["run"] / "run.json").read_text())
    (theirs,) = [one for one in about["plugins"] if one["name"] == "packed-gan"]
    assert theirs["sha256"] == row["sha256"]


def test_it_is_there_only_where_it_is_installed(shipped):
    assert "packed-gan" not in shipped.names("loss")
