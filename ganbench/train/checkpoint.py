"""A cell's state on disk between two evaluations, from which a run that was killed resumes the cell."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from ganbench.train.step.step import State


def save(path: Path, step: int, state: State) -> None:
    """Write a training state to a file, whole or not at all.

    Args:
        path: the file; its folder is made where it is missing
        step: how many steps led to the state
        state: the state of all replicas

    Raises:
        OSError: where the file cannot be written
    """
    path.parent.mkdir(exist_ok=True)
    hidden = path.with_suffix(".new")
    # Through memory: on a full disk, torch.save itself raises no OSError.
    content = io.BytesIO()
    torch.save({"step": step, "tensors": tree_flatten(state)[0]}, content)
    with open(hidden, "wb") as file:
        file.write(content.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    hidden.replace(path)


def load(path: Path, like: State) -> tuple[int, State] | None:
    """The step and the state that were saved last, on the device of ``like``; None where no usable state was saved."""
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
