"""A reference: a row that is not trained by a game, but fitted to data; its samples are scored as a generator's are."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor

from ganbench.core.errors import PluginError, error_line, raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.core.rng import isolated, stream
from ganbench.core.threads import threads_for
from ganbench.data.labels import classes_of
from ganbench.data.phases import phases
from ganbench.plugin.binding import bind
from ganbench.plugin.returned import not_distribution
from ganbench.plugin.types import Distribution, Reference
from ganbench.suite.choice import Choice
from ganbench.suite.plan import Cell
from ganbench.train.data import draw, metric_inputs, training_points
from ganbench.train.step.check import check_distribution

#: References are fitted to as many points as there are samples to score, but to at least this many: a suite that scores
#: few samples does so to be quick.
FEWEST_POINTS = 1000


def reference_inputs(
    cell: Cell,
    dataset: Distribution,
    seed: int,
    names: frozenset[str],
    device: torch.device,
) -> dict[str, Any]:
    """Fit a cell's reference for one seed, and give the values that metrics may name about its samples.

    The points it is fitted to are the same for all references of a seed; it is scored with other points.

    Args:
        cell: a cell whose variant is a reference
        dataset: the cell's data
        seed: the seed whose streams the points and samples are drawn from
        names: the values that the metrics name; only these are computed
        device: where the reference is fitted and sampled

    Returns:
        The values by name; ``note`` is the text that the fitted distribution has in its attribute ``note``, else empty.

    Raises:
        PluginError: where the reference's code fails, or what it returns is no distribution of the data's shape
    """
    assert cell.reference is not None
    name = cell.reference.name
    training = training_points(dataset, max(cell.samples, FEWEST_POINTS), seed, device)
    try:
        fitted = _fit(cell.reference, dataset, training, seed)
    except BaseException as error:
        raise_if_stopped(error)
        raise PluginError(f"reference {name}: {error_line(error)}") from error
    if not isinstance(fitted, Distribution) or isinstance(fitted, type):
        raise PluginError(f"reference {name}: fit() returned {not_distribution(fitted)}")
    if tuple(fitted.shape) != tuple(dataset.shape):
        raise PluginError(f"reference {name}: its samples have the shape {fitted.shape}, and the data {dataset.shape}")
    if fitted is not dataset:
        check_distribution(name, fitted, "reference")
        if seed == cell.seeds[0]:
            _check_repeats(cell.reference, dataset, training[:FEWEST_POINTS], seed)
    try:
        samples = draw(fitted, cell.samples, stream(seed, f"reference.{name}.samples", 0, device))
    except PluginError as error:
        raise PluginError(f"reference {name}: {error}") from error
    model = fitted if hasattr(fitted, "log_density") else None
    label = None
    if "label" in names and fitted is dataset and classes_of(dataset):
        label = cast(Any, dataset).labelled(cell.samples, stream(seed, f"reference.{name}.samples", 0, device))[1]
    return metric_inputs(samples, dataset, seed, names, final=True) | {
        "training": training,
        "model": model,
        "label": label,
        "note": "; ".join(filter(None, (str(getattr(fitted, "note", None) or ""), _phase(dataset)))),
    }


def _phase(dataset: Distribution) -> str:
    """Which phase of data that change during training a reference has; empty for other data."""
    return "of the data after the last change" if len(phases(dataset)) > 1 else ""


def _fit(reference: Choice, dataset: Distribution, training: Tensor, seed: int) -> Any:
    random = stream(seed, f"reference.{reference.name}", 0, training.device)
    given = {"training": training.clone(), "dataset": dataset, "random": random}
    with process_kept(), isolated(seed, "reference.global"), threads_for(training.numel()):
        return bind(reference.plugin(Reference).fit, reference.parameters)(given)


def _check_repeats(reference: Choice, dataset: Distribution, training: Tensor, seed: int) -> None:
    """Raise PluginError where a reference fits something else each time to the same few points."""
    try:
        one, other = (
            draw(_fit(reference, dataset, training, seed), 100, stream(seed, "check", 0, training.device))
            for _ in range(2)
        )
    except Exception:  # it may need more points
        return
    if not torch.allclose(one, other, rtol=1e-4, atol=1e-4, equal_nan=True):
        raise PluginError(
            f"reference {reference.name}: fits something else each time to the same points: draw from `random`, and "
            "remember nothing"
        )
