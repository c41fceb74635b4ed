"""What training costs, without a clock: operations, floating-point operations, bytes, kernels, compilations.

Everything about a step of one model is counted, so two machines, or two runs on a busy machine, give exactly the same.
Only ``PeakMemory`` is measured, and varies.
"""

from __future__ import annotations

import gc
import math
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from ganbench.core.unloaded_compiler import unloaded

_PROCESS = Path("/proc/self")


@dataclass(frozen=True)
class Counts:
    """What a function did, as PyTorch dispatched it.

    ``operations``: aten operations, views included. ``flops``: floating-point operations of the operations that torch
    has a formula for: products of matrices and convolutions, forward and backward; a multiplication and an addition are
    two. ``bytes``: bytes read and written: for each operation each tensor argument and each output once; views are not
    counted. It is an upper bound, as if nothing were fused and nothing cached. ``peak_bytes``: the most bytes that its
    own tensors held at once, results included; an operation's inner workspace is not counted.
    """

    operations: int
    flops: int
    bytes: int
    peak_bytes: int


@dataclass(frozen=True)
class StepCost(Counts):
    """What one step of ONE model costs, run operation by operation; its random numbers are drawn before.

    ``parameters``: how many numbers D and G learn. ``state_bytes``: what a replica keeps between steps: parameters,
    optimiser states, buffers, counters. ``draw_bytes``: one step's random numbers, with its data and latents.
    """

    parameters: int
    state_bytes: int
    draw_bytes: int


@dataclass(frozen=True)
class CellCost:
    """What a cell of ``seeds`` replicas costs.

    ``kernels``: CUDA kernels of a step of all replicas together. ``graph_breaks``, ``recompilations``: since the cell
    was set up, before training. ``peak_memory``: bytes that two steps took, measured. None where a number is not known.
    """

    step: StepCost
    kernels: float | None
    graph_breaks: int | None
    recompilations: int | None
    peak_memory: int | None
    seeds: int


def count(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Counts]:
    """The function's result, and what it did; it may use ``vmap``, ``torch.func`` or the autograd tape.

    Tensors that existed before, its arguments included, are not part of the peak. Compiled code is not counted.
    """
    # Garbage is collected at times that vary, and that would change the peak.
    collecting = gc.isenabled()
    gc.disable()
    try:
        with _Counting() as counting:
            result = function(*arguments)
    finally:
        if collecting:
            gc.enable()
    return result, Counts(counting.operations, counting.flops, counting.bytes, counting.peak)


def step_cost(step: Callable[[], Any], *, parameters: int, state: Any, draws: Any) -> StepCost:
    """Count what a step of one model costs.

    Args:
        step: runs the step
        parameters: how many numbers D and G learn
        state: all tensors that a replica keeps between steps, in any tree
        draws: the step's random numbers, in any tree

    Returns:
        The cost of the step.
    """
    _, counts = count(step)
    return StepCost(**vars(counts), parameters=parameters, state_bytes=_size(state), draw_bytes=_size(draws))


@dataclass(frozen=True)
class Compilations:
    """How often this process left a compiled function (graph breaks), and compiled one again; None where unknown.

    What happened since an earlier moment: ``Compilations.now().since(before)``.
    """

    graph_breaks: int | None
    recompilations: int | None

    @classmethod
    def now(cls) -> Compilations:
        """The counts since the process began, or since ``torch._dynamo.reset()``."""
        # Torch loads its compiler when it first compiles: if it is not loaded, nothing was compiled.
        if "torch._dynamo" not in sys.modules:
            return cls(0, 0)
        # Not counters["graph_break"], which leaves out branches on a tensor.
        breaks = getattr(sys.modules.get("torch._dynamo.utils"), "graph_break_reasons", None)
        # How often each function was compiled.
        frames = getattr(sys.modules.get("torch._dynamo.convert_frame"), "FRAME_COMPILE_COUNTER", None)
        return cls(
            None if breaks is None else len(breaks),
            None if frames is None else sum(times - 1 for times in frames.values()),
        )

    def since(self, before: Compilations) -> Compilations:
        """The counts since ``before``; None where they were reset meanwhile."""
        return Compilations(
            _more(self.graph_breaks, before.graph_breaks), _more(self.recompilations, before.recompilations)
        )


def kernels(run: Callable[[], None], device: torch.device) -> int | None:
    """How many kernels ``run()`` launches on a CUDA device, also inside CUDA graphs; copies and fills are not counted.

    None on a CPU, and where the driver does not show them.
    """
    if device.type != "cuda":
        return None
    from torch._C._autograd import DeviceType
    from torch.profiler import ProfilerActivity, profile

    # Without acc_events some versions warn that events are lost, though those of one cycle are not.
    profiler = profile(activities=[ProfilerActivity.CUDA], acc_events=True)
    torch.cuda.synchronize(device)
    try:
        profiler.start()
    except RuntimeError:  # Another profiler is running.
        return None
    try:
        run()
        torch.cuda.synchronize(device)
    finally:
        profiler.stop()
    seen = sum(
        event.device_type == DeviceType.CUDA
        and not event.is_user_annotation
        and not event.name.startswith(("Memcpy", "Memset"))
        for event in profiler.events() or ()  # type: ignore[no-untyped-call]
    )
    return seen or None


class PeakMemory:
    """``with PeakMemory(device) as memory: ...``, then ``memory.peak``: bytes above those in use when it began.

    They are this process's: on a CUDA device its tensors, else its resident memory. None where the system does not give
    them (only Linux does). On a CPU, what fits into memory that was freed before, and that the process still holds, is
    not counted. Do not nest.
    """

    def __init__(self, device: torch.device) -> None:
        self.peak: int | None = None
        self._device = device
        self._before: int | None = None

    def __enter__(self) -> PeakMemory:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            self._before = torch.cuda.memory_allocated(self._device)
        elif _reset_high_water_mark():
            self._before = _resident("VmRSS")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            cuda = self._device.type == "cuda"
            most = torch.cuda.max_memory_allocated(self._device) if cuda else _resident("VmHWM")
            self.peak = None if most is None else max(0, most - self._before)


@unloaded
class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts every operation below autograd and vmap, where all tensors are plain ones."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = self.flops = self.bytes = self.peak = 0
        self._live = 0
        #: A weak reference to each storage that was made meanwhile and still exists; it reports when that is freed.
        self._made: dict[int, weakref.ref[Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        self.operations += 1
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.flops += int(formula(*args, **kwargs, out_val=result))
        given, gave = _tensors((args, kwargs)), _tensors(result)
        known = {_storage(tensor) for tensor in given}
        fresh = [tensor for tensor in gave if _storage(tensor) not in known]
        if fresh or not gave or func._schema.is_mutable:
            self.bytes += sum(map(_extent, given)) + sum(map(_extent, gave))
        for tensor in fresh:
            self._born(tensor)
        self.peak = max(self.peak, self._live)
        return result

    def _born(self, tensor: Tensor) -> None:
        key, storage = _storage(tensor), tensor.untyped_storage()
        if key in self._made:
            return
        size = storage.nbytes()

        def died(_: weakref.ref[Any]) -> None:
            del self._made[key]
            self._live -= size

        self._made[key] = weakref.ref(storage, died)
        self._live += size


def _tensors(tree: Any) -> list[Tensor]:
    leaves = [_inside(leaf) for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
    return [leaf for leaf in leaves if leaf.layout == torch.strided]


def _inside(tensor: Tensor) -> Tensor:
    """The tensor itself: some operations, as ``x.data``, hand over one that a transform of torch.func has wrapped."""
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    return tensor


def _storage(tensor: Tensor) -> int:
    """A number that all tensors sharing memory have in common, and no other tensor has while they exist."""
    return int(tensor.untyped_storage()._cdata)


def _extent(tensor: Tensor) -> int:
    """Bytes of a tensor's elements; elements that an expanded tensor repeats count once."""
    distinct = (size for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if stride or not size)
    return math.prod(distinct) * tensor.element_size()


def _size(tree: Any) -> int:
    return sum(tensor.nbytes for tensor in _tensors(tree))


def _more(now: int | None, before: int | None) -> int | None:
    return None if now is None or before is None or now < before else now - before


def _reset_high_water_mark() -> bool:
    """Reset the peak of this process's memory; whether the system could do it (man 5 proc, clear_refs)."""
    try:
        (_PROCESS / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _resident(field: str) -> int | None:
    """VmRSS (now) or VmHWM (at most) of this process, bytes."""
    try:
        lines = (_PROCESS / "status").read_text().splitlines()
    except OSError:
        return None
    # "VmRSS:     1234 kB"
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)
