"""ganbench: measure GAN variants under one protocol, with many seeds at once and honest error bars."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench.column import Column
    from ganbench.failure import NotApplicable
    from ganbench.hookspecs import hookimpl
    from ganbench.kinds import (
        Architecture,
        Dataset,
        Distribution,
        Loss,
        Metric,
        Networks,
        Optimizer,
        Penalty,
        Reference,
        Update,
    )
    from ganbench.layers import Joint, split_head, with_head
    from ganbench.mixture import Mixture
    from ganbench.spectral import spectral_norm
    from ganbench.train.gradients import between, gradient_norm, gradient_penalty, input_gradient, squared_norm

__version__ = "0.1.0"

_HOMES = {
    "hookimpl": "ganbench.hookspecs",
    "Architecture": "ganbench.kinds",
    "Column": "ganbench.column",
    "Dataset": "ganbench.kinds",
    "Distribution": "ganbench.kinds",
    "Loss": "ganbench.kinds",
    "Metric": "ganbench.kinds",
    "Networks": "ganbench.kinds",
    "NotApplicable": "ganbench.failure",
    "Optimizer": "ganbench.kinds",
    "Penalty": "ganbench.kinds",
    "Reference": "ganbench.kinds",
    "Update": "ganbench.kinds",
    "Joint": "ganbench.layers",
    "split_head": "ganbench.layers",
    "with_head": "ganbench.layers",
    "Mixture": "ganbench.mixture",
    "between": "ganbench.train.gradients",
    "gradient_norm": "ganbench.train.gradients",
    "gradient_penalty": "ganbench.train.gradients",
    "input_gradient": "ganbench.train.gradients",
    "spectral_norm": "ganbench.spectral",
    "squared_norm": "ganbench.train.gradients",
}

__all__ = [
    "Architecture",
    "Column",
    "Dataset",
    "Distribution",
    "Joint",
    "Loss",
    "Metric",
    "Mixture",
    "Networks",
    "NotApplicable",
    "Optimizer",
    "Penalty",
    "Reference",
    "Update",
    "between",
    "gradient_norm",
    "gradient_penalty",
    "hookimpl",
    "input_gradient",
    "spectral_norm",
    "split_head",
    "squared_norm",
    "with_head",
]


def __getattr__(name: str) -> Any:
    # The public names are loaded on first use, so that `ganbench --help` does not wait for torch.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ganbench' has no attribute {name!r}")
