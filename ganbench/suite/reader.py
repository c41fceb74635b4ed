"""Turns a document into a Suite in one pass: its shape, then plugins, their parameters, and whether these fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ganbench.core.names import lost_on_windows, same_file
from ganbench.core.published import Published
from ganbench.plugin.column import Column
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Metric
from ganbench.suite.average import Average
from ganbench.suite.budget import budget_steps
from ganbench.suite.build_check import BuildCheck
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
from ganbench.suite.expect import Expected, read_expect
from ganbench.suite.guard import Guard, read_guard
from ganbench.suite.mistake import Place, SuiteError
from ganbench.suite.published import read_published
from ganbench.suite.schema import BUILT_IN, FLOOR, SuiteSchema, read_shape
from ganbench.suite.suite import Suite, Variant
from ganbench.suite.sweep import Sweep, count, row_name, settings
from ganbench.suite.sweep_reader import SweepReader

_MOST_CELLS = 10_000


class Reader:
    """Reads a suite's choices from a document; a part of the wrong shape is skipped, since it is a mistake already."""

    def __init__(self, document: Document, registry: Registry) -> None:
        self.document = document
        self.registry = registry
        self.datasets: dict[str, Choice] = {}
        self.variants: dict[str, dict[str, Choice]] = {}
        self.references: list[Choice] = []
        self.metrics: list[Choice] = []
        self.observers: list[Choice] = []
        self.sweeps: dict[str, Sweep] = {}
        self.guard: dict[str, Guard] = {}
        self.expect: dict[str, Expected] = {}
        self.averages: dict[str, Average] = {}
        self.published: Published | None = None
        self._architectures: dict[str, tuple[Draft, Choice]] = {}
        self._losses: dict[str, tuple[Draft, Choice]] = {}
        self._swept_architectures: list[tuple[Draft, Choice]] = []

    def suite(self) -> Suite:
        """The suite; raises SuiteError with every mistake in the document."""
        shape = read_shape(self.document)
        self._read(shape)
        if self.document.mistakes or shape is None:
            raise SuiteError(self.document.mistakes)
        return Suite(
            name=shape.suite,
            description=shape.description,
            seeds=tuple(range(shape.seeds)) if isinstance(shape.seeds, int) else tuple(shape.seeds),
            steps=shape.budget.steps,
            batch=shape.budget.batch,
            minutes=shape.budget.minutes,
            every=shape.evaluate.every or max(1, shape.budget.steps // 10),
            samples=shape.evaluate.samples,
            datasets=self.datasets,
            references=tuple(self.references),
            variants={name: Variant.of(choices, self.averages.get(name)) for name, choices in self.variants.items()},
            metrics=tuple(self.metrics),
            precision=shape.precision,
            sweeps={name: sweep for name, sweep in self.sweeps.items() if sweep},
            guard=self.guard,
            expect=self.expect,
            pictures=shape.pictures,
            observers=tuple(self.observers),
            published=self.published,
            folder=self.document.folder,
        )

    def _read(self, shape: SuiteSchema | None) -> None:
        """Read all choices, and add every mistake to the document; ``shape``: None where it has mistakes already."""
        self._read_seeds()
        self._read_evaluations()
        for name, raw in self._items("datasets"):
            drafted = draft(raw, ("datasets", name))
            if drafted and (choice := resolve_choice("dataset", drafted, self.registry, self.document)):
                self.datasets[name] = choice
        self._read_references()
        self._check_files()
        self._read_defaults()
        for name, raw in self._items("variants"):
            if isinstance(raw, dict):
                self._read_variant(name)
        self._read_sweeps()
        columns = self._read_metrics()
        self._read_guards(columns)
        self._read_expectations(columns)
        self._read_observers()
        if shape is not None:
            datasets = [name for name, _ in self._items("datasets")]
            self.published = read_published(self.document, shape.published, datasets, self._rows(), columns)
        build_check = BuildCheck(self.document)
        build_check.datasets(self.datasets)
        build_check.architectures((*self._architectures.values(), *self._swept_architectures))
        if not self.document.mistakes:
            build_check.players((*self._losses[name], built) for name, (_, built) in self._architectures.items())

    def _at(self, *place: str | int) -> Any:
        value = self.document.value
        for part in place:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _items(self, section: str) -> Iterator[tuple[str, Any]]:
        found = self._at(section)
        yield from found.items() if isinstance(found, dict) else ()

    def _read_seeds(self) -> None:
        seeds = self._at("seeds")
        known: set[str] = set()
        for index, seed in enumerate(seeds if isinstance(seeds, list) else ()):
            if repr(seed) in known:
                self.document.add(("seeds", index), f"seed {seed} is there already")
            known.add(repr(seed))

    def _read_evaluations(self) -> None:
        steps, every = budget_steps(self.document), self._at("evaluate", "every")
        if steps is not None and type(every) is int and every > steps:
            self.document.add(("evaluate", "every"), f"must be at most the budget's {steps} steps, not {every}")

    def _read_references(self) -> None:
        """Each reference once, the data itself always and first: no table without its floor."""
        raw = self._at("references")
        written = isinstance(raw, list)
        items = raw if isinstance(raw, list) else SuiteSchema.model_fields["references"].default
        for index, item in enumerate(items):
            drafted = draft(item, ("references", index) if written else ())
            if not drafted or not (choice := resolve_choice("reference", drafted, self.registry, self.document)):
                continue
            if lost := lost_on_windows(choice.name):
                self.document.add(drafted.name_place, lost)
            if any(choice.name == other.name for other in self.references):
                self.document.add(drafted.name_place, f"reference {choice.name!r} is there already")
                continue
            self.references.append(choice)
        floor = [choice for choice in self.references if choice.name == FLOOR]
        unsaid = Draft((), FLOOR, (), {}, {})
        if not floor and (choice := resolve_choice("reference", unsaid, self.registry, self.document)):
            floor = [choice]
        others = [choice for choice in self.references if choice.name != FLOOR]
        self.references = [*floor, *others]
        for name, _ in self._items("variants"):
            if any(name == choice.name for choice in others):
                self.document.add(
                    ("variants", name), f"{name!r} is a reference's row in the table: choose another", True
                )

    def _check_files(self) -> None:
        """Files are named after data sets and rows: no two names may be of one file on another system."""
        for section in ("datasets", "variants"):
            names = [choice.name for choice in self.references] if section == "variants" else []
            for name, _ in self._items(section):
                if other := same_file(name, names):
                    message = f"{name!r} and {other!r} are one file on Windows and macOS: choose another name"
                    self.document.add((section, name), message, True)
                names.append(name)

    def _read_metrics(self) -> list[Column]:
        """Read the metrics; returns the columns that they fill."""
        raw = self._at("metrics")
        columns: dict[str, str] = {}
        found: list[Column] = []
        for index, item in enumerate(raw if isinstance(raw, list) else SuiteSchema.model_fields["metrics"].default):
            drafted = draft(item, ("metrics", index) if isinstance(raw, list) else ("metrics",))
            if not drafted or not (choice := resolve_choice("metric", drafted, self.registry, self.document)):
                continue
            self.metrics.append(choice)
            for column in choice.plugin(Metric).columns:
                found.append(column)
                owner = columns.setdefault(column.name, f"{choice.name}[{index}]")
                if owner != f"{choice.name}[{index}]":
                    other = owner.rpartition("[")[0]
                    self.document.add(drafted.name_place, _collision(choice.name, other, column.name))
                    break
        return found

    def _read_guards(self, columns: list[Column]) -> None:
        places: list[tuple[str, Place]] = [("", ("guard",))]
        places += [(name, ("variants", name, "guard")) for name, _ in self._items("variants")]
        for name, place in places:
            if guard := read_guard(self.document, place, self._at(*place), columns):
                self.guard[name] = guard

    def _read_expectations(self, columns: list[Column]) -> None:
        datasets = [name for name, _ in self._items("datasets")]
        for name, _ in self._items("variants"):
            place: Place = ("variants", name, "expect")
            if expected := read_expect(self.document, place, self._at(*place), datasets, columns):
                self.expect[name] = expected

    def _rows(self) -> dict[str, list[str]]:
        """The rows of the tables, by reference or variant."""
        rows = {choice.name: [choice.name] for choice in self.references}
        for name, _ in self._items("variants"):
            rows[name] = [row_name(name, setting) for setting in settings(self.sweeps.get(name, {}))]
        return rows

    def _read_observers(self) -> None:
        raw = self._at("observers")
        for index, item in enumerate(raw if isinstance(raw, list) else ()):
            drafted = draft(item, ("observers", index))
            if not drafted or not (choice := resolve_choice("observer", drafted, self.registry, self.document)):
                continue
            if any(choice.name == other.name for other in self.observers):
                self.document.add(drafted.name_place, f"observer {choice.name!r} is there already")
                continue
            self.observers.append(choice)

    def _read_defaults(self) -> None:
        """Check each default alone, since every variant may replace it."""
        for part in PARTS:
            if self._at("defaults", part) is not None and (drafted := self._default(part, ("defaults", part))):
                resolve_choice(part, drafted, self.registry, self.document, partial=True)
        self._penalties(("defaults", "penalty"))
        if self._at("defaults", "optimizer") is not None:
            optimizer = self._default_optimizer(("defaults", "optimizer"))
            for each in [optimizer.common, *map(optimizer.of, PLAYERS)] if optimizer else ():
                resolve_choice("optimizer", each, self.registry, self.document, partial=True)

    def _default(self, part: str, place: Place) -> Draft | None:
        """The default of a part: the file's over the built-in one; None without either or if the file's is wrong."""
        below = draft(BUILT_IN[part], place, written=False) if part in BUILT_IN else None
        raw = self._at("defaults", part)
        if raw is None:
            return below
        drafted = draft(raw, ("defaults", part))
        return drafted and drafted.over(below)

    def _default_optimizer(self, place: Place) -> OptimizerDraft | None:
        below = optimizer_draft(BUILT_IN["optimizer"], place, written=False)
        raw = self._at("defaults", "optimizer")
        if raw is None:
            return below
        drafted = optimizer_draft(raw, ("defaults", "optimizer"))
        return drafted and drafted.over(below)

    def _read_variant(self, name: str) -> None:
        choices: dict[str, Choice | None] = {}
        for part in PARTS:
            place = ("variants", name, part)
            raw, below = self._at(*place), self._default(part, place)
            drafted = below if raw is None else draft(raw, place)
            if drafted is None:
                if raw is None and self._at("defaults", part) is None:
                    self.document.add(place[:2], f"needs a {part}, here or in the defaults")
                continue
            orphan = below is None and self._at("defaults", part) is not None
            if orphan and drafted.name is None:
                continue
            choices[part] = resolve_choice(part, drafted.over(below), self.registry, self.document, partial=orphan)
            if (choice := choices[part]) and part in ("architecture", "loss"):
                kept = self._architectures if part == "architecture" else self._losses
                kept[name] = (drafted.over(below), choice)
        place = ("variants", name, "optimizer")
        raw, base = self._at(*place), self._default_optimizer(place)
        optimizer = base if raw is None else optimizer_draft(raw, place)
        if optimizer:
            optimizer = optimizer.over(base)
            if optimizer.common.name is not None:
                resolve_choice("optimizer", optimizer.common, self.registry, self.document, partial=True)
                for player in PLAYERS:
                    drafted = optimizer.of(player)
                    choices[f"{player}_optimizer"] = resolve_choice("optimizer", drafted, self.registry, self.document)
        self.variants[name] = {part: choice for part, choice in choices.items() if choice}
        own = self._at("variants", name)
        places = {key: ("variants", name, key) if key in own else ("defaults", key) for key in ("penalty", "average")}
        self.variants[name] = with_schedules(self.variants[name] | self._penalties(places["penalty"]))
        if average := Average.of(self._at(*places["average"])):
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
            choice = resolve_choice("penalty", drafted, self.registry, self.document)
            if choice and f"penalty.{choice.name}" in found:
                self.document.add(own.name_place, f"penalty {choice.name!r} is there already")
            elif choice:
                found[f"penalty.{choice.name}"] = choice
        return found

    def _penalty_drafts(self, place: Place) -> list[Draft]:
        raw = self._at(*place)
        items = raw if isinstance(raw, list) else [] if raw is None else [raw]
        places = [(*place, index) if isinstance(raw, list) else place for index in range(len(items))]
        drafts = [draft(item, at, scheduled=True) for item, at in zip(items, places, strict=True)]
        return [one for one in drafts if one]

    def _read_sweeps(self) -> None:
        """Read the sweep of each variant: its own, or else the suite's."""
        reader = SweepReader(self.document)
        taken = {choice.name for choice in self.references}
        for name, choices in self.variants.items():
            place: Place = ("variants", name, "sweep")
            if "sweep" not in self._at("variants", name):
                place = ("sweep",)
            raw = self._at(*place)
            reader.read(name, raw if isinstance(raw, dict) else {}, place, choices, self.averages.get(name))
            reader.check_rows(name, taken)
            if name in self._architectures:
                self._swept_architectures += reader.architectures(name, place, *self._architectures[name])
        reader.finish()
        self.sweeps = reader.sweeps
        rows = len(self.references) + sum(count(self.sweeps.get(name, {})) for name in self.variants)
        if (cells := rows * len(self.datasets)) > _MOST_CELLS:
            self.document.add(
                ("variants",), f"with the data sets and sweeps makes {cells} cells; at most {_MOST_CELLS}"
            )


def _collision(name: str, other: str, column: str) -> str:
    if name == other:
        return f"metric {name!r} is there already"
    return f"metric {name!r} has a column {column!r}, as metric {other!r} has: drop one of them"
