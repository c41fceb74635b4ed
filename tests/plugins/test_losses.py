"""The shipped losses are what their papers say: known answers and known relations."""

from __future__ import annotations

import math

import pytest
import torch

from ganbench import gradient_penalty, input_gradient
from ganbench.calling import bind
from ganbench.train.noise import Tape

LOGITS = torch.tensor([-30.0, -1.0, 0.0, 0.5, 40.0], dtype=torch.float64)
OTHERS = LOGITS.flip(0) * 0.3 + 0.1


@pytest.fixture
def functions(shipped):
    def of(name, **parameters):
        loss = shipped.get("loss", name).value
        return bind(loss.discriminator, parameters), bind(loss.generator, parameters)

    return of


def linear(weight):
    """A linear discriminator, x -> weight . x, whose input gradient is ``weight`` everywhere."""
    return lambda x: x @ weight


def scope(weight, seed=0, n=64):
    generator = torch.Generator().manual_seed(seed)
    real, fake = (torch.randn(n, len(weight), generator=generator, dtype=torch.float64) for _ in range(2))
    D = linear(weight)
    return {"d_real": D(real), "d_fake": D(fake), "D": D, "real": real, "fake": fake, "random": Tape()}


@pytest.mark.parametrize("name", ["minimax", "nonsaturating"])
def test_the_discriminator_minimises_minus_V(name, functions):
    """-V(D, G) = -E log D(x) - E log(1 - D(G(z))), GAN paper equation 1."""
    p, q = LOGITS.sigmoid(), OTHERS.sigmoid()
    inside = slice(1, 4)  # where a probability is not rounded to 0 or 1
    value = functions(name)[0]({"d_real": LOGITS[inside], "d_fake": OTHERS[inside]})
    expected = -(p[inside].log().mean() + (1 - q[inside]).log().mean())
    torch.testing.assert_close(value, expected)


def test_at_the_optimum_V_is_minus_log_4(functions):
    """D = 1/2 everywhere (GAN paper, theorem 1)."""
    zeros = torch.zeros(5)
    for name in ("minimax", "nonsaturating"):
        assert -functions(name)[0]({"d_real": zeros, "d_fake": zeros}).item() == pytest.approx(-math.log(4))


def test_the_optimal_discriminator_gives_minus_log_4_plus_2_jsd(functions):
    """Two densities on a line, discretised: D* = p/(p+q) (proposition 1) gives V = -log 4 + 2 JSD(p, q)."""
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    p, q = (torch.exp(-((x - mean) ** 2) / 2) for mean in (-0.5, 0.7))
    p, q = p / p.sum(), q / q.sum()
    logit = p.log() - q.log()
    # The plugin takes means over a batch; weight its terms by giving it one point at a time.
    discriminator = functions("minimax")[0]
    real = torch.stack([discriminator({"d_real": one[None], "d_fake": torch.tensor([-1e9])}) for one in logit])
    fake = torch.stack([discriminator({"d_real": torch.tensor([1e9]), "d_fake": one[None]}) for one in logit])
    value = -(p @ real + q @ fake)
    middle = (p + q) / 2
    jsd = 0.5 * (p @ (p / middle).log() + q @ (q / middle).log())
    assert value.item() == pytest.approx(-math.log(4) + 2 * jsd.item(), abs=1e-12)


def test_generator_gradients_of_minimax_and_nonsaturating(functions):
    """With respect to a logit: -sigmoid(d) saturates where D is sure of a fake (d << 0); sigmoid(d) - 1 does not."""
    for name, expected in (("minimax", -LOGITS.sigmoid()), ("nonsaturating", LOGITS.sigmoid() - 1)):
        generator = functions(name)[1]
        gradient = torch.func.grad(lambda d, g=generator: g({"d_fake": d}) * len(d))(LOGITS)
        torch.testing.assert_close(gradient, expected)


def test_losses_are_finite_for_any_logit(functions):
    extreme = torch.tensor([-1e30, 1e30])
    for name in ("minimax", "nonsaturating"):
        for function in functions(name):
            assert function({"d_real": extreme, "d_fake": extreme}).isfinite()


def test_r1_on_a_linear_discriminator(functions):
    """gamma/2 |w|^2, whatever the data."""
    w = torch.tensor([3.0, 4.0], dtype=torch.float64)
    bare, penalised = (functions("nonsaturating-r1", gamma=gamma)[0](scope(w)) for gamma in (0.0, 0.2))
    assert (penalised - bare).item() == pytest.approx(0.2 / 2 * 25)


def test_r1_and_r2_on_a_linear_discriminator(functions):
    w = torch.tensor([3.0, 4.0], dtype=torch.float64)
    bare = functions("rpgan", r1=0.0, r2=0.0)[0](scope(w))
    assert (functions("rpgan", r1=0.2, r2=0.0)[0](scope(w)) - bare).item() == pytest.approx(0.1 * 25)
    assert (functions("rpgan", r1=0.2, r2=0.6)[0](scope(w)) - bare).item() == pytest.approx(0.4 * 25)


def test_gradient_penalty_on_a_linear_discriminator():
    """(|w| - 1)^2, whatever the data: the norm is taken a sample, not a coordinate."""
    w = torch.tensor([3.0, 4.0], dtype=torch.float64)
    given = scope(w)
    penalty = gradient_penalty(given["D"], given["real"], given["fake"], given["random"])
    assert penalty.item() == pytest.approx(16.0)
    assert gradient_penalty(given["D"], given["real"], given["fake"], Tape(), target=0.0).item() == pytest.approx(25.0)


def test_interpolates_lie_between_their_pair_with_one_weight_a_sample():
    """An interpolate of images must not mix its pair pixel by pixel."""
    seen = []

    def D(x):
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    real, fake = torch.ones(32, 3, 4), torch.zeros(32, 3, 4)
    gradient_penalty(D, real, fake, Tape())
    weights = seen[0].flatten(1)
    assert ((weights >= 0) & (weights <= 1)).all()
    assert (weights == weights[:, :1]).all()
    assert weights[:, 0].unique().numel() == 32


def test_input_gradient_is_a_samples_own():
    x = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    torch.testing.assert_close(input_gradient(lambda x: (x**3).sum(1), x), 3 * x**2)


def test_relativistic_losses_do_not_see_a_constant(functions):
    """Adding a constant to every logit changes neither loss."""
    shifted = {"d_real": LOGITS + 5, "d_fake": OTHERS + 5}
    for function in functions("rpgan", r1=0.0, r2=0.0):
        plain = function({"d_real": LOGITS, "d_fake": OTHERS, "D": None, "real": None, "fake": None})
        torch.testing.assert_close(function({**shifted, "D": None, "real": None, "fake": None}), plain)


def test_wgan_gp_is_the_difference_of_means_plus_its_penalty(functions):
    w = torch.tensor([0.6, 0.8], dtype=torch.float64)
    given = scope(w)
    value = functions("wgan-gp", penalty=10.0)[0](given)
    torch.testing.assert_close(value, given["d_fake"].mean() - given["d_real"].mean())
    torch.testing.assert_close(functions("wgan-gp")[1](given), -given["d_fake"].mean())


def test_wgan_gp_weighs_its_penalty(functions):
    """penalty * (|w| - 1)^2 on a linear discriminator: 16 times the penalty for |w| = 5."""
    given = scope(torch.tensor([3.0, 4.0], dtype=torch.float64))
    bare = given["d_fake"].mean() - given["d_real"].mean()
    for penalty in (0.0, 0.1, 10.0):
        value = functions("wgan-gp", penalty=penalty)[0](given)
        assert (value - bare).item() == pytest.approx(16 * penalty)
    assert (functions("wgan-gp")[0](given) - bare).item() == pytest.approx(160)


def test_relativistic_losses_have_known_values(functions):
    """D minimises softplus(fake - real) and G softplus(real - fake), pair by pair: log(1 + e^-2) and log(1 + e^2)."""
    discriminator, generator = functions("rpgan", r1=0.0, r2=0.0)
    real, fake = torch.tensor([3.0, -1.0, 5.0]), torch.tensor([1.0, -3.0, 3.0])
    given = {"d_real": real, "d_fake": fake, "D": None, "real": None, "fake": None}
    assert discriminator(given).item() == pytest.approx(math.log1p(math.exp(-2)))
    assert generator(given).item() == pytest.approx(math.log1p(math.exp(2)))


def test_zero_centred_penalties_are_taken_where_they_say(functions):
    """D(x) = |x|^2 / 2 has the gradient x: R1 is E |real|^2 and R2 is E |fake|^2, here 25 and 4."""

    def D(x):
        return x.square().sum(1) / 2

    real, fake = torch.tensor([[3.0, 4.0], [0.0, 5.0]]), torch.tensor([[2.0, 0.0], [0.0, -2.0]])
    given = {"d_real": D(real), "d_fake": D(fake), "D": D, "real": real, "fake": fake}
    bare = functions("rpgan", r1=0.0, r2=0.0)[0](given).item()
    assert functions("rpgan", r1=0.2, r2=0.0)[0](given).item() - bare == pytest.approx(0.1 * 25, rel=1e-5)
    assert functions("rpgan", r1=0.0, r2=0.6)[0](given).item() - bare == pytest.approx(0.3 * 4, rel=1e-5)
    bare = functions("nonsaturating-r1", gamma=0.0)[0](given).item()
    assert functions("nonsaturating-r1", gamma=0.2)[0](given).item() - bare == pytest.approx(0.1 * 25, rel=1e-5)
