"""What a record needs to know: a score can be read and written where nothing is trained."""

from __future__ import annotations

import subprocess
import sys

NO_TRAINING = """
import importlib, pkgutil, sys
import ganbench.record
for module in pkgutil.iter_modules(ganbench.record.__path__):
    importlib.import_module(f"ganbench.record.{module.name}")
print([name for name in sys.modules if name == "ganbench.score.score" or name.startswith("ganbench.train")])
"""


def test_the_record_knows_neither_training_nor_scoring():
    """Arrows go one way: what trains and what scores write records, and no record knows of them."""
    ran = subprocess.run([sys.executable, "-c", NO_TRAINING], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
