"""What plugins give back wrongly is told once, in one line, in the plugin's own terms."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench import Mixture, Networks
from ganbench.core.errors import PluginError
from ganbench.plugin.registry import Registry
from ganbench.train.step.check import check_distribution, check_networks
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import torch
from torch.nn.functional import softplus
from ganbench import Column, Loss, Metric, Optimizer, Penalty, Update, hookimpl

def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return {generator}

def start(theta):
    return (theta.clone(),)

def update(theta, gradient, state, t):
    return {update}

def step(game, players):
    batch = game.draw()
    game.discriminator_loss(players.D, players.G, batch)
    players = game.move(players, discriminator=game.discriminator_gradient(players, batch),
                        generator=game.generator_gradient(players, batch))
    return {players}

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator, project=lambda theta: {project})

@hookimpl
def ganbench_penalties():
    yield Penalty("foreign", inputs=lambda x: {inputs})

@hookimpl
def ganbench_optimizers():
    yield Optimizer("foreign", start, update)

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
"""
SOUND = {"generator": "softplus(-d_fake).mean()", "update": "(theta - 0.1 * gradient, state)"}
SOUND |= {"players": "players", "project": "theta", "inputs": "x"}


@pytest.fixture
def trainer(tmp_path, cell, cpu):
    def build(**wrong):
        (tmp_path / "foreign.py").write_text(HEAD.format(**(SOUND | wrong)))
        registry = Registry.load(extra=tmp_path)
        assert not registry.broken
        one = cell("{loss: foreign, penalty: foreign, optimizer: foreign, update: foreign}", seeds=2, registry=registry)
        return Trainer([one], cpu, "auto")

    return build


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"generator": "softplus(-d_fake)"},
            r"generator\(\) must return a scalar, not the shape \(32,\): take its .mean",
        ),
        ({"generator": "softplus(-d_fake).mean()[None]"}, r"must return a scalar, not the shape \(1,\)"),
        ({"generator": "1.0"}, r"generator\(\) must return a scalar tensor, not float"),
        ({"generator": "None"}, r"must return a scalar tensor, not NoneType"),
        ({"update": "theta - gradient"}, r"must return \(theta, state\), .* not a Tensor of shape \(\d+,\) \(foreign"),
        ({"update": "None"}, r"must return \(theta, state\), .* not nothing: is its return missing\? \(foreign"),
        ({"update": "(theta, (1,))"}, r"a state of tensors, and not an int: a number is torch.zeros\(\(\)\) in start"),
        (
            {"players": "None"},
            r"^an update rule must return the players, .* not nothing: is its .* \(foreign.py:\d+\)$",
        ),
        ({"players": "(players.D, players.G)"}, r"not a tuple of Player, Player: write return players\._replace\(D=D"),
        (
            {"project": "None"},
            r"project\(\) must return D's parameters, a vector.*: is its return .* \(foreign.py:\d+\)",
        ),
        (
            {"project": "theta[:1]"},
            r"project\(\) must return .*of the shape \(\d+,\), and not a Tensor of shape \(1,\)",
        ),
        ({"inputs": "None"}, r"penalty foreign's inputs\(\) must return D's inputs, a tensor, and not nothing: is its"),
        ({"update": "(theta, ())"}, "a theta and a state of the shapes and types that it was given"),
        ({"update": "(theta.sum(), state)"}, "a theta and a state of the shapes and types that it was given"),
    ],
)
def test_what_a_function_returns_wrongly(wrong, message, trainer):
    with pytest.raises(PluginError, match=message):
        trainer(**wrong)


def test_a_sound_plugin_passes_and_players_stand_for_their_vectors(trainer):
    """``step`` in the plugin hands whole players to ``discriminator_loss``."""
    sound = trainer()
    assert (sound.engine, sound.note) == ("eager", "")


def test_a_gradient_that_is_exactly_zero_is_said(trainer):
    note = trainer(generator="softplus(-d_fake.detach()).mean()").note
    assert note.startswith("the generator's gradient is exactly zero at the first step")


class OfClass(nn.Linear):
    """A network that takes a label."""

    def forward(self, x, label):
        return super().forward(x) + 0 * label[:, None]


@pytest.mark.parametrize(
    ("G", "D", "classes", "message"),
    [
        (OfClass(2, 2), OfClass(2, 1), 0, r"conditional networks are built by build\(shape, classes\), which returns"),
        (OfClass(2, 2), nn.Linear(2, 1), 3, r"both networks take the label: def forward\(self, x, label\) \("),
    ],
)
def test_labels_that_a_network_wants_or_does_not_take_are_told(G, D, classes, message):
    with pytest.raises(PluginError, match=message):
        check_networks("it", Networks(G, D, (2,), classes=classes), (2,))


class Sampler:
    """A dataset whose sample() gives what it is told."""

    shape = (2,)

    def __init__(self, sample):
        self.sample = sample


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (lambda n, g: torch.zeros(n + 1, 2), r"must have the shape \(4, 2\), not \(5, 2\)"),
        (lambda n, g: torch.zeros(n, 2, dtype=torch.float64), "float32 tensor, not a torch.float64 tensor"),
        (lambda n, g: torch.zeros(n, 2).numpy(), "float32 tensor, not ndarray"),
        (lambda n, g: torch.full((n, 2), torch.nan), "not finite"),
        (lambda n, g: torch.randn(n, 2), "from the generator it is given"),
        (lambda n, g: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_dataset_that_samples_wrongly(sample, message):
    with pytest.raises(PluginError, match=f"dataset it: .*{message}"):
        check_distribution("it", Sampler(sample))


@pytest.mark.parametrize(
    ("G", "D", "message"),
    [
        (nn.Linear(2, 3), nn.Linear(2, 1), r"the generator gives the shape \(3,\), and the data has \(2,\)"),
        (nn.Linear(3, 2), nn.Linear(2, 1), r"the generator, given \(4, 2\): RuntimeError"),
        (
            nn.Linear(2, 1),
            nn.Linear(2, 2),
            r"has \(2,\): are the two in the wrong order\? Networks\(generator, discrim",
        ),
        (nn.Linear(2, 2), nn.Linear(2, 2), r"one logit a sample, \(4,\) or \(4, 1\), not \(4, 2\)"),
        (nn.Identity(), nn.Linear(2, 1), "the generator has no parameters to train"),
        (lambda z: z, nn.Linear(2, 1), "the generator must be a torch.nn.Module, not function"),
    ],
)
def test_networks_that_do_not_fit(G, D, message):
    with pytest.raises(PluginError, match=f"architecture it: .*{message}"):
        check_networks("it", Networks(G, D, (2,)), (2,))


@pytest.mark.parametrize(("latent", "kind"), [(2, "normal"), ((-2,), "normal"), ((2,), "gaussian"), ((2,), "Uniform")])
def test_a_latent_that_makes_no_sense(latent, kind):
    with pytest.raises(ValueError, match=r"^latent"):
        Networks(nn.Linear(2, 2), nn.Linear(2, 1), latent, kind)


@pytest.mark.parametrize(("mean", "std"), [(2.0, 1e-9), (1e300, 1.0), (0.0, 1e-300), (1e6, 0.01)])
def test_geometry_that_float32_cannot_hold_is_refused(mean, std):
    with pytest.raises(ValueError, match="for float32 samples"):
        Mixture([[mean, 0.0], [-mean, 1.0]], std)


class SharedTensor(nn.Linear):
    """A module with a tensor that is neither parameter nor buffer."""

    def __init__(self):
        super().__init__(2, 1)
        self.frequencies = torch.randn(3)


def test_a_tensor_that_all_seeds_would_share_is_refused():
    with pytest.raises(
        PluginError, match="the discriminator's tensor 'frequencies' is neither a parameter nor a buffer"
    ):
        check_networks("it", Networks(nn.Linear(2, 2), SharedTensor(), (2,)), (2,))


def test_a_frozen_parameter_is_refused():
    """It would be trained: a player's parameters are one vector."""
    frozen = nn.Linear(2, 1)
    frozen.bias.requires_grad_(False)
    with pytest.raises(PluginError, match="the discriminator's parameter 'bias' is frozen"):
        check_networks("it", Networks(nn.Linear(2, 2), frozen, (2,)), (2,))


def test_running_out_of_memory_in_the_trial_step_is_not_the_plugins_fault(trainer):
    """It must not make a cell serial: which engine trains would then depend on what else was running."""
    with pytest.raises(torch.OutOfMemoryError):
        trainer(generator="(_ for _ in ()).throw(torch.OutOfMemoryError('planted'))")
