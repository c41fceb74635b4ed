"""The shipped update rules on a game small enough to play by hand.

D(x) = a x and G(z) = b z with the Wasserstein losses: dL_D/da = b z - x, dL_G/db = -a z; both players use SGD.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench.calling import bind
from ganbench.train.game import Game, Player, Players, Rules, autograd_gradient, functional_gradient
from ganbench.train.network import Network

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
            discriminator=Network(player),
            generator=Network(player),
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
        game = Game(rules, ({}, {}), script, torch.tensor(0), request.param)
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
