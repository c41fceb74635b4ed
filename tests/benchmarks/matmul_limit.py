"""The limit: the floating-point operations of a step over the rate at which this machine multiplies matrices."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from cases import Case
from interleaved import Peer
from plain_loop import PlainLoop

from ganbench.train.engine.cost import count

#: Square matrices, one of which the machine multiplies at its best.
SQUARES = {"cpu": (512, 1024, 2048), "cuda": (2048, 4096, 8192)}


def flops(case: Case) -> int:
    """What one step of one model has to multiply: each player's gradient, and nothing computed twice or for naught."""
    loop = PlainLoop(case, torch.device("cpu"))

    def gradients() -> None:
        torch.autograd.grad(loop.discriminator_loss(), list(loop.D.parameters()))
        torch.autograd.grad(loop.generator_loss(), list(loop.G.parameters()))

    return count(gradients)[1].flops


def multiply(batch: int, rows: int, inner: int, columns: int, device: torch.device) -> Callable[[int], None]:
    """Something that multiplies float32 matrices of these sizes so many times."""
    a = torch.randn(batch, rows, inner, device=device)
    b = torch.randn(batch, inner, columns, device=device)
    out = torch.empty(batch, rows, columns, device=device)

    def run(times: int) -> None:
        for _ in range(times):
            torch.bmm(a, b, out=out)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return run


@cache
def best_square(device: torch.device) -> int:
    """The size of square matrices that are multiplied at the highest rate."""
    seconds = {}
    for size in SQUARES[device.type]:
        peer = Peer("", multiply(1, size, size, size, device), 1)
        steps = peer.steps(0.2)
        seconds[size] = min(peer.seconds(steps) for _ in range(3)) / steps
    return max(seconds, key=lambda size: size**3 / seconds[size])


def limits(case: Case, device: torch.device, square: int) -> list[Peer]:
    """Two peers that only multiply, as much as a step does: at the shapes of a hidden layer, and at the best."""
    needed = flops(case)
    here = multiply(case.seeds, case.batch, case.width, case.width, device)
    best = multiply(1, square, square, square, device)
    return [
        Peer("limit", here, 2 * case.seeds * case.batch * case.width**2 / needed),
        Peer("best", best, 2 * square**3 / needed),
    ]
