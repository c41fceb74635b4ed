"""Where a step's code reads ``.grad``, which no tensor of a step has: what is done with it changes nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ganbench.core.place import file_name
from ganbench.train.columns import own_line

_READ = torch.Tensor.grad.__get__  # type: ignore[union-attr]
#: The file of torch's functions that clip what stands in ``.grad``.
_CLIPS = "clip_grad.py"


class GradientReads(TorchFunctionMode):
    """Finds a user's own line that reads ``.grad`` where it is None, or has torch clip it; ``line``: empty for none.

    Where ``.grad`` is set first, it may be read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = ""

    @property
    def note(self) -> str:
        """What is to be said of it; empty where there is nothing."""
        return self.line and (
            f"a step reads .grad, which is None there ({self.line}), so this changes nothing: gradients are taken "
            "after the loss has returned, and game.discriminator_gradient() returns them; to clip them write clip: 1.0 "
            "in the suite's optimizer"
        )

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        if result is None and not self.line and function == _READ and _meant():
            self.line = own_line()
        return result


def _meant() -> bool:
    """Whether a plugin's code itself reads it, or torch's clipping: not torch's zero_grad(), which asks for it, too."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith("ganbench."):
        frame = frame.f_back
    if frame is None:
        return False
    name = str(frame.f_globals.get("__name__", ""))
    return name.startswith("ganbench_plugin_") or file_name(frame.f_code.co_filename) == _CLIPS
