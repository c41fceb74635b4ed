"""A step compiled as a whole: both players' updates, penalties and optimisers become one function.

The step is recorded operation by operation while it runs on example tensors (see ``graph``), so any code that can be
batched can be compiled. It is then compiled ahead of time by inductor, which caches the result on disk. Unlike
``torch.compile`` it checks nothing at each call, and on a CPU the call is one C++ function, during which other Python
threads can run.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganbench.core.disk import make_folder, os_error_line
from ganbench.core.errors import out_of_memory
from ganbench.train.engine.graph import lowered, record
from ganbench.train.step.step import Draws, FlatStep

#: How many compiled steps are kept: more than a suite has for one dataset, since the next dataset has the same ones.
KEPT = 64
_COMPILED: dict[tuple[Any, ...], tuple[Callable[..., Sequence[Tensor]], str]] = {}
#: The environment variable of torch's folder of compiled code.
_CACHE = "TORCHINDUCTOR_CACHE_DIR"
#: What the system says of a disk that is full, or mounted noexec, in a compiler's words.
_REFUSED = {os.strerror(errno.ENOSPC): "no space is left", "failed to map segment": "no program may be executed"}
_ONE_AT_A_TIME = threading.Lock()


def check_cache() -> None:
    """Raises ValueError, one line, where torch is to keep compiled code in a folder that cannot be.

    Torch makes that folder when it is first loaded whole, also to train eagerly, and would fail with an error that does
    not name it.
    """
    if not (given := os.environ.get(_CACHE)):
        return
    try:
        make_folder(Path(given))
        why = "" if os.access(given, os.W_OK | os.X_OK) else "cannot be written"
    except OSError as error:
        why = os_error_line(error, given)
    if why:
        raise ValueError(f"{_CACHE}={given}: {why}; torch keeps compiled code there: set it to a folder of yours")


def compiled(
    step: FlatStep,
    state: Sequence[Tensor],
    constants: Sequence[Tensor],
    draws: Draws,
    index: Tensor,
    *,
    shared: str,
    threads: int,
) -> tuple[FlatStep, str]:
    """Compile a step for tensors of these shapes, or return it where it was compiled before.

    Args:
        step: the step, on flat lists of tensors
        state: an example of the state, each (replicas, ...)
        constants: an example of the constants, each (replicas, ...)
        draws: an example of a step's draws, each (replicas, ...)
        index: an example of the step's index, a scalar
        shared: a text that says what the step computes (see ``trace``): steps with the same text are the same, up to
            the number of replicas
        threads: how many threads a call may use on a CPU

    Returns:
        The compiled step, and a note on how it was compiled, which is nearly always empty.
    """
    example = [*state, *constants, *draws, index]
    key = (shared, threads, str(index.device), *((tuple(tensor.shape), tensor.dtype) for tensor in example))
    with _ONE_AT_A_TIME:
        known = _COMPILED.pop(key, None)
        if known is None:
            ends = (len(state), len(state) + len(constants))
            known = _compile_anew(step, example, ends, threads)
        # Put last: the steps are in the order in which they were last used.
        _COMPILED[key] = known
        if len(_COMPILED) > KEPT:
            del _COMPILED[next(iter(_COMPILED))]

    made, note = known

    def call(state: Sequence[Tensor], constants: Sequence[Tensor], draws: Draws, index: Tensor) -> Sequence[Tensor]:
        return made(*state, *constants, *draws, index)

    return call, note


def _compile_anew(
    step: FlatStep, example: Sequence[Tensor], ends: tuple[int, int], threads: int
) -> tuple[Callable[..., Sequence[Tensor]], str]:
    """The compiled step, and a note; where that fails, once more without what the compiler has kept on disk."""
    try:
        return _compile(step, example, ends, threads), ""
    except Exception as error:
        if out_of_memory(error):
            raise
        # What was kept may be damaged, and would be found again each time.
        from torch._inductor.runtime.cache_dir_utils import cache_dir
        from torch._inductor.utils import fresh_cache

        folder, first = cache_dir(), error
    with fresh_cache():
        try:
            made = _compile(step, example, ends, threads)
        except Exception:
            # Torch would leave the empty cache behind, with a warning.
            made = None
    if made is None:
        if what := next((words for sign, words in _REFUSED.items() if sign in str(first)), ""):
            raise RuntimeError(
                f"{what} in {folder}, or where temporary files are: set {_CACHE} and TMPDIR to folders of another disk"
            ) from first
        raise first
    return made, f"compiled without the compiler's cache, which is damaged: delete {folder}"


def _compile(
    step: FlatStep, example: Sequence[Tensor], ends: tuple[int, int], threads: int
) -> Callable[..., Sequence[Tensor]]:
    # This import takes seconds.
    from torch._inductor import standalone_compile

    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)

    def recorded(*tensors: Tensor) -> Sequence[Tensor]:
        moved = step(tensors[: ends[0]], tensors[ends[0] : ends[1]], tensors[ends[1] : -1], tensors[-1])
        # The compiled step expects fixed strides of its inputs, which are the outputs of the step before.
        return [tensor.contiguous() for tensor in moved]

    # Contiguous copies: where these tensors happen to lie in memory must not decide whether the cache on disk is hit.
    inputs: list[Any] = [tensor.clone(memory_format=torch.contiguous_format) for tensor in example]
    cpu = not example[0].is_cuda
    # On a CPU the whole step is one C++ function, called without Python's global lock.
    options = {"cpp_wrapper": True, "cpp.threads": threads} if cpu else {}
    with lowered():
        made: Callable[..., Sequence[Tensor]] = standalone_compile(
            record(recorded, inputs, cpu=cpu),
            inputs,
            dynamic_shapes="from_example_inputs",
            options={"config_patches": options},
        )
    return made
