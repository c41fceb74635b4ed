"""A suite: a YAML file read into a validated, frozen Suite, with every mistake at file:line:column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from ganbench.core.published import Published
from ganbench.plugin.binding import bind
from ganbench.plugin.entry import Entry
from ganbench.plugin.types import Dataset
from ganbench.suite import document
from ganbench.suite.average import SWEPT, Average
from ganbench.suite.choice import PARTS, PLAYERS, Choice, kind_of, scheduled, with_schedules
from ganbench.suite.expect import Expected
from ganbench.suite.guard import Guard
from ganbench.suite.sweep import Setting, Sweep, apply_setting, count


@dataclass(frozen=True)
class Variant:
    """One way to train, with every parameter named."""

    loss: Choice
    architecture: Choice
    update: Choice
    generator_optimizer: Choice
    discriminator_optimizer: Choice
    penalties: tuple[Choice, ...] = ()
    average: Average | None = None

    def parts(self) -> dict[str, Choice]:
        """Every plugin that the variant names, by its part.

        A penalty's part is ``penalty.`` and its name; the part of a schedule is that of its owner and ``/schedule``.
        """
        own = {name: value for name, value in vars(self).items() if isinstance(value, Choice)}
        return with_schedules(own | {f"penalty.{choice.name}": choice for choice in self.penalties})

    def choices(self) -> tuple[tuple[str, Choice], ...]:
        """Every plugin that the variant names: (kind, choice)."""
        return tuple((kind_of(part), choice) for part, choice in self.parts().items())

    def at(self, setting: Setting) -> Variant:
        """The variant at a setting of its sweep."""
        of_parts = tuple((key, value) for key, value in setting if key not in SWEPT)
        return Variant.of(apply_setting(self.parts(), of_parts), self.average and self.average.at(setting))

    @classmethod
    def of(cls, parts: Mapping[str, Choice], average: Average | None) -> Variant:
        """The variant with these ``parts``, which are named as in ``parts()``."""
        owners = scheduled(parts)
        penalties = tuple(choice for part, choice in owners.items() if part.startswith("penalty."))
        own = {part: choice for part, choice in owners.items() if not part.startswith("penalty.")}
        return cls(**own, penalties=penalties, average=average)

    def plain(self) -> dict[str, Any]:
        """The variant as a suite file writes it."""
        generator, discriminator = self.generator_optimizer.plain(), self.discriminator_optimizer.plain()
        optimizer = (
            generator if generator == discriminator else dict(zip(PLAYERS, (generator, discriminator), strict=True))
        )
        return {
            **{part: getattr(self, part).plain() for part in PARTS},
            "optimizer": optimizer,
            **({"penalty": [choice.plain() for choice in self.penalties]} if self.penalties else {}),
            **({} if self.average is None else {"average": self.average.plain()}),
        }


@dataclass(frozen=True)
class Suite:
    """Datasets times variants times seeds, with every default filled in.

    ``steps``: generator steps; ``batch``: samples a step; ``every``: steps between evaluations; ``samples``: how many
    are drawn for each evaluation. ``references``: rows that are not trained as GANs, the oracle first. ``sweeps``: the
    values that parameters of each variant take; a variant without a sweep is trained as it is. ``guard``: how large a
    change must be to matter when runs are compared, by variant; under "" the values for all variants. ``expect``: how
    variants are to end, by variant and data set. ``pictures``: whether a run records what a report draws.
    ``published``: what a paper gives of rows, which changes no number.
    ``observers``: who is told of a run; they are no part of what is run, nor of the resolved suite. ``folder``: where
    relative paths of data begin. ``minutes``: how long a cell may train; None for no limit.
    """

    name: str
    description: str | None
    seeds: tuple[int, ...]
    steps: int
    batch: int
    every: int
    samples: int
    datasets: dict[str, Choice]
    references: tuple[Choice, ...]
    variants: dict[str, Variant]
    metrics: tuple[Choice, ...]
    precision: str = "float32"
    minutes: float | None = None
    sweeps: dict[str, Sweep] = field(default_factory=dict)
    guard: dict[str, Guard] = field(default_factory=dict)
    expect: dict[str, Expected] = field(default_factory=dict)
    pictures: bool = True
    observers: tuple[Choice, ...] = field(default=(), compare=False)
    folder: Path | None = field(default=None, compare=False)
    published: Published | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The plugins that the suite names, each once: data sets, references, parts of variants, metrics."""
        choices = [*self.datasets.values(), *self.references]
        choices += [choice for variant in self.variants.values() for choice in variant.parts().values()]
        choices += self.metrics
        return tuple({(choice.entry.kind, choice.name): choice.entry for choice in choices}.values())

    @property
    def _has_files(self) -> bool:
        """Whether a data set may look for files beside the suite."""
        return any("find" in bind(one.plugin(Dataset).build, {}).names for one in self.datasets.values())

    @property
    def settings(self) -> int:
        """How many settings each variant has: 1 without a sweep."""
        return max(map(count, self.sweeps.values()), default=1)

    def with_seeds(self, count: int) -> Suite:
        """The same suite with the seeds 0 to ``count`` - 1."""
        if count < 1:
            raise ValueError(f"a suite needs at least 1 seed, not {count}")
        return replace(self, seeds=tuple(range(count)))

    def only(self, dataset: str, family: str, variant: Variant) -> Suite:
        """The same suite with one data set and one variant alone, without a sweep, and without the folder.

        Args:
            dataset: the data set's name.
            family: the variant's name.
            variant: the variant, at a setting where it is swept.

        Returns:
            The suite.
        """
        return replace(
            self,
            datasets={dataset: self.datasets[dataset]},
            variants={family: variant},
            sweeps={},
            guard={name: guard for name, guard in self.guard.items() if name in ("", family)},
            expect={},
            published=None,
            observers=(),
            folder=None,
        )

    def resolved(self) -> dict[str, Any]:
        """Plain data that names every parameter; as YAML it loads as the same suite."""
        sweeps = {name: to_jsonable_python(dict(sweep)) for name, sweep in self.sweeps.items()}
        shared = len({json.dumps(sweeps.get(name)) for name in self.variants}) == 1
        return {
            "suite": self.name,
            **({} if self.description is None else {"description": self.description}),
            "seeds": list(self.seeds),
            "budget": {"steps": self.steps, "batch": self.batch}
            | ({} if self.minutes is None else {"minutes": self.minutes}),
            "precision": self.precision,
            "evaluate": {"every": self.every, "samples": self.samples},
            **({"relative_to": self.folder.resolve().as_posix()} if self.folder and self._has_files else {}),
            "datasets": {name: choice.plain() for name, choice in self.datasets.items()},
            "references": [choice.plain() for choice in self.references],
            "variants": {
                name: variant.plain()
                | ({"sweep": sweeps[name]} if name in sweeps and not shared else {})
                | ({"guard": dict(self.guard[name])} if name in self.guard else {})
                | ({"expect": self._expect(name)} if self.expect.get(name) else {})
                for name, variant in self.variants.items()
            },
            **({"sweep": next(iter(sweeps.values()))} if sweeps and shared else {}),
            **({"guard": dict(self.guard[""])} if "" in self.guard else {}),
            "metrics": [choice.plain() for choice in self.metrics],
            **({} if self.pictures else {"pictures": False}),
            **({"published": self.published.plain()} if self.published else {}),
        }

    def _expect(self, variant: str) -> Any:
        """What is expected of a variant, as a suite file writes it: one word where it is the same on all data sets."""
        own = self.expect[variant]
        words = {own.get(name) for name in self.datasets}
        return words.pop() if len(words) == 1 else dict(own)

    def to_yaml(self) -> str:
        """The resolved suite as the text of a suite file."""
        return document.dump(self.resolved())
