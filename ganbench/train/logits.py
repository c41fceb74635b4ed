"""Whether a discriminator gives logits, which losses take: a probability, however it is computed, is said."""

from __future__ import annotations

import torch
from torch import nn

from ganbench.core.errors import out_of_memory, raise_if_stopped
from ganbench.core.rng import isolated, stream
from ganbench.plugin.types import Networks
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.global_rng import GlobalRngOverride

#: So many samples are looked at on each of these scales.
SAMPLES, SCALES = 16, (1.0, 30.0, 1000.0)


def logits_note(networks: Networks, shape: tuple[int, ...] | None) -> str:
    """A note on a discriminator that ends in a probability, or whose numbers all are one; empty where they are not.

    Args:
        networks: one seed's networks
        shape: of one sample, to look at the numbers for samples that are far apart; None where it is not known what the
            discriminator is called with: then its last layer alone is looked at
    """
    last = [*networks.discriminator.modules()][-1]
    if isinstance(last, nn.Sigmoid | nn.LogSigmoid | nn.Softmax | nn.LogSoftmax):
        kind = type(last).__name__
        return f"the discriminator ends in {kind}, so it gives no logits, which losses take: leave that out"
    if shape is None:
        return ""
    try:
        device = next(networks.discriminator.parameters()).device
        wide = torch.randn(SAMPLES, *shape, generator=stream(0, "probe.wide")).to(device)
        label = (torch.arange(SAMPLES, device=device) % networks.classes,) if networks.classes else ()
        with torch.no_grad(), isolated(0, "probe.wide"), GlobalRngOverride(DrawRecorder(device=device)):
            found = torch.cat([networks.discriminator(scale * wide, *label).flatten() for scale in SCALES])
        # One that is constant is only not trained yet.
        inside = bool(found.min() >= 0 and found.max() <= 1 and found.max() > found.min())
    except BaseException as error:  # what fails is told where the step is made
        raise_if_stopped(error)
        if out_of_memory(error):
            raise
        return ""
    return "the discriminator gives probabilities, and losses take logits: leave the last sigmoid out" if inside else ""
