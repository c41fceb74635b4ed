"""What is done to a recorded step before it is compiled for a CPU: rewrites that change rounding at most.

Measured on the shipped mlp, on one core of an AMD EPYC, in steps a second beside inductor alone: 1.6 times at width 128
and batch 512, 1.5 at 128 and 128, 1.4 at 32 and 64; with penalties, where much is computed twice, fewer products, too.
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
#: A product of matrices with so few rows, columns or terms is no work for a matrix library.
THIN = 4
#: One with as many of each is work for oneDNN where MKL has no code for the processor.
THICK = 96
#: A tensor of so few numbers is computed once, and not again for each element of a much larger one that it goes into.
SMALL = 64
LARGER = 16
_CONTIGUOUS: dict[str, Any] = {"memory_format": torch.contiguous_format}


def record(function: Callable[..., Sequence[Tensor]], example: Sequence[Tensor], *, cpu: bool) -> GraphModule:
    """The operations of a function as it ran on example tensors, without those that repeat or lead nowhere."""
    # Both take seconds to import.
    from torch._functorch.compile_utils import fx_graph_cse
    from torch.fx.experimental.proxy_tensor import make_fx

    module = make_fx(function, decomposition_table={aten.bmm.default: _product} if cpu else None)(*example)
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
    """While it lasts, inductor calls oneDNN's product as it stands; by itself it does so for constant weights only."""
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
    """Whether MKL multiplies with half of what the processor has: with AVX2 on one of AMD's that has AVX-512.

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
    """A batch of products (replicas, n, k) x (replicas, k, m): thin ones as sums, thick ones by oneDNN."""
    (_, n, k), m = a.shape, b.shape[2]
    if min(n, k, m) >= THICK and a.dtype == torch.float32 and _mkl_is_slow():
        multiply = torch.ops.mkldnn._linear_pointwise
        return torch.stack([multiply(x, y.mT, None, "none", [], "") for x, y in zip(a, b, strict=True)])
    # In a chain of small products, such as the powers of a matrix, each would be written out within the next.
    if min(n, k, m) > THIN or max(n, k, m) <= THIN:
        return NotImplemented
    # A loop over what does not lie side by side in memory is not vectorised.
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
    """Have each replica's own numbers computed once.

    Inductor computes what is elementwise where it is used: Adam's 1 - beta^t, say, anew for every parameter.
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
    """A copy that is written to memory: a view by strides is of memory alone."""
    copy = x.clone(**_CONTIGUOUS)
    return torch.as_strided(copy, copy.shape, copy.stride())
