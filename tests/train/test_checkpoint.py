"""A checkpoint brings back every bit, and what is not a checkpoint is no reason to stop."""

from __future__ import annotations

import io
import os

import pytest
import torch
from torch.utils._pytree import tree_flatten, tree_map

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


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def forged(**changes):
    def write(path):
        torch.save(torch.load(io.BytesIO(path.read_bytes()[32:])) | changes, path)

    return write


@pytest.mark.parametrize(
    "damage",
    [
        flipped,
        forged(step=5),
        forged(tensors=5),
        forged(tensors=[torch.zeros(3)]),
        lambda path: torch.save([1, 2], path),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: (path.unlink(), os.mkfifo(path)),
    ],
    ids=["flipped", "step", "number", "shapes", "list", "folder", "fifo"],
)
def test_what_was_not_written_by_save_is_not_believed(damage, trainer, tmp_path):
    path = tmp_path / "cell.pt"
    save(path, 30, trainer.start)
    damage(path)
    assert load(path, trainer.start) is None


def test_a_state_of_another_cell_or_of_other_numbers_is_not_believed(trainer, tmp_path):
    path = tmp_path / "cell.pt"
    save(path, 30, trainer.start, "one cell")
    assert load(path, trainer.start, "one cell")[0] == 30
    assert load(path, trainer.start, "another cell") is None
    save(path, 30, tree_map(lambda tensor: tensor.double(), trainer.start))
    assert load(path, trainer.start) is None
