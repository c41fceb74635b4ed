"""An installed wheel, in an empty folder: it brings its plugins and suites, and does what the README says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE = 600

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The ``bin`` of a fresh environment with the wheel in it, built here; its dependencies are this environment's."""
    wheels, home = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("environment")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    alone = ["--no-deps", "--no-index"]
    call([*pip, "wheel", "--no-build-isolation", *alone, "-w", str(wheels), str(ROOT)], wheels)
    venv.create(home, with_pip=False, symlinks=True)
    binaries = home / "bin"
    (wheel,) = wheels.glob("ganbench-*.whl")
    call([*pip, "--python", str(binaries / "python"), "install", *alone, str(wheel)], wheels)
    (packages,) = home.glob("lib/python*/site-packages")
    # Folders named in a .pth file come after the environment's own packages, and the .pth files in them are not read.
    borrowed = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return binaries


def call(command, folder):
    """The standard output of a command that must succeed, on one thread, and see no package but the installed."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COLUMNS")}
    environment |= {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_wheel_is_what_is_imported_and_carries_plugins_and_suites(installed, tmp_path):
    code = "import ganbench; from ganbench.plugin import shipped; print(ganbench.__file__)"
    code += "; print(shipped.folder('plugins')); print(shipped.folder('suites'))"
    for line in call([str(installed / "python"), "-c", code], tmp_path).splitlines():
        assert Path(line).is_relative_to(installed.parent)
        assert Path(line).exists()


def test_it_lists_and_runs_the_smoke_suite_from_an_empty_folder(installed, tmp_path):
    rows = json.loads(call([str(installed / "ganbench"), "list", "--json"], tmp_path))
    sources = {path.name for path in (ROOT / "plugins").rglob("*.py")}
    assert {Path(row["source"]).name for row in rows if row["origin"] == "shipped"} == sources
    assert not [row for row in rows if row["broken"]]
    out = call([str(installed / "ganbench"), "run", "smoke", "--seeds", "2", "--json"], tmp_path)
    table = json.loads(out.splitlines()[-1])["table"]
    assert [row["done"] for row in table] == [2] * len(table)
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_shipped_suite_with_plugins_of_its_own_is_found_by_its_name(installed, tmp_path):
    """They import a file that is beside them."""
    out = call([str(installed / "ganbench"), "plan", "checks/sizes-1000", "--seeds", "2"], tmp_path)
    assert "\n16 cells" in out


def test_a_variant_as_one_file_does_what_the_readme_says(installed, tmp_path):
    """Its suite with the line that it adds, and the loss, copied into an empty folder; its command, with two seeds.

    And a tenth of the steps, so that not half a minute of training follows after all has been found.
    """
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "my_gan.py").write_text(block("plugins/my_gan.py"))
    suite = block("suite.yaml") + block("one more line of suite.yaml")
    assert "{steps: 2000, " in suite
    (tmp_path / "suite.yaml").write_text(suite.replace("{steps: 2000, ", "{steps: 200, "))
    assert "\n    ganbench run suite.yaml\n" in (ROOT / "README.md").read_text()
    out = call([str(installed / "ganbench"), "run", "suite.yaml", "--seeds", "2", "--json"], tmp_path)
    answer = json.loads(out.splitlines()[-1])
    about = json.loads((tmp_path / answer["run"] / "run.json").read_text())
    mine = [one["name"] for one in about["plugins"] if one["source"].endswith("plugins/my_gan.py")]
    assert mine
    assert len(answer["table"]) > 2
    for row in answer["table"]:
        assert row["done"] == row["seeds"], row
        assert row["jsd"] is not None


def block(name):
    """The block of the README that follows the mark of a file."""
    mark = f"<!-- a-variant: {name} -->"
    found = re.search(rf"^{re.escape(mark)}\n+```\w*\n(.*?)^```$", (ROOT / "README.md").read_text(), re.S | re.M)
    assert found, f"README.md has no block after {mark}"
    return found[1]
