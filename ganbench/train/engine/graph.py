"""Rewrites of a recorded step before it is compiled for a CPU; they change rounding at most.

Measured on the shipped mlp, on one core of an AMD EPYC, steps a second relative to inductor alone: 1.6 times at width
128 and batch 512, 1.5 at 128 and 128, 1.4 at 32 and 64. With penalties, where much would be computed twice, there are
fewer products too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule

aten = torch.ops.aten
#: A product of matrices with at most this many rows, columns or terms is faster without a matrix library.
THIN = 4
#: A product with at least this many of each is computed by oneDNN where MKL has no code for the processor.
THICK = 96
#: A tensor of at most this many numbers is computed once, not again for each element of a tensor that uses it and is at
#: least ``LARGER`` times as large.
SMALL = 64
LARGER = 16
_CONTIGUOUS: dict[str, Any] = {"memory_format": torch.contiguous_format}


def record(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor], *, cpu: bool) -> GraphModule:
    """Record the operations of a function while it runs on example tensors.

    Operations that repeat an earlier one, or whose results are not used, are left out.

    Args:
        function: the function to record
        example: tensors of the shapes that it will be called with
        cpu: whether it will run on a CPU, for which products and small tensors are rewritten

    Returns:
        The recorded operations.
    """
    # These imports take seconds.
    from torch._functorch.compile_utils import fx_graph_cse
    from torch._guards import TracingContext, tracing
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    recorded = make_fx(function, decomposition_table={aten.bmm.default: _product} if cpu else None)
    # One mode for the shapes of all results. Torch makes one for each else, which notes where it was made: nearly half
    # of the time.
    with tracing(TracingContext(FakeTensorMode(allow_fallback_kernels=True))):
        module = recorded(*example)
    module.graph.eliminate_dead_code()
    # Gradients with respect to inputs, for penalties, run the same network forward again.
    module.graph = fx_graph_cse(module.graph)
    module.graph.eliminate_dead_code()
    if cpu:
        _hold_small(module)
    module.recompile()
    return module


@contextmanager
def lowered() -> Iterator[None]:
    """Within the ``with``, inductor calls oneDNN's product unchanged; else it does so for constant weights only."""
    from torch._inductor.lowering import fallback_handler, lowerings

    operation = torch.ops.mkldnn._linear_pointwise.default
    before = lowerings.get(operation)
    lowerings[operation] = fallback_handler(operation, add_to_fallback_set=False)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if before is not None:
            lowerings[operation] = before


@cache
def _mkl_is_slow() -> bool:
    """Whether MKL uses half of the processor's vector width: AVX2 on an AMD processor that has AVX-512.

    There oneDNN is up to twice as fast (512 x 128 by 128 x 128, float32: 183 against 92 GFLOP/s a core).
    """
    try:
        amd = "AuthenticAMD" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    wide = torch.backends.cpu.get_cpu_capability() == "AVX512"
    both = torch.backends.mkl.is_available() and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(amd and wide and both)


def _product(a: Tensor, b: Tensor) -> Any:
    """A batch of products (replicas, n, k) x (replicas, k, m): thin ones as sums, thick ones by oneDNN.

    NotImplemented for all others, which inductor computes in its own way.
    """
    (_, n, k), m = a.shape, b.shape[2]
    if min(n, k, m) >= THICK and a.dtype == torch.float32 and _mkl_is_slow():
        multiply = torch.ops.mkldnn._linear_pointwise
        return torch.stack([multiply(x, y.mT, None, "none", [], "") for x, y in zip(a, b, strict=True)])
    # Products that are small in all directions are left alone: in a chain of them, such as the powers of a matrix, the
    # sum of each would be inlined into the next.
    if min(n, k, m) > THIN or max(n, k, m) <= THIN:
        return NotImplemented
    # A loop over elements that are not adjacent in memory is not vectorised: make them adjacent.
    if m <= THIN:
        columns = b.mT if b.mT.is_contiguous() else _held(b.mT)
        return torch.cat([(a * columns[:, j : j + 1]).sum(2, keepdim=True) for j in range(m)], 2)
    if n <= THIN:
        return torch.cat([(a[:, j : j + 1].mT * b).sum(1, keepdim=True) for j in range(n)], 1)
    if not b.is_contiguous():
        b = _held(b)
    total = a[:, :, :1] * b[:, :1]
    for term in range(1, k):
        total = total + a[:, :, term : term + 1] * b[:, term : term + 1]
    return total


def _hold_small(module: GraphModule) -> None:
    """Make inductor compute small tensors, such as one number for each replica, once.

    Inductor repeats elementwise operations where their results are used: Adam's 1 - beta^t, say, for every parameter.
    """
    for node in list(module.graph.nodes):
        value = node.meta.get("val")
        if node.op != "call_function" or not isinstance(value, Tensor) or not value.is_floating_point():
            continue
        sizes = (user.meta["val"].numel() for user in node.users if isinstance(user.meta.get("val"), Tensor))
        if value.numel() <= SMALL and max(sizes, default=0) >= LARGER * value.numel():
            users = list(node.users)
            strides = torch.empty(value.shape, device="meta").stride()
            with module.graph.inserting_after(node):
                copy = module.graph.call_function(aten.clone.default, (node,), _CONTIGUOUS)
            with module.graph.inserting_after(copy):
                held = module.graph.call_function(aten.as_strided.default, (copy, list(value.shape), list(strides)))
            for user in users:
                user.replace_input_with(node, held)


def _held(x: Tensor) -> Tensor:
    """A copy that inductor must write to memory, since a view by strides needs a tensor in memory."""
    copy = x.clone(**_CONTIGUOUS)
    return torch.as_strided(copy, copy.shape, copy.stride())
