"""The shipped losses are what their papers say: known answers and known relations."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.optimize import minimize_scalar

from ganbench import gradient_norm, gradient_penalty, input_gradient
from ganbench.plugin.binding import bind
from ganbench.train.step.draws import DrawRecorder

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
    return {"d_real": D(real), "d_fake": D(fake), "D": D, "real": real, "fake": fake, "random": DrawRecorder()}


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
    assert gradient_penalty(
        given["D"], given["real"], given["fake"], DrawRecorder(), target=0.0
    ).item() == pytest.approx(25.0)


def test_interpolates_lie_between_their_pair_with_one_weight_a_sample():
    """An interpolate of images must not mix its pair pixel by pixel."""
    seen = []

    def D(x):
        seen.append(x.detach())
        return x.flatten(1).sum(1)

    real, fake = torch.ones(32, 3, 4), torch.zeros(32, 3, 4)
    gradient_penalty(D, real, fake, DrawRecorder())
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


def value(function, **given):
    """A loss at single logits, as numbers."""
    return function({name: torch.tensor([float(logit)], dtype=torch.float64) for name, logit in given.items()}).item()


def test_least_squares_is_half_the_squared_distance_from_its_labels(functions):
    discriminator, generator = functions("least-squares", a=-1.0, b=1.0, c=0.5)
    assert value(discriminator, d_real=3, d_fake=1) == pytest.approx((3 - 1) ** 2 / 2 + (1 + 1) ** 2 / 2)
    assert value(generator, d_fake=2) == pytest.approx(1.5**2 / 2)


def test_least_squares_with_labels_b_minus_c_1_and_b_minus_a_2_is_pearsons_chi2(functions):
    """At the best D, E_p (D - c)^2 + E_q (D - c)^2 is the Pearson chi2 of p + q from 2 q (LSGAN paper, theorem 1)."""
    discriminator, generator = functions("least-squares", a=-1.0, b=1.0, c=0.0)
    p, q = 0.3, 0.7  # one bin of two densities: D plays against both
    best = minimize_scalar(
        lambda d: p * value(discriminator, d_real=d, d_fake=-1) + q * value(discriminator, d_real=1, d_fake=d)
    )
    assert best.x == pytest.approx((p - q) / (p + q), abs=1e-6)
    assert 2 * (p + q) * value(generator, d_fake=best.x) == pytest.approx((2 * q - (p + q)) ** 2 / (p + q), abs=1e-6)


def test_hinge_stops_at_its_margins(functions):
    discriminator, generator = functions("hinge")
    assert value(discriminator, d_real=1.5, d_fake=-2) == 0
    assert value(discriminator, d_real=0.5, d_fake=-0.25) == pytest.approx(0.5 + 0.75)
    assert value(generator, d_fake=3) == -3


def test_wgan_clips_every_weight(shipped):
    project = shipped.get("loss", "wgan").value.project
    theta = torch.tensor([-1.0, -0.01, 0.003, 0.5])
    assert project(theta).tolist() == torch.tensor([-0.01, -0.01, 0.003, 0.01]).tolist()
    assert project(theta, clip=0.2).tolist() == torch.tensor([-0.2, -0.01, 0.003, 0.2]).tolist()
    assert project(theta, clip=torch.tensor(0.2, dtype=torch.float64)).dtype == torch.float32  # as a sweep gives it


def test_wgan_lp_forgives_slopes_below_1(functions):
    """penalty * max(0, |w| - 1)^2 on a linear discriminator."""
    for w, excess in (([0.3, 0.4], 0.0), ([3.0, 4.0], 16.0)):
        given = scope(torch.tensor(w, dtype=torch.float64))
        bare = given["d_fake"].mean() - given["d_real"].mean()
        assert (functions("wgan-lp", penalty=0.5)[0](given) - bare).item() == pytest.approx(0.5 * excess)


def test_dragan_is_the_gan_loss_and_its_penalty(functions):
    """penalty * (|w| - k)^2 on a linear discriminator."""
    given = scope(torch.tensor([3.0, 4.0], dtype=torch.float64))
    bare = functions("nonsaturating")[0](given)
    assert (functions("dragan", penalty=0.5, k=2.0)[0](given) - bare).item() == pytest.approx(0.5 * 9)
    torch.testing.assert_close(functions("dragan")[1](given), functions("nonsaturating")[1](given))


def test_relativistic_averages_have_known_values(functions):
    """Reals 3 and 1 against fakes -1 and 1: relative logits 3, 1 and, of the fakes, -3, -1."""
    given = {"d_real": torch.tensor([3.0, 1.0]), "d_fake": torch.tensor([-1.0, 1.0])}
    charges = {
        "standard": (lambda x: math.log1p(math.exp(-x))),
        "least-squares": (lambda x: (x - 1) ** 2),
        "hinge": (lambda x: max(0.0, 1 - x)),
    }
    for form, charge in charges.items():
        discriminator, generator = functions("ragan", form=form)
        assert discriminator(given).item() == pytest.approx(charge(3) + charge(1), rel=1e-5)
        assert generator(given).item() == pytest.approx(charge(-3) + charge(-1), rel=1e-5)
        shifted = {name: logits + 5 for name, logits in given.items()}
        torch.testing.assert_close(discriminator(shifted), discriminator(given))


#: f(u) of each divergence (Nowozin et al. 2016), and the logit that is optimal where p/q = u: g(v) = f'(u).
DIVERGENCES = {
    "total-variation": (lambda u: abs(u - 1) / 2, None),
    "kl": (lambda u: u * math.log(u), lambda u: 1 + math.log(u)),
    "reverse-kl": (lambda u: -math.log(u), lambda u: math.log(u)),
    "pearson": (lambda u: (u - 1) ** 2, lambda u: 2 * (u - 1)),
    "neyman": (lambda u: (1 - u) ** 2 / u, lambda u: 2 * math.log(u)),
    "squared-hellinger": (lambda u: (math.sqrt(u) - 1) ** 2, lambda u: math.log(u) / 2),
    "jensen-shannon": (lambda u: -(u + 1) * math.log((1 + u) / 2) + u * math.log(u), lambda u: math.log(u)),
    "gan": (lambda u: u * math.log(u) - (u + 1) * math.log(u + 1), lambda u: math.log(u)),
}
#: g(0) and f*(g(0)) from the table, by its own formulas.
G_0 = {"total-variation": 0, "kl": 0, "reverse-kl": -1, "pearson": 0, "neyman": 0, "squared-hellinger": 0}
G_0 |= {"jensen-shannon": 0, "gan": -math.log(2)}
C_0 = {"total-variation": 0, "kl": math.exp(-1), "reverse-kl": -1, "pearson": 0, "neyman": 0, "squared-hellinger": 0}
C_0 |= {"jensen-shannon": 0, "gan": math.log(2)}


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_the_best_discriminator_of_an_f_gan_measures_its_divergence(divergence, functions):
    """Where p = u q, the most that D can have, sup_v u g(v) - f*(g(v)), is f(u), and is had at g(v) = f'(u)."""
    f, best = DIVERGENCES[divergence]
    discriminator = functions("fgan", divergence=divergence)[0]

    for u in (0.1, 0.5, 1.0, 2.0, 7.0):

        def had(v, u=u):
            # The loss at one pair is f*(g(d_fake)) - g(d_real): differences of it weigh the two terms by u and 1.
            g = value(discriminator, d_real=0, d_fake=0) - value(discriminator, d_real=v, d_fake=0)
            conjugate = value(discriminator, d_real=0, d_fake=v) - value(discriminator, d_real=0, d_fake=0)
            return u * (g + G_0[divergence]) - (conjugate + C_0[divergence])

        if best is None:
            assert had(math.copysign(30, u - 1)) == pytest.approx(f(u), abs=1e-9)
        else:
            assert had(best(u)) == pytest.approx(f(u), abs=1e-9)
            assert max(had(best(u) + 0.1), had(best(u) - 0.1)) < f(u)


@pytest.mark.parametrize("divergence", DIVERGENCES)
def test_the_generator_of_an_f_gan_plays_one_of_two_games(divergence, functions):
    """Saturating: less what D has of fakes, -f*(g(v)); else -g(v)."""
    discriminator = functions("fgan", divergence=divergence)[0]
    for saturating in (True, False):
        generator = functions("fgan", divergence=divergence, saturating=saturating)[1]
        for v in (-2.0, 0.3, 2.0):
            of_fake = value(discriminator, d_real=0, d_fake=v) + G_0[divergence]
            of_real = C_0[divergence] - value(discriminator, d_real=v, d_fake=0)
            assert value(generator, d_fake=v) == pytest.approx(-of_fake if saturating else -of_real)


def test_the_f_gan_called_gan_is_goodfellows(functions):
    """And Jensen-Shannon's is that with log 4 more: both logs are there."""
    given = {"d_real": LOGITS, "d_fake": OTHERS}
    minimax = functions("minimax")[0](given)
    torch.testing.assert_close(functions("fgan", divergence="gan")[0](given), minimax)
    torch.testing.assert_close(functions("fgan", divergence="jensen-shannon")[0](given), minimax - math.log(4))
    for saturating, name in ((True, "minimax"), (False, "nonsaturating")):
        generator = functions("fgan", divergence="gan", saturating=saturating)[1]
        torch.testing.assert_close(generator(given), functions(name)[1](given))


def test_the_alpha_loss_at_1_is_the_gan_loss_and_nothing_jumps_there(functions):
    given = {"d_real": LOGITS, "d_fake": OTHERS}
    for alpha, tolerance in ((1.0, 1e-12), (1.0 + 1e-9, 1e-6)):
        discriminator = functions("alpha-gan", alpha_d=alpha)[0]
        torch.testing.assert_close(discriminator(given), functions("minimax")[0](given), rtol=tolerance, atol=tolerance)
        for saturating, name in ((True, "minimax"), (False, "nonsaturating")):
            generator = functions("alpha-gan", alpha_g=alpha, saturating=saturating)[1]
            torch.testing.assert_close(generator(given), functions(name)[1](given), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("alpha", [0.3, 0.5, 3.0, math.inf])
def test_the_alpha_loss_is_its_formula(alpha, functions):
    """alpha/(alpha-1) (1 - p^((alpha-1)/alpha)) of the true label's probability p; 1 - p where alpha is inf."""

    def charge(p):
        return 1 - p if alpha == math.inf else alpha / (alpha - 1) * (1 - p ** ((alpha - 1) / alpha))

    discriminator, generator = functions("alpha-gan", alpha_d=alpha, alpha_g=alpha)
    p, q = (1 / (1 + math.exp(-v)) for v in (0.7, -0.4))
    assert value(discriminator, d_real=0.7, d_fake=-0.4) == pytest.approx(charge(p) + charge(1 - q))
    assert value(generator, d_fake=-0.4) == pytest.approx(charge(q))
    saturating = functions("alpha-gan", alpha_g=alpha, saturating=True)[1]
    assert value(saturating, d_fake=-0.4) == pytest.approx(-charge(1 - q))


def test_the_best_discriminator_of_the_alpha_gan_tilts_the_densities(functions):
    """p^alpha / (p^alpha + q^alpha) (Welfert et al. 2023, proposition 1)."""
    p, q, alpha = 0.8, 0.3, 2.5
    discriminator = functions("alpha-gan", alpha_d=alpha)[0]
    none = value(discriminator, d_real=50, d_fake=-50)

    def charged(v):
        return p * (value(discriminator, d_real=v, d_fake=-50) - none) + q * value(discriminator, d_real=50, d_fake=v)

    best = minimize_scalar(charged, bounds=(-10, 10), method="bounded", options={"xatol": 1e-10}).x
    assert best == pytest.approx(alpha * math.log(p / q), abs=1e-5)


def test_a_gradient_norm_has_a_slope_where_the_gradient_is_zero():
    flat = torch.zeros(2, dtype=torch.float64)
    slope = torch.func.grad(lambda w: gradient_norm(linear(w), torch.ones(3, 2, dtype=torch.float64)).sum())(flat)
    assert slope.isfinite().all()
