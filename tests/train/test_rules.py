"""What a suite may lay over any loss: penalties, clipped gradients, averaged weights, projections, further networks."""

from __future__ import annotations

import pytest
import torch

from ganbench.train.build import build_networks, rules
from ganbench.train.data import build_dataset
from ganbench.train.trainer import Trainer

#: Of each penalty what it adds is known; the loss alone moves nobody.
CODE = """'''A test's plugins.'''
import torch
from torch import nn
from ganbench import Architecture, Loss, Networks, Penalty, hookimpl

def flat(d_real, d_fake):
    return 0.0 * (d_real + d_fake).sum()

def own(D, *, weight: float = 1.0):
    return weight * D(torch.ones(4, 2)).sum()

def of_generator(fake, *, weight: float = 1.0):
    return weight * fake.mean()

def remembered(d_real, memory):
    return 0.0 * d_real.sum() + 0.0 * memory[0]

def remember(memory, d_real, *, decay: float = 0.5):
    return (decay * memory[0] + (1 - decay) * d_real.mean(), memory[1] + 1)

def clamp(theta, *, c: float = 0.01):
    return theta.clamp(-c, c)

def shifted(x, *, by: float = 1.0):
    return x + by

class Linear(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.linear = nn.Linear(2, outputs, bias=False)
    def forward(self, x):
        return self.linear(x)

def linear(shape):
    return Networks(Linear(2), Linear(1), (2,))

def players(build, shape, data, *, double: bool = False):
    own = build(shape)
    assert data(7).shape == (7, 2)
    E = nn.Linear(2, 2, bias=False)
    return Networks(own.generator, own.discriminator, own.latent, generator_parts={"E": E})

def encoded_D(d_real, d_fake, E, real):
    return d_fake.mean() - d_real.mean() + E(real).square().mean()

def encoded_G(E, real):
    return (E(real) - real).square().mean()

def packed(build, shape, *, m: int = 2):
    own, wide = build(shape), nn.Linear(2 * m, 1)
    return Networks(own.generator, wide, own.latent)

def packed_D(D, real, fake, *, m: int = 2):
    return D(fake.reshape(-1, 2 * m)).mean() - D(real.reshape(-1, 2 * m)).mean()

def packed_G(D, fake, *, m: int = 2):
    return -D(fake.reshape(-1, 2 * m)).mean()

def sharing(build, shape):
    own, trunk = build(shape), nn.Linear(2, 3)
    return Networks(own.generator, nn.Sequential(trunk, nn.ReLU(), nn.Linear(3, 1)), own.latent,
                    discriminator_parts={"F": nn.Sequential(trunk, nn.Linear(3, 1, bias=False)), "trunk": trunk})

def shared_D(d_real, d_fake, F, trunk, real):
    return d_fake.mean() - d_real.mean() + (F(real) - trunk(real)).square().mean()

@hookimpl
def ganbench_losses():
    yield Loss("shared", shared_D, lambda d_fake: -d_fake.mean(), players=sharing, parts=("F", "trunk"))
    yield Loss("flat", flat, flat)
    yield Loss("clamped", lambda d_real, d_fake: (d_fake - d_real).mean(), lambda d_fake: -d_fake.mean(), project=clamp)
    yield Loss("encoded", encoded_D, encoded_G, players=players, parts=("E",))
    yield Loss("unnamed", encoded_D, encoded_G, players=lambda build, shape: build(shape), parts=("E",))
    yield Loss("packed", packed_D, packed_G, players=packed)
    yield Loss("overpacked", lambda d_real: d_real.mean(), packed_G, players=packed)

@hookimpl
def ganbench_penalties():
    yield Penalty("own", own)
    yield Penalty("of-generator", generator=of_generator)
    yield Penalty("remembering", remembered, memory=(0.0, 5.0), remember=remember)
    yield Penalty("shifted", inputs=shifted)
    yield Penalty("vector", lambda d_real: d_real)

@hookimpl
def ganbench_architectures():
    yield Architecture("linear", linear)
"""
SGD = "architecture: linear, optimizer: {name: sgd, lr: 1.0}"


@pytest.fixture
def trainer(foreign, cell, cpu):
    registry = foreign(CODE)

    def build(variant, seeds=3, engine="eager"):
        return Trainer([cell(variant, seeds=seeds, registry=registry)], cpu, engine)

    return build


def moved(trainer, steps=1, player="D", start=0):
    """How far each seed's player has gone: (seeds, parameters)."""
    before = trainer.advance(trainer.start, 0, start) if start else trainer.start
    after = trainer.advance(before, start, start + steps)
    return getattr(after.players, player).theta - getattr(before.players, player).theta


def test_a_penalty_is_added_to_its_own_players_loss_and_to_no_other(trainer):
    """D's alone is linear: a step of rate 1 goes by minus its gradient, 4 samples of ones."""
    one = trainer(f"{{loss: flat, penalty: {{name: own, weight: 0.5}}, {SGD}}}")
    assert torch.allclose(moved(one), torch.full((3, 2), -2.0))
    assert (moved(one, player="G") == 0).all()
    other = trainer(f"{{loss: flat, penalty: of-generator, {SGD}}}")
    assert (moved(other) == 0).all()
    assert (moved(other, player="G") != 0).any()


def test_penalties_add_up(trainer):
    both = trainer(f"{{loss: flat, penalty: [own, of-generator], {SGD}}}")
    assert torch.allclose(moved(both), torch.full((3, 2), -4.0))
    assert (moved(both, player="G") != 0).any()


def test_a_lazy_penalty_is_added_at_every_so_manieth_step_as_much_stronger(trainer):
    lazy = trainer(f"{{loss: flat, penalty: {{name: own, every: 3}}, {SGD}}}")
    goes = [moved(lazy, start=step)[0, 0].item() for step in range(5)]
    assert goes == pytest.approx([-12, 0, 0, -12, 0])


def test_a_penalty_remembers_what_it_was_told_for_each_seed_after_each_gradient(trainer):
    """A running mean of D(real), and a count, from the numbers that it starts with."""
    variant = f"loss: flat, penalty: {{name: remembering, decay: 0.5}}, {SGD}"
    one = trainer(f"{{{variant}, update: {{name: alternating, discriminator_steps: 2}}}}")
    state = one.advance(one.start, 0, 3)
    assert state.memory[0][1].tolist() == [11.0] * 3
    assert len(set(state.memory[0][0].tolist())) == 3
    alone = trainer(f"{{{variant}, update: {{name: alternating, discriminator_steps: 2}}}}", seeds=[2])
    assert torch.allclose(alone.advance(alone.start, 0, 3).memory[0][0], state.memory[0][0][2:])


def test_what_d_sees_is_changed_while_training_and_not_when_it_is_evaluated(trainer):
    """Ones become fours: D's gradient is that of 4 samples of fours; its logits of the same samples are the same."""
    plain, shifted = (
        trainer(f"{{loss: flat, penalty: [own{more}], {SGD}}}") for more in ("", ", {name: shifted, by: 3}")
    )
    assert torch.allclose(moved(plain), torch.full((3, 2), -4.0))
    assert torch.allclose(moved(shifted), torch.full((3, 2), -16.0))
    names = frozenset({"samples", "d_fake"})
    logits = [one.metric_inputs(one.start, 0, 0, names, final=True)["d_fake"] for one in (plain, shifted)]
    assert torch.equal(*logits)


@pytest.mark.parametrize("engine", ["eager", "serial"])
def test_the_discriminator_is_projected_after_each_of_its_steps(trainer, engine):
    one = trainer(f"{{loss: {{name: clamped, c: 0.02}}, {SGD}}}", engine=engine)
    state = one.advance(one.start, 0, 5)
    assert state.players.D.theta.abs().max() <= 0.02
    assert state.players.G.theta.abs().max() > 0.02


def test_a_clipped_gradient_has_at_most_that_norm_in_each_seed(trainer):
    """The gradient is (-4, -4): clipped to norm 1 in each of the seeds, not in all together; a smaller one is kept."""
    for clip, norm in ((1.0, 1.0), (100.0, 4 * 2**0.5)):
        one = trainer(
            f"{{loss: flat, penalty: own, architecture: linear, optimizer: {{name: sgd, lr: 1.0, clip: {clip}}}}}"
        )
        assert torch.allclose(moved(one).norm(dim=1), torch.full((3,), norm), atol=1e-5)


@pytest.mark.parametrize("decay", ["0.75", "{decay: 0.75}"])
def test_the_running_average_of_the_generator_is_what_is_evaluated_and_training_goes_on_without_it(decay, trainer):
    plain, averaged = (trainer(f"{{loss: minimax, {more} {SGD}}}") for more in ("", f"average: {decay},"))
    states = [plain.start]
    for step in range(3):
        states.append(plain.advance(states[-1], step, step + 1))
    mean = plain.start.players.G.theta
    for state in states[1:]:
        mean = 0.75 * mean + 0.25 * state.players.G.theta
    last = averaged.advance(averaged.start, 0, 3)
    assert torch.equal(last.players.G.theta, states[-1].players.G.theta)
    assert torch.allclose(last.average[0], mean, atol=1e-6)
    names = frozenset({"samples"})
    at_mean = states[-1]._replace(players=states[-1].players._replace(G=last.players.G._replace(theta=last.average[0])))
    samples = averaged.metric_inputs(last, 3, 1, names, final=True)["samples"]
    assert torch.equal(samples, plain.metric_inputs(at_mean, 3, 1, names, final=True)["samples"])


@pytest.mark.parametrize("engine", ["eager", "serial"])
def test_a_part_is_trained_with_its_player_and_held_still_by_the_other(trainer, engine):
    """The encoder is the generator's: from D's loss, which names it too, it learns nothing."""
    one = trainer("{loss: encoded, architecture: linear, optimizer: {name: sgd, lr: 0.1}}", engine=engine)
    state = one.advance(one.start, 0, 200)
    encoder = state.players.G.theta[:, 4:].reshape(3, 2, 2)
    assert torch.allclose(encoder, torch.eye(2).expand(3, 2, 2), atol=1e-2)
    assert state.players.G.theta.shape == (3, 8)
    assert state.players.D.theta.shape == (3, 2)


def test_where_d_takes_more_than_a_sample_metrics_are_given_no_logits(trainer):
    one = trainer("{loss: packed, architecture: linear}")
    state = one.advance(one.start, 0, 2)
    outcome = one.metric_inputs(state, 2, 0, frozenset({"samples", "d_real", "d_fake", "real"}), final=True)
    assert outcome["d_real"] is None
    assert outcome["d_fake"] is None


@pytest.mark.parametrize(
    ("variant", "cause"),
    {
        "{loss: unnamed}": r"loss unnamed: its networks have the parts none, and its Loss says \('E',\)",
        "{loss: overpacked}": "d_real and d_fake are one logit a sample, and this D judges more than samples alone",
        "{loss: packed, penalty: remembering}": "d_real and d_fake are one logit a sample",
        "{loss: minimax, penalty: vector}": r"penalty vector's discriminator\(\) must return a scalar",
    }.items(),
)
def test_what_does_not_fit_is_told_in_the_plugins_terms(trainer, variant, cause):
    with pytest.raises(Exception, match=cause):
        trainer(variant.replace("}", ", architecture: linear}"))


def test_a_player_that_shares_layers_with_a_part_has_them_once_and_is_left_as_it_was(trainer):
    """A head on D's first layer: 2 x 3 + 3 shared, 3 + 1 of D's own, 3 of the part's."""
    one = trainer("{loss: shared, architecture: linear, optimizer: {name: sgd, lr: 0.1}}")
    state = one.advance(one.start, 0, 3)
    assert state.players.D.theta.shape == (3, 2 * 3 + 3 + 3 + 1 + 3)
    again = one.advance(one.start, 0, 3)
    assert torch.equal(again.players.D.theta, state.players.D.theta)
    one.metric_inputs(state, 3, 0, frozenset({"samples", "d_fake"}), final=True)


def test_where_d_judges_is_asked_before_the_networks_go_to_a_device(foreign, cell):
    """A GPU is not there; torch's device without data is, and nothing computed on the CPU can be mixed with it."""
    registry = foreign(CODE)
    for loss, judging in (("shared", True), ("encoded", True), ("packed", False), ("minimax", True)):
        one = cell(f"{{loss: {loss}, architecture: linear}}", registry=registry)
        dataset = build_dataset(one.data)
        networks = build_networks(one.trained, dataset, (0,))[0]
        assert rules(one, one.trained, dataset, networks, torch.device("meta")).judges == judging
