"""A dataset in use: built from its plugin, and what of it is held out, trained on, or set beside samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError, error_line
from ganbench.core.rng import stream
from ganbench.plugin.binding import bind
from ganbench.plugin.types import Dataset, Distribution
from ganbench.suite.choice import Choice
from ganbench.train.step.check import check_distribution


@dataclass(frozen=True)
class _InUse:
    """A dataset as it was built, and what of it is held out, by number, seed and device."""

    choice: Choice
    distribution: Distribution
    held_out: dict[tuple[int, int, torch.device], Tensor] = field(default_factory=dict)


#: The dataset that was built last, if any: cell after cell uses the same, and each evaluation the same held-out data.
_LAST: list[_InUse] = []
#: Held-out data is kept where all of it together takes at most so many bytes.
KEPT_BYTES = 2**28


def build_dataset(choice: Choice) -> Distribution:
    """The distribution that a suite's dataset names; one and the same for all cells of the dataset."""
    if not (_LAST and _LAST[0].choice is choice):
        distribution: Distribution = bind(choice.plugin(Dataset).build, choice.parameters)({})
        check_distribution(choice.name, distribution)
        _LAST[:] = [_InUse(choice, distribution)]
    return _LAST[0].distribution


def held_out(dataset: Distribution, n: int, seed: int, device: torch.device) -> Tensor:
    """Up to ``n`` samples of the data that nobody trains on, the same for every variant and evaluation of a seed.

    Fresh ones, or, where the data is a finite set, those that it holds out. Drawn on the CPU, so that all devices, and
    whoever scores the samples later, have the same.
    """
    kept = _LAST[0].held_out if _LAST and _LAST[0].distribution is dataset else {}
    key = (n, seed, device)
    if key not in kept:
        random = stream(seed, "evaluate.real")
        finite: Tensor | None = getattr(dataset, "held_out", None)
        drawn = (
            draw(dataset, n, random) if finite is None else finite[torch.randperm(len(finite), generator=random)[:n]]
        )
        drawn = drawn.to(device)
        if drawn.nbytes + sum(each.nbytes for each in kept.values()) > KEPT_BYTES:
            return drawn
        kept[key] = drawn
    # A copy: whoever writes into it must not change what the next one gets.
    return kept[key].clone()


def training_points(dataset: Distribution, n: int, seed: int, device: torch.device) -> Tensor:
    """The points that a reference is fitted to: the data's training set, or ``n`` samples where it has no end."""
    finite: Tensor | None = getattr(dataset, "training", None)
    return draw(dataset, n, stream(seed, "reference.training", 0, device)) if finite is None else finite.to(device)


def draw(distribution: Distribution, n: int, random: torch.Generator) -> Tensor:
    """``n`` samples; raises PluginError where the plugin fails, or gives another number of them."""
    try:
        samples = distribution.sample(n, random)
    except (Exception, SystemExit) as error:
        raise PluginError(f"sample({n}): {error_line(error)}") from error
    if tuple(samples.shape) != (n, *distribution.shape):
        raise PluginError(f"sample({n}) gives the shape {tuple(samples.shape)}, not {(n, *distribution.shape)}")
    return samples


def metric_inputs(
    samples: Tensor, dataset: Distribution, seed: int, names: frozenset[str], *, final: bool
) -> dict[str, Any]:
    """What metrics may name about samples (n, *shape), wherever they come from; of ``names``, what is drawn for them.

    What only a game or a fitted reference knows is None: lay it over.
    """
    known: dict[str, Any] = dict.fromkeys(("d_real", "d_fake", "loss", "model", "training"))
    known |= {"samples": samples, "dataset": dataset, "final": final}
    if names & {"training", "divergence"}:
        training: Tensor | None = getattr(dataset, "training", None)
        known["training"] = None if training is None else training.to(samples.device)
    if names & {"real", "d_real", "divergence"}:
        known["real"] = held_out(dataset, len(samples), seed, samples.device)
    return known
