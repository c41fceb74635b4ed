"""The shipped update rules on a game small enough to play by hand.

D(x) = a x and G(z) = b z with the Wasserstein losses: dL_D/da = b z - x, dL_G/db = -a z; both players use SGD.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench.plugin.binding import bind
from ganbench.plugin.played import Player, Players
from ganbench.train.step.flat_network import FlatNetwork
from ganbench.train.step.game import StepGame, autograd_gradient, functional_gradient
from ganbench.train.step.rules import Rules

A, B = 1.0, 2.0
REALS, LATENTS = (5.0, 7.0, 9.0), (1.0, 2.0, 3.0, 4.0)
RATE_D, RATE_G = 0.5, 0.25


class Script:
    """A tape whose n-th batch of data is REALS[n], and of latents LATENTS[n]; ``taken`` counts them."""

    def __init__(self):
        self.taken = {"real": 0, "latent": 0}

    def take(self, purpose, kind, shape):
        value = {"real": REALS, "latent": LATENTS}[purpose][self.taken[purpose]]
        self.taken[purpose] += 1
        return torch.full(shape, value)


def sgd(rate):
    def update(theta, gradient, state, t):
        return theta - rate * gradient, state

    return bind(update, {})


@pytest.fixture(params=[autograd_gradient, functional_gradient], ids=["autograd", "functional"])
def play(request, shipped):
    """Play one step of a rule: (players afterwards, the game, batches taken)."""

    def one_step(name, **parameters):
        player = nn.Linear(1, 1, bias=False)
        rules = Rules(
            discriminator=FlatNetwork(player),
            generator=FlatNetwork(player),
            discriminator_loss=bind(lambda d_real, d_fake: d_fake.mean() - d_real.mean(), {}),
            generator_loss=bind(lambda d_fake: -d_fake.mean(), {}),
            discriminator_optimizer=sgd(RATE_D),
            generator_optimizer=sgd(RATE_G),
            batch=3,
            shape=(1,),
            latent=(1,),
            latent_kind="normal",
        )
        script = Script()
        game = StepGame(rules, ({}, {}), script, torch.tensor(0), request.param)
        players = Players(*(Player(torch.tensor([at]), (), torch.tensor(0.0)) for at in (A, B)))
        update = bind(shipped.get("update", name).value.step, parameters)
        return update({"game": game, "players": players}), game, script.taken

    return one_step


def test_alternating_moves_the_discriminator_first_and_the_generator_against_the_new_one(play):
    players, game, taken = play("alternating")
    a = A - RATE_D * (B * LATENTS[0] - REALS[0])  # 2.5
    assert players.D.theta.item() == pytest.approx(a)
    assert players.G.theta.item() == pytest.approx(B + RATE_G * a * LATENTS[1])  # on a fresh batch
    assert [player for player, _ in game.gradients] == ["discriminator", "generator"]
    assert (players.D.t.item(), players.G.t.item()) == (1, 1)
    assert taken == {"real": 1, "latent": 2}


def test_alternating_makes_as_many_discriminator_steps_as_it_is_told(play):
    """Each on a batch of its own, then one step of the generator."""
    players, game, taken = play("alternating", discriminator_steps=3)
    a = A
    for real, z in zip(REALS, LATENTS, strict=False):
        a -= RATE_D * (B * z - real)
    assert players.D.theta.item() == pytest.approx(a)
    assert players.G.theta.item() == pytest.approx(B + RATE_G * a * LATENTS[3])
    assert [player for player, _ in game.gradients] == ["discriminator"] * 3 + ["generator"]
    assert (players.D.t.item(), players.G.t.item()) == (3, 1)
    assert taken == {"real": 3, "latent": 4}


def test_simultaneous_moves_both_from_the_same_point_on_the_same_batch(play):
    players, _, taken = play("simultaneous")
    assert players.D.theta.item() == pytest.approx(A - RATE_D * (B * LATENTS[0] - REALS[0]))
    assert players.G.theta.item() == pytest.approx(B + RATE_G * A * LATENTS[0])
    assert (players.D.t.item(), players.G.t.item()) == (1, 1)
    assert taken == {"real": 1, "latent": 1}


@pytest.mark.parametrize("steps", [1, 3])
def test_unrolled_differentiates_through_the_discriminators_answers(steps, play):
    """After k answers a_k = a - k r (b z - x), so that d/db of -a_k b z is -a z + k r (2 b z - x) z."""
    players, game, taken = play("unrolled", steps=steps)
    x, z = REALS[0], LATENTS[0]
    assert players.D.theta.item() == pytest.approx(A - RATE_D * (B * z - x))  # one ordinary step
    slope = -A * z + steps * RATE_D * (2 * B * z - x) * z
    assert players.G.theta.item() == pytest.approx(B - RATE_G * slope, rel=1e-5)
    assert [player for player, _ in game.gradients] == ["discriminator", "generator"]
    assert (players.D.t.item(), players.G.t.item()) == (1, 1)
    assert taken == {"real": 1, "latent": 1}  # the answers are given to the same batch


def test_extragradient_moves_by_the_gradients_of_a_step_ahead(play):
    """From where it stood, and each half on a batch of its own."""
    players, game, taken = play("extragradient")
    (x, y, _), (z, w, *_) = REALS, LATENTS
    a, b = A - RATE_D * (B * z - x), B + RATE_G * A * z
    assert players.D.theta.item() == pytest.approx(A - RATE_D * (b * w - y))
    assert players.G.theta.item() == pytest.approx(B + RATE_G * a * w)
    assert [player for player, _ in game.gradients] == ["discriminator", "generator"] * 2
    assert (players.D.t.item(), players.G.t.item()) == (2, 2)  # both halves are in the optimiser's means
    assert taken == {"real": 2, "latent": 2}


def test_consensus_adds_the_gradient_of_the_squared_field(play):
    """v = (b z - x, -a z), and L = |v|^2 / 2 has the gradient (a z^2, (b z - x) z)."""
    gamma = 0.3
    players, _, taken = play("consensus", gamma=gamma)
    x, z = REALS[0], LATENTS[0]
    assert players.D.theta.item() == pytest.approx(A - RATE_D * (B * z - x + gamma * A * z**2))
    assert players.G.theta.item() == pytest.approx(B - RATE_G * (-A * z + gamma * (B * z - x) * z))
    assert taken == {"real": 1, "latent": 1}


def test_consensus_without_weight_is_simultaneous(play):
    assert play("consensus", gamma=0.0)[0] == play("simultaneous")[0]


def turning(shipped, name, steps, **parameters):
    """How far from (0, 0) an optimiser ends that plays min over x, max over y of x y from (1, 1), both at once."""
    optimizer = shipped.get("optimizer", name).value
    theta = torch.ones(2, dtype=torch.float64)
    state = optimizer.start(theta)
    for t in range(1, steps + 1):
        gradient = torch.stack([theta[1], -theta[0]])
        theta, state = optimizer.update(theta, gradient, state, torch.tensor(float(t)), **parameters)
    return theta.norm().item()


def test_optimistic_steps_converge_where_gradient_descent_spirals_out(shipped):
    """x y: descent grows by sqrt(1 + r^2) a step, optimism shrinks by about 1 - r^2/2 (Daskalakis 2018, section 3)."""
    assert turning(shipped, "sgd", 1000, lr=0.1) == pytest.approx(2**0.5 * 1.01**500, rel=1e-3)
    assert turning(shipped, "optimistic-sgd", 1000, lr=0.1) < 0.02


def test_optimistic_adam_comes_nearer_than_adam(shipped):
    """Without momentum: one as heavy as 0.9 undoes the optimism."""
    ends = [turning(shipped, name, 1000, lr=0.01, betas=(0.0, 0.9)) for name in ("optimistic-adam", "adam")]
    assert ends[0] < 0.4 * ends[1]


def test_an_optimistic_step_is_twice_the_present_less_the_last(shipped):
    optimizer = shipped.get("optimizer", "optimistic-sgd").value
    theta = torch.zeros(1)
    state = optimizer.start(theta)
    for gradient, expected in ((1.0, -2.0), (3.0, -7.0), (3.0, -10.0)):
        theta, state = optimizer.update(theta, torch.tensor([gradient]), state, torch.tensor(1.0), lr=1.0)
        assert theta.item() == pytest.approx(expected)


def test_optimistic_adams_direction_is_adams(shipped):
    """With a gradient that stays, twice the present less the last is the present: Adam, one step ahead."""
    gradient, lr = torch.tensor([3.0, -0.2]), 0.01
    ends = {}
    for name in ("adam", "optimistic-adam"):
        optimizer = shipped.get("optimizer", name).value
        theta = torch.zeros(2)
        state = optimizer.start(theta)
        for t in range(1, 11):
            theta, state = optimizer.update(theta, gradient, state, torch.tensor(float(t)), lr=lr)
        ends[name] = theta
    torch.testing.assert_close(ends["optimistic-adam"], ends["adam"] * 11 / 10)


def test_lookahead_is_adam_that_goes_halfway_back_every_k_steps(shipped):
    """A gradient that stays moves Adam by lr a step: 5 of them and half of it back is 2.5, and on from there."""
    optimizer = shipped.get("optimizer", "lookahead-adam").value
    theta = torch.zeros(1, dtype=torch.float64)
    state, path = optimizer.start(theta), []
    for t in range(1, 13):
        theta, state = optimizer.update(theta, -torch.ones_like(theta), state, torch.tensor(float(t)), lr=1.0)
        path.append(theta.item())
    assert path == pytest.approx([1, 2, 3, 4, 2.5, 3.5, 4.5, 5.5, 6.5, 5, 6, 7], rel=1e-4)


def test_lookahead_calms_a_game_that_turns(shipped):
    """x y with Adam circles; going halfway back leads in (Chavdarova 2021, section 4)."""
    circling = turning(shipped, "adam", 4000, lr=0.01)
    assert turning(shipped, "lookahead-adam", 4000, lr=0.01, k=50) < 0.2 * circling
