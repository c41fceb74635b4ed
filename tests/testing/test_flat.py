"""A penalty whose gradient is NaN where D is flat is found before any seed diverges by it."""

from __future__ import annotations

import pytest

from ganbench.testing.conformance import check

PENALTY = """'''A gradient penalty (no citation).'''
from ganbench import Penalty, gradient_norm, hookimpl, input_gradient

def discriminator(D, real, *, weight: float = 1.0):
    return weight * ({} - 1).square().mean()

@hookimpl
def ganbench_penalties():
    yield Penalty("mine", discriminator)
"""


@pytest.mark.parametrize(
    ("norm", "status"),
    [
        ("input_gradient(D, real).square().sum(1).sqrt()", "fail"),
        ("input_gradient(D, real).square().sum(1).pow(0.5)", "fail"),
        ("(input_gradient(D, real).square().sum(1) + 1e-12).sqrt()", "pass"),
        ("gradient_norm(D, real)", "pass"),
    ],
)
def test_a_root_at_a_flat_d(norm, status, tmp_path, shipped, only):
    only("finite where D is flat")
    (tmp_path / "mine.py").write_text(PENALTY.format(norm))
    (result,) = check(tmp_path / "mine.py", shipped)
    assert result.status == status
    assert status == "pass" or "is not finite where D is flat: a root or a norm of 0?" in result.reason
