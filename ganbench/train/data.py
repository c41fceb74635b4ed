"""A dataset in use: built from its plugin, with its held-out data, its training data, and inputs for metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor

from ganbench.core.errors import PluginError, error_line, raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.core.rng import stream
from ganbench.data.kept import keep, kept
from ganbench.data.phases import phases
from ganbench.data.soundness import check_soundness
from ganbench.plugin.types import Distribution
from ganbench.suite.choice import Choice


@dataclass(frozen=True)
class _InUse:
    """A dataset, and the held-out data drawn so far, by (phase, number, seed, device)."""

    distribution: Distribution
    held_out: dict[tuple[int, int, int, torch.device], Tensor] = field(default_factory=dict)

    def phase(self, distribution: Distribution) -> int | None:
        """Which of the dataset's phases a distribution is; None where it is none of them."""
        found = (at for at, (_, own) in enumerate(phases(self.distribution)) if own is distribution)
        return next(found, None)


#: The dataset that was asked for last, if any: most cells use the same, and all evaluations use the same held-out data.
_LAST: list[_InUse] = []
#: Held-out data is kept as long as all of it together takes at most this many bytes.
KEPT_BYTES = 2**28


def build_dataset(choice: Choice) -> Distribution:
    """The distribution of a suite's dataset: the same object for all cells of it, as far as the memory allows."""
    distribution: Distribution | None = kept(choice)
    if distribution is None:
        distribution = choice.build()
        try:
            check_soundness(distribution)
        except ValueError as error:
            raise PluginError(f"dataset {choice.name}: {error}") from error
        keep(choice, distribution)
    if not (_LAST and _LAST[0].distribution is distribution):
        _LAST[:] = [_InUse(distribution)]
    return distribution


def check_drawn(name: str, drawn: Tensor, seed: int, step: int) -> None:
    """Raise PluginError where data that a seed was given is not finite, so that no loss is blamed for it.

    Args:
        name: the data set's name.
        drawn: what the seed was given, (n, *shape).
        seed: the seed.
        step: the step, from 0.
    """
    finite = drawn.flatten(1).isfinite().all(1)
    if not finite.all():
        value = drawn[~drawn.isfinite()][0].item()
        raise PluginError(
            f"dataset {name}: sample() gives numbers that are not finite ({value} in {int((~finite).sum())} of "
            f"{len(drawn)} samples of step {step + 1} of seed {seed})"
        )


def held_out(dataset: Distribution, n: int, seed: int, device: torch.device) -> Tensor:
    """Samples of the data that no variant trains on, the same for every variant and every evaluation of a seed.

    Fresh samples or, where the data is a finite set, samples of its held-out part. They are drawn on the CPU, so they
    are the same on all devices, and for ``ganbench score``.

    Args:
        dataset: the data, or one of its phases
        n: how many samples; a finite set gives fewer where its held-out part is smaller
        seed: the seed whose stream they are drawn from
        device: where the samples are returned

    Returns:
        The samples (at most n, *shape), a copy.

    Raises:
        PluginError: where the dataset cannot be sampled
    """
    phase = _LAST[0].phase(dataset) if _LAST else None
    known = {} if phase is None else _LAST[0].held_out
    key = (phase or 0, n, seed, device)
    if key not in known:
        random = stream(seed, "evaluate.real")
        finite: Tensor | None = getattr(dataset, "held_out", None)
        drawn = (
            draw(dataset, n, random) if finite is None else finite[torch.randperm(len(finite), generator=random)[:n]]
        )
        drawn = drawn.to(device)
        if drawn.nbytes + sum(each.nbytes for each in known.values()) > KEPT_BYTES:
            return drawn
        known[key] = drawn
    # A copy: a caller that writes into it must not change the samples of the next caller.
    return known[key].clone()


def held_out_labels(dataset: Distribution, n: int, seed: int, device: torch.device) -> Tensor:
    """The classes of the samples that ``held_out`` gives.

    Args:
        dataset: the data, which have labels, or one of their phases
        n: how many samples
        seed: the seed whose stream they are drawn from
        device: where the classes are returned

    Returns:
        The classes, (at most n,), int64.
    """
    random, given = stream(seed, "evaluate.real"), cast(Any, dataset)
    if getattr(dataset, "held_out", None) is None:
        return cast(Tensor, given.labelled(n, random)[1]).to(device)
    return cast(Tensor, given.held_out_labels[torch.randperm(len(given.held_out), generator=random)[:n]]).to(device)


def forget_held_out() -> None:
    """Free the held-out data that is kept for further evaluations."""
    for each in _LAST:
        each.held_out.clear()


def training_points(dataset: Distribution, n: int, seed: int, device: torch.device) -> Tensor:
    """The points that a reference is fitted to: the training set of a finite dataset, else fresh samples.

    Args:
        dataset: the data
        n: how many samples to draw where the data has no training set
        seed: the seed whose stream they are drawn from
        device: where the points are returned

    Returns:
        The points (n, *shape), or the whole training set.

    Raises:
        PluginError: where the dataset cannot be sampled
    """
    finite: Tensor | None = getattr(dataset, "training", None)
    return draw(dataset, n, stream(seed, "reference.training", 0, device)) if finite is None else finite.to(device)


def draw(distribution: Distribution, n: int, random: torch.Generator) -> Tensor:
    """Draw samples of a distribution and check their shape.

    Args:
        distribution: what to sample
        n: how many samples
        random: the generator to draw from; the samples are on its device

    Returns:
        The samples (n, *shape).

    Raises:
        PluginError: where the plugin's code fails, or its samples have another shape
    """
    try:
        with process_kept():
            samples = distribution.sample(n, random)
    except BaseException as error:
        raise_if_stopped(error)
        raise PluginError(f"sample({n}): {error_line(error)}") from error
    if tuple(samples.shape) != (n, *distribution.shape):
        raise PluginError(f"sample({n}) gives the shape {tuple(samples.shape)}, not {(n, *distribution.shape)}")
    return samples


def metric_inputs(
    samples: Tensor, dataset: Distribution, seed: int, names: frozenset[str], *, final: bool
) -> dict[str, Any]:
    """The values that metrics may name about samples, whatever has made the samples.

    Values that only a game or a fitted reference has are None here; the caller replaces them.

    Args:
        samples: the samples to measure, (n, *shape)
        dataset: the data they are compared with
        seed: the seed whose held-out data is used
        names: the values that the metrics name; only these are drawn
        final: whether this is the last evaluation

    Returns:
        The values by name.

    Raises:
        PluginError: where held-out data cannot be drawn
    """
    known: dict[str, Any] = dict.fromkeys(("d_real", "d_fake", "loss", "model", "training", "label"))
    known |= {"samples": samples, "dataset": dataset, "final": final}
    if names & {"training", "divergence"}:
        training: Tensor | None = getattr(dataset, "training", None)
        known["training"] = None if training is None else training.to(samples.device)
    if names & {"real", "d_real", "divergence"}:
        known["real"] = held_out(dataset, len(samples), seed, samples.device)
    return known
