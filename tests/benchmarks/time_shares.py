"""Where the time of a compiled step goes on a CPU: ``python tests/benchmarks/time_shares.py [--peer-cases ...]``.

One thread, one chunk of replicas, timed in seconds of that thread. The compiler has its kernels named after what they
compute, and torch's profiler times them: products of matrices, kernels with an optimiser's square root in them (fused
with what stands beside), the rest of the elementwise work. What a step takes beyond its kernels is the call. The limit
is the time that the needed products would take at the machine's best rate.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from cases import Case, cases
from matmul_limit import best_square, flops, multiply
from peers import cell_of
from torch.profiler import ProfilerActivity, profile

from ganbench.plugin.registry import Registry
from ganbench.train.step.draws import BLOCK_STEPS
from ganbench.train.trainer import Trainer

PARTS = ("products", "optimiser", "elementwise", "call", "noise")
ROUNDS = 9


def shares(case: Case, registry: Registry) -> dict[str, float]:
    """Microseconds of one step of one model, by what they go to, and the limit."""
    # One seed for each core makes one chunk of one worker: what a core does.
    cell = cell_of(case, registry)
    trainer = Trainer([cell], torch.device("cpu"), "compiled")
    trainer.prepare()
    state, models = trainer.start, len(trainer.seeds) * BLOCK_STEPS

    def train() -> None:
        trainer.advance(state, 0, BLOCK_STEPS)

    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        train()
    part = dict.fromkeys(PARTS, 0.0)
    for event in profiler.key_averages():
        if event.key == "aoti_torch_cpu_bmm_out" or "_linear_pointwise" in event.key:
            part["products"] += event.self_cpu_time_total / models
        elif "cpp_fused" in event.key:
            part["optimiser" if "sqrt" in event.key else "elementwise"] += event.self_cpu_time_total / models
    whole = _thread_seconds(train) / models * 1e6
    noise = trainer.noise(trainer.seeds)
    blocks = iter(range(1, 10**6))
    part["noise"] = _thread_seconds(lambda: noise.at(next(blocks) * BLOCK_STEPS)) / models * 1e6
    part["call"] = whole - sum(part.values())
    square = best_square(torch.device("cpu"))
    limit = _thread_seconds(lambda: multiply(1, square, square, square, torch.device("cpu"))(1))
    return part | {"whole": whole, "limit": flops(case) / (2 * square**3 / limit) * 1e6}


def _thread_seconds(work: Callable[[], None]) -> float:
    work()
    found = []
    for _ in range(ROUNDS):
        begin = time.thread_time()
        work()
        found.append(time.thread_time() - begin)
    return statistics.median(found)


def main() -> None:
    import torch._inductor.config

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-cases")
    parser.add_argument("--peer-losses")
    chosen = parser.parse_args()
    torch._inductor.config.cpp.enable_kernel_profile = True
    torch.set_num_threads(1)
    registry = Registry.load()
    print(f"{'loss':14} {'size':13} {'us/step':>8} " + " ".join(f"{name:>12}" for name in (*PARTS, "limit")))
    for case in cases(chosen.peer_cases, chosen.peer_losses, "8", dry=False):
        found = shares(case, registry)
        cells = " ".join(f"{found[name] / found['whole']:12.0%}" for name in (*PARTS, "limit"))
        print(f"{case.loss:14} {case.size:13} {found['whole']:8.0f} {cells}", flush=True)


if __name__ == "__main__":
    main()
