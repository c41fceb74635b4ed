"""What a step computes, as one short text: two steps with the same trace are the same step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

#: What is not a tensor and says with its ``repr`` all that it is.
_PLAIN = (int, float, complex, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format)


@dataclass(frozen=True)
class Trace:
    """``text``: a hash of all operations with their numbers. ``constants``: the tensors that are no arguments.

    ``reduced``: a type of less than float32 that something is computed in; empty where nothing is. ``untrained``: the
    constants that take part in gradients.
    """

    text: str
    constants: tuple[Tensor, ...]
    reduced: str = ""
    untrained: tuple[Tensor, ...] = ()


def trace(step: Callable[..., Any], *arguments: Any) -> Trace:
    """Run a step, and write down what it computes.

    The values of the arguments are left out. What the step takes from elsewhere is in the text: a Python number, be it
    from a parameter, a closure, a global, the data or the clock, and a tensor that is no argument.

    Args:
        step: the step of one model
        arguments: what it is called with, tensors in any tree

    Returns:
        The trace.
    """
    tracing = _Tracing(arguments)
    with tracing:
        results = step(*arguments)
    tracing.add(results)
    return Trace(tracing.digest.hexdigest(), tuple(tracing.constants), tracing.reduced, tuple(tracing.untrained))


class _Tracing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds every operation to a hash, below autograd and vmap, where all tensors are plain ones."""

    def __init__(self, arguments: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.digest = hashlib.sha256()
        self.constants: list[Tensor] = []
        self.untrained: list[Tensor] = []
        #: A type of less than float32 that something is computed in.
        self.reduced = ""
        #: The number of each tensor that exists, in the order in which they came.
        self._numbers = WeakTensorKeyDictionary()
        self._count = 0
        for tensor in tree_leaves(arguments):
            self._number(tensor)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        self.digest.update(str(func).encode())
        # Before the call, which may write into what it is given.
        self.add((args, kwargs or {}))
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf not in self._numbers:
                self._number(leaf)
            if isinstance(leaf, Tensor) and leaf.dtype in (torch.bfloat16, torch.float16):
                self.reduced = str(leaf.dtype).removeprefix("torch.")
        self.add(result)
        return result

    def add(self, tree: Any) -> None:
        """Add values to the hash: of a tensor that is known its number, of any other what it holds."""
        leaves, structure = tree_flatten(tree)
        words = [str(structure)]
        for leaf in leaves:
            if not isinstance(leaf, Tensor):
                words.append(repr(leaf) if isinstance(leaf, _PLAIN) else type(leaf).__name__)
                continue
            if leaf not in self._numbers:
                self._number(leaf)
                words.append(_content(leaf))
                self.constants.append(leaf)
                self.untrained += [leaf] if leaf.requires_grad and torch.is_grad_enabled() else []
            words.append(str(self._numbers[leaf]))
        self.digest.update("\n".join(words).encode())

    def _number(self, tensor: Tensor) -> None:
        self._numbers[tensor] = f"{self._count}:{tuple(tensor.shape)}:{tensor.dtype}:{tensor.device.type}"
        self._count += 1


def _content(tensor: Tensor) -> str:
    plain = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.sha256(plain.numpy().tobytes()).hexdigest()
