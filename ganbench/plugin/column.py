"""One number of a metric, and the names that it fills in the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

#: Columns that the tables have for every run; no metric may use these names.
RESERVED_COLUMNS = (
    "dataset",
    "variant",
    "family",
    "reference",
    "seed",
    "seeds",
    "status",
    "step",
    "done",
    "diverged",
    "failed",
    "engine",
    "arithmetic",
    "message",
    "note",
    "verdict",
    "verdict_reason",
    "verdicts",
)


@dataclass(frozen=True)
class Column:
    """One number of a metric, and how the seeds' values become one cell of the table.

    ``summary``: ``median`` (name, name_low, name_high: an exact 95 % interval of the median; where there is a better
    side also name_iqm, the interquartile mean with its interval, and name_detectable, the smallest difference that the
    seeds could have seen), ``share`` (of the seeds where it is held to the end: name_share, name_low, name_high,
    Clopper-Pearson; with the medians of first_<name>_step, held_<name>_step and <name>_departures), ``same`` (one value
    for all seeds), ``words`` (text, said with how many seeds say it), ``none`` (kept in seeds.csv and curves.csv only).
    """

    name: str
    doc: str
    unit: str = ""
    better: Literal["lower", "higher", "neither"] = "neither"
    summary: Literal["median", "share", "same", "words", "none"] = "median"

    @property
    def fills(self) -> tuple[str, ...]:
        """The names that the column fills in table.csv."""
        match self.summary:
            case "median" if self.better != "neither":
                return (*_ends(self.name), *_ends(f"{self.name}_iqm"), f"{self.name}_detectable")
            case "median":
                return _ends(self.name)
            case "share":
                share = (f"{self.name}_share", f"{self.name}_low", f"{self.name}_high")
                return (*share, *_ends(self.first), *_ends(self.held), *_ends(self.departures))
            case "same" | "words":
                return (self.name,)
            case "none":
                return ()

    @property
    def of_seed(self) -> tuple[str, ...]:
        """The names that the column fills in seeds.csv and curves.csv."""
        return (self.name, self.first, self.held, self.departures) if self.summary == "share" else (self.name,)

    @property
    def first(self) -> str:
        """The name of the step at which a ``share`` column was first true."""
        return f"first_{self.name}_step"

    @property
    def held(self) -> str:
        """The name of the step from which a ``share`` column was true at five evaluations in a row."""
        return f"held_{self.name}_step"

    @property
    def departures(self) -> str:
        """The name of how often a ``share`` column, once true, became false again."""
        return f"{self.name}_departures"


def _ends(name: str) -> tuple[str, ...]:
    return (name, f"{name}_low", f"{name}_high")


def check_columns(columns: Iterable[Column]) -> None:
    """Raise ValueError where two columns, or a column and the tables themselves, would fill the same name."""
    columns = tuple(columns)
    in_table = [name for column in columns for name in column.fills]
    in_seeds = [name for column in columns for name in column.of_seed]
    for names in (in_table, in_seeds):
        for name, count in Counter([*RESERVED_COLUMNS, *names]).items():
            if count > 1:
                raise ValueError(f"the column {name!r} would be filled twice in a table: rename the metric's column")
