"""What ``pytest`` by itself leaves out, ``.ci/run`` runs by name."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPTIONS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]


def test_what_a_marker_leaves_out_of_the_readmes_line_is_a_step_of_its_own():
    markers = [line.partition(":")[0] for line in OPTIONS["markers"]]
    assert OPTIONS["addopts"].endswith(f"-m '{' and '.join(f'not {name}' for name in markers)}'")
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    (asked,) = (shlex.split(line)[2] for line in steps if line.startswith("pytest -m "))
    assert asked == " or ".join(markers)
