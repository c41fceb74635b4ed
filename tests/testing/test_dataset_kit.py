"""A dataset that can never be built fails the kit; one whose files are missing does not."""

from __future__ import annotations

import pytest

from ganbench.testing import conformance as kit

FILE = """
import numpy as np
from ganbench import Dataset, hookimpl

def build():
    {body}

@hookimpl
def ganbench_datasets():
    yield Dataset("mine", build)
"""


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("raise ValueError('never')", "fail", "never"),
        ("return np.load('none.npy')", "n/a", "none.npy"),
    ],
)
def test_a_dataset_that_cannot_work_fails(body, status, reason, tmp_path, shipped):
    (tmp_path / "mine.py").write_text(FILE.format(body=body))
    beside, (entry,) = kit.find(str(tmp_path / "mine.py"), shipped, None)
    results = list(kit.results(entry, beside))
    assert {result.status for result in results} == {status}
    assert all(reason in result.reason for result in results)
