"""How long the products of matrices and the convolutions of a step take: most of a compiled step is these."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganbench.core.unloaded_compiler import unloaded

#: How often a step is looked at.
LOOKS = 3
#: How many products of nothing are timed, to know what a call takes besides its product.
_CALLS = 50


def product_seconds(step: Callable[[], Any]) -> float:
    """Seconds of this thread for the operations of a step that torch has a formula of floating-point operations for.

    Of each operation the least of a few looks, without what a call takes besides: compiled code makes no such calls.
    """
    step()
    looks = [_timed(step) for _ in range(LOOKS)]
    nothing = torch.zeros(1, 1)
    call = min(_timed(lambda: [torch.mm(nothing, nothing) for _ in range(_CALLS)]))
    return sum((max(0.0, min(each) - call) for each in zip(*looks, strict=True)), 0.0)


def _timed(work: Callable[[], Any]) -> list[float]:
    timing = _Timing()
    with timing:
        work()
    return timing.seconds


@unloaded
class _Timing(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Times each such operation below autograd, where all tensors are plain ones."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seconds: list[float] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        begin = time.thread_time()
        result = func(*args, **(kwargs or {}))
        if func.overloadpacket in flop_registry:
            self.seconds.append(time.thread_time() - begin)
        return result
