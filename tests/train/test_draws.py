"""Random streams: a function of (seed, purpose, block) alone."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from ganbench.core.rng import drawn_since, global_states, isolated, key, stream
from ganbench.data.mixture import Mixture
from ganbench.train.step.draws import BLOCK_STEPS, DrawRecorder, DrawSpec, RandomBlocks

DATA = Mixture([[0.0, 0.0], [1.0, 1.0]], 0.1)
REAL, LATENT = DrawSpec("real.0", "real", (16, 2)), DrawSpec("latent.0", "normal", (16, 4))


def test_a_seeds_noise_does_not_depend_on_its_batch_mates(cpu):
    together = RandomBlocks([REAL, LATENT], DATA, [3, 5, 9], cpu, 200).at(130)
    alone = RandomBlocks([REAL, LATENT], DATA, [5], cpu, 200).at(130)
    for a, b in zip(together, alone, strict=True):
        assert torch.equal(a[1], b[0])


@pytest.mark.parametrize("more", [DrawSpec("uniform.0", "uniform", (16,)), DrawSpec("latent.1", "normal", (64, 1024))])
def test_variants_with_more_draws_see_the_same_data(more, cpu):
    """Comparisons are paired: a variant that draws more, however large, shares the draws that both have."""
    few, many = (
        RandomBlocks([REAL, LATENT], DATA, [0], cpu, 200),
        RandomBlocks([REAL, more, LATENT], DATA, [0], cpu, 200),
    )
    for step in (0, 3, 64, 100):
        assert torch.equal(few.at(step)[0], many.at(step)[0])
        assert torch.equal(few.at(step)[1], many.at(step)[2])


def test_steps_seeds_and_purposes_differ(cpu):
    noise = RandomBlocks([LATENT, DrawSpec("latent.1", "normal", (16, 4))], DATA, [0, 1], cpu, 200)
    first, next_, later = noise.at(0), noise.at(1), noise.at(BLOCK_STEPS)
    drawn = [first[0][0], first[0][1], first[1][0], next_[0][0], later[0][0]]
    assert len({tensor.sum().item() for tensor in drawn}) == len(drawn)


def test_steps_may_be_asked_for_in_any_order(cpu):
    steps = [0, 70, 3, 200, 70]
    kept = RandomBlocks([REAL, LATENT], DATA, [0, 1], cpu, 200)
    for step in steps:
        for a, b in zip(kept.at(step), RandomBlocks([REAL, LATENT], DATA, [0, 1], cpu, 200).at(step), strict=True):
            assert torch.equal(a, b)


def test_a_blocks_length_depends_on_one_seeds_own_draw_only():
    assert REAL.block_steps == LATENT.block_steps == BLOCK_STEPS
    assert DrawSpec("real.0", "real", (256, 2048)).block_steps == 1


def test_a_tape_plays_back_what_it_recorded_in_order():
    recorder = DrawRecorder()
    a, b = recorder.take("real", "real", (3, 2)), recorder.uniform(3)
    assert recorder.draws == [DrawSpec("real.0", "real", (3, 2)), DrawSpec("uniform.0", "uniform", (3,))]
    player = DrawRecorder((a, b))
    assert torch.equal(player.take("real", "real", (3, 2)), a)
    assert torch.equal(player.uniform(3), b)


def test_keys_are_stable():
    """Known answers: published numbers must be had again by later versions."""
    assert key(0, "real.0", 0) == 1957523620070565323
    assert key(1, "real.0", 0) == 9113031474080595693
    assert torch.rand(1, generator=stream(0, "real.0")).item() == torch.rand(1, generator=stream(0, "real.0")).item()


def test_isolated_seeds_the_global_generators_and_leaves_them_as_they_were():
    before, drawn = global_states(), []
    for seed in (1, 1, 2):
        with isolated(seed, "initial"):
            drawn.append((torch.rand(2).tolist(), np.random.rand(2).tolist(), random.random()))
            assert drawn_since(before) == ("torch", "numpy", "Python")
    assert drawn_since(before) == ()
    assert drawn[0] == drawn[1]
    assert all(one != other for one, other in zip(drawn[0], drawn[2], strict=True))


def test_an_empty_tensor_that_is_to_be_filled_is_made_where_the_draws_are():
    """While a step's draws are recorded, as later: else a GPU would refuse in the one what it takes in the other."""
    for recorder in (DrawRecorder(device="meta"), DrawRecorder((torch.empty(2, device="meta"),))):
        made = recorder.empty(torch.empty, 3, dtype=torch.int64)
        assert (made.device.type, made.shape, made.dtype) == ("meta", (3,), torch.int64)
