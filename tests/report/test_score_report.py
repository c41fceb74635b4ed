"""A score on the screen: what is measured beside what the data itself reads, whatever the screen can hold."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from columns import SHIPPED
from rich.console import Console

from ganbench.plugin.column import Column
from ganbench.plugin.entry import Entry
from ganbench.record.samples import Samples
from ganbench.report.score import show_score
from ganbench.score.save import Score
from ganbench.score.target import Target
from ganbench.suite.choice import Choice

COLUMNS = (
    SHIPPED["jsd"],
    SHIPPED["jsd_low"],
    SHIPPED["jsd_high"],
    SHIPPED["modes_covered"],
    SHIPPED["modes_total"],
    Column("all_modes", "whether", better="higher", summary="share"),
    SHIPPED["mmd"],
    SHIPPED["mmd_se"],
    Column("parzen_width", "a detail", summary="none"),
    Column("copied", "not for such data", "share", "lower"),
    Column("method", "words", summary="words"),
    Column("remark", "words", summary="words"),
)
VALUES = {
    "jsd": 0.2158,
    "jsd_low": 0.2101,
    "jsd_high": 0.2214,
    "modes_covered": 4,
    "modes_total": 8,
    "all_modes": False,
    "mmd": 0.051,
    "mmd_se": 0.004,
    "parzen_width": 0.1,
    "copied": None,
    "method": "density",
    "remark": None,
}
PERFECT = VALUES | {"jsd": 0.001, "modes_covered": 8, "all_modes": True, "mmd": 0.0}


def told(score=None, width=80, encoding="utf-8", terminal=True):
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None, highlight=False)
    show_score(score or SCORE, Path("results/scores/ring-x-0123abcd.csv"), console)
    file.flush()
    return file.buffer.getvalue().decode(encoding)


def lines(text):
    """Its lines, whatever is between their words."""
    return [" ".join(line.split()) for line in text.splitlines()]


def chosen(kind, name, parameters):
    return Choice(name, parameters, Entry(kind, name, None, "", "", "", "", ()))


SCORE = Score(
    samples=Samples(Path("x.npy"), "0", np.zeros((2000, 2), dtype=np.float32)),
    target=Target("ring8", chosen("dataset", "ring", {"modes": 8, "std": 0.02}), (chosen("metric", "jsd", {}),)),
    seed=3,
    device="cpu",
    columns=COLUMNS,
    values=VALUES,
    floor={seed: PERFECT | {"jsd": 0.001 * seed} for seed in range(5)},
    notes=("float64, scored as float32",),
)


def test_each_measure_is_a_line_with_its_interval_its_side_and_what_the_data_reads():
    found = lines(told())
    assert found[0] == "ring8 (modes 8, std 0.02): 2000 samples, held-out data of seed 3"
    assert "JSD ↓ 0.216 [0.210, 0.221] 0.002 [0.000, 0.004] nats" in found
    assert "modes ↑ 4/8 8/8" in found
    assert "all modes ↑ no 5/5 yes" in found
    assert "mmd ↓ 0.0510 ± 0.0040 0.0000" in found


def test_what_has_no_line_is_said_below():
    text = told()
    assert "method: density" in text
    assert "float64, scored as float32" in text
    assert "Not for such data or so few samples: copied" in text
    assert "Only in the file: parzen_width" in text
    assert "median [lowest, highest] of 5 seeds" in text
    assert "remark" not in text
    assert text.splitlines()[-1] == "results/scores/ring-x-0123abcd.csv"


def test_no_interval_is_shown_as_none():
    text = told(replace(SCORE, values=VALUES | {"jsd_low": None, "jsd_high": None}))
    assert "0.216 [–]" in text
    text = told(replace(SCORE, values=dict.fromkeys(VALUES)))
    assert "JSD ↓ – 0.00200 [0.00000, 0.00400] nats" in lines(text)


LIMIT = (
    *COLUMNS,
    SHIPPED["jsd_floor"],
    SHIPPED["jsd_method"],
)
BOUND = {"jsd": 0.102, "jsd_low": 0.09, "jsd_high": None, "jsd_floor": 0.0131, "jsd_method": "lower bound"}


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_one_sided_limit_is_shown_as_one_and_a_lower_bound_with_its_floor_below(width):
    floor = {seed: PERFECT | {"jsd_floor": 0.0131, "jsd_method": "lower bound"} for seed in range(5)}
    text = told(replace(SCORE, columns=LIMIT, values=VALUES | BOUND, floor=floor), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "0.1020 [0.0900, –]" in text or "0.102 [0.090, –]" in text
    found = " ".join(text.split())
    assert "lower bound" in found.partition("its floor")[0]
    assert "its floor 0.0131 0.0131 nats" in found
    assert "jsd_floor" not in text
    values = VALUES | BOUND | {"jsd_floor": None, "jsd_method": "density"}
    other = told(replace(SCORE, columns=LIMIT, values=values, floor=floor), width=width)
    assert "its floor" not in other
    assert "lower bound" not in other


def test_what_failed_is_said():
    assert "metric m: RuntimeError: its words" in told(replace(SCORE, failures=("metric m: RuntimeError: its words",)))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_it_fits_the_screen_with_every_number_whole(width):
    text = told(width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "0.216 [0.210, 0.221]" in text
    assert "0.002 [0.000, 0.004]" in text


def test_an_ascii_screen_gets_words_for_arrows():
    text = told(encoding="ascii")
    assert "JSD low 0.216 [0.210, 0.221] 0.002 [0.000, 0.004] nats" in lines(text)
    assert "0.0510 +- 0.0040" in text


def test_what_is_piped_is_not_folded():
    long = replace(SCORE, notes=("a note " * 40,))
    assert "a note " * 39 in told(long, terminal=False)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_that_the_screen_cannot_hold_do_not_break_it(encoding):
    target = replace(SCORE.target, label="größe-∞")
    assert "JSD" in told(replace(SCORE, target=target), encoding=encoding)
