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
        assert global_rng.used >= bool(recorder.given)
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


#: What torch's other functions give, as a function of the numbers that they are given, and the shape of these.
MADE = {
    "randint": (lambda: torch.randint(2, 6, (50, 40)), "uniform", lambda u: 2 + (u * 4).floor().long()),
    "randint without low": (lambda: torch.randint(4, size=(9,)), "uniform", lambda u: (u * 4).floor().long()),
    "randint_like": (lambda: torch.randint_like(ONES, 4), "uniform", lambda u: (u * 4).floor()),
    "randperm": (lambda: torch.randperm(9), "uniform", lambda u: u.argsort()),
    "normal": (lambda: torch.normal(2.0, 3.0, (7,)), "normal", lambda n: n * 3 + 2),
    "normal around a tensor": (lambda: torch.normal(ONES, 3.0), "normal", lambda n: n * 3 + 1),
    "normal of two": (lambda: torch.normal(torch.zeros(5, 1), torch.ones(3)), "normal", lambda n: n),
    "bernoulli": (lambda: torch.bernoulli(ONES / 4), "uniform", lambda u: (u < 0.25).float()),
    "x.normal_": (lambda: torch.empty(8).normal_(2, 3), "normal", lambda n: n * 3 + 2),
    "x.uniform_": (lambda: torch.FloatTensor(8).uniform_(0.7, 1.2), "uniform", lambda u: u * 0.5 + 0.7),
    "x.uniform_ of nothing": (lambda: torch.empty(8).uniform_(), "uniform", lambda u: u),
    "x.bernoulli_": (lambda: torch.empty(8).bernoulli_(0.3), "uniform", lambda u: (u < 0.3).float()),
    "x.exponential_": (lambda: torch.empty(8).exponential_(2), "uniform", lambda u: -torch.log1p(-u) / 2),
    "a distribution": (lambda: torch.distributions.Normal(1.0, 2.0).sample((6,)), "normal", lambda n: n * 2 + 1),
    "one with gradients": (lambda: torch.distributions.Normal(ONES, ONES).rsample(), "normal", lambda n: n + 1),
    "rrelu": (lambda: nn.RReLU()(-ONES), "uniform", lambda u: -(1 / 8 + (1 / 3 - 1 / 8) * u)),
}


@pytest.mark.parametrize("name", MADE)
def test_other_draws_are_made_of_the_tapes_numbers(name, answered):
    code, _, made = MADE[name]
    result, (given,) = answered(code)
    torch.testing.assert_close(result, made(given))


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_each_class_with_its_share(replacement, answered):
    """Within 4 standard errors; without replacement the first of them has these shares, and none comes twice."""
    shares = torch.tensor([0.1, 0.2, 0.0, 0.7])
    result, _ = answered(lambda: torch.multinomial(shares.expand(4000, 4), 2, replacement))
    found = result[:, 0].bincount(minlength=4) / 4000
    assert ((found - shares).abs() <= 4 * (shares * (1 - shares) / 4000).sqrt()).all()
    assert replacement or (result[:, 0] != result[:, 1]).all()


@pytest.mark.parametrize("layer", [nn.AlphaDropout(0.3), nn.FeatureAlphaDropout(0.3)])
def test_alpha_dropout_keeps_mean_and_spread(layer, answered):
    """Of 200,000 normal numbers, within 5 standard errors and more."""
    x = torch.randn(1000, 200, generator=stream(0, "test"))
    result, (given,) = answered(lambda: layer(x))
    assert given.shape == x.shape
    assert result.mean().item() == pytest.approx(0, abs=0.02)
    assert result.std().item() == pytest.approx(1, abs=0.02)
    assert result.unique(return_counts=True)[1].max().item() / 200_000 == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("masked", ["", "causal", "boolean", "added", "grouped"])
def test_attention_is_torchs_attention(masked, answered):
    heads = 2 if masked == "grouped" else 4
    q, k, v = (torch.randn(3, n, 5, 8, generator=stream(0, "test")) for n in (4, heads, heads))
    allowed = torch.ones(5, 5, dtype=torch.bool).tril(1)
    options = {
        "": {},
        "causal": {"is_causal": True},
        "boolean": {"attn_mask": allowed},
        "added": {"attn_mask": allowed.float()},
        "grouped": {"enable_gqa": True, "scale": 0.5},
    }[masked]
    result, given = answered(lambda: functional.scaled_dot_product_attention(q, k, v, **options))
    assert given == []
    torch.testing.assert_close(result, functional.scaled_dot_product_attention(q, k, v, **options))


@pytest.mark.parametrize("weights", [True, False])
def test_dropout_inside_multihead_attention_is_the_tapes(weights, answered):
    """Torch calls it where a mode is not asked."""
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True), torch.ones(3, 5, 8)
    _, (given,) = answered(lambda: layer(x, x, x, need_weights=weights))
    assert given.numel() == 3 * 2 * 5 * 5


def test_gumbel_softmax_draws_from_the_tape(answered):
    result, (given,) = answered(lambda: functional.gumbel_softmax(torch.zeros(6, 4), hard=True))
    assert torch.equal(result.argmax(1), (-(-torch.log1p(-given)).log()).argmax(1))


@pytest.mark.parametrize(
    "code",
    [
        lambda: torch.poisson(torch.ones(3)),
        lambda: torch.empty(3).cauchy_(),
        lambda: torch.rand(3, requires_grad=True),
        lambda: torch.rand(3, out=torch.empty(3)),
    ],
)
def test_what_is_not_answered_is_drawn_globally_as_ever(code):
    """So that the probe sees it, and the seeds are trained one by one."""
    told = []
    with torch.random.fork_rng(devices=[]):
        before = torch.get_rng_state()
        state = lambda: torch.get_rng_state().numpy().tobytes()  # noqa: E731
        with GlobalRngOverride(recorder := Recorder(), state, told.append) as global_rng:
            torch.zeros(3) + 1
            code()
            code()
        assert not torch.equal(torch.get_rng_state(), before)
    assert len(told) == 1
    assert told[0].startswith("torch.")
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
