"""A cell's state on disk between two evaluations, so that a killed run goes on instead of starting the cell again."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from ganbench.train.step.step import State


def save(path: Path, step: int, state: State) -> None:
    """Write the state after ``step`` steps, whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    hidden = path.with_suffix(".new")
    # Through memory: what torch says of a full disk is no OSError.
    content = io.BytesIO()
    torch.save({"step": step, "tensors": tree_flatten(state)[0]}, content)
    with open(hidden, "wb") as file:
        file.write(content.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)


def load(path: Path, like: State) -> tuple[int, State] | None:
    """The step and the state saved last, on the device of ``like``, or None where nothing usable was saved."""
    leaves, structure = tree_flatten(like)
    try:
        saved = torch.load(path, map_location=leaves[0].device, weights_only=True)
        tensors = saved["tensors"]
    except (OSError, pickle.UnpicklingError, RuntimeError, KeyError, EOFError):
        return None
    if [tensor.shape for tensor in tensors] != [leaf.shape for leaf in leaves]:
        return None
    state: State = tree_unflatten(tensors, structure)
    return int(saved["step"]), state
