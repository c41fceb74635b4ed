"""What a metric gives is a plain number or words that every file can hold, or refused by its column's name."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import numpy as np
import pytest
import torch

from ganbench.plugin.column import Column
from ganbench.run.metric_value import plain

NUMBER, WORDS, SHARE = (Column("x", "a value", summary=summary) for summary in ("median", "words", "share"))


class Level(IntEnum):
    HIGH = 3


class Rude:
    def __repr__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2**63, 2.0**63),
        (-(2**63) - 1, -(2.0**63)),
        (2**63 - 1, 2**63 - 1),
        (np.uint64(2**64 - 1), 2.0**64),
        (10**300, 1e300),
        (np.int8(-3), -3),
        (np.float16(0.5), 0.5),
        (np.bool_(True), True),
        (Level.HIGH, 3),
        (Fraction(1, 4), 0.25),
        (Decimal("0.5"), 0.5),
        (Decimal("NaN"), None),
        (np.longdouble(2), 2.0),
        (np.array([7]), 7),
        (torch.tensor([[1.5]], requires_grad=True), 1.5),
        (torch.tensor(math.nan), None),
        (5e-324, 5e-324),
        (math.inf, math.inf),
        (None, None),
    ],
    ids=repr,
)
def test_a_number_of_any_kind_is_a_plain_one(value, number):
    found = plain(value, NUMBER)
    assert (found, type(found)) == (number, type(number))
    json.dumps(found)


def test_minus_zero_stays():
    assert math.copysign(1, plain(-0.0, NUMBER)) == -1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (10**400, "x must be a number that a float can hold, not a whole number of 1329 bits"),
        (-(10**5000), "x must be a number that a float can hold, not a whole number of 16610 bits"),
        (Fraction(10**400), "x must be a number that a float can hold, not .*"),
        (Decimal("sNaN"), "x must be a number that a float can hold, not .*"),
        (1 + 2j, r"x must be a number, not \(1\+2j\)"),
        (np.complex64(1), "x must be a number, not .*"),
        (torch.ones(3), r"x must be one number, not a Tensor of shape \(3,\): take its .mean\(\), or .*"),
        (np.ones((2, 2)), r"x must be one number, not a ndarray of shape \(2, 2\): take its .mean\(\), or .*"),
        (torch.ones((), device="meta"), r"x must be one number, not a Tensor of shape \(\) on the device meta"),
        ([[1, 2], [3]], r"x must be a number, not \[\[1, 2\], \[3\]\]"),
        (list(range(10**5)), r"x must be a number, not \[0, 1, .*\.\.\."),
        (Rude(), "x must be a number, not a Rude"),
        (np.datetime64("2020-01-01"), "x must be a number, not .*"),
        ("a\nb", r"x must be a number, not 'a\\nb': float\(\) makes one of it, .*"),
    ],
    ids=range(14),
)
def test_what_is_no_number_is_refused_in_one_short_line(value, told):
    with pytest.raises(ValueError, match=f"^{told}$") as refused:
        plain(value, NUMBER)
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


def test_words_are_text_that_a_file_can_hold():
    assert plain("caf\udce9 \U0001f600", WORDS) == "caf\\udce9 \U0001f600"
    assert plain(np.str_("low"), WORDS) == "low"
    with pytest.raises(ValueError, match=r"^x must be words of at most 10000 characters, not 10001$"):
        plain("a" * 10_001, WORDS)
    with pytest.raises(ValueError, match=r"^x must be words, not b'low'$"):
        plain(b"low", WORDS)


def test_a_share_is_true_or_false():
    assert plain(torch.tensor(True), SHARE) is True
    with pytest.raises(ValueError, match=r"^x is a share of seeds, and must be true or false, not 1.7$"):
        plain(1.7, SHARE)
