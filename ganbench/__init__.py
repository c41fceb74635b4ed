"""ganbench: measure GAN variants under one protocol, with many seeds at once and honest error bars."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganbench.core.errors import NotApplicableError
    from ganbench.data.finite_set import Finite
    from ganbench.data.mixture import Mixture
    from ganbench.nn.gradients import between, gradient_norm, gradient_penalty, input_gradient, squared_norm
    from ganbench.nn.layers import Joint, split_head, with_head
    from ganbench.nn.spectral_norm import spectral_norm
    from ganbench.plugin.column import Column
    from ganbench.plugin.hookspecs import hookimpl
    from ganbench.plugin.role import Thresholds
    from ganbench.plugin.types import (
        Architecture,
        Dataset,
        Distribution,
        Executor,
        Loss,
        Metric,
        Networks,
        Observer,
        Optimizer,
        Penalty,
        Reference,
        Schedule,
        Update,
    )
    from ganbench.score.generator import load_generator

__version__ = "0.1.0"

#: Where each public name is defined.
_HOMES = {
    name: f"ganbench.{module}"
    for module, names in {
        "core.errors": ("NotApplicableError",),
        "data.finite_set": ("Finite",),
        "data.mixture": ("Mixture",),
        "nn.gradients": ("between", "gradient_norm", "gradient_penalty", "input_gradient", "squared_norm"),
        "nn.layers": ("Joint", "split_head", "with_head"),
        "nn.spectral_norm": ("spectral_norm",),
        "plugin.column": ("Column",),
        "plugin.hookspecs": ("hookimpl",),
        "plugin.role": ("Thresholds",),
        "plugin.types": (
            "Architecture",
            "Dataset",
            "Distribution",
            "Executor",
            "Loss",
            "Metric",
            "Networks",
            "Observer",
            "Optimizer",
            "Penalty",
            "Reference",
            "Schedule",
            "Update",
        ),
        "score.generator": ("load_generator",),
    }.items()
    for name in names
}

__all__ = [
    "Architecture",
    "Column",
    "Dataset",
    "Distribution",
    "Executor",
    "Finite",
    "Joint",
    "Loss",
    "Metric",
    "Mixture",
    "Networks",
    "NotApplicableError",
    "Observer",
    "Optimizer",
    "Penalty",
    "Reference",
    "Schedule",
    "Thresholds",
    "Update",
    "between",
    "gradient_norm",
    "gradient_penalty",
    "hookimpl",
    "input_gradient",
    "load_generator",
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
