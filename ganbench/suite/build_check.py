"""Builds once, while a suite is read, what it names: so an error of a plugin is a mistake with a place in the file."""

from __future__ import annotations

import json
import time
from collections.abc import Hashable, Iterable, Mapping
from functools import partial
from typing import Any

from ganbench.core.errors import by_library, message_of, own_frame, place_of, raise_if_stopped
from ganbench.core.patience import named_when_slow
from ganbench.core.process_state import process_kept
from ganbench.core.streams import StderrText
from ganbench.core.torch_warnings import hidden
from ganbench.data.kept import keep
from ganbench.data.phases import phases
from ganbench.plugin.binding import bind
from ganbench.plugin.file_error import one_line
from ganbench.plugin.returned import not_distribution, not_networks
from ganbench.plugin.types import Architecture, Distribution, Loss, Networks
from ganbench.suite.choice import Choice, Draft, draft
from ganbench.suite.document import Document

#: Data that computes for more seconds while it is built, whatever else the machine does, is built once.
QUICK = 5.0
_CURE = "give each generator of random numbers a fixed seed, or draw from numpy's global one, which is seeded for it"
_UNKNOWN = "whether it is the same each time was not looked at"


class BuildCheck:
    """Builds the plugins of a document; their errors are added to the document's mistakes."""

    def __init__(self, document: Document) -> None:
        self._document = document
        #: For each shape and number of classes the first data set that could be built: its name and distribution.
        self._data: dict[tuple[tuple[int, ...], int], tuple[str, Distribution]] = {}

    def datasets(self, chosen: Mapping[str, Choice]) -> None:
        """Build each data set, twice, to see that it is the same again; the last is kept for training."""
        for name, choice in chosen.items():
            drafted = draft(self._document.value["datasets"][name], ("datasets", name))
            begin = time.process_time()
            if (built := self._built(choice, drafted, Distribution)) is None:
                continue
            if time.process_time() - begin < QUICK:
                content = _content(built)
                del built  # two of them may be too large for the memory
                if (built := self._built(choice, drafted, Distribution)) is None:
                    continue
                if _content(built) != content:
                    what = f"dataset {choice.name!r} is another one each time it is built"
                    self._document.add(drafted.place, f"{what}: {_CURE}")  # type: ignore[union-attr]
                    continue
            else:
                StderrText().write(f"{name}: takes more than {QUICK:.0f} s to build, so it is built once: {_UNKNOWN}\n")
            keep(choice, built)
            self._data.setdefault((tuple(built.shape), _classes(built)), (name, phases(built)[0][1]))

    def architectures(self, chosen: Iterable[tuple[Draft, Choice]]) -> None:
        """Build each architecture once for each shape of data and, where it takes labels, each number of classes."""
        from ganbench.data.labels import misfit  # late: it imports torch

        tried: set[str] = set()
        for drafted, choice in chosen:
            names = bind(choice.plugin(Architecture).build, {}).names
            for (shape, classes), (name, _) in self._data.items():
                key = json.dumps([shape, classes if "classes" in names else 0, choice.plain()], sort_keys=True)
                if key in tried:
                    continue
                tried.add(key)
                message, prefix = misfit(names, classes), f"for dataset {name!r}: "
                if not message:
                    built = self._built(choice, drafted, Networks, prefix, shape=shape, classes=classes)
                    message = misfit(names, classes, built.classes) if built is not None else ""
                if message:
                    self._document.add(drafted.place, f"{prefix}architecture {choice.name!r} {message}")

    def players(self, losses: Iterable[tuple[Draft, Choice, Choice]]) -> None:
        """Build the networks of each loss that has ``players``, given as (its draft, the loss, the architecture)."""
        for drafted, loss, architecture in losses:
            if not loss.plugin(Loss).players:
                continue
            if "classes" in bind(architecture.plugin(Architecture).build, {}).names:
                message = (
                    f"makes its own networks, and gives them no labels: architecture {architecture.name!r} needs some"
                )
                self._document.add(drafted.place, f"loss {loss.name!r} {message}")
                continue
            for (shape, _), (name, dataset) in self._data.items():
                given = {"build": partial(_of_shape, architecture), "data": partial(_samples, dataset)}
                prefix = f"for dataset {name!r}: "
                self._built(loss, drafted, Networks, prefix, by="players", shape=shape, **given)

    @hidden()
    def _built(self, choice: Choice, drafted: Draft | None, wanted: type, prefix: str = "", **given: Any) -> Any:
        """What a plugin builds; or None, and a mistake is added at the parameter that the error message begins with."""
        assert drafted is not None  # a choice was made from it
        try:
            with named_when_slow(f"building the {choice.entry.kind} {choice.name!r}"):
                built = choice.build(**given)
            if isinstance(built, wanted) and not isinstance(built, type) and not hasattr(built, "dtypes"):
                if wanted is Distribution:
                    _check_data(built)
                return built
            said = not_distribution if wanted is Distribution else not_networks
            message = f"{choice.entry.kind} {choice.name!r} built {said(built)}"
        except BaseException as error:
            raise_if_stopped(error)
            message = _said(error)
        first_word = message.partition(" ")[0].strip("'\"`:,")
        self._document.add(drafted.places.get(first_word, drafted.place), f"{prefix}{message}")
        return None


def _check_data(built: object) -> None:
    from ganbench.data.soundness import check_soundness  # late: it imports torch

    check_soundness(built)


def _classes(built: object) -> int:
    from ganbench.data.labels import classes_of  # late: it imports torch

    return classes_of(built)


def _content(dataset: Distribution) -> Hashable:
    """What is seen of a dataset: some samples, its density there, and the arrays that it holds."""
    from ganbench.core.digest import digest  # late, but no delay: torch is imported by the plugin

    try:
        samples = _samples(dataset, 64)
        with process_kept():
            density = dataset.log_density(samples.double().numpy()) if hasattr(dataset, "log_density") else None
        # As it holds them: a finite set of images would be unpacked.
        parts = [value for value in getattr(dataset, "__dict__", {}).values() if hasattr(value, "dtype")]
        before = [_content(own) for _, own in phases(dataset)[:-1]]
        return digest([tuple(dataset.shape), samples, density, *parts, *before])
    except Exception:  # what it does wrong is said elsewhere
        return None


def _said(error: BaseException) -> str:
    """An error in one line, with its place in a user's file.

    A ValueError that the file itself raises is shown as it is: it names the parameter that it is about.
    """
    if isinstance(error, RuntimeError):
        # Late, but no delay: the plugin that failed has imported torch.
        from ganbench.core.plain_words import plain_words

        return plain_words(error)
    frame = own_frame(error)
    said = one_line(error, None)
    if isinstance(error, ValueError) and not by_library(error):
        said = " ".join(message_of(error).split())
        frame = None if frame and frame.tb_next is None else frame
    return f"{said} ({place_of(frame)})" if frame else said


def _of_shape(choice: Choice, shape: tuple[int, ...]) -> Any:
    return choice.build(shape=tuple(shape))


def _samples(dataset: Distribution, n: int) -> Any:
    from torch import Generator  # late, but no delay: the plugin that calls this has imported torch

    with process_kept():
        return dataset.sample(n, Generator().manual_seed(0))
