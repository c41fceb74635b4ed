"""Whether a discriminator gives logits, which losses take: a probability, however it is computed, is said."""

from __future__ import annotations

import torch

from ganbench.core.errors import out_of_memory, raise_if_stopped
from ganbench.core.rng import isolated, stream
from ganbench.plugin.types import Networks
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.global_rng import GlobalRngOverride
from ganbench.train.step.layers import squashed

#: So many samples are looked at on each of these scales.
SAMPLES, SCALES = 16, (1.0, 30.0, 1000.0)


def logits_note(networks: Networks, shape: tuple[int, ...]) -> str:
    """A note on a discriminator whose numbers are all from 0 to 1, also for samples that are far apart; or empty.

    Args:
        networks: one seed's networks, without further parts
        shape: of one sample
    """
    if note := squashed(networks.discriminator):
        return note
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
