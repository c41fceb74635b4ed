"""Which logits D's loss learns from, where the loss calls D itself: those of the data, those of what G makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from ganbench.train.step.player_function import PlayerFunction, seen

#: What rows of both sides in one tensor are, and what is made of both sides by arithmetic, as the points between them.
_BOTH, _BETWEEN = "both", "between"
_TOGETHER = {"cat", "concat", "concatenate", "stack", "vstack", "row_stack"}


class Sides(TorchFunctionMode):
    """Follows what a loss makes of ``real`` and of ``fake``, and keeps the logits of its own calls of D.

    ``logits``: of each call, the side that its samples are of, and the logits; none where no gradient is recorded.
    """

    def __init__(self, scope: Mapping[str, Any]) -> None:
        super().__init__()
        self.logits: list[tuple[str, list[Tensor]]] = []
        #: Whether a gradient is taken inside, as a gradient penalty takes that of D with respect to its inputs.
        self.slope = False
        # By identity, and kept: so no later tensor has the identity of one that is gone.
        self._sides = {id(scope[name]): (name, scope[name]) for name in ("real", "fake") if name in scope}

    def watched(self, D: PlayerFunction) -> PlayerFunction:
        """The discriminator, with its calls looked at."""
        return seen(D, partial(self._call, D))

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.slope |= function is torch.autograd.grad
        result = function(*args, **(kwargs or {}))
        taken = {side for value in tree_leaves((args, kwargs)) if (side := self._side(value))}
        if taken:
            rows = {*taken} == {"real", "fake"} and getattr(function, "__name__", "") in _TOGETHER
            side = next(iter(taken)) if len(taken) == 1 else _BOTH if rows else _BETWEEN
            for one in tree_leaves(result):
                if isinstance(one, Tensor):
                    self._sides[id(one)] = (side, one)
        return result

    def _call(self, D: PlayerFunction, *inputs: Tensor, **options: Any) -> Any:
        output = D(*inputs, **options)
        sides = {side for value in inputs if (side := self._side(value))}
        # Within torch.func.grad the gradient is of D's inputs, as a penalty's.
        self.slope |= torch._C._functorch.peek_interpreter_stack() is not None
        if len(sides) != 1 or _BETWEEN in sides or torch._C._functorch.peek_interpreter_stack() is not None:
            return output
        logits = [one for one in tree_leaves(output) if isinstance(one, Tensor) and one.requires_grad]
        self.logits.append((next(iter(sides)), logits))
        return output

    def _side(self, value: Any) -> str:
        return self._sides[id(value)][0] if id(value) in self._sides else ""


def unlearned(value: Tensor, given: Mapping[str, Tensor], called: list[tuple[str, list[Tensor]]]) -> list[str]:
    """The sides that a loss looks at, and takes no gradient from.

    Args:
        value: the loss of D
        given: the logits that it names, ``d_real`` or ``d_fake``
        called: the logits of its own calls of D, as ``Sides`` keeps them

    Returns:
        Of each side how the loss takes it: ``d_fake``, where it names its logits, ``D(fake)``, where it calls D.
    """
    every = [*given.values(), *(one for _, logits in called for one in logits)]
    gradients = torch.autograd.grad(value, every, allow_unused=True, retain_graph=True) if every else ()
    learned = {id(one) for one, gradient in zip(every, gradients, strict=True) if gradient is not None}
    found = []
    for side in ("real", "fake"):
        named = f"d_{side}" in given
        calls = [logits for of, logits in called if of in (side, _BOTH)]
        own = [given[f"d_{side}"]] if named else []
        if (own or calls) and not any(id(one) in learned for one in (*own, *(one for call in calls for one in call))):
            found.append(f"d_{side}" if named else f"D({side})")
    return found
