"""What code asks of torch's global generator comes from the seed's own streams, and is as torch would have it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.func import vmap
from torch.nn import functional

from ganbench.core.rng import stream
from ganbench.train.step.draws import DrawRecorder, fill
from ganbench.train.step.global_rng import GlobalRngOverride

ONES = torch.ones(50, 40)
IMAGES = torch.ones(50, 40, 3, 3)


class Recorder(DrawRecorder):
    """A tape that remembers what it handed out."""

    def __init__(self):
        super().__init__()
        self.given = []

    def take(self, purpose, kind, shape):
        self.given.append(super().take(purpose, kind, shape))
        return self.given[-1]


@pytest.fixture
def answered():
    """Run code that must draw from the tape and leave the global generator alone: its result, and what it was given."""

    def run(code):
        recorder, before = Recorder(), torch.get_rng_state()
        with GlobalRngOverride(recorder) as global_rng:
            result = code()
        assert torch.equal(torch.get_rng_state(), before)
        assert global_rng.used == bool(recorder.given)
        return result, recorder.given

    return run


DRAWS = {
    "rand": (lambda: torch.rand(5, 2), "uniform", (5, 2)),
    "rand of a tuple": (lambda: torch.rand((5, 2)), "uniform", (5, 2)),
    "rand of a size": (lambda: torch.rand(size=torch.Size([5, 2])), "uniform", (5, 2)),
    "rand of nothing": (lambda: torch.rand(()), "uniform", ()),
    "randn": (lambda: torch.randn(7), "normal", (7,)),
    "randn of a list": (lambda: torch.randn([7, 1]), "normal", (7, 1)),
    "rand_like": (lambda: torch.rand_like(ONES), "uniform", (50, 40)),
    "randn_like": (lambda: torch.randn_like(ONES), "normal", (50, 40)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_is_the_tapes(name, answered):
    code, kind, shape = DRAWS[name]
    result, (given,) = answered(code)
    assert torch.equal(result, given)
    assert torch.equal(given, fill(kind, shape, stream(0, f"probe.{kind}")))


def test_draws_have_the_type_that_was_asked_for(answered):
    assert answered(lambda: torch.rand(3, dtype=torch.float64))[0].dtype == torch.float64
    assert answered(lambda: torch.randn_like(ONES.to(torch.bfloat16)))[0].dtype == torch.bfloat16
    assert answered(lambda: torch.rand_like(ONES, dtype=torch.float64))[0].dtype == torch.float64


DROPS = {
    "dropout": (functional.dropout, ONES, (50, 40)),
    "nn.Dropout": (lambda x, p: nn.Dropout(p)(x), ONES, (50, 40)),
    "dropout1d": (functional.dropout1d, torch.ones(50, 40, 6), (50, 40, 1)),
    "nn.Dropout2d": (lambda x, p: nn.Dropout2d(p)(x), IMAGES, (50, 40, 1, 1)),
    "dropout3d": (functional.dropout3d, torch.ones(50, 40, 2, 2, 2), (50, 40, 1, 1, 1)),
}


@pytest.mark.parametrize("name", DROPS)
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_a_dropout_drops_its_share_whole_channels_at_once_and_scales_the_rest(name, p, answered):
    """2000 independent drops: within 4 standard errors of p, which chance leaves in 1 of 16,000 such tests."""
    drop, x, shape = DROPS[name]
    result, (given,) = answered(lambda: drop(x, p))
    assert given.shape == shape
    torch.testing.assert_close(result, ((given >= p) / (1 - p)).expand(x.shape))
    share = (result.flatten(2).amax(2) if x.dim() > 2 else result).eq(0).float().mean().item()
    assert share == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 2000))


@pytest.mark.parametrize("name", DROPS)
def test_a_dropout_of_nothing_draws_nothing_and_of_all_leaves_nothing(name, answered):
    drop, x, _ = DROPS[name]
    result, given = answered(lambda: drop(x, 0.0))
    assert torch.equal(result, x)
    assert not given
    assert not answered(lambda: drop(x, 1.0))[0].any()


def test_in_evaluation_nothing_is_dropped_or_drawn(answered):
    for layer in (nn.Dropout(0.5).eval(), nn.Dropout2d(0.5).eval()):
        result, given = answered(lambda layer=layer: layer(IMAGES))
        assert torch.equal(result, IMAGES)
        assert not given
    assert answered(lambda: functional.dropout(ONES, 0.5, training=False))[1] == []


def test_a_dropout_in_place_writes_where_it_was_told(answered):
    x = ONES.clone()
    result, (given,) = answered(lambda: functional.dropout(x, 0.5, True, True))
    assert result.data_ptr() == x.data_ptr()
    assert torch.equal(x, 2.0 * (given >= 0.5))


def test_who_hands_over_a_generator_gets_its_numbers(answered):
    own = torch.Generator().manual_seed(3)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(3))
    result, given = answered(lambda: torch.rand(4, generator=own))
    assert torch.equal(result, expected)
    assert not given


@pytest.mark.parametrize(
    "code",
    [
        lambda: torch.multinomial(torch.ones(3), 1),
        lambda: torch.empty(3).normal_(),
        lambda: torch.normal(0.0, 1.0, (3,)),
        lambda: torch.bernoulli(torch.full((3,), 0.5)),
        lambda: torch.randperm(4),
        lambda: torch.randint(4, (3,)),
        lambda: functional.alpha_dropout(ONES, 0.5, True),
        lambda: torch.rand(3, requires_grad=True),
        lambda: torch.rand(3, out=torch.empty(3)),
    ],
)
def test_what_is_not_answered_is_drawn_globally_as_ever(code):
    """So that the probe sees it, and the seeds are trained one by one."""
    with GlobalRngOverride(recorder := Recorder()) as global_rng, torch.random.fork_rng(devices=[]):
        before = torch.get_rng_state()
        code()
        assert not torch.equal(torch.get_rng_state(), before)
    assert not global_rng.used
    assert not recorder.given


def test_alone_or_in_a_batch_a_replica_gets_its_own_numbers():
    draws = torch.rand(3, 50, 40), torch.randn(3, 50, 40)

    def code(x, uniform, normal):
        with GlobalRngOverride(DrawRecorder((uniform, normal))):
            return functional.dropout(x, 0.3) + torch.randn_like(x)

    together = vmap(code, in_dims=(None, 0, 0))(ONES, *draws)
    for replica in range(3):
        assert torch.equal(together[replica], code(ONES, draws[0][replica], draws[1][replica]))
