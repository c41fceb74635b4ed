"""Why a step cannot be batched, or fails: torch's messages in the words of who wrote the plugin, with its place."""

from __future__ import annotations

import re

from ganbench.core.errors import PluginError, error_line

#: The most characters of an error message that are kept.
LONGEST = 200
#: Parts of torch's messages about code that it cannot batch, and what the plugin's code does, in plain words.
_NUMBER = "reads a number out of a tensor (.item(), float(), or a Python if on it)"
_TAPE = "uses the autograd tape (torch.autograd.grad, requires_grad_): use input_gradient(D, x)"
_REASONS = {
    "data-dependent control flow": _NUMBER,
    "calling .item() on a Tensor": _NUMBER,
    "Cannot access data pointer of Tensor": _NUMBER,
    "requires_grad_": _TAPE,
    "does not require grad": _TAPE,
}


def plain_words(error: BaseException) -> str:
    """What a plugin's code does that torch cannot batch; for any other error ``error_line(error)``, shortened."""
    message = error_line(error)
    found = re.search(r" \([^() ]+\.py:\d+\)$", message)
    where = found[0] if found else ""
    known = next((reason for part, reason in _REASONS.items() if part in str(error)), "")
    if known:
        return known + where
    if isinstance(error, PluginError) or len(message) <= LONGEST:
        return message
    return message.removesuffix(where)[: LONGEST - len(where) - 3] + "..." + where
