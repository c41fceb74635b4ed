"""How fast ganbench's engines are beside their peers, in the same run; see "Benchmarks" in tests/README.md.

    pytest tests/benchmarks/test_peers.py --benchmark-enable --benchmark-json=peers.json

Without ``--benchmark-enable`` it is a dry run: each peer makes a few steps of a tiny case, so that none of this rots.
"""

from __future__ import annotations

import importlib

import numpy as np
import pandas as pd
import pytest
import torch
from cases import LOSSES, Case, cases
from interleaved import Peer, Rounds, Spread
from matmul_limit import flops
from peer_table import Row, machine, table, write_csv
from peers import AbsentError, cell_of, peers
from plain_loop import PlainLoop

from ganbench.train.step.draws import RandomBlocks
from ganbench.train.trainer import Trainer


def test_peers(benchmark, request, peer_case, shipped, peer_device, peer_rows, peer_notes):
    # pytest-benchmark times one function after another, and noise that comes and goes would favour one peer. So what
    # it times is a round, in which every peer takes its turn of about the same length and is timed by itself: the
    # benchmark's own times are those of whole rounds and say nothing; the rates are in the extra information.
    dry = benchmark.disabled
    found = list(peers(peer_case, peer_device, shipped, dry=dry))
    able = [one for one in found if isinstance(one, Peer)]
    seconds = request.config.getoption("peer_seconds", 0.3)
    rounds = Rounds(able, [2 if dry else peer.steps(seconds) for peer in able])
    benchmark.group = "rounds of all peers: see the table of peers for the rates"
    benchmark.pedantic(rounds.once, rounds=request.config.getoption("benchmark_min_rounds"))
    row = Row.of(peer_case, peer_device.type, rounds)
    assert all(spread.low > 0 for spread in row.rates.values())
    benchmark.extra_info |= row.flat() | {
        "unit": "model-steps a second",
        "rounds": rounds.rates,
        "steps_a_turn": dict(zip([peer.name for peer in able], rounds.steps, strict=True)),
        "runs_on": {peer.name: peer.device for peer in able if peer.device},
        "verdicts": {other: row.verdict((one, other)) for one, other in row.ratios},
    }
    if not dry:
        peer_rows.append(row)
        peer_notes |= {str(one): None for one in found if isinstance(one, AbsentError)}
        peer_notes |= {f"{one.name} runs on {one.device}": None for one in able if one.device}


STEPS, TOLERANCE = 20, 1e-5
#: What JAX calls the draws of an engine's step.
PURPOSES = {
    "real": "real.0",
    "latent": "latent.0",
    "weight": "uniform.0",
    "generator_latent": "latent.1",
    "generator_real": "real.1",
}


@pytest.fixture(params=LOSSES)
def game(request, shipped, cpu):
    """A case, what ganbench's engine draws in its first steps, and the parameters before and after them."""
    case = Case("tiny", request.param, 2)
    cell = cell_of(case, shipped)
    trainer = Trainer([cell], cpu, "eager")
    noise = RandomBlocks(trainer.probe.draws, trainer.dataset, cell.seeds, cpu, cell.steps)
    names = [draw.purpose for draw in trainer.probe.draws]
    draws = [dict(zip(names, noise.at(step), strict=True)) for step in range(STEPS)]
    return case, draws, trainer.start.players, trainer.advance(trainer.start, 0, STEPS).players


@pytest.fixture
def jax_loop():
    for library in ("jax", "optax"):
        pytest.importorskip(library, reason=f"no {library}: pip install -e '.[peers]'")
    return importlib.import_module("jax_loop")


def test_the_plain_loop_plays_ganbenchs_game(game, cpu):
    """From the same parameters and draws, 20 steps lead to the same parameters, for each seed."""
    case, draws, before, after = game
    for seed in range(case.seeds):
        loop = PlainLoop(case, cpu)
        for module, player in ((loop.D, before.D), (loop.G, before.G)):
            torch.nn.utils.vector_to_parameters(player.theta[seed].clone(), module.parameters())
        for method, purpose in (("real", "real"), ("latent", "latent"), ("weight", "uniform")):
            drawn = iter([one[f"{purpose}.{i}"][seed] for one in draws for i in (0, 1) if f"{purpose}.{i}" in one])
            setattr(loop, method, lambda drawn=drawn: next(drawn).reshape(case.batch, -1).clone())
        for _ in range(STEPS):
            loop.step()
        for module, player in ((loop.D, after.D), (loop.G, after.G)):
            theta = torch.nn.utils.parameters_to_vector(module.parameters()).detach()
            assert (theta - player.theta[seed]).abs().max() < TOLERANCE


def test_jax_plays_ganbenchs_game(game, jax_loop):
    """From the same parameters and draws, 20 steps lead to the same parameters, for all seeds at once."""
    jax = jax_loop.jax
    case, draws, before, after = game
    with jax.default_device(jax.devices("cpu")[0]):
        players = jax_loop.start(case, before.D.theta.numpy(), before.G.theta.numpy())
        step = jax.jit(jax.vmap(lambda players, noise: jax_loop.step(players, noise, case.loss)))
        for one in draws:
            drawn = {
                name: one[purpose].reshape(case.seeds, case.batch, -1).numpy() if purpose in one else None
                for name, purpose in PURPOSES.items()
            }
            players = step(players, jax_loop.Noise(**drawn))
        for (layers, theta), sizes in (
            ((players.D.layers, after.D.theta), (2, case.width, case.width, 1)),
            ((players.G.layers, after.G.theta), (case.latent, case.width, case.width, 2)),
        ):
            apart = jax.tree.map(lambda a, b: float(abs(a - b).max()), layers, jax_loop.layers(theta.numpy(), sizes))
            assert max(jax.tree.leaves(apart)) < TOLERANCE


def test_jax_draws_what_its_loss_needs(game, jax_loop):
    """Traced and not compiled, which takes seconds: what comes out of a call has the shapes of what goes in."""
    jax = jax_loop.jax
    case, _, before, _ = game
    players = jax_loop.start(case, before.D.theta.numpy(), before.G.theta.numpy())
    state = (players, jax.random.split(jax.random.key(0), case.seeds))
    after = jax.eval_shape(lambda state: jax_loop.many(state, case, 4), state)
    assert jax.tree.map(np.shape, state) == jax.tree.map(np.shape, after)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_limit_counts_what_a_step_multiplies(loss):
    """For the non-saturating game each product can be counted by hand; a penalty takes more."""
    case = Case("tiny", loss, 1)
    w, z = case.width, case.latent
    D, G, D_to_hidden, G_to_hidden = 2 * w + w * w + w, z * w + w * w + 2 * w, w * w + w, w * w + 2 * w
    # D's: G forward, D forward and back twice. G's: both forward, D back to the samples, and G back.
    by_hand = G + 2 * (D + D + D_to_hidden) + (G + D) + D + (G + G_to_hidden)
    counted = flops(case) / (2 * case.batch)
    assert counted == by_hand if loss == "nonsaturating" else counted > by_hand


def test_peers_take_turns():
    turns = []
    rounds = Rounds([Peer(name, lambda steps, name=name: turns.append((name, steps)), 1) for name in "ab"], [1, 2])
    rounds.once()
    rounds.once()
    assert turns == [("a", 1), ("b", 2)] * 2
    assert [len(rates) for rates in rounds.rates.values()] == [2, 2]


def row(device="cpu", size="128-512", loss="nonsaturating", seeds=32, plain=(100, 100, 100), compiled=(200, 150, 240)):
    rounds = Rounds([], [], {"plain": list(plain), "jax": [100, 100, 100], "compiled": list(compiled)})
    return Row.of(Case(size, loss, seeds), device, rounds)


def test_a_ratio_is_the_median_of_its_rounds_own():
    """Both are slow in the same rounds, and the ratio does not see it."""
    assert row(plain=(10, 50, 80), compiled=(40, 200, 320)).ratios["compiled", "plain"] == Spread(4, 4, 4)


def test_goals_are_those_of_the_device_the_size_and_the_seeds():
    pair, jax = ("compiled", "plain"), ("compiled", "jax")
    assert row().verdict(pair) == ">=1.9 met~"
    assert row(compiled=(110, 120, 130)).verdict(pair) == ">=1.9 missed"
    assert row(device="cuda").verdict(pair) == ">=100 missed"
    assert row(size="32-64").goal(pair) == 25
    assert row(seeds=8).goal(pair) is row(loss="rpgan").goal(pair) is row(seeds=1).goal(jax) is None
    assert row(seeds=8).verdict(jax) == row(device="cuda", seeds=1).verdict(jax) == ">=1 met"


def test_the_table_is_80_columns_wide_and_its_csv_has_the_machine(tmp_path, cpu):
    rows = [row(), row(size="128-512-z256", loss="rpgan", seeds=128, compiled=(1234567, 1234567, 1234567))]
    lines = table(rows, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if "1,234,567" in line and "128/512  256    128" in line]
    assert [line for line in lines if ">=1.9 met~" in line]
    write_csv(rows, machine(cpu), tmp_path / "peers.csv")
    csv = pd.read_csv(tmp_path / "peers.csv")
    assert csv["device"].notna().all()
    assert csv["compiled_per_plain"].tolist() == [2.0, 12350.0]
    assert csv["torch_version"].tolist() == [torch.__version__] * 2


def test_what_is_not_there_cannot_be_asked_for():
    assert [case.size for case in cases("32-64, 128-512", "rpgan", "8", dry=False)] == ["32-64", "128-512"]
    with pytest.raises(ValueError, match="--peer-cases: '32-65' is none of 128-512"):
        cases("32-64,32-65", None, None, dry=False)
    with pytest.raises(ValueError, match="--peer-seeds: '8,x' is not a list of numbers"):
        cases(None, None, "8,x", dry=False)
