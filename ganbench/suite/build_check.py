"""What a suite names is built once while it is read, so that what plugins refuse is a mistake with a place."""

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
    """Tries the plugins of a document; what they refuse is added to its mistakes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        #: Of the data sets that could be built, the first of each shape.
        self._shapes: dict[tuple[int, ...], tuple[str, Distribution]] = {}

    def datasets(self, chosen: Mapping[str, Choice]) -> None:
        """Build each data set."""
        for name, choice in chosen.items():
            drafted = draft(self._document.value["datasets"][name], ("datasets", name))
            built = self._built(choice, drafted, Distribution)
            if built is not None:
                self._shapes.setdefault(tuple(built.shape), (name, built))

    def architectures(self, chosen: Iterable[tuple[Draft, Choice]]) -> None:
        """Build each architecture for each shape of data, once."""
        tried: set[str] = set()
        for drafted, choice in chosen:
            for shape, (name, _) in self._shapes.items():
                key = json.dumps([shape, choice.plain()], sort_keys=True)
                if key not in tried:
                    tried.add(key)
                    self._built(choice, drafted, Networks, f"for dataset {name!r}: ", shape=shape)

    def players(self, losses: Iterable[tuple[Draft, Choice, Choice]]) -> None:
        """Have each loss that makes networks of its own make them, given it and its variant's architecture."""
        for drafted, loss, architecture in losses:
            if not loss.plugin(Loss).players:
                continue
            for shape, (name, dataset) in self._shapes.items():
                given = {"build": partial(_of_shape, architecture), "data": partial(_samples, dataset)}
                prefix = f"for dataset {name!r}: "
                self._built(loss, drafted, Networks, prefix, by="players", shape=shape, **given)

    def _built(self, choice: Choice, drafted: Draft | None, wanted: type, prefix: str = "", **given: Any) -> Any:
        """What a plugin builds; None after adding why it cannot, at the parameter that its message begins with."""
        assert drafted is not None  # a choice was made from it
        try:
            built = choice.entry.build(choice.parameters, **given)
            if isinstance(built, wanted):
                return built
            message = f"{choice.entry.kind} {choice.name!r} built {shown(built)}, which is no {wanted.__name__}"
        except (Exception, SystemExit) as error:
            message = " ".join(str(error).split()) if isinstance(error, ValueError) else one_line(error, None)
        first_word = message.partition(" ")[0].strip("'\"`:,")
        self._document.add(drafted.places.get(first_word, drafted.place), f"{prefix}{message}")
        return None


def _of_shape(choice: Choice, shape: tuple[int, ...]) -> Any:
    return choice.entry.build(choice.parameters, shape=tuple(shape))


def _samples(dataset: Distribution, n: int) -> Any:
    from torch import Generator  # the plugin that asks has imported it

    return dataset.sample(n, Generator().manual_seed(0))
