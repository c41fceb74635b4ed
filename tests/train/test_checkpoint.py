"""A checkpoint brings back every bit, and what is not a checkpoint is no reason to stop."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_flatten

from ganbench.train.checkpoint import load, save
from ganbench.train.trainer import Trainer


@pytest.fixture
def trainer(cell, shipped, cpu):
    one = cell("{loss: wgan-gp}", seeds=2)
    return Trainer([one], cpu, "eager")


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(trainer, tmp_path):
    whole = trainer.advance(trainer.start, 0, 60)
    save(tmp_path / "kept" / "cell.pt", 30, trainer.advance(trainer.start, 0, 30))
    step, state = load(tmp_path / "kept" / "cell.pt", trainer.start)
    resumed = trainer.advance(state, step, 60)
    for a, b in zip(tree_flatten(whole)[0], tree_flatten(resumed)[0], strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_what_is_no_checkpoint_is_as_none(content, trainer, tmp_path):
    path = tmp_path / "cell.pt"
    if content is not None:
        path.write_bytes(content)
    assert load(path, trainer.start) is None


def test_a_torn_checkpoint_is_as_none(trainer, tmp_path):
    path = tmp_path / "cell.pt"
    save(path, 1, trainer.start)
    whole = path.read_bytes()
    for length in range(0, len(whole), max(1, len(whole) // 20)):
        path.write_bytes(whole[:length])
        assert load(path, trainer.start) is None
