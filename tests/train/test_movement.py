"""A player that stays where it is, and seeds that start alike, are said before training; shared layers are refused."""

from __future__ import annotations

import pytest

from ganbench.core.errors import PluginError
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, Optimizer, Schedule, Update, hookimpl
"""
UPDATE = """
def step(game, players{names}):
    batch = game.draw()
    g = {{"discriminator": game.discriminator_gradient(players, batch),
          "generator": game.generator_gradient(players, batch)}}
    {line}

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
"""
OPTIMIZER = """
opt = None

def start(theta):
    {start}

def update(theta, gradient, state, t, *, lr: float = 0.1):
    {update}

@hookimpl
def ganbench_optimizers():
    yield Optimizer("foreign", start, update)
"""
ADAM = OPTIMIZER.format(
    start="global opt; p = nn.Parameter(theta); opt = torch.optim.Adam([p]); return (p,)",
    update="p = state[0]; p.grad = gradient; opt.step(); return p, state",
)
SGD = OPTIMIZER.format(start="return ()", update="return theta - lr * gradient, ()")
NETWORKS = """
{before}
def build(shape):
    {line}
    return Networks(G, D, (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""
DEEP = "G = nn.Sequential({}, nn.Linear(8, 2)); D = nn.Sequential({}, nn.Linear(8, 1))"
LAYERS = DEEP.format("nn.Linear(2, 8)", "nn.Linear(2, 8)")


@pytest.fixture
def train(foreign, cell, cpu):
    def build(code, variant, engine="auto"):
        return Trainer([cell(variant, seeds=2, registry=foreign(HEAD + code))], cpu, engine)

    return build


STAYS = {
    "the moved players are dropped": (
        UPDATE.format(names="", line="game.move(players, **g); return players"),
        "{loss: nonsaturating, update: foreign}",
        ("discriminator", "generator"),
    ),
    "one of them is dropped": (
        UPDATE.format(names="", line="return players._replace(D=game.move(players, **g).D)"),
        "{loss: nonsaturating, update: foreign}",
        ("generator",),
    ),
    "one of them is left out": (
        UPDATE.format(names="", line="return game.move(players, discriminator=g['discriminator'])"),
        "{loss: nonsaturating, update: foreign}",
        ("generator",),
    ),
    "no gradient of one is taken": (
        """
def step(game, players):
    return game.move(players, discriminator=game.discriminator_gradient(players, game.draw()))

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
""",
        "{loss: nonsaturating, update: foreign}",
        ("generator",),
    ),
    "a rate of zero": (SGD, "{loss: nonsaturating, optimizer: {name: foreign, generator: {lr: 0.0}}}", ("generator",)),
}


@pytest.mark.parametrize("what", STAYS)
def test_a_player_that_no_step_moves_is_said(what, train):
    code, variant, players = STAYS[what]
    note = train(code, variant).note
    for player in ("discriminator", "generator"):
        assert (f"the {player} does not move in 16 steps: an update rule must take " in note) == (player in players)


def test_an_optimizer_of_torchs_that_moves_another_tensor_is_refused(train):
    with pytest.raises(PluginError, match=r"steps torch\.optim's Adam"):
        train(ADAM, "{loss: nonsaturating, optimizer: foreign}")


@pytest.mark.parametrize("engine", ["serial", "eager"])
def test_players_that_stay_are_said_in_every_engine(engine, train):
    code, variant, _ = STAYS["the moved players are dropped"]
    assert "does not move" in train(code, variant, engine).note


RATE = """
@hookimpl
def ganbench_schedules():
    yield Schedule("late", lambda step, steps: {factor})
"""


@pytest.mark.parametrize("factor", ["step / steps", "(step >= steps // 2) * 1.0", "(step >= steps - 1) * 1.0"])
def test_a_rate_that_begins_at_zero_is_no_player_that_stays(factor, train):
    code = SGD + RATE.format(factor=factor)
    optimizer = "{name: foreign, schedule: late}"
    assert train(code, f"{{loss: nonsaturating, optimizer: {optimizer}}}").note == ""


LATER = {
    "gradients are added up": OPTIMIZER.format(
        start="return (torch.zeros_like(theta),)",
        update="total, now = state[0] + gradient / 4, t % 4 == 0; "
        "return torch.where(now, theta - lr * total, theta), (torch.where(now, torch.zeros_like(total), total),)",
    ),
    "its own rate begins at 0": OPTIMIZER.format(
        start="return ()", update="return theta - lr * ((t - 1) / 100).clamp(max=1) * gradient, ()"
    ),
}


@pytest.mark.parametrize("what", LATER)
@pytest.mark.parametrize("engine", ["serial", "eager"])
def test_players_that_move_after_some_steps_have_no_note(what, engine, train):
    assert not train(LATER[what], "{loss: nonsaturating, optimizer: foreign}", engine).note


def test_a_player_that_a_rule_leaves_out_of_most_steps_has_no_note(train):
    """As G is in many a WGAN; its loss is not to blame."""
    code = """
def step(game, players):
    batch = game.draw()
    players = game.move(players, discriminator=game.discriminator_gradient(players, batch))
    if players.D.t % 5 == 0:
        players = game.move(players, generator=game.generator_gradient(players, batch))
    return players

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
"""
    assert not train(code, "{loss: nonsaturating, update: foreign}", "serial").note


STEP_ALONE = {
    "the step": "return -lr * gradient, state",
    "with weight decay": "return -lr * (gradient + 0.1 * theta), state",
    "with noise": "return -lr * gradient + 0.001 * torch.randn_like(theta), state",
    "normed": "return -lr * gradient / gradient.norm(), state",
}
KEEPS = {
    "noise": "return theta - lr * gradient + 0.001 * torch.randn_like(theta), state",
    "clipped weights": "return (theta - lr * gradient).clamp(-0.01, 0.01), state",
    "on a sphere": "theta = theta - lr * gradient; return theta / theta.norm(), state",
    "dual averaging": "s = state[1] + gradient; return state[0] - lr * s, (state[0], s)",
}
FIRST = "return (theta.clone(), torch.zeros_like(theta))"


@pytest.mark.parametrize("what", STEP_ALONE)
@pytest.mark.parametrize("clip", ["", ", clip: 1.0"])
def test_an_optimizer_that_gives_back_the_step_alone_is_refused_with_its_line(what, clip, train):
    """As optax has it: each network would be the last step, near 0."""
    code = OPTIMIZER.format(start=FIRST, update=STEP_ALONE[what])
    message = r"returns the discriminator's step, and not its new theta: write theta \+ step, .*\(foreign\.py:\d+\)$"
    with pytest.raises(PluginError, match=message):
        train(code, f"{{loss: nonsaturating, optimizer: {{name: foreign{clip}}}}}")


@pytest.mark.parametrize("what", KEEPS)
def test_an_optimizer_whose_theta_follows_the_one_before_passes(what, train):
    code = OPTIMIZER.format(start=FIRST, update=KEEPS[what])
    assert not train(code, "{loss: nonsaturating, optimizer: foreign}").note


def test_an_update_rule_that_averages_weights_is_told_the_key_of_the_suite(train):
    code = """
mean = None

def step(game, players):
    global mean
    batch = game.draw()
    players = game.move(players, discriminator=game.discriminator_gradient(players, batch))
    players = game.move(players, generator=game.generator_gradient(players, batch))
    mean = players.G.theta if mean is None else 0.99 * mean + 0.01 * players.G.theta
    return players

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
"""
    with pytest.raises(PluginError, match=r"an average of G's weights is the suite's key, average: 0\.999 \(foreign"):
        train(code, "{loss: nonsaturating, update: foreign}")


def test_a_gradient_that_the_update_rule_takes_itself_is_not_zero(train):
    """With torch.autograd.grad: the game does not know of it."""
    code = """
def step(game, players):
    batch = game.draw()
    theta = players.D.theta.clone().requires_grad_(True)
    (g,) = torch.autograd.grad(game.discriminator_loss(theta, players.G, batch), theta)
    players = game.move(players, discriminator=g)
    return game.move(players, generator=game.generator_gradient(players, batch))

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
"""
    assert "exactly zero" not in train(code, "{loss: nonsaturating, update: foreign}").note


ALIKE = {
    "a seed of its own": ("", "torch.manual_seed(42); " + LAYERS),
    "networks of the import": (LAYERS, "pass"),
    "constants": ("", LAYERS + "; [nn.init.ones_(p) for p in (*G.parameters(), *D.parameters())]"),
}


@pytest.mark.parametrize("what", ALIKE)
def test_seeds_that_start_alike_are_said(what, train):
    before, line = ALIKE[what]
    note = train(NETWORKS.format(before=before, line=line), "{loss: nonsaturating, architecture: foreign}").note
    for player in ("discriminator", "generator"):
        assert f"the {player} starts from the same parameters for every seed: " in note


def test_networks_that_start_anew_have_no_note(train):
    assert not train(NETWORKS.format(before="", line=LAYERS), "{loss: nonsaturating, architecture: foreign}").note


SHARED = {
    "a layer": "one = nn.Linear(2, 8); " + DEEP.format("one", "one"),
    "a weight": LAYERS + "; D[0].weight = G[0].weight",
    "a view": LAYERS + "; D[0].weight = nn.Parameter(G[0].weight.detach().view(8, 2))",
}


@pytest.mark.parametrize("what", SHARED)
def test_what_both_players_share_is_refused(what, train):
    """Each has its own vector of parameters, so the sharing would end without a word."""
    with pytest.raises(PluginError, match=r"the generator's '0.weight' is the discriminator's '0.weight' too, and"):
        train(NETWORKS.format(before="", line=SHARED[what]), "{loss: nonsaturating, architecture: foreign}")


@pytest.mark.parametrize("line", ["D.n = getattr(D, 'n', 0) + 1", "setattr(G, 'n', 1)"])
@pytest.mark.parametrize("engine", ["serial", "eager"])
def test_an_attribute_that_is_set_on_a_player_is_refused_at_its_line(line, engine, train):
    code = f"""
def discriminator(d_real, d_fake, D, G):
    {line}
    return softplus(-d_real).mean() + softplus(d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, lambda d_fake: softplus(-d_fake).mean())
"""
    with pytest.raises(PluginError, match=r"sets \.n of a player, which would be lost: .*\(foreign\.py:\d+\)$"):
        train(code, "{loss: foreign}", engine)
