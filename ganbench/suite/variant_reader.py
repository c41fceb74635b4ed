"""Reads the variants of a suite: the parts of each over the defaults, each mistake with its place."""

from __future__ import annotations

from collections.abc import Iterator

from ganbench.plugin.registry import Registry
from ganbench.suite.average import Average
from ganbench.suite.choice import (
    PARTS,
    PLAYERS,
    Choice,
    Draft,
    OptimizerDraft,
    draft,
    optimizer_draft,
    resolve_choice,
    with_schedules,
)
from ganbench.suite.document import Document
from ganbench.suite.mistake import Place
from ganbench.suite.schema import BUILT_IN
from ganbench.suite.suite import Variant


class VariantReader:
    """Reads each variant's choices and average; a part of the wrong shape is skipped, since it is a mistake already."""

    def __init__(self, document: Document, registry: Registry) -> None:
        self.choices: dict[str, dict[str, Choice]] = {}
        self.averages: dict[str, Average] = {}
        self.architectures: dict[str, tuple[Draft, Choice]] = {}
        self.losses: dict[str, tuple[Draft, Choice]] = {}
        self._document = document
        self._registry = registry

    def read(self) -> None:
        """Read the defaults and all variants; mistakes are added to the document."""
        self._read_defaults()
        for name, raw in self._document.items("variants"):
            if isinstance(raw, dict):
                self._read_variant(name)

    def variants(self) -> dict[str, Variant]:
        """The variants by name, once there is no mistake."""
        return {name: Variant.of(choices, self.averages.get(name)) for name, choices in self.choices.items()}

    def players(self) -> Iterator[tuple[Draft, Choice, Choice]]:
        """Of each variant, once there is no mistake, the loss as written and resolved, and the architecture."""
        for name, (_, architecture) in self.architectures.items():
            yield *self.losses[name], architecture

    def _read_defaults(self) -> None:
        """Check each default alone, since every variant may replace it."""
        for part in PARTS:
            if self._document.at("defaults", part) is not None and (drafted := self._default(part, ("defaults", part))):
                resolve_choice(part, drafted, self._registry, self._document, partial=True)
        self._penalties(("defaults", "penalty"))
        if self._document.at("defaults", "optimizer") is not None:
            optimizer = self._default_optimizer(("defaults", "optimizer"))
            for each in [optimizer.common, *map(optimizer.of, PLAYERS)] if optimizer else ():
                resolve_choice("optimizer", each, self._registry, self._document, partial=True)

    def _default(self, part: str, place: Place) -> Draft | None:
        """The default of a part: the file's over the built-in one; None without either or if the file's is wrong."""
        below = draft(BUILT_IN[part], place, written=False) if part in BUILT_IN else None
        raw = self._document.at("defaults", part)
        if raw is None:
            return below
        drafted = draft(raw, ("defaults", part))
        return drafted and drafted.over(below)

    def _default_optimizer(self, place: Place) -> OptimizerDraft | None:
        below = optimizer_draft(BUILT_IN["optimizer"], place, written=False)
        raw = self._document.at("defaults", "optimizer")
        if raw is None:
            return below
        drafted = optimizer_draft(raw, ("defaults", "optimizer"))
        return drafted and drafted.over(below)

    def _read_variant(self, name: str) -> None:
        choices: dict[str, Choice | None] = {}
        for part in PARTS:
            place = ("variants", name, part)
            raw, below = self._document.at(*place), self._default(part, place)
            drafted = below if raw is None else draft(raw, place)
            if drafted is None:
                if raw is None and self._document.at("defaults", part) is None:
                    self._document.add(place[:2], f"needs a {part}, here or in the defaults")
                continue
            orphan = below is None and self._document.at("defaults", part) is not None
            if orphan and drafted.name is None:
                continue
            choices[part] = resolve_choice(part, drafted.over(below), self._registry, self._document, partial=orphan)
            if (choice := choices[part]) and part in ("architecture", "loss"):
                kept = self.architectures if part == "architecture" else self.losses
                kept[name] = (drafted.over(below), choice)
        place = ("variants", name, "optimizer")
        raw, base = self._document.at(*place), self._default_optimizer(place)
        optimizer = base if raw is None else optimizer_draft(raw, place)
        if optimizer:
            optimizer = optimizer.over(base)
            if optimizer.common.name is not None:
                resolve_choice("optimizer", optimizer.common, self._registry, self._document, partial=True)
                for player in PLAYERS:
                    drafted = optimizer.of(player)
                    choice = resolve_choice("optimizer", drafted, self._registry, self._document)
                    choices[f"{player}_optimizer"] = choice
        self.choices[name] = {part: choice for part, choice in choices.items() if choice}
        own = self._document.at("variants", name)
        places = {key: ("variants", name, key) if key in own else ("defaults", key) for key in ("penalty", "average")}
        self.choices[name] = with_schedules(self.choices[name] | self._penalties(places["penalty"]))
        if average := Average.of(self._document.at(*places["average"])):
            self.averages[name] = average

    def _penalties(self, place: Place) -> dict[str, Choice]:
        """The penalties at a place: one, or a list, each over the one of its name in the defaults."""
        base: Place = ("defaults", "penalty")
        below = [] if place == base else self._penalty_drafts(base)
        found: dict[str, Choice] = {}
        for own in self._penalty_drafts(place):
            # Without a name it is the one of the defaults, where that is one.
            under = [other for other in below if own.name == other.name or (own.name is None and len(below) == 1)]
            drafted = own.over(under[0] if under else None)
            choice = resolve_choice("penalty", drafted, self._registry, self._document)
            if choice and f"penalty.{choice.name}" in found:
                self._document.add(
                    own.name_place, f"penalty {choice.name!r} is there already: write it once, with one weight"
                )
            elif choice:
                found[f"penalty.{choice.name}"] = choice
        return found

    def _penalty_drafts(self, place: Place) -> list[Draft]:
        raw = self._document.at(*place)
        items = raw if isinstance(raw, list) else [] if raw is None else [raw]
        places = [(*place, index) if isinstance(raw, list) else place for index in range(len(items))]
        drafts = [draft(item, at, scheduled=True) for item, at in zip(items, places, strict=True)]
        return [one for one in drafts if one]
