"""What the kit takes for the truth about f-divergences, against the f-GAN paper's section 3."""

from __future__ import annotations

import numpy as np
import pytest

from ganbench.testing.fdivergence import F, conjugate, fit, fitted, generator
from ganbench.testing.result import Subject, WrongError

#: The Gaussian nearest to the mixture: mean and standard deviation, computed for this project by other code.
NEAREST = {
    "kl": (1.0100, 1.8304),
    "reverse-kl": (1.5841, 1.6294),
    "jensen-shannon": (1.3125, 1.7525),
    "gan": (1.3125, 1.7525),
    "pearson": (0.5663, 1.9268),
    "squared-hellinger": (1.3175, 1.7316),
    "total-variation": (1.3398, 1.8782),
}


@pytest.mark.parametrize("name", NEAREST)
def test_the_nearest_gaussian_by_the_divergence_itself(name):
    assert fit(F[name]) == pytest.approx(NEAREST[name], abs=2e-3)


@pytest.mark.parametrize("name", F)
@pytest.mark.parametrize("saturating", [False, True])
def test_the_shipped_family(name, saturating, shipped):
    entry = shipped.get("loss", "fgan")
    subject = Subject(entry, shipped, {"divergence": name, "saturating": saturating})
    conjugate(subject)
    # Total variation's f* is what it is given: both forms are one.
    both_are_one = name == "total-variation"
    assert generator(subject) == ("saturating" if saturating or both_are_one else "non-saturating")
    if name in NEAREST and not saturating:
        mean, std = NEAREST[name]
        said = fitted(subject)
        found = [float(each) for each in said[said.index("(") + 1 : -1].split(",")]
        assert found == pytest.approx((mean, std), abs=6e-3)


def test_a_divergence_is_not_another(shipped):
    """Jensen-Shannon's functions under the name of Hellinger are told apart."""
    entry = shipped.get("loss", "fgan")
    other = dict(F)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(F, "jensen-shannon", other["squared-hellinger"])
        with pytest.raises(WrongError):
            conjugate(Subject(entry, shipped, {"divergence": "jensen-shannon"}))


def test_every_f_is_0_where_both_are_the_same_but_for_gan():
    """GAN's is Jensen-Shannon's less log 4."""
    for name, f in F.items():
        assert float(f(np.array(1.0))) == pytest.approx(-np.log(4) if name == "gan" else 0.0)
