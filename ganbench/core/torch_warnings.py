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
_COMPARED = r"Using a target size \(torch\.Size\("
_EACH_WITH_EACH = (
    _COMPARED + r"\[\d+, 1\]\)\)",
    _COMPARED + r"\[(\d+)\]\)\) that is different to the input size \(torch\.Size\(\[\1, 1\]\)\)",
)


@contextmanager
def hidden() -> Iterator[None]:
    """Within it, warnings of torch's do not reach the screen, nor become errors; all others are as before."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"torch(\.|$)")
        for message in _MESSAGES:
            warnings.filterwarnings("ignore", message=message)
        # What is compared elsewhere is the plugin's, and said once, at its line.
        warnings.filterwarnings("ignore", message=_COMPARED, module=r"ganbench\.")
        # Not a warning but a mistake: (n,) against (n, 1) are compared each with each.
        for message in _EACH_WITH_EACH:
            warnings.filterwarnings("error", message=message)
        yield
