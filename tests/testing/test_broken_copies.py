"""A deliberately broken copy of each kind of plugin is caught, and by the property that is meant to catch it."""

from __future__ import annotations

import pytest

from ganbench.testing import assert_conforms, check

LOSS = '''"""A loss, broken on purpose."""
import torch
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl, input_gradient

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
