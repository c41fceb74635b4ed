"""Builds once, while a suite is read, what it names: so an error of a plugin is a mistake with a place in the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from ganbench.core.messages import shown
from ganbench.plugin.loader import one_line
from ganbench.plugin.types import Distribution, Loss, Networks
from ganbench.suite.choice import Choice, Draft, draft
from ganbench.suite.document import Document


class BuildCheck:
    """Builds the plugins of a document; their errors are added to the document's mistakes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        #: For each shape the first data set that could be built: its name and distribution.
        self._shapes: dict[tuple[int, ...], tuple[str, Distribution]] = {}

    def datasets(self, chosen: Mapping[str, Choice]) -> None:
        """Build each data set."""
        for name, choice in chosen.items():
            drafted = draft(self._document.value["datasets"][name], ("datasets", name))
            built = self._built(choice, drafted, Distribution)
            if built is not None:
                self._shapes.setdefault(tuple(built.shape), (name, built))

    def architectures(self, chosen: Iterable[tuple[Draft, Choice]]) -> None:
        """Build each architecture once for each shape of data."""
        tried: set[str] = set()
        for drafted, choice in chosen:
            for shape, (name, _) in self._shapes.items():
                key = json.dumps([shape, choice.plain()], sort_keys=True)
                if key not in tried:
                    tried.add(key)
                    self._built(choice, drafted, Networks, f"for dataset {name!r}: ", shape=shape)

    def players(self, losses: Iterable[tuple[Draft, Choice, Choice]]) -> None:
        """Build the networks of each loss that has ``players``, given as (its draft, the loss, the architecture)."""
        for drafted, loss, architecture in losses:
            if not loss.plugin(Loss).players:
                continue
            for shape, (name, dataset) in self._shapes.items():
                given = {"build": partial(_of_shape, architecture), "data": partial(_samples, dataset)}
                prefix = f"for dataset {name!r}: "
                self._built(loss, drafted, Networks, prefix, by="players", shape=shape, **given)

    def _built(self, choice: Choice, drafted: Draft | None, wanted: type, prefix: str = "", **given: Any) -> Any:
        """What a plugin builds; or None, and a mistake is added at the parameter that the error message begins with."""
        assert drafted is not None  # a choice was made from it
        try:
            built = choice.entry.build(choice.parameters, **given)
            if isinstance(built, wanted):
                if wanted is Distribution:
                    _check_data(built)
                return built
            message = f"{choice.entry.kind} {choice.name!r} built {shown(built)}, which is no {wanted.__name__}"
        except (Exception, SystemExit) as error:
            message = " ".join(str(error).split()) if isinstance(error, ValueError) else one_line(error, None)
        first_word = message.partition(" ")[0].strip("'\"`:,")
        self._document.add(drafted.places.get(first_word, drafted.place), f"{prefix}{message}")
        return None


def _check_data(built: object) -> None:
    from ganbench.data.soundness import check_soundness  # late: it imports torch

    check_soundness(built)


def _of_shape(choice: Choice, shape: tuple[int, ...]) -> Any:
    return choice.entry.build(choice.parameters, shape=tuple(shape))


def _samples(dataset: Distribution, n: int) -> Any:
    from torch import Generator  # late, but no delay: the plugin that calls this has imported torch

    return dataset.sample(n, Generator().manual_seed(0))
