"""Random numbers that code draws from torch's global generator, taken from the seed's own streams instead.

Dropout and noise layers draw from the global generator, so inside a batch of replicas no seed would have numbers of its
own. While this mode is on, they draw from the step's DrawRecorder: a seed gets the same numbers in every engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ganbench.train.step.draws import DrawRecorder


class GlobalRngOverride(TorchFunctionMode):
    """``with GlobalRngOverride(recorder): ...``: dropout, rand, randn and their _like forms draw from the recorder."""

    def __init__(self, recorder: DrawRecorder) -> None:
        super().__init__()
        self._recorder = recorder
        #: Whether anything was drawn.
        self.used = False
        self._replacements: dict[Any, Callable[..., Tensor | None]] = {
            functional.dropout: self._dropout,
            functional.dropout1d: self._of_channels(3),
            functional.dropout2d: self._of_channels(4),
            functional.dropout3d: self._of_channels(5),
            torch.rand: self._rand,
            torch.randn: self._randn,
            torch.rand_like: self._rand_like,
            torch.randn_like: self._randn_like,
        }

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call the replacement of a function that draws, if there is one; else torch's own function."""
        kwargs = kwargs or {}
        # A call with its own generator does not use the global one; out and requires_grad are not supported here.
        plain = kwargs.get("generator") is None and kwargs.get("out") is None and not kwargs.get("requires_grad")
        if plain and func in self._replacements:
            given = self._replacements[func](*args, **kwargs)
            if given is not None:
                self.used = True
                return given
        return func(*args, **kwargs)

    def _dropout(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor | None:  # noqa: A002
        return self._drop(input, p, tuple(input.shape), inplace) if training and p else None

    def _channels(self, input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor | None:  # noqa: A002
        return self._drop(input, p, (*input.shape[:2], *[1] * (input.dim() - 2)), inplace) if training and p else None

    def _of_channels(self, dimensions: int) -> Callable[..., Tensor | None]:
        """Dropout of whole channels, of tensors with a batch axis; tensors without one are left to torch."""

        def replacement(input: Tensor, *arguments: Any, **options: Any) -> Tensor | None:  # noqa: A002
            return self._channels(input, *arguments, **options) if input.dim() == dimensions else None

        return replacement

    def _drop(self, x: Tensor, p: float, shape: tuple[int, ...], inplace: bool) -> Tensor:
        kept = (self._recorder.uniform(*shape) >= p).to(x.dtype)
        dropped = x * kept / (1.0 - p) if p < 1.0 else x * kept
        return x.copy_(dropped) if inplace else dropped

    def _rand(self, *size: Any, **kwargs: Any) -> Tensor:
        return _as(self._recorder.uniform(*_shape(size, kwargs)), kwargs.get("dtype"))

    def _randn(self, *size: Any, **kwargs: Any) -> Tensor:
        return _as(self._recorder.normal(*_shape(size, kwargs)), kwargs.get("dtype"))

    def _rand_like(self, input: Tensor, **kwargs: Any) -> Tensor:  # noqa: A002
        return _as(self._recorder.uniform(*input.shape), kwargs.get("dtype") or input.dtype)

    def _randn_like(self, input: Tensor, **kwargs: Any) -> Tensor:  # noqa: A002
        return _as(self._recorder.normal(*input.shape), kwargs.get("dtype") or input.dtype)


def _shape(size: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, ...]:
    given = size or (kwargs["size"],)
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int) else tuple(given)


def _as(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    return tensor if dtype is None else tensor.to(dtype)
