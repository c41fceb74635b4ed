"""Reads the sweeps of a suite: which values each variant's parameters take, each mistake with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ganbench.core.messages import shown, suggest
from ganbench.core.names import same_file
from ganbench.plugin.entry import Entry
from ganbench.plugin.parameters import Parameter
from ganbench.plugin.words import average_cure
from ganbench.suite.average import SWEPT, Average
from ganbench.suite.budget import beyond_budget
from ganbench.suite.choice import PARTS, PLAYERS, SCHEDULE, Choice, Draft
from ganbench.suite.document import Document
from ganbench.suite.mistake import Place
from ganbench.suite.sweep import MOST, Setting, Sweep, apply_setting, count, row_name, settings, split

_LONGEST_ROW = 200


class SweepReader:
    """Reads the sweep of each variant; a part with the wrong shape is skipped, since it is a mistake already."""

    def __init__(self, document: Document) -> None:
        self.sweeps: dict[str, Sweep] = {}
        self._document = document
        self._counts: dict[str, int] = {}
        #: How many variants each sweep is of, by its place.
        self._variants: Counter[Place] = Counter()
        self._unfit: dict[tuple[Place, str], list[str]] = {}

    def read(
        self,
        variant: str,
        raw: Mapping[str, Any],
        place: Place,
        choices: Mapping[str, Choice],
        average: Average | None,
    ) -> None:
        """Read the sweep of one variant into ``sweeps``; mistakes are added to the document.

        Args:
            variant: the variant's name.
            raw: the sweep as written: a list of values for each key.
            place: where the sweep is in the file.
            choices: the variant's choices, by part, as far as they could be read.
            average: the variant's running average; None where it has none.
        """
        sweep = {key: values for key, values in raw.items() if isinstance(values, list)}
        if not self._variants[place]:
            self._check_keys(sweep, place)
        self._variants[place] += 1
        total = count(sweep)
        if total > MOST:
            self._document.add(place, f"makes {total} settings of a variant; the maximum is {MOST}")
            return
        self._compare(variant, total, place)
        taken: dict[str, tuple[Any, ...]] = {}
        for key, values in sweep.items():
            if found := self._parameter(variant, key, (*place, key), choices, average):
                read = [self._value(*found, value, (*place, key, at)) for at, value in enumerate(values)]
                taken[key] = tuple(value for one in read for value in one)
        self._check_players(variant, taken, place, choices)
        if {key: len(values) for key, values in taken.items()} == {key: len(values) for key, values in sweep.items()}:
            self.sweeps[variant] = taken

    def finish(self) -> None:
        """Add a mistake for each swept parameter that variants lack; variants with the same cause share one."""
        for (place, message), variants in self._unfit.items():
            shared = len(variants) < self._variants[place[:-1]]
            which = "it" if len(variants) == 1 else "them"
            of = f" (of {', '.join(map(repr, variants))}: give {which} a sweep without it)" if shared else ""
            self._document.add(place, f"{message}{of}", key=True)

    def check_rows(self, variant: str, taken: set[str]) -> None:
        """Check the names of the variant's rows against those already ``taken``, and add them to these."""
        own: dict[str, Setting] = {}
        for setting in filter(None, settings(self.sweeps.get(variant, {}))):
            name = row_name(variant, setting)
            if own.get(name) == setting:
                continue  # a duplicate value is a mistake already
            own[name] = setting
            if name in taken:
                self._document.add(("variants", variant), f"two rows of the table would be called {name!r}", True)
            elif other := same_file(name, taken):
                message = f"the rows {shown(name)} and {shown(other)} are one file on Windows and macOS"
                self._document.add(("variants", variant), message, True)
            if len(name) > _LONGEST_ROW:
                message = f"the row {shown(name)} has a name of more than {_LONGEST_ROW} characters"
                self._document.add(("variants", variant), message, True)
            taken.add(name)

    def architectures(self, variant: str, place: Place, drafted: Draft, choice: Choice) -> list[tuple[Draft, Choice]]:
        """The variant's architecture at each swept setting of its own parameters.

        Args:
            variant: the variant's name.
            place: where the sweep is in the file.
            drafted: the draft of the architecture.
            choice: the architecture.

        Returns:
            For each setting the draft, with the places of the swept values, and the choice.
        """
        inner = {key: key.partition(".")[2] for key in self.sweeps.get(variant, {}) if key.startswith("architecture.")}
        swept = {key: self.sweeps[variant][key] for key in inner}
        found = []
        for setting in settings(swept) if swept else ():
            places = {inner[key]: (*place, key, swept[key].index(value)) for key, value in setting}
            found.append(
                (
                    replace(drafted, places={**drafted.places, **places}),
                    apply_setting({"architecture": choice}, setting)["architecture"],
                )
            )
        return found

    def _check_keys(self, sweep: Mapping[str, list[Any]], place: Place) -> None:
        for key, values in sweep.items():
            if split(key) is None:
                self._document.add((*place, key), _no_path(key), key=True)
            for at, value in enumerate(values):
                if value in values[:at]:
                    self._document.add((*place, key, at), f"{shown(value)} is there already")

    def _compare(self, variant: str, total: int, place: Place) -> None:
        first = next(iter(self._counts), variant)
        self._counts[variant] = total
        if total != self._counts[first]:
            where = place if place[:1] == ("variants",) else ("variants", variant)
            words = f"{total} {'setting' if total == 1 else 'settings'}, and {first!r} {self._counts[first]}"
            self._document.add(where, f"{variant!r} has {words}: a fair comparison gives each variant as many tries")

    def _parameter(
        self, variant: str, key: str, place: Place, choices: Mapping[str, Choice], average: Average | None
    ) -> tuple[Parameter, Entry | None] | None:
        """The parameter of this variant that a key names, and its plugin if it is one's; None where it has none."""
        if key in SWEPT:
            if average is None or not average.has(key):
                self._lacks(variant, place, f"no average with a {SWEPT[key].name}{average_cure(key)}")
                return None
            return SWEPT[key], None
        fields, name = split(key) or ((), "")
        found = None
        for field in fields:
            owner = field.removesuffix(SCHEDULE)
            if owner not in choices and owner.startswith("penalty."):
                penalty = owner.partition(".")[2]
                self._lacks(
                    variant, place, f"no penalty {penalty!r}: write penalty: {penalty} in defaults or a variant"
                )
                return None
            if owner in choices and field not in choices:
                entry = choices[owner].entry
                self._lacks(variant, place, f"{entry.kind} {entry.name!r} has no schedule")
                return None
            if field not in choices:
                return None
            entry = choices[field].entry
            known = {parameter.name: parameter for parameter in entry.parameters}
            if name not in known:
                inner = choices.get(field + SCHEDULE)
                of_schedule = inner is not None and name in inner.parameters
                written = f"it is the schedule's, write {key.removesuffix(name)}schedule.{name}"
                self._lacks(variant, place, written if of_schedule else entry.unknown_parameter(name, swept=True))
                return None
            found = known[name], entry
        return found

    def _lacks(self, variant: str, place: Place, message: str) -> None:
        variants = self._unfit.setdefault((place, message), [])
        variants.extend({variant} - set(variants))

    def _value(self, parameter: Parameter, entry: Entry | None, value: Any, place: Place) -> tuple[Any, ...]:
        """The value as the plugin reads it, in a tuple; where it cannot be read, nothing, and a mistake is added."""
        try:
            read = parameter.read(value)
            message = beyond_budget(entry, parameter.name, read, self._document) if entry else ""
        except ValueError as problem:
            message = str(problem)
        if message:
            self._document.add(place, message)
            return ()
        return (read,)

    def _check_players(self, variant: str, taken: Sweep, place: Place, choices: Mapping[str, Choice]) -> None:
        """Refuse a key of both players where the variant gives them different values: it would make them equal."""
        for key in taken:
            fields, name = split(key) or ((), "")
            alone = [f"optimizer.{player}{key.removeprefix('optimizer')}" for player in PLAYERS]
            if len(fields) == 1 or any(own in taken for own in alone):
                if len(fields) > 1 and all(own in taken for own in alone):
                    message = f"changes nothing: {' and '.join(alone)} are swept too"
                    self._document.add((*place, key), message, key=True)
                continue
            values = [choices[field].parameters.get(name) for field in fields]
            if values[0] != values[1]:
                message = f"{variant!r} gives its players different values of {name!r}: sweep {' or '.join(alone)}"
                self._document.add((*place, key), message, key=True)


def _no_path(key: str) -> str:
    part, _, inner = key.partition(".")
    if part == "average":
        return f"leads to no parameter: write {' or '.join(SWEPT)}"
    schedule = part in ("optimizer", "penalty") and inner.rpartition(".")[2] == "schedule"
    if schedule or inner.rpartition(".")[2] == "name" or key in (*PARTS, "optimizer", "penalty"):
        return "is a plugin: to compare plugins, make variants of them"
    example = "write for example optimizer.lr, optimizer.generator.lr or loss.penalty"
    if part not in (*PARTS, "optimizer", "penalty"):
        near = suggest(part, (*PARTS, "optimizer", "penalty", "average"))
        return f"{shown(part)} is no part of a variant{near}" + ("" if inner else f"; {example}")
    return f"leads to no parameter: {example}"
