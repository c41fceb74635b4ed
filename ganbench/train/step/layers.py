"""Layers that no step can train as they are, and what to write in their place: told once, before training."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from ganbench.core.errors import PluginError
from ganbench.train.step.hooks import CURE, hooked, place_of_hook

_SPECTRAL = "has torch's spectral_norm, whose vectors change: use ganbench.spectral_norm(layer), which keeps none"


def check_module(who: str, module: Any) -> None:
    """Check that a network is one that the engine can train for each seed.

    Raises PluginError, with the layer and what to write in its place, where it is not; ``who`` names the network.
    """
    if not isinstance(module, nn.Module):
        raise PluginError(f"{who} must be a torch.nn.Module, not {type(module).__name__}")
    for path, part in module.named_modules():
        inside, _, parametrization = path.partition("parametrizations.")
        where = inside.rstrip(".") if parametrization else path
        layer = f"{who}'s layer {where!r}" if where else who
        if why := _refused(part):
            kind = "" if parametrization else f" ({_kind(part)})"
            raise PluginError(f"{layer}{kind} {why}")
        for name, parameter in part.named_parameters(recurse=False):
            if why := _unfit(parameter):
                raise PluginError(f"{who}'s parameter {_join(path, name)!r} {why}")
        for attribute, value in vars(part).items():
            if isinstance(value, Tensor):
                raise PluginError(
                    f"{who}'s tensor {_join(path, attribute)!r} is neither a parameter nor a buffer, so all seeds "
                    "would share one: use register_buffer"
                )


def _refused(layer: nn.Module) -> str:
    """Why a layer cannot be trained, with the cure; empty where it can."""
    if isinstance(layer, nn.DataParallel | nn.parallel.DistributedDataParallel):
        return "spreads one network over devices: give the network inside it, without the wrapper"
    if isinstance(layer, torch.jit.ScriptModule):
        return "is compiled by torch.jit: give the module itself, the engine compiles the whole step"
    if hasattr(layer, "_orig_mod"):
        return "is compiled by torch.compile: give the module itself, the engine compiles the whole step"
    if isinstance(layer, nn.modules.lazy.LazyModuleMixin) and layer.has_uninitialized_params():
        return "has no shape yet: use the layer that is not lazy, or call the network once in build"
    if layer.training and getattr(layer, "running_mean", None) is not None and hasattr(layer, "track_running_stats"):
        return f"keeps running averages, and buffers are held fixed: write {_without_averages(layer)}"
    for hook in layer._forward_pre_hooks.values():
        if isinstance(hook, SpectralNorm):
            return _SPECTRAL
        if isinstance(hook, WeightNorm):
            return "has torch's old weight_norm: use torch.nn.utils.parametrizations.weight_norm(layer)"
    if isinstance(layer, parametrizations._SpectralNorm):
        return _SPECTRAL
    if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
        if layer.max_norm is not None:
            return "changes its weight in each call, by max_norm: leave that out, and scale in forward"
        if layer.sparse:
            return "has sparse gradients, which no optimizer here takes: leave sparse=True out"
    return ""


def _without_averages(layer: Any) -> str:
    """The same norm without running averages, as code: with the arguments that are not the usual ones."""
    name = type(layer).__name__.replace("SyncBatchNorm", "BatchNorm2d")
    own = {"eps": layer.eps, "affine": layer.affine}
    usual = {"eps": 1e-5, "affine": "Instance" not in name}
    more = "".join(f"{key}={value}, " for key, value in own.items() if value != usual[key])
    return f"nn.{name}({layer.num_features}, {more}track_running_stats=False)"


def _unfit(parameter: nn.Parameter) -> str:
    """Why a parameter cannot be part of the player's vector of parameters."""
    if not parameter.requires_grad:
        return "is frozen: hold it as a buffer instead"
    if parameter.is_complex():
        return "is complex: hold torch.view_as_real(it), and use torch.view_as_complex in forward"
    if parameter.dtype != torch.float32:
        kind = str(parameter.dtype).removeprefix("torch.")
        return (
            f"is {kind}, and training is in float32: leave .double(), .half() and dtype= out, and write "
            "torch.from_numpy(x).float() of numpy's x"
        )
    if parameter.device.type != "cpu":
        return f"is on {parameter.device}: leave .cuda() and .to(device) out, the engine moves the networks"
    if hooked(parameter):
        return f"has a hook of its gradient{place_of_hook(parameter)}, {CURE}"
    return ""


def _join(path: str, name: str) -> str:
    return f"{path}.{name}".lstrip(".")


def _kind(layer: nn.Module) -> str:
    return type(layer).__name__
