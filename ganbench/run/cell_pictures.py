"""The pictures of a cell, drawn while its seeds are measured. They change no number, and what fails here fails no seed.

All draws have streams of their own; the latents of a seed are the same at every evaluation, so that points move.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.core.rng import stream
from ganbench.core.threads import threads_for
from ganbench.data.labels import class_shares, draw_labels
from ganbench.plugin.types import Distribution
from ganbench.record.picture_arrays import Picture, pack
from ganbench.run.data_view import DataView, data_view
from ganbench.run.metric_inputs import SeedInputs
from ganbench.run.observer import CellNoted
from ganbench.run.picture_plan import BETWEEN, IMAGES, PAIRS, POINTS, PicturePlan, picture_plan
from ganbench.suite.plan import Cell
from ganbench.train.step.draws import fill
from ganbench.train.step.step import State
from ganbench.train.trainer import Trainer

#: One of a seed's networks, in evaluation mode; a conditional generator takes labels, too.
Network = Callable[..., Tensor]
_OF_SHOWN = ("points", "latents", "images")
_OF_FOLLOWED = ("logits", "counts", "nearest", "distances", "between")
_NO_D = "no discriminator: it judges more than single samples"
_OF_LABELS = "no discriminator: it is another one for each label"


@dataclass(frozen=True)
class PictureDrawn:
    """The contents of the file of a cell's picture at one evaluation, and of the file of its data set."""

    cell: str
    step: int
    content: bytes
    data: bytes


@dataclass(frozen=True, eq=False)
class PictureSettings:
    """What the pictures of a run share: ``most`` bytes a trained cell, the ``steps`` of training, and the last view.

    ``views``: by the data set's name, one at most: it may hold a set of images.
    """

    most: int
    steps: int
    views: dict[str, DataView] = field(default_factory=dict)

    def view(self, name: str, dataset: Distribution) -> DataView:
        """The view of a data set, which its cells share as they come one after another."""
        if name not in self.views:
            self.views.clear()
            self.views[name] = data_view(name, dataset, self.steps)
        return self.views[name]


class CellPictures:
    """The pictures of one cell: add each group of seeds as it is measured, then take the picture of the evaluation.

    ``settings``: None where a run records no pictures; ``trainer`` and ``replicas``: of a trained cell, and its places
    in the batch.
    """

    def __init__(
        self,
        cell: Cell,
        dataset: Distribution,
        settings: PictureSettings | None,
        trainer: Trainer | None = None,
        replicas: range = range(0),
    ) -> None:
        self._cell, self._dataset, self._settings, self._trainer = cell, dataset, settings, trainer
        self._replica = dict(zip(cell.seeds, replicas, strict=trainer is not None))
        self._known: tuple[DataView, PicturePlan] | None = None
        self._judges: bool | None = None
        self._found: list[dict[str, Any]] = []
        self._failure, self._told = "", False

    def add(self, group: Sequence[SeedInputs], step: int, state: State | None = None) -> None:
        """Draw what is planned of a group of seeds.

        Args:
            group: The seeds, as they were measured.
            step: The steps after which they were.
            state: The state of the batch then; None for a reference.
        """
        if self._settings is None or self._failure:
            return
        try:
            self._found += self._drawn(group, step, state)
        except BaseException as error:
            raise_if_stopped(error)
            self._failure = f"no more pictures of it: {error_line(error)}"

    def take(self, step: int) -> PictureDrawn | CellNoted | None:
        """The picture at ``step`` of the groups since the last; None where none is planned; a line where it fails."""
        found, self._found = self._found, []
        if self._failure:
            told, self._told = self._told, True
            return None if told else CellNoted(self._cell.id, self._failure)
        if not found or self._known is None:
            return None
        view, _ = self._known
        followed = [one for one in found if one["followed"]]
        arrays = {
            name: np.stack([one[name] for one in of])
            for of, names in ((found, _OF_SHOWN), (followed, _OF_FOLLOWED))
            for name in names
            if of and all(name in one for one in of)
        }
        picture = Picture(
            self._cell.dataset,
            self._cell.variant,
            self._trainer is None,
            step,
            seeds=tuple(one["seed"] for one in found),
            final=tuple(one["final"] for one in found),
            followed=tuple(one["seed"] for one in followed),
            box=view.picture.box,
            probability=self._trainer is not None and self._trainer.loss.probability,
            drawn=self._cell.samples,
            note=self._without_D if self._judges is False else "",
            **arrays,
        )
        return PictureDrawn(self._cell.id, step, pack(picture), view.file)

    @property
    def _without_D(self) -> str:  # noqa: N802
        """Why there is no picture of D."""
        return _OF_LABELS if self._trainer is not None and self._trainer.rules.conditional else _NO_D

    def _drawn(self, group: Sequence[SeedInputs], step: int, state: State | None) -> list[dict[str, Any]]:
        """What is planned of each seed, by the names of the arrays."""
        if self._known is None:
            assert self._settings is not None
            view = self._settings.view(self._cell.dataset, self._dataset)
            self._known = view, picture_plan(self._cell, view, self._settings.most)
        view, plan = self._known
        found: dict[int, dict[str, Any]] = {}
        for seed, _, outcome in group:
            samples, final, followed = outcome["samples"], outcome["final"], seed in plan.followed
            if (final and seed in plan.shown) or (followed and step in plan.steps):
                found[seed] = {"seed": seed, "final": final, "followed": followed}
                with threads_for(samples.numel()):
                    if view.on_grid and followed:
                        found[seed]["counts"] = view.counts(samples)
                    if state is None:
                        found[seed] |= _shown(view, samples)
        if self._trainer is not None and state is not None and found:
            evaluation, replicas = self._trainer.evaluation, [self._replica[seed] for seed in found]
            if self._judges is None and view.on_grid:
                (self._judges,) = evaluation.drawn(state, replicas[:1], self._judges_alone)

            def draw_seed(seed: int, G: Network, D: Network | None) -> dict[str, Any]:
                return self._of_networks(found[seed], view, G, D)

            for one, own in zip(found.values(), evaluation.drawn(state, replicas, draw_seed), strict=True):
                one |= own
        return [*found.values()]

    def _of_networks(self, one: dict[str, Any], view: DataView, G: Network, D: Network | None) -> dict[str, Any]:
        """What the networks of a seed show."""
        assert self._trainer is not None
        rules, device = self._trainer.rules, self._trainer.device
        # Many at a time, whatever is shown of them: a network may look at the whole batch.
        shape = (POINTS, *rules.latent)
        z = fill(rules.latent_kind, shape, stream(one["seed"], "picture.latent", 0, device))
        label = self._labels(one["seed"], device)
        found = _shown(view, G(z, *label))
        if view.shape == (1,) and rules.latent == (1,):
            found["latents"] = z.flatten().cpu().numpy()
        if D is not None and one["followed"] and self._judges:
            found["logits"] = D(view.grid.to(device)).float().cpu().numpy().reshape(view.cells)
        if view.of_images and one["followed"] and one["final"]:
            if view.training is not None:
                found["nearest"], found["distances"] = view.nearest(G(z, *label)[:IMAGES])
            ends = fill(rules.latent_kind, (2, PAIRS, *rules.latent), stream(one["seed"], "picture.between", 0, device))
            path = _path(ends, rules.latent_kind)
            # From one end to the other the label stays.
            held = (torch.cat([own[:PAIRS].repeat_interleave(BETWEEN), own[len(path) :]]) for own in label)
            images = G(torch.cat([path, z[len(path) :]]), *held)[: len(path)]
            found["between"] = view.as_bytes(images).reshape(PAIRS, BETWEEN, *view.shape)
        return found

    def _labels(self, seed: int, device: torch.device) -> tuple[Tensor, ...]:
        """The classes of the latents of a seed's pictures, where its generator takes them."""
        shares = class_shares(self._dataset)
        if self._trainer is None or not self._trainer.rules.conditional or shares is None:
            return ()
        return (draw_labels(shares, POINTS, stream(seed, "picture.label", 0, device)),)

    def _judges_alone(self, _: int, __: Network, D: Network | None) -> bool:
        """Whether D's logit of a point does not depend on the points beside it."""
        if D is None or self._trainer is None or self._known is None:
            return False
        grid = self._known[0].grid.to(self._trainer.device)
        try:
            logits, turned, few = D(grid), D(grid.flip(0)).flip(0), D(grid[:7])
        except Exception:  # of so many points
            return False
        return _alike(logits, turned) and _alike(logits[:7], few)


def _alike(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-3, atol=1e-3, equal_nan=True)


def _shown(view: DataView, samples: Tensor) -> dict[str, Any]:
    if view.of_images:
        return {"images": view.as_bytes(samples[:IMAGES])}
    return {"points": view.points(samples[:POINTS])}


def _path(ends: Tensor, kind: str) -> Tensor:
    """Latents from one end to the other of each pair: (2, pairs, *latent) -> (pairs * steps, *latent).

    Of normal latents along an arc, where each is as likely as a latent is; of others along a line.
    """
    t = torch.linspace(0, 1, BETWEEN, device=ends.device).reshape(1, -1, *[1] * (ends.dim() - 2))
    begin, end = ends[:, :, None]
    path: Tensor
    if kind == "normal":
        path = torch.cos(t * math.pi / 2) * begin + torch.sin(t * math.pi / 2) * end
    else:
        path = (1 - t) * begin + t * end
    return path.flatten(0, 1)
