"""Torch's warnings, which are for its own developers: a person who trains GANs can do nothing about them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

#: Those from its C++ code, which say so; those of its Python code that blame the caller's line; and those that name it.
_MESSAGES = (
    r"(?s).*Triggered internally at",
    r"(?s)`?torch\.",
    r"There is a performance drop because we have not yet implemented the batching rule",
    r"Full backward hook is firing",
    r"CUDA is not available or torch_xla",
)
_EACH_WITH_EACH = r"Using a target size \(torch\.Size\(\[\d+, 1\]\)\)"


@contextmanager
def hidden() -> Iterator[None]:
    """Within it, warnings of torch's do not reach the screen, nor become errors; all others are as before."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"torch(\.|$)")
        for message in _MESSAGES:
            warnings.filterwarnings("ignore", message=message)
        # Not a warning but a mistake: logits (n,) against labels (n, 1) are compared each with each.
        warnings.filterwarnings("error", message=_EACH_WITH_EACH)
        yield
