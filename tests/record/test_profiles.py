"""ganbench.record.tables.profiles: known shares, and bands that cover where a bootstrap's cannot."""

from __future__ import annotations

import numpy as np
import pytest
from columns import column

from ganbench.record.events import from_json
from ganbench.record.record import Record
from ganbench.record.tables.profiles import profiles
from ganbench.record.tables.tables import as_rows
from ganbench.stats.intervals import share


def replay(numbers, name="jsd", better="lower"):
    """A run from {(dataset, variant): a number for each seed, None for missing}."""
    cells = [
        {"id": f"{d}-{v}", "dataset": d, "variant": v, "seeds": list(range(len(said))), "steps": 10}
        | {"reference": v == "oracle", "family": v, "precision": "float32"}
        for (d, v), said in numbers.items()
    ]
    events = []
    for (d, v), said in numbers.items():
        rows = [{"seed": s, "status": "done", name: number} for s, number in enumerate(said)]
        ends = [{"seed": s, "status": "done", "step": 10, "message": ""} for s in range(len(said))]
        events += [{"event": "evaluation", "cell": f"{d}-{v}", "step": 10, "rows": rows}]
        events += [{"event": "end", "cell": f"{d}-{v}", "seeds": ends}]
    return Record.replay({"run": "r", "columns": [column(name, better=better)], "cells": cells}, map(from_json, events))


def test_share_of_all_runs_on_all_datasets_at_or_below_tau():
    found = profiles(replay({("ring", "a"): [0.1, 0.2], ("ring", "oracle"): [0.0], ("grid", "a"): [0.3, None]}))
    rows = {(row["variant"], row["tau"]): row for row in as_rows(found)}
    assert [rows["a", tau]["share"] for tau in (0.09, 0.1, 0.25, 0.3, 0.7)] == [0, 0.25, 0.5, 0.75, 0.75]
    assert rows["a", 0.7]["runs"] == 4, "a missing number is a run that is never as good"
    assert (rows["a", 0.1]["low"], rows["a", 0.1]["high"]) == share(1, 4)[1:]
    assert (rows["oracle", 0.0]["share"], rows["oracle", 0.0]["reference"]) == (1, True)
    assert len(found) == 2 * 71


def test_without_a_jsd_the_first_column_with_a_better_side_over_its_range():
    found = profiles(replay({("ring", "a"): [1.0, 3.0], ("ring", "b"): [8.0, 2.0]}, "modes_covered", "higher"))
    assert (found["tau"].min(), found["tau"].max()) == (1, 8)
    assert list(found[found["variant"] == "a"]["share"])[:1] == [1.0], "at least as many modes"
    assert profiles(replay({("ring", "a"): [1.0]}, "other", "neither")).empty
    assert profiles(replay({("ring", "a"): [None]})).empty


@pytest.mark.parametrize("chances", [(0.02, 0.02), (0.1, 0.9), (0.5, 0.5), (0.97, 1.0)])
def test_bands_cover_at_least_95_percent_over_datasets_of_any_difficulty(chances):
    """Exactly: over all outcomes of 16 seeds on each of two datasets, weighted by their probability."""
    from scipy.stats import binom

    truth, covered = np.mean(chances), 0.0
    bands = {count: share(count, 32) for count in range(33)}
    for first in range(17):
        for second in range(17):
            weight = binom.pmf(first, 16, chances[0]) * binom.pmf(second, 16, chances[1])
            covered += weight * (bands[first + second].low <= truth <= bands[first + second].high)
    assert covered >= 0.95
