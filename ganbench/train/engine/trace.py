"""What a step computes, as one short text: two steps with the same trace are the same step."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_leaves

from ganbench.core.unloaded_compiler import unloaded

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


@unloaded
class _Tracing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds every operation to a hash, below autograd and vmap, where all tensors are plain ones."""

    def __init__(self, arguments: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.digest = hashlib.sha256()
        self.constants: list[Tensor] = []
        self.untrained: list[Tensor] = []
        #: A type of less than float32 that something is computed in.
        self.reduced = ""
        #: The number of each tensor that exists, by its id; a weak reference takes it out when the tensor is freed.
        self._numbers: dict[int, str] = {}
        self._references: dict[int, weakref.ref[Tensor]] = {}
        self._count = 0
        for tensor in tree_leaves(arguments):
            self._number(tensor)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        words = [str(func)]
        # Before the call, which may write into what it is given.
        self._add(args, words)
        self._add(kwargs or {}, words)
        result = func(*args, **(kwargs or {}))
        self._made(result)
        self._add(result, words)
        self._write(words)
        return result

    def add(self, tree: Any) -> None:
        """Add the leaves of any tree to the hash."""
        leaves, structure = tree_flatten(tree)
        words = [str(structure)]
        self._add(leaves, words)
        self._write(words)

    def _write(self, words: list[str]) -> None:
        self.digest.update(("\n".join(words) + "\n").encode())

    def _add(self, value: Any, words: list[str]) -> None:
        """Add what an operation takes or gives: of a tensor that is known its number, of any other what it holds.

        Operations know no trees but lists, tuples and dicts: a third of the time that torch's pytree takes.
        """
        if isinstance(value, Tensor):
            number = self._numbers.get(id(value))
            if number is None:
                number = self._number(value)
                words.append(_content(value))
                self.constants.append(value)
                self.untrained += [value] if value.requires_grad and torch.is_grad_enabled() else []
            words.append(number)
        elif isinstance(value, list | tuple):
            words.append(f"{type(value).__name__} of {len(value)}")
            for each in value:
                self._add(each, words)
        elif isinstance(value, dict):
            words.append(f"dict of {[*value]}")
            for each in value.values():
                self._add(each, words)
        else:
            words.append(repr(value) if isinstance(value, _PLAIN) else type(value).__name__)

    def _made(self, value: Any) -> None:
        """Number the tensors that an operation has made."""
        if isinstance(value, Tensor):
            if id(value) not in self._numbers:
                self._number(value)
            if value.dtype in (torch.bfloat16, torch.float16):
                self.reduced = str(value.dtype).removeprefix("torch.")
        elif isinstance(value, list | tuple):
            for each in value:
                self._made(each)

    def _number(self, tensor: Tensor) -> str:
        key, numbers, references = id(tensor), self._numbers, self._references

        def freed(_: weakref.ref[Tensor]) -> None:
            del numbers[key], references[key]

        references[key] = weakref.ref(tensor, freed)
        numbers[key] = f"{self._count}:{tuple(tensor.shape)}:{tensor.dtype}:{tensor.device.type}"
        self._count += 1
        return numbers[key]


def _content(tensor: Tensor) -> str:
    plain = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    return hashlib.sha256(plain.numpy().tobytes()).hexdigest()
