"""What a step costs, told without a clock: operations, FLOPs, bytes, kernels, recompilations, memory.

Direction: lower is cheaper.
Unit: of one step of one model; kernels_per_step and peak_memory of all seeds together.
Source: PyTorch's dispatcher, its formulas for FLOPs (torch.utils.flop_counter), its profiler and its compiler.
Floor: none; all but peak_memory is counted, and the same again on the same versions and device.
Cost: none at an evaluation; one step of one model, some 10 ms, a cell, and a few steps more on a GPU.
"""

from ganbench import Column, Metric, hookimpl


def measure(cost):
    step = cost.step
    return {
        "operations_per_step": step.operations,
        "flops_per_step": step.flops,
        "bytes_per_step": step.bytes,
        "memory_per_step": step.peak_bytes,
        "memory_per_seed": step.state_bytes + step.draw_bytes,
        "parameters": step.parameters,
        "kernels_per_step": cost.kernels,
        "graph_breaks": cost.graph_breaks,
        "recompilations": cost.recompilations,
        "peak_memory": cost.peak_memory,
    }


def column(name, doc, unit="", better="lower", role="count"):
    return Column(name, doc, unit, better, "same", role)


@hookimpl
def ganbench_metrics():
    yield Metric(
        "cost",
        measure,
        (
            column("operations_per_step", "operations that PyTorch dispatches, uncompiled"),
            column("flops_per_step", "floating-point operations of matrix products and convolutions", "FLOP"),
            column("bytes_per_step", "bytes that its operations read and write: an upper bound", "B"),
            column("memory_per_step", "the most that a step's tensors hold at once", "B"),
            column("memory_per_seed", "what a seed keeps between steps, and a step's random numbers", "B"),
            column("parameters", "parameters of both networks", better="neither"),
            column("kernels_per_step", "kernels launched on a GPU, all seeds together"),
            column("graph_breaks", "how often compiled code was left in the middle: 0 wanted"),
            column("recompilations", "how often something was compiled again: 0 wanted"),
            column("peak_memory", "the most memory that the cell took, measured", "B", role="memory"),
        ),
    )
