"""Properties of a metric: its values for the data itself, and for bad samples of several kinds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import NotApplicableError, raise_if_stopped
from ganbench.core.plain_words import plain_words
from ganbench.core.rng import stream
from ganbench.data.mixture import Mixture
from ganbench.metrics.divergence import divergences
from ganbench.plugin.binding import bind
from ganbench.plugin.kinds import CELL_NAMES
from ganbench.plugin.types import Loss, Metric, MetricValue
from ganbench.testing.one_device import META, OneDevice, WaitError, refusal
from ganbench.testing.purity import global_rng_untouched, unchanged
from ganbench.testing.result import Property, Subject, WrongError

N = 2000
#: A ring of six modes, and the names of its good and bad samples.
DATA = Mixture([[math.cos(k * math.pi / 3), math.sin(k * math.pi / 3)] for k in range(6)], 0.05)
SAMPLES = ("the data", "shifted", "one mode", "too wide", "copies")


def columns(subject: Subject) -> None:
    """It returns only its own columns, and no NaN, for the data and for bad samples."""
    metric: Metric = subject.value
    known = {column.name for column in metric.columns}
    for what in SAMPLES:
        if extra := sorted(values_of(subject, what).keys() - known):
            raise WrongError(f"returns {extra[0]!r}, which is none of its columns")


def floor(subject: Subject) -> str:
    """Shows its values for the data itself, the oracle's floor, which are about the best."""
    metric: Metric = subject.value
    row = values_of(subject, "the data")
    shown = []
    for column in metric.columns:
        value = row.get(column.name)
        if column.better == "neither" or not isinstance(value, (int, float)):
            continue
        shown.append(f"{column.name} {value:.4g}")
    if not shown:
        raise NotApplicableError("no column has a direction")
    return "on the data: " + ", ".join(shown)


def direction(subject: Subject) -> str:
    """Bad samples have worse values than the data's own, in the direction that each column declares."""
    metric: Metric = subject.value
    rows = [values_of(subject, what) for what in SAMPLES]
    seen, same = [], []
    for column in metric.columns:
        values = [row.get(column.name) for row in rows]
        numbers = [float(value) for value in values if isinstance(value, (int, float))]
        if column.better == "neither" or len(numbers) < len(values):
            continue
        if len({*numbers}) == 1:
            same.append(f"{column.name} is always {numbers[0]:.4g}, whatever the samples")
            continue
        sign = 1 if column.better == "lower" else -1
        losses = [sign * (bad - numbers[0]) for bad in numbers[1:]]
        # A column may not respond to some bad samples: then its values differ by noise alone.
        slack = 0.1 * max((abs(number) for number in numbers if math.isfinite(number)), default=0.0)
        if max(losses) > slack:
            seen.append(column.name)
        elif min(losses) < -slack:
            bad = ", ".join(f"{what}: {number:.4g}" for what, number in zip(SAMPLES, numbers, strict=True))
            raise WrongError(f"{column.name} ({column.better} is better) is best for bad samples: {bad}")
    if same and not seen:
        raise WrongError(same[0])
    if not seen:
        raise NotApplicableError("no column has a direction that these samples show")
    return ", ".join(seen)


def again(subject: Subject) -> None:
    """The same samples give the same numbers: where it draws, it seeds a generator of its own."""
    measure, given = _bound(subject, "shifted")
    first = dict(measure(given))
    with global_rng_untouched():
        second = dict(measure(given))
    for name in first:
        if first[name] != second[name] and first[name] is not None and not _nan(first[name]):
            raise WrongError(f"{name} is {first[name]}, and then {second[name]}, for the same samples")


def untouched(subject: Subject) -> None:
    """Neither samples nor data are changed in place."""
    measure, given = _bound(subject, "shifted")
    with unchanged(given):
        measure(given)


def order(subject: Subject) -> None:
    """The order of the samples does not matter."""
    measure, given = _bound(subject, "shifted")
    order = torch.randperm(N, generator=torch.Generator().manual_seed(0))
    mixed = {name: value[order] if name in ("samples", "d_fake", "label") else value for name, value in given.items()}
    one, other = dict(measure(given)), dict(measure(mixed))
    for name, value in one.items():
        mixed_value = other[name]
        if not isinstance(value, float) or not isinstance(mixed_value, float) or value == mixed_value:
            continue
        # Some metrics use a random part of the samples.
        if abs(value - mixed_value) > 0.25 * (abs(value) + 0.1):
            raise WrongError(f"{name} is {value:.4g}, and {mixed_value:.4g} for the samples in another order")


def symmetric(subject: Subject) -> None:
    """Where it declares to be symmetric, its values are the same with samples and data exchanged."""
    if not subject.value.symmetric:
        raise NotApplicableError("does not say that it is symmetric")
    measure, given = _bound(subject, "shifted")
    one, other = dict(measure(given)), dict(measure(given | {"samples": given["real"], "real": given["samples"]}))
    for name, value in one.items():
        if (
            isinstance(value, float)
            and not _nan(value)
            and not math.isclose(value, float(other[name] or 0.0), rel_tol=1e-3, abs_tol=1e-6)
        ):
            raise WrongError(f"{name} is {value:.4g}, and {other[name]:.4g} with samples and data exchanged")


def on_a_gpu(subject: Subject) -> None:
    """It takes samples of a GPU: numpy cannot read those, and no tensor of the CPU is taken beside them."""
    measure, given = _bound(subject, "shifted")
    there = {name: value.to(META) if isinstance(value, Tensor) else value for name, value in given.items()}
    try:
        with OneDevice():
            measure(there)
    except WaitError:
        return  # Here it reads the numbers, as it must.
    except BaseException as error:
        raise_if_stopped(error)
        if reason := refusal(error):
            raise WrongError(reason) from error
        raise NotApplicableError(f"is not known without a GPU: {plain_words(error)}") from error


PROPERTIES = (
    Property("its columns, no NaN", columns),
    Property("the oracle's floor", floor),
    Property("direction", direction),
    Property("the same samples, the same numbers", again),
    Property("the order of the samples", order),
    Property("symmetric", symmetric),
    Property("nothing changed in place", untouched),
    Property("samples of a GPU", on_a_gpu),
)


@lru_cache(maxsize=16)
def values_of(subject: Subject, what: str) -> Mapping[str, MetricValue]:
    """The metric's values for some samples."""
    measure, given = _bound(subject, what)
    with global_rng_untouched():
        row = measure(given)
    if not isinstance(row, Mapping):
        raise WrongError(f"measure() must return a mapping of columns, not {type(row).__name__}")
    for name, value in row.items():
        if _nan(value):
            raise WrongError(f"{name} is {value} for {what}: return None where there is no number")
    return dict(row)


def _nan(value: MetricValue) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _bound(subject: Subject, what: str) -> tuple[Any, dict[str, Any]]:
    """The metric as a function, and the values that it names."""
    measure = bind(subject.value.measure, subject.parameters)
    if CELL_NAMES & {*measure.names}:
        raise NotApplicableError("is of the cell as a whole: speed or cost")
    inputs = _metric_inputs(what)
    return measure, {name: inputs[name] for name in measure.names}


@lru_cache(maxsize=8)
def _metric_inputs(what: str) -> dict[str, Any]:
    """All values that a metric may name, for samples of the data or for bad ones."""
    real = DATA.sample(N, stream(0, "conformance.real"))
    samples = _samples(what)
    (divergence,) = divergences(samples[None], DATA, real[None], final=True)
    loss = Loss("conformance", lambda d_real: d_real, lambda d_fake: d_fake, probability=True)
    return {
        "samples": samples,
        "real": real,
        "dataset": DATA,
        "d_real": real[:, 0],
        "d_fake": samples[:, 0],
        "loss": loss,
        "divergence": divergence,
        "training": DATA.sample(N, stream(0, "conformance.training")),
        "model": None,
        "label": DATA.labelled(N, stream(0, "conformance.samples"))[1],
        "final": True,
    }


def _samples(what: str) -> Tensor:
    samples = DATA.sample(N, stream(0, "conformance.samples"))
    if what == "shifted":
        return samples * 1.1 + 0.3
    if what == "too wide":
        return Mixture(DATA.means, 0.12).sample(N, stream(0, "conformance.samples"))
    if what == "copies":
        # Copies of training points, each with so little noise that it is still close to its original.
        training = DATA.sample(N, stream(0, "conformance.training"))
        return training[: N // 4].repeat(4, 1) + 1e-4 * samples
    if what == "one mode":
        return Mixture(DATA.means[:1], 0.05).sample(N, stream(0, "conformance.samples"))
    return samples
