"""Checks of what plugins return, made once before training, so that an error message names the plugin's mistake."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.core.errors import PluginError, message_of, own_frame, raise_if_stopped
from ganbench.core.place import place
from ganbench.core.plain_words import plain_words
from ganbench.data.soundness import checked_samples, settle_shape
from ganbench.plugin.returned import described, not_networks
from ganbench.plugin.types import Distribution, Networks
from ganbench.train.step.flat_network import FlatNetwork, as_one_module
from ganbench.train.step.layers import check_module

_FEW = 4
_NOTHING = ": for a term that is 0 leave the function out, or return torch.zeros(())"


def check_distribution(name: str, distribution: Distribution, kind: str = "dataset") -> None:
    """Check that a distribution samples as it must: shape, type, finite numbers, from its generator alone.

    Args:
        name: the plugin's name, for messages
        distribution: what to check
        kind: the plugin's kind, for messages

    Raises:
        PluginError: where it does not
    """
    try:
        settle_shape(distribution)
        checked_samples(distribution, _FEW)
    except ValueError as error:
        raise PluginError(f"{kind} {name}: {error}") from error


def check_networks(
    name: str, networks: Networks, shape: tuple[int, ...], kind: str = "architecture", parts: tuple[str, ...] = ()
) -> None:
    """Check that the two players fit the data, each other and the latent.

    Args:
        name: the plugin's name, for messages
        networks: what the plugin has built
        shape: the shape of one sample of the data
        kind: which kind of plugin has built them: architecture or loss. The D that a loss has built may take other
            inputs than samples, so its output is not checked
        parts: the names of the further networks that the loss declares

    Raises:
        PluginError: where they do not fit
    """
    if not isinstance(networks, Networks):
        raise PluginError(f"{kind} {name}: returned {not_networks(networks)}")
    own = {"generator": networks.generator_parts, "discriminator": networks.discriminator_parts}
    if sorted([*own["generator"], *own["discriminator"]]) != sorted(parts):
        given = ", ".join(sorted([*own["generator"], *own["discriminator"]])) or "none"
        raise PluginError(f"{kind} {name}: its networks have the parts {given}, and its Loss says {parts}")
    for player, more in own.items():
        modules = {player: getattr(networks, player), **more}
        for part, module in modules.items():
            check_module(f"{kind} {name}: the {part}", module)
        if not FlatNetwork(as_one_module(modules.pop(player), modules)).parameters:
            raise PluginError(f"{kind} {name}: the {player} has no parameters to train")
    _check_apart(f"{kind} {name}", networks)
    # A copy, since a call may change the module.
    generator = copy.deepcopy(networks.generator)
    z = torch.zeros(_FEW, *networks.latent)
    try:
        with torch.no_grad():
            fake = _called(f"{kind} {name}", "generator", generator, z, *_labels(networks))
    except PluginError as error:
        raise PluginError(f"{error}{_exchanged(networks, z, shape)}") from error
    if tuple(fake.shape) != (_FEW, *shape):
        raise PluginError(
            f"{kind} {name}: the generator gives the shape {tuple(fake.shape[1:])}, and the data has {shape}"
            f"{_exchanged(networks, z, shape)}"
        )
    if kind == "architecture":
        logits = _logits(name, networks, shape)
        if not _one_each(logits):
            cure = (
                "return one a sample, the loss takes the mean"
                if not logits.dim()
                else "take the mean of its map, .flatten(1).mean(1)"
                if logits.dim() > 2
                else "end in one number, nn.Linear(width, 1)"
            )
            raise PluginError(
                f"architecture {name}: the discriminator must give one logit a sample, ({_FEW},) or ({_FEW}, 1), "
                f"not {tuple(logits.shape)}: {cure}"
            )


def _check_apart(who: str, networks: Networks) -> None:
    """Refuse parameters that both players have: each is trained on its own, so the sharing would be lost."""
    D = as_one_module(networks.discriminator, networks.discriminator_parts)
    G = as_one_module(networks.generator, networks.generator_parts)
    own = {parameter.untyped_storage()._cdata: name for name, parameter in D.named_parameters()}
    for name, parameter in G.named_parameters():
        if shared := own.get(parameter.untyped_storage()._cdata):
            raise PluginError(
                f"{who}: the generator's {name!r} is the discriminator's {shared!r} too, and each player trains its "
                "own: give each a layer of its own, as copy.deepcopy(layer) makes it"
            )


def _exchanged(networks: Networks, z: Tensor, shape: tuple[int, ...]) -> str:
    """The end of a message where what was given as the discriminator makes samples of the data's shape."""
    try:
        with torch.no_grad():
            fake = copy.deepcopy(networks.discriminator)(z)
    except BaseException as error:
        raise_if_stopped(error)
        return ""
    exchanged = isinstance(fake, Tensor) and tuple(fake.shape) == (_FEW, *shape)
    return ": are the two in the wrong order? Networks(generator, discriminator, latent)" if exchanged else ""


def judges(networks: Networks, shape: tuple[int, ...]) -> bool:
    """Whether the discriminator gives one logit for each single sample."""
    try:
        return _one_each(_logits("", networks, shape))
    except PluginError:
        return False


def _one_each(logits: Tensor) -> bool:
    """Whether there is one number for each sample; DCGAN's (n, 1, 1, 1) is as good as (n,)."""
    return logits.dim() > 0 and len(logits) == logits.numel() == _FEW


def _logits(name: str, networks: Networks, shape: tuple[int, ...]) -> Tensor:
    discriminator = copy.deepcopy(networks.discriminator)
    with torch.no_grad():
        x = torch.zeros(_FEW, *shape)
        return _called(f"architecture {name}", "discriminator", discriminator, x, *_labels(networks))


def _labels(networks: Networks) -> tuple[Tensor, ...]:
    """What conditional networks are called with beside their inputs."""
    return (torch.arange(_FEW) % networks.classes,) if networks.classes else ()


def check_memory(value: Any, before: tuple[Tensor, ...], name: str, where: str = "") -> tuple[Tensor, ...]:
    """Check what a penalty's ``remember()`` returns.

    Args:
        value: what it returns
        before: what it remembered before: scalars
        name: the penalty's name, for messages
        where: the function's place, for messages

    Returns:
        The scalars, in the precision of ``before``.

    Raises:
        PluginError: where they are not as many scalars as before
    """
    if not isinstance(value, tuple) or [getattr(one, "shape", None) for one in value] != [one.shape for one in before]:
        raise PluginError(f"penalty {name}'s remember() must return a tuple of {len(before)} scalar tensors{where}")
    # A number that a sweep varies is a float64 tensor, and so are the results of computing with it.
    return tuple(one.to(was.dtype) for one, was in zip(value, before, strict=True))


def check_gradients(thetas: tuple[Tensor, Tensor], given: tuple[Any, Any], taken: Sequence[tuple[str, Tensor]]) -> None:
    """Check the gradients that an update rule moves the players by: D's first.

    Args:
        thetas: the players' parameters
        given: their gradients; None for a player that stays
        taken: the gradients that the rule has taken, each with the name of its player

    Raises:
        PluginError: where one is no tensor of its player's shape, or is the other player's
    """
    for name, theta, gradient in zip(("discriminator", "generator"), thetas, given, strict=True):
        if gradient is None:
            continue
        if isinstance(gradient, tuple):
            raise PluginError(f"game.move({name}=...) takes one gradient, not {described(gradient)}")
        other = any(gradient is each and whose != name for whose, each in taken)
        if other or getattr(gradient, "shape", None) != theta.shape:
            what = "the other player's gradient" if other else described(gradient)
            raise PluginError(
                f"game.move({name}=...) was given {what}, and moves the {name} by its own, of the shape "
                f"{tuple(theta.shape)}: are the two exchanged?"
            )


def check_state(value: Any) -> tuple[Tensor, ...]:
    """The state that an optimizer's ``start()`` returns; raises PluginError where it is no tuple of tensors."""
    if isinstance(value, tuple) and all(isinstance(one, Tensor) for one in value):
        return value
    kind = described(value)
    raise PluginError(
        f"an optimizer's start() must return a tuple of tensors, not {kind}: (m,) for one tensor, () for none"
    )


def check_scalar(value: Any, function: str, whose: str = "the loss's", where: str = "") -> Tensor:
    """Check that a loss or a penalty returns a scalar tensor.

    Args:
        value: what it returns
        function: the function's name, for messages
        whose: whose function it is, for messages
        where: the function's place, for messages

    Returns:
        The value.

    Raises:
        PluginError: where it is no scalar tensor
    """
    if not isinstance(value, Tensor):
        cure = ": is its return missing?" if value is None else ": add its terms" if isinstance(value, tuple) else ""
        if isinstance(value, int | float):
            cure = _NOTHING if value == 0 else ": a number has no gradient, leave .item() and float() out"
        raise PluginError(f"{whose} {function}() must return a scalar tensor, not {_kind(value)}{cure}{where}")
    if value.dim():
        raise PluginError(
            f"{whose} {function}() must return a scalar, not the shape {tuple(value.shape)}: take its .mean(){where}"
        )
    return value


def check_factor(value: Any, name: str, where: str = "") -> Tensor | float:
    """Check that a schedule returns one number.

    Args:
        value: what it returns
        name: the schedule's name, for messages
        where: the function's place, for messages

    Returns:
        The value.

    Raises:
        PluginError: where it is no number and no scalar tensor
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return check_scalar(value, "factor", f"schedule {name}'s", where)


def _called(who: str, player: str, module: nn.Module, x: Tensor, *label: Tensor) -> Tensor:
    try:
        output = module(x, *label)
    except BaseException as error:
        raise_if_stopped(error)
        given = f"{tuple(x.shape)}{' and a label for each row' if label else ''}"
        raise PluginError(
            f"{who}: the {player}, given {given}: {plain_words(error)}{_of_label(error, module, label)}"
        ) from error
    if not isinstance(output, Tensor):
        cure = (
            ": return features only where they are asked for, def forward(self, x, features=False), and call "
            "D(x, features=True) in the loss"
        )
        wanted = "logits" if player == "discriminator" else "samples"
        more = isinstance(output, tuple | list | dict)
        raise PluginError(
            f"{who}: the {player} must return one tensor, its {wanted}, not {_kind(output)}{cure if more else ''}"
        )
    return output


def _of_label(error: BaseException, module: nn.Module, label: tuple[Tensor, ...]) -> str:
    """The end of a message where a network wants a label that it is not given, or does not take the one it is given."""
    if not isinstance(error, TypeError) or "forward() " not in message_of(error) or own_frame(error):
        return ""
    code = getattr(type(module).forward, "__code__", None)
    where = f" ({place(code.co_filename, code.co_firstlineno)})" if code else ""
    if "missing 1 required positional" in message_of(error) and not label:
        cure = "conditional networks are built by build(shape, classes), which returns Networks(..., classes=classes)"
    elif label and "were given" in message_of(error):
        cure = "with Networks(..., classes=classes) both networks take the label: def forward(self, x, label)"
    else:
        return where
    return f": {cure}{where}"


def _kind(value: Any) -> str:
    return f"a {value.dtype} tensor" if isinstance(value, Tensor) else f"{type(value).__name__}"
