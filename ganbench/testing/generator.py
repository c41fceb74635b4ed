"""Whether samples are drawn on their generator's device: found without a GPU, by one that says it is on ``meta``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ganbench.core.errors import NotApplicableError, raise_if_stopped
from ganbench.core.plain_words import plain_words
from ganbench.data.phases import phases
from ganbench.plugin.types import Distribution
from ganbench.testing.one_device import META, MixedError, OneDevice, WaitError, refusal
from ganbench.testing.result import WrongError

#: Samples that are drawn.
FEW = 8


class Elsewhere(torch.Generator):
    """A generator that stands for one of a GPU."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """The device ``meta``, which has no generators of its own."""
        return META


class DrawsThere(TorchFunctionMode):
    """Within the block, what draws from such a generator gives tensors without numbers, if it draws on that device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call a function of torch's; MixedError where it would draw on the CPU, which torch refuses."""
        given = kwargs or {}
        if not isinstance(given.get("generator"), Elsewhere):
            return func(*args, **given)
        own = {name: value for name, value in given.items() if name != "generator"}
        tensors = [value for value in (*args, *own.values()) if isinstance(value, Tensor)]
        where = tensors[0].device if tensors else torch.device(own.get("device") or "cpu")
        if where != META:
            raise MixedError("draws on the CPU from a generator on another device")
        return func(*args, **own)


def check_drawn_there(distribution: Distribution) -> None:
    """Draw a few samples as on a GPU.

    Raises WrongError where they are not drawn on the generator's device, and NotApplicableError where that is not
    known.
    """
    try:
        for _, own in phases(distribution):
            with OneDevice(), DrawsThere():
                samples = own.sample(FEW, Elsewhere())
                # With its labels it may be drawn otherwise.
                if labelled := getattr(own, "labelled", None):
                    labelled(FEW, Elsewhere())
            if samples.device != META:
                raise WrongError("on a GPU its samples are on the CPU: return them with .to(generator.device)")
    except WaitError as error:
        raise NotApplicableError(f"a GPU is waited for in each draw: {plain_words(error)}") from error
    except WrongError:
        raise
    except BaseException as error:
        raise_if_stopped(error)
        if reason := refusal(error):
            raise WrongError(reason) from error
        raise NotApplicableError(f"is not known without a GPU: {plain_words(error)}") from error
