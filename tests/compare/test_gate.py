"""The gate of the history: what ten earlier runs predict is a judge beside the base."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from recorded import recorded

from ganbench.compare.history.gate import gate
from ganbench.compare.sides.load import load
from ganbench.compare.verdicts.finding import Outcome
from ganbench.compare.verdicts.judge import compare

RESULTS = Path("results")


@pytest.fixture(autouse=True)
def _somewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def runs(count: int, jsds=None):
    """So many runs whose JSDs scatter by 0.002 around 0.1, and one more with these; three seeds, too few for a test."""
    random = np.random.default_rng(0)
    made = []
    for at in range(count + 1):
        own = random.normal(0.1, 0.002, 3) if at < count or jsds is None else jsds
        rows = {("one", seed): {"jsd": float(own[seed])} for seed in range(3)}
        created = f"2026-01-{at + 1:02}T00:00:00+00:00"
        made.append(
            load(
                str(
                    recorded(
                        RESULTS,
                        rows | {("null", seed): {"jsd": float(own[seed])} for seed in range(3)},
                        created=created,
                    ).path
                )
            )
        )
    return made


def test_with_fewer_than_ten_runs_the_base_alone_judges():
    *earlier, new = runs(9, [0.15, 0.151, 0.152])
    assert gate(earlier[0], new, RESULTS) == compare(earlier[0], new)
    assert gate(earlier[0], new, RESULTS).exit_code() == 0


def test_with_ten_what_they_did_not_predict_is_worse():
    *earlier, new = runs(12, [0.15, 0.151, 0.152])
    found = {(f.case, f.measure): f for f in gate(earlier[0], new, RESULTS).findings}
    finding = found["ring8/one", "jsd"]
    assert (finding.outcome, finding.reason[:33]) == (Outcome.WORSE, "outside what 12 earlier runs pred")
    assert gate(earlier[0], new, RESULTS).exit_code() == 1
    assert compare(earlier[0], new).exit_code() == 0


def test_with_ten_what_they_predicted_is_the_same():
    *earlier, new = runs(12)
    assert {f.outcome for f in gate(earlier[0], new, RESULTS).findings} == {Outcome.SAME}


def test_a_run_that_is_identical_to_the_base_stays_the_same():
    """However the history went meanwhile."""
    *_, new = runs(12, [0.15, 0.151, 0.152])
    assert gate(new, new, RESULTS).exit_code() == 0
