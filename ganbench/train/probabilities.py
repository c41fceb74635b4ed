"""Where a user's loss gives probabilities to what takes logits: it trains, with a slope of a quarter at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganbench.train.columns import own_line

#: Torch's functions, by their names without underscores, that take logits as their first argument.
_TAKE_LOGITS = {"binary_cross_entropy_with_logits", "logsigmoid", "log_sigmoid", "softplus", "sigmoid"}
#: Those of which a probability is still one, or one with the other sign.
_KEEP = {"neg", "negative", "clamp", "clip", "flatten", "squeeze", "unsqueeze", "view", "reshape", "detach"}


class Probabilities(TorchFunctionMode):
    """Finds where a user's code gives a sigmoid's numbers to a function that takes logits; ``found``: the lines."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        # By identity, and kept: so no later tensor has the identity of one that is gone.
        self._known: dict[int, Tensor] = {}

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "").strip("_")
        given = args[0] if args else (kwargs or {}).get("input")
        if id(given) in self._known and name in _TAKE_LOGITS and (line := own_line()):
            self.found.append(
                f"{line}: {name}() takes logits, and is given probabilities, a sigmoid of them: leave sigmoid out there"
            )
        if isinstance(result, Tensor) and (name == "sigmoid" or (name in _KEEP and id(given) in self._known)):
            self._known[id(result)] = result
        return result
