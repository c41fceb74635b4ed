"""Turns a document into a Suite in one pass: its shape, then plugins, their parameters, and whether these fit."""

from __future__ import annotations

from ganbench.core.names import lost_on_windows, same_file
from ganbench.core.published import Published
from ganbench.plugin.column import Column
from ganbench.plugin.registry import Registry
from ganbench.plugin.types import Metric
from ganbench.suite.budget import budget_steps
from ganbench.suite.build_check import BuildCheck
from ganbench.suite.choice import Choice, Draft, draft, resolve_choice
from ganbench.suite.document import Document
from ganbench.suite.expect import Expected, read_expect
from ganbench.suite.guard import Guard, read_guard
from ganbench.suite.mistake import Place, SuiteError
from ganbench.suite.published import read_published
from ganbench.suite.schema import FLOOR, SuiteSchema
from ganbench.suite.shape import read_shape
from ganbench.suite.suite import Suite
from ganbench.suite.sweep import Sweep, count, row_name, settings
from ganbench.suite.sweep_reader import SweepReader
from ganbench.suite.variant_reader import VariantReader

_MOST_CELLS = 10_000


class Reader:
    """Reads a suite's choices from a document; a part of the wrong shape is skipped, since it is a mistake already."""

    def __init__(self, document: Document, registry: Registry) -> None:
        self.document = document
        self.registry = registry
        self.datasets: dict[str, Choice] = {}
        self.variants = VariantReader(document, registry)
        self.references: list[Choice] = []
        self.metrics: list[Choice] = []
        self.observers: list[Choice] = []
        self.sweeps: dict[str, Sweep] = {}
        self.guard: dict[str, Guard] = {}
        self.expect: dict[str, Expected] = {}
        self.published: Published | None = None
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
            variants=self.variants.variants(),
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
        for name, raw in self.document.items("datasets"):
            drafted = draft(raw, ("datasets", name))
            if drafted and (choice := resolve_choice("dataset", drafted, self.registry, self.document)):
                self.datasets[name] = choice
        self._read_references()
        self._check_files()
        self.variants.read()
        self._read_sweeps()
        columns = self._read_metrics()
        self._read_guards(columns)
        self._read_expectations(columns)
        self._read_observers()
        if shape is not None:
            datasets = [name for name, _ in self.document.items("datasets")]
            self.published = read_published(self.document, shape.published, datasets, self._rows(), columns)
        build_check = BuildCheck(self.document)
        build_check.datasets(self.datasets)
        build_check.architectures((*self.variants.architectures.values(), *self._swept_architectures))
        if not self.document.mistakes:
            build_check.players(self.variants.players())

    def _read_seeds(self) -> None:
        seeds = self.document.at("seeds")
        known: set[str] = set()
        for index, seed in enumerate(seeds if isinstance(seeds, list) else ()):
            if repr(seed) in known:
                self.document.add(("seeds", index), f"seed {seed} is there already")
            known.add(repr(seed))

    def _read_evaluations(self) -> None:
        steps, every = budget_steps(self.document), self.document.at("evaluate", "every")
        if steps is not None and type(every) is int and every > steps:
            self.document.add(("evaluate", "every"), f"must be at most the budget's {steps} steps, not {every}")

    def _read_references(self) -> None:
        """Each reference once, the data itself always and first: no table without its floor."""
        raw = self.document.at("references")
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
        for name, _ in self.document.items("variants"):
            if any(name == choice.name for choice in others):
                self.document.add(
                    ("variants", name), f"{name!r} is a reference's row in the table: choose another", True
                )

    def _check_files(self) -> None:
        """Files are named after data sets and rows: no two names may be of one file on another system."""
        for section in ("datasets", "variants"):
            names = [choice.name for choice in self.references] if section == "variants" else []
            for name, _ in self.document.items(section):
                if other := same_file(name, names):
                    message = f"{name!r} and {other!r} are one file on Windows and macOS: choose another name"
                    self.document.add((section, name), message, True)
                names.append(name)

    def _read_metrics(self) -> list[Column]:
        """Read the metrics; returns the columns that they fill."""
        raw = self.document.at("metrics")
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
        places += [(name, ("variants", name, "guard")) for name, _ in self.document.items("variants")]
        for name, place in places:
            if guard := read_guard(self.document, place, self.document.at(*place), columns):
                self.guard[name] = guard

    def _read_expectations(self, columns: list[Column]) -> None:
        datasets = [name for name, _ in self.document.items("datasets")]
        for name, _ in self.document.items("variants"):
            place: Place = ("variants", name, "expect")
            if expected := read_expect(self.document, place, self.document.at(*place), datasets, columns):
                self.expect[name] = expected

    def _rows(self) -> dict[str, list[str]]:
        """The rows of the tables, by reference or variant."""
        rows = {choice.name: [choice.name] for choice in self.references}
        for name, _ in self.document.items("variants"):
            rows[name] = [row_name(name, setting) for setting in settings(self.sweeps.get(name, {}))]
        return rows

    def _read_observers(self) -> None:
        raw = self.document.at("observers")
        for index, item in enumerate(raw if isinstance(raw, list) else ()):
            drafted = draft(item, ("observers", index))
            if not drafted or not (choice := resolve_choice("observer", drafted, self.registry, self.document)):
                continue
            if any(choice.name == other.name for other in self.observers):
                self.document.add(drafted.name_place, f"observer {choice.name!r} is there already")
                continue
            self.observers.append(choice)

    def _read_sweeps(self) -> None:
        """Read the sweep of each variant: its own, or else the suite's."""
        if self.document.at("variants") == {} and self.document.at("sweep"):
            self.document.add(("sweep",), "has nothing to sweep, as 'variants' is {}: leave it out", key=True)
        reader = SweepReader(self.document)
        taken = {choice.name for choice in self.references}
        for name, choices in self.variants.choices.items():
            place: Place = ("variants", name, "sweep")
            if "sweep" not in self.document.at("variants", name):
                place = ("sweep",)
            raw = self.document.at(*place)
            reader.read(name, raw if isinstance(raw, dict) else {}, place, choices, self.variants.averages.get(name))
            reader.check_rows(name, taken)
            if name in self.variants.architectures:
                own = self.variants.architectures[name]
                self._swept_architectures += reader.architectures(name, place, *own)
        reader.finish()
        self.sweeps = reader.sweeps
        rows = len(self.references) + sum(count(self.sweeps.get(name, {})) for name in self.variants.choices)
        if (cells := rows * len(self.datasets)) > _MOST_CELLS:
            self.document.add(
                ("variants",), f"with the data sets and sweeps makes {cells} cells; at most {_MOST_CELLS}"
            )


def _collision(name: str, other: str, column: str) -> str:
    if name == other:
        return f"metric {name!r} is there already"
    return f"metric {name!r} has a column {column!r}, as metric {other!r} has: drop one of them"
