"""Properties of a reference: a distribution of the data's shape that depends on its points and generator alone."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.core.rng import isolated, stream
from ganbench.plugin.binding import bind
from ganbench.plugin.returned import not_distribution
from ganbench.plugin.types import Distribution
from ganbench.testing.metrics import DATA
from ganbench.testing.purity import global_rng_untouched, unchanged
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.train.step.check import check_distribution

N = 500


def fits(subject: Subject) -> str:
    """It returns a distribution of the data's shape; its samples are finite and from the generator that is given."""
    fitted = _fitted(subject)
    if not isinstance(fitted, Distribution):
        raise WrongError(f"fit() returned {not_distribution(fitted)}")
    if tuple(fitted.shape) != DATA.shape:
        raise WrongError(f"its samples have the shape {fitted.shape}, and the data {DATA.shape}")
    try:
        check_distribution(subject.entry.name, fitted, "reference")
    except PluginError as error:
        raise WrongError(str(error)) from error
    return str(getattr(fitted, "note", "") or "")


def again(subject: Subject) -> None:
    """The same points and the same random numbers give the same samples."""
    one, other = (_fitted(subject, fresh=fresh).sample(50, stream(0, "conformance")) for fresh in (1, 2))
    if not torch.equal(one, other):
        raise WrongError("fits something else to the same points: draw from random, and nothing else")


def density(subject: Subject) -> None:
    """Where it has a density, that is finite at its own samples."""
    fitted = _fitted(subject)
    if hasattr(fitted, "log_density"):
        heights = fitted.log_density(fitted.sample(200, stream(1, "conformance")).double().numpy())
        if heights.shape != (200,) or not (heights < float("inf")).all() or (heights == -float("inf")).any():
            raise WrongError("log_density of its own samples is not finite numbers (n,)")


def untouched(subject: Subject) -> None:
    """The training points are not changed in place."""
    points = _points()
    with unchanged({"training": points}):
        _fit(subject, points)


def global_rng(subject: Subject) -> None:
    """No global random state is changed."""
    with global_rng_untouched():
        _fit(subject, _points())


PROPERTIES = (
    Property("a distribution", fits),
    Property("the same points, the same fit", again),
    Property("its density", density),
    Property("nothing changed in place", untouched),
    Property("no global random state", global_rng),
)


@lru_cache(maxsize=8)
def _fitted(subject: Subject, fresh: int = 0) -> Any:
    with isolated(fresh, "conformance"):
        return _fit(subject, _points())


def _fit(subject: Subject, points: Tensor) -> Any:
    given = {"training": points, "dataset": DATA, "random": stream(0, "conformance.reference")}
    return bind(subject.value.fit, subject.parameters)(given)


def _points() -> Tensor:
    return DATA.sample(N, stream(0, "conformance.training"))
