"""A cell's state on disk between two evaluations, from which a run that was killed resumes the cell.

The file begins with a SHA-256 of all that follows it and of whose state it is: of a file that was damaged, or is of
another cell, nothing is believed.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from ganbench.core.disk import put
from ganbench.train.step.step import State


def save(path: Path, step: int, state: State, owner: str = "") -> None:
    """Write a training state to a file, whole or not at all.

    Args:
        path: the file; its folder is made where it is missing
        step: how many steps led to the state
        state: the state of all replicas
        owner: whose state it is

    Raises:
        OSError: where the file cannot be written
    """
    path.parent.mkdir(exist_ok=True)
    hidden = path.with_suffix(".new")
    # Through memory: on a full disk, torch.save itself raises no OSError.
    content = io.BytesIO()
    torch.save({"step": step, "tensors": tree_flatten(state)[0]}, content)
    with open(hidden, "wb") as file:
        file.write(_digest(content.getbuffer(), owner))
        file.write(content.getbuffer())
        file.flush()
        os.fsync(file.fileno())
    put(hidden, path)


def load(path: Path, like: State, owner: str = "") -> tuple[int, State] | None:
    """The step and the state that were saved last; None where there is no file, or another one than ``save`` wrote.

    Args:
        path: the file
        like: a state as the saved one was, for its structure and device
        owner: whose state it must be

    Returns:
        The step, and the state on the device of ``like``.
    """
    if not path.is_file():
        return None
    leaves, structure = tree_flatten(like)
    try:
        content = memoryview(path.read_bytes())
        if bytes(content[:_SIZE]) != _digest(content[_SIZE:], owner):
            return None
        saved = torch.load(io.BytesIO(content[_SIZE:]), map_location=leaves[0].device, weights_only=True)
        step, tensors = saved["step"], saved["tensors"]
        kinds = [(tensor.shape, tensor.dtype) for tensor in tensors]
    except Exception:  # of a file that anything may be in
        return None
    if type(step) is not int or kinds != [(leaf.shape, leaf.dtype) for leaf in leaves]:
        return None
    state: State = tree_unflatten(tensors, structure)
    return step, state


_SIZE = hashlib.sha256().digest_size


def _digest(content: memoryview, owner: str) -> bytes:
    found = hashlib.sha256(owner.encode())
    found.update(content)
    return found.digest()
