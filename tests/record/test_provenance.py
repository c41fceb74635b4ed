"""``record.provenance``: what it says is about this code and this machine, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

from ganbench.record import provenance


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
        "import sys, ganbench.record.tables.tables, ganbench.record.provenance\n"
        "import ganbench.report.table, ganbench.report.live\n"
        "assert not {'torch', 'pluggy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
