"""A choice of a plugin: written in layers (a variant's over the defaults), checked, and resolved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic_core import to_jsonable_python

from ganbench.core.messages import shown
from ganbench.core.opened import opening
from ganbench.data.own_files import OwnFiles
from ganbench.plugin.binding import bind
from ganbench.plugin.entry import Entry
from ganbench.plugin.registry import Registry, UnknownNameError
from ganbench.plugin.types import Loss, Value
from ganbench.suite.budget import beyond_budget
from ganbench.suite.cures import of_nameless
from ganbench.suite.document import Document
from ganbench.suite.mistake import Place
from ganbench.suite.python_names import of_python_name

V = TypeVar("V", bound=Value)

PARTS = ("loss", "architecture", "update")
PLAYERS = ("generator", "discriminator")
#: The end of the part that is the schedule of another part: ``generator_optimizer/schedule``. No name has a slash.
SCHEDULE = "/schedule"


def kind_of(part: str) -> str:
    """The kind of plugin of a part of a variant: ``optimizer`` for generator_optimizer, ``penalty`` for penalty.r1."""
    if part.endswith(SCHEDULE):
        return "schedule"
    return part.partition(".")[0].rpartition("_")[2]


@dataclass(frozen=True)
class Choice:
    """A plugin with all of its parameters; code that has a choice needs no registry.

    ``schedule``: what changes the parameter ``entry.scheduled`` over the steps; None: nothing. ``folder``: where the
    relative paths in its parameters begin.
    """

    name: str
    parameters: Mapping[str, Any]
    entry: Entry = field(compare=False, repr=False)
    schedule: Choice | None = None
    folder: Path = field(default=Path(), compare=False, repr=False)

    @classmethod
    def of(cls, entry: Entry, given: Mapping[str, Any]) -> Choice:
        """A plugin with the parameters ``given`` and defaults for the others; raises ValueError as ``resolve`` does."""
        return cls(entry.name, entry.resolve(given), entry)

    def build(self, *, by: str = "build", **given: Any) -> Any:
        """What the plugin builds; ``by`` and ``given`` as for ``Entry.build``, which says what is raised."""
        with opening(self.entry.kind, self.name, self.text):
            return self.entry.build(self.parameters, by=by, find=OwnFiles(self.folder), **given)

    @property
    def text(self) -> str:
        """The choice as one line."""
        return json.dumps(self.plain(), sort_keys=True)

    @property
    def structural(self) -> frozenset[str]:
        """The parameters of a loss that its ``players`` names, which builds its networks."""
        players = self.entry.value.players if isinstance(self.entry.value, Loss) else None
        return frozenset(bind(players, self.parameters).parameters if players else ())

    def plugin(self, kind: type[V]) -> V:
        """The plugin's value, ``choice.plugin(Loss)``."""
        assert isinstance(self.entry.value, kind)
        return self.entry.value

    def plain(self) -> dict[str, Any]:
        """The choice as a suite file writes it."""
        own = {"name": self.name, **to_jsonable_python(dict(self.parameters))}
        return own | ({"schedule": self.schedule.plain()} if self.schedule else {})


def with_schedules(parts: Mapping[str, Choice]) -> dict[str, Choice]:
    """The parts of a variant, each followed by its schedule as a part of its own, ``PART/schedule``."""
    found: dict[str, Choice] = {}
    for part, choice in parts.items():
        found[part] = choice
        if choice.schedule:
            found[part + SCHEDULE] = choice.schedule
    return found


def scheduled(parts: Mapping[str, Choice]) -> dict[str, Choice]:
    """The parts without the schedules that ``with_schedules`` made parts of; each has its schedule, as it is there."""
    owners = {part: choice for part, choice in parts.items() if not part.endswith(SCHEDULE)}
    return {part: replace(choice, schedule=parts.get(part + SCHEDULE)) for part, choice in owners.items()}


@dataclass(frozen=True)
class Draft:
    """A choice as it is written, not checked, with the place of each part.

    ``inner``: the draft of its schedule, by the key ``schedule``; None, where the file says null, takes one away.
    """

    place: Place
    name: str | None
    name_place: Place
    parameters: Mapping[str, Any]
    places: Mapping[str, Place]
    inner: Mapping[str, Draft | None] = field(default_factory=dict)

    def over(self, below: Draft | None) -> Draft:
        """This draft on top of another: with the same name, or no name, it keeps the other's parameters."""
        if below is None or (self.name is not None and self.name != below.name):
            return self
        name_place = below.name_place if self.name is None else self.name_place
        parameters, places = {**below.parameters, **self.parameters}, {**below.places, **self.places}
        own = {key: draft and draft.over(below.inner.get(key)) for key, draft in self.inner.items()}
        return Draft(self.place, below.name, name_place, parameters, places, {**below.inner, **own})


@dataclass(frozen=True)
class OptimizerDraft:
    """An optimizer as it is written: what both players share, and each player's own settings on top.

    ``own``: None, where the file says null, takes those of the layer below away.
    """

    common: Draft
    own: Mapping[str, Draft | None]

    def over(self, below: OptimizerDraft | None) -> OptimizerDraft:
        """This draft on top of another; with another name it replaces the other completely."""
        if below is None or (self.common.name is not None and self.common.name != below.common.name):
            return self
        own = {
            **below.own,
            **{player: draft and draft.over(below.own.get(player)) for player, draft in self.own.items()},
        }
        return OptimizerDraft(self.common.over(below.common), own)

    def of(self, player: str) -> Draft:
        """The draft of one player."""
        own = self.own.get(player)
        return own.over(self.common) if own else self.common


def draft(raw: Any, place: Place, written: bool = True, *, scheduled: bool = False) -> Draft | None:
    """Read the draft of a choice from plain data.

    Args:
        raw: a plugin's name, or a mapping of its name and parameters.
        place: where the choice is in the file, or where it is used if it is not written there.
        written: whether the file contains it; otherwise ``place`` is also the place of all its parts.
        scheduled: whether the key ``schedule`` is the choice of a schedule, and no parameter.

    Returns:
        The draft; None where ``raw`` has another shape.
    """
    if isinstance(raw, str):
        return Draft(place, raw, place, {}, {})
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str | None):
        return None
    inner: dict[str, Draft | None] = {}
    if scheduled and "schedule" in raw:
        given = raw["schedule"]
        inner["schedule"] = None if given is None else draft(given, (*place, "schedule") if written else place, written)
        if given is not None and inner["schedule"] is None:
            return None
    parameters = {key: value for key, value in raw.items() if key != "name" and key not in inner}
    places = {key: (*place, key) if written else place for key in parameters}
    return Draft(place, raw.get("name"), (*place, "name") if written else place, parameters, places, inner)


def optimizer_draft(raw: Any, place: Place, written: bool = True) -> OptimizerDraft | None:
    """Read the draft of an optimizer from plain data.

    Args:
        raw: as for ``draft``; a mapping may have a choice for each player, too.
        place: where the choice is in the file, or where it is used if it is not written there.
        written: whether the file contains it; otherwise ``place`` is also the place of all its parts.

    Returns:
        The draft; None where ``raw`` has another shape.
    """
    own: dict[str, Draft | None] = {}
    if isinstance(raw, dict):
        for player in PLAYERS:
            if player in raw:
                own[player] = part = draft(raw[player], (*place, player), written, scheduled=True)
                if part is None and raw[player] is not None:
                    return None
        raw = {key: value for key, value in raw.items() if key not in PLAYERS}
    common = draft(raw, place, written, scheduled=True)
    return None if common is None else OptimizerDraft(common, own)


def resolve_choice(
    kind: str, drafted: Draft, registry: Registry, document: Document, partial: bool = False
) -> Choice | None:
    """Check a draft and make it a choice; its mistakes are added to the document.

    Args:
        kind: the kind of plugin.
        drafted: the draft.
        registry: the plugins.
        document: the suite's document, which gets the mistakes.
        partial: whether another layer completes the draft, so that required parameters may be missing.

    Returns:
        The choice; None where there are mistakes or required parameters are missing.
    """
    if drafted.name is None:
        cure = of_nameless(kind, drafted.parameters, registry.names(kind))
        document.add(drafted.place, f"needs a name: {cure or f'which {kind}?'}")
        return None
    try:
        entry = registry.get(kind, drafted.name)
    except UnknownNameError as problem:
        cure = of_python_name(kind, drafted.name, registry)
        document.add(drafted.name_place, f"unknown {kind} {shown(drafted.name)}{cure}" if cure else str(problem))
        return None
    known = {parameter.name for parameter in entry.parameters}
    absent = {name for name, _ in entry.missing(drafted.parameters)}
    mistakes = [
        (name, message)
        for name, message in entry.check_parameters(drafted.parameters)
        if not (partial and name in absent)
    ]
    for name, message in mistakes:
        place = drafted.places.get(name or "", drafted.place)
        document.add(place, message, key=name is not None and name not in known)
    schedule = drafted.inner.get("schedule")
    chosen = None if schedule is None else _schedule_of(entry, schedule, registry, document, partial)
    if mistakes or absent or (schedule and not chosen):
        return None
    choice = replace(Choice.of(entry, drafted.parameters), schedule=chosen, folder=document.folder)
    for name, value in choice.parameters.items():
        if message := beyond_budget(entry, name, value, document):
            document.add(drafted.places.get(name, drafted.place), message)
            return None
    if schedule and type(number := choice.parameters[str(entry.scheduled)]) not in (int, float):
        message = f"would scale {entry.scheduled!r}, which is {shown(number)} here, and no number"
        document.add(schedule.place, message, key=True)
        return None
    return choice


def _schedule_of(entry: Entry, drafted: Draft, registry: Registry, document: Document, partial: bool) -> Choice | None:
    """The schedule of a plugin; None where that is a mistake, which is added to the document."""
    if entry.scheduled is None:
        lacks = f"{entry.kind} {entry.name!r} has no parameter {getattr(entry.value, 'scheduled', '')!r} to scale"
        cure = f"name another in its file, {type(entry.value).__name__}(..., scheduled=NAME), or leave this out"
        document.add(drafted.place, f"{lacks}: {cure}", key=True)
        return None
    return resolve_choice("schedule", drafted, registry, document, partial)
