"""A deliberately broken copy of each kind of plugin is caught, and by the property that is meant to catch it."""

from __future__ import annotations

import pytest

from ganbench.testing import assert_conforms, check

LOSS = '''"""A loss, broken on purpose."""
import torch
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl, input_gradient

SEEN = []

def discriminator(d_real, d_fake, D, real, fake, random):
    {discriminator}

def generator(d_fake, G, z):
    {generator}

@hookimpl
def ganbench_losses():
    yield Loss("broken", discriminator, generator)
'''
SOUND = {
    "discriminator": "return softplus(-d_real).mean() + softplus(d_fake).mean()",
    "generator": "return softplus(-d_fake).mean()",
}
GP = "return softplus(-d_real).mean() + softplus(d_fake).mean() + 10 * {}"
POINT = GP.format(
    "(input_gradient(D, fake + {} * (real - fake)).square().flatten(1).sum(1).add(1e-12).sqrt() - 1).square().mean()"
)
WRONG = {
    "G's sign": ({"generator": "return -softplus(-d_fake).mean()"}, "Dirac-GAN: the players oppose"),
    "D's sign": (
        {"discriminator": "return softplus(d_real).mean() + softplus(-d_fake).mean()"},
        "Dirac-GAN: the players oppose",
    ),
    "the penalty's sign": (
        {"discriminator": GP.format("-input_gradient(D, real).square().flatten(1).sum(1).mean()")},
        "Dirac-GAN: as theory says",
    ),
    "a detached fake in G's loss": (
        {"generator": "return softplus(-d_fake.detach()).mean()"},
        "gradients reach the players",
    ),
    "a detached fake in D's loss": (
        {"discriminator": "return softplus(-d_real).mean() + softplus(d_fake.detach()).mean()"},
        "the gradient is the value's",
    ),
    "a penalty without create_graph": (
        {"discriminator": GP.format("input_gradient(D, real).detach().square().flatten(1).sum(1).mean()")},
        "the gradient is the value's",
    ),
    "a norm of the batch's mean gradient": (
        {"discriminator": GP.format("(input_gradient(D, (real + fake) / 2).mean(0).norm() - 1).square()")},
        "a mean over samples",
    ),
    "a norm of the whole batch": (
        {"discriminator": GP.format("(input_gradient(D, (real + fake) / 2).norm() - 1).square()")},
        "a batch repeated",
    ),
    "a sum": ({"discriminator": "return softplus(-d_real).sum() + softplus(d_fake).sum()"}, "a batch repeated"),
    "an order": (
        {"discriminator": "return (softplus(-d_real) * torch.arange(len(d_real))).mean() + softplus(d_fake).mean()"},
        "the order of the batch",
    ),
    "the sign of D's real term": (
        {"discriminator": "return softplus(d_real).mean() + softplus(d_fake).mean()"},
        "D tells real from fake",
    ),
    "D's real term left out": ({"discriminator": "return softplus(d_fake).mean()"}, "D tells real from fake"),
    "D's fake term left out": ({"discriminator": "return softplus(-d_real).mean()"}, "D tells real from fake"),
    "labels that are both 1": (
        {"discriminator": "return (d_real - 1).square().mean() + (d_fake - 1).square().mean()"},
        "D tells real from fake",
    ),
    "a critic's real term added": (
        {"discriminator": "return d_fake.mean() + d_real.mean() + 10 * (input_gradient(D, real)).square().mean()"},
        "D tells real from fake",
    ),
    "a weight a coordinate": (
        {"discriminator": POINT.format("random.uniform(*real.shape)")},
        "between real and fake",
    ),
    "a weight that is normal": (
        {"discriminator": POINT.format("random.normal(len(real)).reshape(-1, *[1] * (real.dim() - 1))")},
        "between real and fake",
    ),
    "a norm along one axis": (
        {"discriminator": GP.format("(input_gradient(D, real).norm(dim=1) - 1).square().mean()")},
        "coordinates in another order",
    ),
    "a mean over coordinates": (
        {"discriminator": GP.format("input_gradient(D, real).square().mean()")},
        "coordinates that D ignores",
    ),
    "hidden state": (
        {"discriminator": "SEEN.append(1); return len(SEEN) * softplus(-d_real).mean() + softplus(d_fake).mean()"},
        "the same inputs, the same numbers",
    ),
    "a loss without a slope": (
        {
            "discriminator": "return (d_real.square().mean() + d_fake.square().mean()).square()",
            "generator": "return d_fake.square().mean().square()",
        },
        "Dirac-GAN: as theory says",
    ),
    "a vector": ({"generator": "return softplus(-d_fake)"}, "a finite scalar"),
    "a rounded logarithm": (
        {"discriminator": "return -(d_real.sigmoid().log() + (1 - d_fake.sigmoid()).log()).mean()"},
        "finite where D is sure",
    ),
    "a change in place": (
        {"discriminator": "real.mul_(1.01); " + SOUND["discriminator"]},
        "nothing changed in place",
    ),
    "a global seed": (
        {"discriminator": "torch.manual_seed(0); " + SOUND["discriminator"]},
        "no global random state",
    ),
}


IGNORED = "coordinates that D ignores"
SEGMENT = "between real and fake"


@pytest.fixture
def failing(tmp_path, shipped):
    """The properties that a plugin's code fails, with their reasons."""

    def of(code):
        path = tmp_path / "broken.py"
        path.write_text(code)
        return {each.property: each.reason for each in check(path, shipped) if each.status == "fail"}

    return of


@pytest.mark.parametrize("what", WRONG)
def test_a_broken_loss(what, failing, only):
    changed, caught_by = WRONG[what]
    only(caught_by)
    assert caught_by in failing(LOSS.format(**(SOUND | changed)))


def test_the_sound_loss_passes(tmp_path, shipped):
    """What the broken copies are copies of."""
    path = tmp_path / "sound.py"
    path.write_text(LOSS.format(**SOUND))
    assert_conforms(path, shipped)


@pytest.mark.parametrize(
    "right",
    [
        "softplus(d_real).mean() + softplus(-d_fake).mean()",
        POINT.format("random.uniform(len(real)).reshape(-1, *[1] * (real.dim() - 1))")[7:],
        GP.format("input_gradient(D, real + random.normal(*real.shape)).square().flatten(1).sum(1).mean()")[7:],
        GP.format("(D(real + random.normal(*real.shape) / 9) - d_real).square().mean()")[7:],
        GP.format(
            "((input_gradient(D, (real + fake) / 2) * (real - fake)).flatten(1).sum(1)"
            " / (real - fake).flatten(1).norm(dim=1) - 1).square().mean()"
        )[7:],
        GP.format("torch.vmap(torch.func.grad(lambda x: D(x[None]).sum()))(real).square().flatten(1).sum(1).mean()")[
            7:
        ],
    ],
    ids=[
        "all signs the other way",
        "one weight a sample",
        "noise around the data",
        "noise that D should not mind",
        "the slope on the way from fake to real",
        "gradients sample by sample",
    ],
)
def test_what_is_right_passes_what_catches_the_wrong(right, failing, only):
    only(
        "D tells real from fake",
        "between real and fake",
        "coordinates in another order",
        "coordinates that D ignores",
        "the same inputs, the same numbers",
        "finite where D is sure",
    )
    assert not failing(LOSS.format(**(SOUND | {"discriminator": f"return {right}"})))


@pytest.mark.parametrize(
    ("discriminator", "generator"),
    [
        (
            "(d_real - d_fake.mean() - 1).square().mean() + (d_fake - d_real.mean() + 1).square().mean()",
            "(d_real - d_fake.mean() + 1).square().mean() + (d_fake - d_real.mean() - 1).square().mean()",
        ),
        ("(d_real - 1).square().mean() + (d_fake + 1).square().mean()", "4 * (d_fake - 1).square().mean()"),
    ],
    ids=["RaLSGAN", "LSGAN with labels -1 and 1, G's loss 4 times"],
)
def test_a_loss_of_a_larger_scale_passes(discriminator, generator, failing, only):
    only("Dirac-GAN: the players oppose", "Dirac-GAN: as theory says")
    code = LOSS.replace("(d_fake, G, z)", "(d_real, d_fake)")
    assert not failing(code.format(discriminator=f"return {discriminator}", generator=f"return {generator}"))


@pytest.mark.parametrize("term", ["SEEN.append(0) or len(SEEN)", "__import__('numpy').random.rand()"])
def test_numbers_that_change_are_called_that_alone(term, failing, only):
    """Not a missing detach, nor a sum: where the same inputs give other numbers, nothing else can be said."""
    only(
        "the same inputs, the same numbers",
        "the order of the batch",
        "a batch repeated",
        "a mean over samples",
        "the gradient is the value's",
        "each loss moves its player alone",
        "D tells real from fake",
        "coordinates in another order",
        "Dirac-GAN: the players oppose",
        "Dirac-GAN: as theory says",
    )
    failed = failing(LOSS.format(**(SOUND | {"discriminator": f"return ({term}) * softplus(d_fake - d_real).mean()"})))
    assert list(failed) == ["the same inputs, the same numbers"]
    assert "gives other numbers for the same inputs" in failed["the same inputs, the same numbers"]


def test_what_is_not_finite_is_called_that_alone(failing, only):
    only("a finite scalar", "the order of the batch", "a batch repeated", "the gradient is the value's")
    failed = failing(LOSS.format(**(SOUND | {"discriminator": "return (d_real - d_fake).log().mean()"})))
    assert list(failed) == ["a finite scalar"]


def test_a_loss_without_a_slope_is_told_so(failing, only):
    only("Dirac-GAN: as theory says")
    changed, name = WRONG["a loss without a slope"]
    assert "does not move near the equilibrium" in failing(LOSS.format(**(SOUND | changed)))[name]


def test_a_dropped_logarithm_in_a_loss_of_probabilities(failing, shipped, only):
    only("the best D is p / (p + q)")
    code = shipped.get("loss", "minimax").source.read_text()
    broken = code.replace(
        "return softplus(-d_real).mean() + softplus(d_fake).mean()",
        "return ((-d_real).sigmoid() + d_fake.sigmoid()).mean()",
    )
    assert broken != code
    assert "the best D is p / (p + q)" in failing(broken)


def test_the_public_f_gan_without_its_logarithms(failing, shipped, only):
    """Jensen-Shannon's g and f* as in a public copy of the table, which drops both logs."""
    only("f-divergence: the conjugate", "f-divergence: the nearest Gaussian")
    code = shipped.get("loss", "fgan").source.read_text()
    sound = "(lambda v: log(2) - softplus(-v), lambda v: softplus(v) - log(2))"
    broken = code.replace(sound, "(lambda v: 2 - (1 + exp(-v)), lambda v: -(2 - exp(2 - (1 + exp(-v)))))")
    assert broken != code
    assert "f-divergence: the conjugate" in failing(broken)


@pytest.mark.parametrize(
    ("name", "sound", "broken", "caught_by"),
    [
        ("gp", "gradient_penalty(", "-gradient_penalty(", "a penalty on a line"),
        ("lp", "relu(", "(", "a penalty on a line"),
        ("r1", "weight / 2", "weight", "a penalty on a line"),
        (
            "r1",
            "squared_norm(input_gradient(D, real)).mean()",
            "input_gradient(D, real).square().sum()",
            "a batch repeated",
        ),
        ("r1", "squared_norm(input_gradient(D, real)).mean()", "input_gradient(D, real).square().mean()", IGNORED),
        ("r1", "squared_norm(input_gradient(D, real))", "input_gradient(D, real).square().sum(1)", IGNORED),
        ("gp0", "between(real, fake, random)", "real + random.uniform(*real.shape) * (fake - real)", SEGMENT),
        ("gp0", "between(real, fake, random)", "2 * real - fake", SEGMENT),
        ("r2", "weight / 2", "5.0", "the weight multiplies it"),
        ("lecam", "d_fake.mean(),\n    )", "d_fake.mean(),\n        mean_fake,\n    )", "memory"),
        ("instance-noise", "x + std", "x.add_(0.1) + std", "nothing changed in place"),
    ],
)
def test_a_broken_penalty(name, sound, broken, caught_by, failing, shipped, only):
    only(caught_by)
    code = shipped.get("penalty", name).source.read_text()
    assert sound in code
    assert caught_by in failing(code.replace(sound, broken))


@pytest.mark.parametrize(
    ("name", "sound", "broken", "caught_by"),
    [
        # What a missing detach comes to: D's loss moves G, and cancels what G's own does.
        (
            "simultaneous",
            "generator=game.generator_gradient(players, batch)",
            "generator=game.gradient('generator', lambda G: game.generator_loss(players.D, G, batch)"
            " + game.discriminator_loss(players.D, G, batch), players.G.theta)",
            "Dirac-GAN: as theory says",
        ),
        ("simultaneous", "generator=game", "generator=-game", "down their own losses"),
        ("simultaneous", "discriminator=game", "discriminator=0 * game", "Dirac-GAN: as theory says"),
        ("alternating", "discriminator=game", "discriminator=-game", "Dirac-GAN: as theory says"),
        (
            "alternating",
            "return game.move(",
            "import torch; torch.manual_seed(1); return game.move(",
            "no global random state",
        ),
        (
            "simultaneous",
            "batch = game.draw()",
            "batch = game.draw(); players.G.theta.mul_(0.9)",
            "nothing changed in place",
        ),
    ],
)
def test_a_broken_update_rule(name, sound, broken, caught_by, failing, shipped, only):
    only(caught_by)
    code = shipped.get("update", name).source.read_text()
    assert sound in code
    assert caught_by in failing(code.replace(sound, broken))


@pytest.mark.parametrize(
    ("name", "sound", "broken", "caught_by"),
    [
        ("sgd", "theta - lr", "theta + lr", "downhill"),
        (
            "adam",
            " * (1 - beta2**t).rsqrt() + eps",
            "",
            "finite without a gradient",
        ),
        ("adam", "mean, square = state", "mean, square = state; gradient.mul_(2)", "downhill"),
        ("muon", "cat(steps)", "cat(steps[::-1])", "downhill in each layer"),
    ],
)
def test_a_broken_optimizer(name, sound, broken, caught_by, failing, shipped, only):
    only(caught_by)
    code = shipped.get("optimizer", name).source.read_text()
    assert sound in code
    assert caught_by in failing(code.replace(sound, broken))


ARCHITECTURE = '''"""Networks, broken on purpose."""
import torch
from math import prod
from torch import nn
from ganbench import Architecture, Networks, hookimpl

class Odd(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.first, self.last = nn.Linear(size, 8), nn.Linear(8, 1)

    def forward(self, x):
        x = x.flatten(1)
        {}
        return self.last(x)

def build(shape):
    {}
    return Networks(nn.Sequential(nn.Linear(2, prod(shape)), nn.Unflatten(1, shape)), Odd(prod(shape)), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("odd", build)
'''


@pytest.mark.parametrize(
    ("forward", "build", "caught_by"),
    [
        ("x = self.first(x).detach()", "", "gradients reach every layer"),
        ("x.mul_(2.0); x = self.first(x)", "", "nothing changed in place"),
        ("x = self.first(x).tanh() * torch.arange(len(x))[:, None]", "", "the order of the batch"),
        ("x = self.first(x)", "torch.manual_seed(0)", "a seed decides the first parameters"),
        ("x = self.first(x).tanh()[:2]", "", "shapes"),
        ("x = self.first(x).relu().sqrt()", "", "differentiable twice"),
    ],
)
def test_a_broken_architecture(forward, build, caught_by, failing, only):
    only(caught_by)
    assert caught_by in failing(ARCHITECTURE.format(forward, build))


DATASET = '''"""Two Gaussians on a line, broken on purpose."""
import numpy as np
import torch
from ganbench import Dataset, Mixture, hookimpl

class Two:
    shape = (1,)

    def sample(self, n, generator):
        {sample}

    def log_density(self, x):
        {density}

@hookimpl
def ganbench_datasets():
    yield Dataset("two", Two)
'''
TWO = {
    "sample": "return Mixture([[-1], [1]], 0.3).sample(n, generator)",
    "density": "return Mixture([[-1], [1]], 0.3).log_density(x)",
}


@pytest.mark.parametrize(
    ("wrong", "caught_by"),
    [
        ({"density": "return Mixture([[-1], [1]], 0.3).log_density(x) + 0.1"}, "the density integrates to 1"),
        ({"density": "return Mixture([[-1], [1]], 0.33).log_density(x)"}, "samples fit the density"),
        ({"density": "return Mixture([[-1], [1]], 0.3, [1, 1.3]).log_density(x)"}, "samples fit the density"),
        ({"density": "return Mixture([[-1.05], [1]], 0.3).log_density(x)"}, "samples fit the density"),
        ({"sample": "return torch.randn(n, 1)"}, "samples"),
        ({"sample": "torch.manual_seed(0); " + TWO["sample"]}, "samples"),
        ({"sample": "generator.manual_seed(0); " + TWO["sample"]}, "samples"),
    ],
)
def test_a_broken_dataset(wrong, caught_by, failing, only):
    only(caught_by)
    assert caught_by in failing(DATASET.format(**(TWO | wrong)))


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (
            "lambda: np.zeros((9, 2))",
            "build() returned a ndarray of shape (9, 2), which is no Distribution: return Fin",
        ),
        ("lambda: Finite(np.random.rand(90, 2))", "held_out is missing: shuffle the rows x, and give Finite(x[:800]"),
        ("lambda: None", "build() returned nothing, which is no Distribution: is its return missing?"),
        ("Bare", "build() returned a Bare, which is no Distribution, for it has no shape: write the attribute shape"),
    ],
)
def test_data_that_no_run_would_take_fail_with_the_line_of_a_run(build, why, failing):
    code = DATASET.format(**TWO).replace("import Dataset,", "import Dataset, Finite,")
    bare = "class Bare:\n    def sample(self, n, generator):\n        return torch.zeros(n, 2)\n\n"
    code = code.replace("@hookimpl", f"{bare}@hookimpl").replace('"two", Two', f'"two", {build}')
    found = failing(code)
    assert why in found["samples"]
    assert len({*found.values()}) == 1


def test_a_hook_on_what_has_a_gradient_in_training_passes(failing):
    """A loss changes the gradient on purpose, so its slope is another one: that alone fails."""
    own = "fake.register_hook(lambda gradient: 2 * gradient); return softplus(-D(fake)).mean()"
    found = failing(LOSS.format(**(SOUND | {"generator": own})))
    assert not any("hook" in reason for reason in found.values())


def test_what_draws_noise_in_a_call_of_d_passes(failing):
    """Consistency regularisation (Zhang et al. 2020, CR-GAN): it has no gradient of D, and draws from torch."""
    consistent = " + 10 * (d_real - D(real + 0.05 * torch.randn_like(real))).square().mean()"
    assert not failing(LOSS.format(**(SOUND | {"discriminator": SOUND["discriminator"] + consistent})))


def test_a_loss_that_matches_layers_of_d_is_not_asked_of_a_d_without_layers(failing):
    """Feature matching by ``children()``; the smallest game's D is one weight, where such a G has nothing to match."""
    own = (
        "features = torch.nn.Sequential(*list(D.children())[:-1]); "
        "return (features(real).mean(0).detach() - features(fake).mean(0)).square().mean()"
    )
    found = failing(
        LOSS.format(**(SOUND | {"generator": own})).replace("generator(d_fake, G, z)", "generator(D, real, fake)")
    )
    assert not found


def test_the_sound_dataset_passes(tmp_path, shipped):
    path = tmp_path / "two.py"
    path.write_text(DATASET.format(**TWO))
    assert_conforms(path, shipped)


def test_a_ring_whose_ends_meet(failing, shipped, only):
    """Eight labels for seven places: the ring as a public notebook places it."""
    only("modes")
    code = shipped.get("dataset", "ring").source.read_text()
    assert "k / modes for" in code
    assert "are the same" in failing(code.replace("k / modes for", "k / (modes - 1) for"))["modes"]


METRIC = '''"""The distance of the means, broken on purpose."""
import torch
from ganbench import Column, Metric, hookimpl

def measure(samples, real):
    {}

@hookimpl
def ganbench_metrics():
    yield Metric("means", measure, (Column("means", "distance of the means", better="lower"),))
'''
MEANS = "return {'means': (samples.mean(0) - real.mean(0)).norm().item()}"


@pytest.mark.parametrize(
    ("measure", "caught_by"),
    [
        ("return {'means': -(samples.mean(0) - real.mean(0)).norm().item()}", "direction"),
        ("return {'means': (samples[0, 0] - 3 * samples[-1, 1]).item()}", "the order of the samples"),
        ("samples.mul_(2); " + MEANS, "nothing changed in place"),
        ("return {'means': float('nan')}", "its columns, no NaN"),
        ("return {'others': 0.0}", "its columns, no NaN"),
        ("noise = torch.randn(()).item(); return {'means': noise}", "the same samples, the same numbers"),
    ],
)
def test_a_broken_metric(measure, caught_by, failing, only):
    only(caught_by)
    assert caught_by in failing(METRIC.format(measure))


@pytest.mark.parametrize(
    ("sound", "broken", "caught_by"),
    [
        (
            "return Mixture([training.mean(0).tolist()]",
            "training.add_(1); return Mixture([training.mean(0).tolist()]",
            "nothing changed in place",
        ),
        (
            "return Mixture([training.mean(0).tolist()]",
            "import torch; return Mixture([torch.randn(2).tolist()]",
            "the same points, the same fit",
        ),
        (
            "return Mixture([training.mean(0).tolist()]",
            "return Mixture([training.mean(0).tolist() * 2]",
            "a distribution",
        ),
    ],
)
def test_a_broken_reference(sound, broken, caught_by, failing, only):
    only(caught_by)
    code = '''"""One Gaussian, broken on purpose."""
from ganbench import Mixture, Reference, hookimpl

def fit(training):
    return Mixture([training.mean(0).tolist()], 1.0)

@hookimpl
def ganbench_references():
    yield Reference("moments", fit)
'''
    assert caught_by in failing(code.replace(sound, broken))
