"""Random numbers that code draws from torch's global generator, taken from the seed's own streams instead.

Dropout and noise layers draw from the global generator, so inside a batch of replicas no seed would have numbers of its
own. While this mode is on, they draw from the step's DrawRecorder: a seed gets the same numbers in every engine.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional
from torch.overrides import TorchFunctionMode, resolve_name

from ganbench.train.step.distributions import DRAWS
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.random_layers import LAYERS

_REPLACED = DRAWS | LAYERS
_GUARDS = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")


def _opened(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of a function of torch's, written in Python, that hands what it calls to the mode, but not itself."""
    globals_of = {**function.__globals__, **dict.fromkeys(_GUARDS, lambda *_: False)}
    copy = types.FunctionType(
        function.__code__, globals_of, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


#: Functions that draw by calling others: a mode is off while a function runs that it was called for.
_OPENED = {
    function: _opened(function) for function in (functional.multi_head_attention_forward, functional.gumbel_softmax)
}


#: What they make is filled next, often with random numbers: these are a seed's, so the tensor must be one's too.
_EMPTY = (torch.empty, torch.Tensor.new_empty, torch.Tensor.new)


class GlobalRngOverride(TorchFunctionMode):
    """``with GlobalRngOverride(recorder): ...``: torch's random functions and layers draw from the recorder.

    ``state``: the state of the global generators; where a call changes it all the same, ``told`` is called once, with
    the call's name, while its callers are on the stack.
    """

    def __init__(
        self,
        recorder: DrawRecorder,
        state: Callable[[], bytes] | None = None,
        told: Callable[[str], None] = lambda name: None,
    ) -> None:
        super().__init__()
        self._recorder = recorder
        self._state = state
        self._told = told
        #: Whether anything was replaced.
        self.used = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call the replacement of a function that draws, if there is one; else torch's own function."""
        kwargs = kwargs or {}
        if func in _OPENED:
            with self:
                return _OPENED[func](*args, **kwargs)
        # A call with its own generator does not use the global one; out and requires_grad are not supported here.
        if func in _EMPTY:
            return self._recorder.empty(func, *args, **kwargs)
        plain = kwargs.get("generator") is None and kwargs.get("out") is None and not kwargs.get("requires_grad")
        if plain and func in _REPLACED:
            given = _REPLACED[func](self._recorder, *args, **kwargs)
            if given is not None:
                self.used = True
                return given
        if self._state is None:
            return func(*args, **kwargs)
        before = self._state()
        result = func(*args, **kwargs)
        if self._state() != before:
            self._state = None
            name = (resolve_name(func) or func.__name__).replace("torch.nn.functional", "F")
            options = [option for option in ("out", "requires_grad") if kwargs.get(option) is not None]
            self._told(f"{name}({', '.join(options)})" if func in _REPLACED and options else name)
        return result
