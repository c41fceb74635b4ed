"""One number of a metric, and the names that it fills in the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from ganbench.core.messages import suggest
from ganbench.plugin.role import OF_CELL, PARTS, SECONDS, Role, Thresholds

Better = Literal["lower", "higher", "neither"]
Summary = Literal["median", "share", "same", "words", "none"]

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


class OlderFormatError(ValueError):
    """A format of an older ganbench that this one does not read; str() is one line."""


@dataclass(frozen=True)
class Column:
    """One number of a metric, how the seeds' values become one cell of the table, and what role it has for readers.

    ``summary``: ``median`` (name, name_low, name_high: an exact 95 % interval of the median; where there is a better
    side also name_iqm, the interquartile mean with its interval, and name_detectable, the smallest difference that the
    seeds could have shown), ``share`` (of the seeds where it is held to the end: name_share, name_low, name_high,
    Clopper-Pearson; with the medians of first_<name>_step, held_<name>_step and <name>_departures), ``same`` (one value
    for all seeds), ``words`` (text, with how many seeds have it), ``none`` (kept in seeds.csv and curves.csv only).

    ``role``: see ``plugin.role``; of several columns of a role in a run, the first counts. ``of``: the column that this
    one is a part of, as the end of its interval is. ``thresholds``: of a primary column. ``title``: the heading of the
    column on a screen, in place of its name; a second line of it replaces the unit below.
    """

    name: str
    doc: str
    unit: str = ""
    better: Better = "neither"
    summary: Summary = "median"
    role: Role = "value"
    of: str = ""
    thresholds: Thresholds | None = None
    title: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError where a word is none of those that there are."""
        for what, known in (("better", get_args(Better)), ("summary", get_args(Summary))):
            if (word := getattr(self, what)) not in known:
                raise ValueError(f"column {self.name!r}: {what} must be one of {', '.join(known)}, not {word!r}")
        if not isinstance(self.thresholds, Thresholds | None):
            raise ValueError(f"column {self.name!r}: thresholds must be a Thresholds, not {self.thresholds!r}")

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Column:
        """The column that ``to_json`` wrote. Raises OlderFormatError where it has no role."""
        if "role" not in data:
            raise OlderFormatError("was made by an older ganbench")
        known = {name: data[name] for name in cls.__dataclass_fields__}
        for name in ("name", "doc", "unit", "of", "title"):
            if not isinstance(known[name], str):
                raise ValueError(f"the column {data['name']!r}: its {name} must be text, not {known[name]!r}")
        return cls(**known | {"thresholds": data["thresholds"] and Thresholds(**data["thresholds"])})

    def to_json(self) -> dict[str, Any]:
        """The column as JSON can hold it."""
        return asdict(self)

    @property
    def label(self) -> str:
        """What the column is called in a sentence: its title, or its name as words."""
        return self.title.partition("\n")[0] or self.name.replace("_", " ")

    @property
    def sided(self) -> bool:
        """Whether its median tells which of two variants is better."""
        return self.summary == "median" and self.better != "neither"

    @property
    def is_time(self) -> bool:
        """Whether it holds time, by its unit: ``s``, ``ms`` and such, or anything ``/s``."""
        return self.unit in SECONDS or self.unit.endswith("/s")

    @property
    def varies(self) -> bool:
        """Whether it differs between two runs of the same thing: a time, or memory as the system measures it."""
        return self.is_time or self.role == "memory"

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
        """The name of the count of how often a ``share`` column, once true, became false again."""
        return f"{self.name}_departures"


def _ends(name: str) -> tuple[str, ...]:
    return (name, f"{name}_low", f"{name}_high")


def find(columns: Iterable[Column], role: Role, of: str = "") -> Column | None:
    """The first column of a role.

    Args:
        columns: The columns, in order.
        role: The role.
        of: The name of the column that it is a part of; empty for a role that is no part.

    Returns:
        The column; None where there is none.
    """
    return next((column for column in columns if (column.role, column.of) == (role, of)), None)


def interval_of(columns: Sequence[Column], name: str) -> tuple[Column | None, Column | None]:
    """The columns of the lower and the upper end of a column's interval, where there are any."""
    return find(columns, "low", name), find(columns, "high", name)


def check_columns(columns: Iterable[Column]) -> None:
    """Raise ValueError where two columns would fill the same name in a table, or a column's role contradicts it."""
    columns = tuple(columns)
    in_table = [name for column in columns for name in column.fills]
    in_seeds = [name for column in columns for name in column.of_seed]
    for names in (in_table, in_seeds):
        for name, count in Counter([*RESERVED_COLUMNS, *names]).items():
            if count > 1:
                raise ValueError(f"the column {name!r} would be filled twice in a table: rename the metric's column")
    roles = {column.name: column.role for column in columns}
    for column in columns:
        if problem := _contradiction(column, roles):
            raise ValueError(f"the column {column.name!r} {problem}")
    for (role, of), count in Counter((column.role, column.of) for column in columns if column.role in PARTS).items():
        if count > 1:
            raise ValueError(f"the column {of!r} has {count} columns of the role {role!r}: one is enough")


def _contradiction(column: Column, roles: Mapping[str, Role]) -> str:
    """What of a column contradicts its role, as the end of a sentence; empty where nothing does."""
    role = column.role
    if role not in get_args(Role):
        return f"has an unknown role {role!r}{suggest(str(role), get_args(Role))}"
    if role in PARTS:
        if roles.get(column.of, role) in PARTS:
            return f"has the role {role!r}, so it needs of='NAME', the column that it is a part of, not {column.of!r}"
        if role != "method" and column.summary in ("words", "share"):
            return f"is {role!r}, a number, so its summary cannot be {column.summary!r}"
    elif column.of:
        return f"is of {column.of!r}, and a {role} is of no other column: leave out of=..."
    if role == "primary" and not column.sided:
        return "is primary, so it needs a better side and the summary 'median'"
    if role == "primary" and column.thresholds is None:
        return "is primary, so it needs thresholds=Thresholds(min_effect=..., converged=..., settled=...)"
    if role != "primary" and column.thresholds is not None:
        return "has thresholds, which only a primary column has"
    if role in OF_CELL and column.summary != "same":
        return f"is a {role}, one number of a cell, so its summary is 'same' and not {column.summary!r}"
    if role == "clock" and (not column.is_time or column.better == "neither"):
        return "is a clock, so it needs a better side and a unit of time: s, ms, us, ns, or something like 1/s"
    if role in ("covered", "largest", "scale", "location", "logits") and column.summary in ("words", "share"):
        return f"is {role!r}, a number, so its summary cannot be {column.summary!r}"
    if role == "count" and column.is_time:
        return f"is a count, so its unit cannot be {column.unit!r}: a time is a clock"
    if role == "method" and column.summary != "words":
        return f"is a method, so its summary is 'words' and not {column.summary!r}"
    return ""
