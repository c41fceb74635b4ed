"""The samples of one trained generator, as each evaluation of a run draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ganbench.core.rng import stream
from ganbench.data.labels import draw_labels
from ganbench.train.step.draws import fill
from ganbench.train.step.flat_network import FlatNetwork

#: Rows that go through a network at a time on a CPU: the outputs of its layers then stay in the CPU's caches, which is
#: three times as fast as all rows at once.
ROWS = 5000


def evaluation_latents(kind: str, shape: Sequence[int], seed: int, step: int, device: torch.device) -> Tensor:
    """The latents of a seed at an evaluation: the same for every variant, others for another number of samples.

    Args:
        kind: normal or symmetric, as in ``Rules``
        shape: (samples, *latent)
        seed: the seed
        step: the generator steps trained
        device: where they are drawn; CPU and CUDA draw different numbers

    Returns:
        The latents, float32 of ``shape``.
    """
    return fill(kind, shape, stream(seed, "evaluate.latent", step, device))


def evaluation_labels(shares: Sequence[float], n: int, seed: int, step: int, device: torch.device) -> Tensor:
    """The classes that a seed's conditional generator is asked for at an evaluation, the same for every variant.

    Args:
        shares: the share of the data that is of each class, (classes,)
        n: how many samples
        seed: the seed
        step: the generator steps trained
        device: where they are drawn; CPU and CUDA draw different numbers

    Returns:
        The classes, (n,), int64.
    """
    return draw_labels(shares, n, stream(seed, "evaluate.label", step, device))


@torch.no_grad()
def outputs(network: FlatNetwork, tensors: Mapping[str, Tensor], module: nn.Module, *inputs: Tensor) -> Tensor:
    """What a network gives for many inputs, on a CPU a few thousand at a time.

    Args:
        network: the network's structure
        tensors: its parameters and buffers by name, see ``FlatNetwork.tensors``
        module: the module to call: the network's own, or a copy, in evaluation mode
        inputs: (n, *shape) and, for a conditional network, labels (n,)

    Returns:
        The outputs of the main network, (n, ...).
    """
    size = ROWS if inputs[0].device.type == "cpu" else max(1, len(inputs[0]))
    rows = zip(*(torch.split(own, size) for own in inputs), strict=True)
    return torch.cat([network.apply(dict(tensors), some, module) for some in rows])
