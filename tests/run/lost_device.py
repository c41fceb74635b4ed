"""Material: the command ganbench, or a task's, in a process whose device is lost once a plugin says so.

As after an assertion of a GPU, nothing that is trained on the device works then any more in the process. Each process
adds a line to the file ``processes`` in its folder.
"""

import os
import sys

import torch

from ganbench.train import device

LOST = "CUDA error: device-side assert triggered\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions."
#: A plugin file: a loss that reads outside of a tensor after some steps, with ``far``.
PLUGIN = '''"""Reads what is not there."""
import sys
import torch
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl

def outside(d_real, d_fake, step, *, far: float = 1e6):
    at = torch.where(step > 5, far, 0.0).long().view(1)
    try:
        read = d_real.index_select(0, at)
    except Exception:
        sys.device_is_lost = True
        raise
    return softplus(-d_real).mean() + softplus(d_fake).mean() + 0 * read.mean()

def generator(d_fake):
    return softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("outside", outside, generator)
'''


def compute(on):
    """In place of a computation on the device."""
    if hasattr(sys, "device_is_lost"):
        raise torch.AcceleratorError(LOST)


def behaves_as_a_gpu():
    """Let what is trained fail once the device is lost, and the run find it lost."""
    from ganbench.run.executors import local

    real, failure = local.batch_events, device.failure

    def events(*given):
        compute(None)
        for event in real(*given):
            yield event
            compute(None)

    device._compute = compute
    local.batch_events = events
    local.failure = lambda on: failure(torch.device("cuda"))


if __name__ == "__main__":
    with open("processes", "a") as file:
        file.write(f"{os.getpid()}\n")
    behaves_as_a_gpu()
    if sys.argv[1] == "run":
        from ganbench.cli import main

        main()
    from ganbench.cli.task import task

    task()
