"""Which parameters of the networks no gradient reaches, whatever the loss: a forward that stops it, an unused layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganbench.core.errors import out_of_memory, raise_if_stopped
from ganbench.core.rng import isolated, stream
from ganbench.plugin.types import Networks
from ganbench.train.hidden_state import HiddenState
from ganbench.train.step.draws import DrawRecorder, fill
from ganbench.train.step.global_rng import GlobalRngOverride

#: So many samples are made.
BATCH = 6
#: Units of a small network may all be at rest: where something is found, it is looked for at so many points.
TRIES = 12
#: What stops a gradient in forward, as code names it.
_STOPS = ("no_grad", "detach", "data", "inference_mode")


def _gradients(networks: Networks, at: int) -> dict[str, dict[str, Tensor]]:
    """The gradient of D's logits of what G makes, with another weight for each logit, by player and parameter.

    ``at``: which parameters: a layer that starts at 0 on purpose is none there. The first are near the networks' own.
    """
    kind = "normal" if networks.latent_distribution == "normal" else "symmetric"
    random = stream(at, "reached")
    z = fill(kind, (BATCH, *networks.latent), random)
    # The engine's modules may have been moved.
    first = next(networks.generator.parameters())
    z, label = z.to(first), torch.arange(BATCH, device=first.device) % max(networks.classes, 1)
    players: dict[str, nn.Module] = {"generator": networks.generator, "discriminator": networks.discriminator}
    thetas = {
        player: {name: _moved(each.detach(), random, near=not at) for name, each in module.named_parameters()}
        for player, module in players.items()
    }

    def logits(own: dict[str, dict[str, Tensor]]) -> Tensor:
        x: Any = z
        for player, module in players.items():
            with GlobalRngOverride(DrawRecorder(device=first.device)):
                x = functional_call(module, own[player], (x, label) if networks.classes else (x,))
        # With a norm over the batch their plain sum could be constant.
        total: Tensor = (x.flatten() * torch.arange(1.0, x.numel() + 1, device=first.device)).sum()
        return total

    found: dict[str, dict[str, Tensor]] = torch.func.grad(logits)(thetas)
    return found


def _moved(theta: Tensor, random: torch.Generator, *, near: bool) -> Tensor:
    noise = torch.randn(theta.shape, generator=random).to(theta) * (theta.square().mean().sqrt() + 0.1)
    return theta + noise if near else noise


def unreached(networks: Networks) -> list[tuple[str, str]]:
    """The parameters that no gradient reaches, at any point that is tried: the player and the name of each."""
    found: list[tuple[str, str]] = []
    for at in range(TRIES):
        here = [
            (player, name)
            for player, own in _gradients(networks, at).items()
            for name, gradient in own.items()
            if not gradient.any()
        ]
        found = [each for each in found if each in here] if at else here
        if not found:
            break
    return found


def reached_note(networks: Networks, watched: HiddenState) -> str:
    """A note on what no gradient reaches; empty where there is nothing, or where it is not known.

    Args:
        networks: one seed's networks, without further parts
        watched: the modules of the plugins, which are looked at for what may stop a gradient
    """
    try:
        with isolated(0, "reached"):
            found = unreached(networks)
    except BaseException as error:  # what fails is told where the step is made
        raise_if_stopped(error)
        if out_of_memory(error):
            raise
        return ""
    # Where nothing comes from D, G has no gradient either.
    found = [each for each in found if each[0] == "discriminator"] or found
    if not found:
        return ""
    player, name = found[0]
    more = f" and {len(found) - 1} more" if found[1:] else ""
    where = next(filter(None, map(watched.place, _STOPS)), "")
    return (
        f"no gradient reaches the {player}'s {name!r}{more}, so it is never trained: leave torch.no_grad(), .detach() "
        f"and .data out of forward, and what forward does not use out of __init__{where}"
    )
