from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.plugin import shipped


@pytest.mark.parametrize("name", ["plugins", "suites"])
def test_a_checkout_ships_the_folders_beside_the_package(name):
    assert shipped.folder(name) == Path(shipped.__file__).resolve().parents[2] / name
    assert shipped.folder(name).is_dir()


def test_an_installed_wheel_ships_the_folders_inside_the_package(tmp_path):
    package = tmp_path / "ganbench"
    (package / "shipped" / "plugins").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "plugin").mkdir()
    shutil.copy(shipped.__file__, package / "plugin" / "shipped.py")
    command = "from ganbench.plugin import shipped; print(shipped.folder('plugins'), shipped.folder('suites'))"
    answer = subprocess.run(
        [sys.executable, "-c", command],
        cwd=tmp_path,
        env={"PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.split() == [str(package / "shipped" / "plugins"), str(tmp_path / "suites")]


@pytest.mark.parametrize("module", ["plugin.shipped", "plugin.registry", "suite.suite", "suite.schema"])
def test_importing_what_reads_suites_does_not_import_torch_or_pandas(module):
    command = f"import ganbench.{module}, sys; print([m for m in ('torch', 'pandas', 'numpy') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_listing_the_shipped_plugins_waits_for_no_library_that_only_their_functions_call():
    """They take half as long as torch: `ganbench list`, and each mistake in a suite, would wait for them."""
    command = (
        "import sys; from ganbench.plugin.registry import Registry; assert 'ring' in Registry.load().names('dataset')\n"
        "print([m for m in ('sklearn', 'scipy.stats', 'pandas', 'torchvision', 'torch._dynamo') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
