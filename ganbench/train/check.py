"""What plugins give back, checked once before training, so that a mistake is told in the plugin's own terms."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.failure import PluginError, describe
from ganbench.kinds import Distribution, Networks
from ganbench.seeds import stream
from ganbench.train.network import Network

_FEW = 4


def check_distribution(name: str, distribution: Distribution, kind: str = "dataset") -> None:
    """Raise PluginError unless it samples as it must: shape, type, finite, and from its generator alone."""
    try:
        samples, again = (distribution.sample(_FEW, stream(0, "check")) for _ in range(2))
    except Exception as error:
        raise PluginError(f"{kind} {name}: {describe(error)}") from error
    wanted = (_FEW, *distribution.shape)
    if not isinstance(samples, Tensor) or samples.dtype != torch.float32:
        raise PluginError(f"{kind} {name}: sample() must return a float32 tensor, not {_kind(samples)}")
    if tuple(samples.shape) != wanted:
        raise PluginError(f"{kind} {name}: sample({_FEW}) must have the shape {wanted}, not {tuple(samples.shape)}")
    if not samples.isfinite().all():
        raise PluginError(f"{kind} {name}: sample() gives numbers that are not finite")
    if not torch.equal(samples, again):
        raise PluginError(f"{kind} {name}: sample() must draw from the generator it is given, and from nothing else")


def check_networks(name: str, networks: Networks, shape: tuple[int, ...]) -> None:
    """Raise PluginError unless the two modules fit the data, each other and the latent."""
    if not isinstance(networks, Networks):
        raise PluginError(f"architecture {name}: must return Networks, not {_kind(networks)}")
    for player in ("generator", "discriminator"):
        module = getattr(networks, player)
        if not isinstance(module, nn.Module):
            raise PluginError(f"architecture {name}: the {player} must be a torch.nn.Module, not {_kind(module)}")
        for name_, part in module.named_modules():
            for attribute, value in vars(part).items():
                if isinstance(value, Tensor):
                    where = f"{name_}.{attribute}".lstrip(".")
                    raise PluginError(
                        f"architecture {name}: the {player}'s tensor {where!r} is neither a parameter nor a buffer, "
                        "so all seeds would share one: use register_buffer"
                    )
        if frozen := [name_ for name_, parameter in module.named_parameters() if not parameter.requires_grad]:
            raise PluginError(
                f"architecture {name}: the {player}'s parameter {frozen[0]!r} is frozen: hold it as a buffer instead"
            )
        if not Network(module).parameters:
            raise PluginError(f"architecture {name}: the {player} has no parameters to train")
    # Copies, since a module may change itself when it is called.
    generator, discriminator = (copy.deepcopy(each) for each in (networks.generator, networks.discriminator))
    with torch.no_grad():
        fake = _called(name, "generator", generator, torch.zeros(_FEW, *networks.latent))
        if tuple(fake.shape) != (_FEW, *shape):
            raise PluginError(
                f"architecture {name}: the generator gives the shape {tuple(fake.shape[1:])}, and the data has {shape}"
            )
        logits = _called(name, "discriminator", discriminator, torch.zeros(_FEW, *shape))
        if tuple(logits.shape) not in ((_FEW,), (_FEW, 1)):
            raise PluginError(
                f"architecture {name}: the discriminator must give one logit a sample, ({_FEW},) or ({_FEW}, 1), "
                f"not {tuple(logits.shape)}"
            )


def check_scalar(value: Any, function: str) -> Tensor:
    """The value of a loss; raises PluginError where it is not a scalar tensor."""
    if not isinstance(value, Tensor):
        raise PluginError(f"the loss's {function}() must return a scalar tensor, not {_kind(value)}")
    if value.dim():
        raise PluginError(
            f"the loss's {function}() must return a scalar, not the shape {tuple(value.shape)}: take its .mean()"
        )
    return value


def _called(name: str, player: str, module: nn.Module, x: Tensor) -> Tensor:
    try:
        output = module(x)
    except Exception as error:
        raise PluginError(f"architecture {name}: the {player}, given {tuple(x.shape)}: {describe(error)}") from error
    if not isinstance(output, Tensor):
        raise PluginError(f"architecture {name}: the {player} must return a tensor, not {_kind(output)}")
    return output


def _kind(value: Any) -> str:
    return f"a {value.dtype} tensor" if isinstance(value, Tensor) else f"{type(value).__name__}"
