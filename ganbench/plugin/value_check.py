"""What a value must be, beside its class, to be a plugin of its kind."""

from __future__ import annotations

import re
from typing import Any

from ganbench.core.messages import shown
from ganbench.core.names import lost_in_tables
from ganbench.plugin.binding import bind
from ganbench.plugin.column import Column, check_columns, find
from ganbench.plugin.kinds import CELL_NAMES, Kind
from ganbench.plugin.parameters import Parameter, UnfitError, check_named, read_parameters
from ganbench.plugin.role import OF_CELL
from ganbench.plugin.types import Metric, Penalty, Value

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def check_value(kind: Kind, value: Any) -> tuple[Parameter, ...]:
    """The parameters of a value that a hook yielded; raises UnfitError where the value is not a valid plugin."""
    if not isinstance(value, Value) or not isinstance(value, kind.value):
        raise UnfitError(f"{kind.hook} yields {a(type(value))}, not {a(kind.value)}")
    if not isinstance(value.name, str) or not NAME.fullmatch(value.name):
        raise UnfitError(
            f"the {kind.name}'s name {shown(value.name)} is not letters, digits and . _ + - (a letter or digit first)"
        )
    if lost := lost_in_tables(value.name):
        raise UnfitError(f"the {kind.name}'s name {lost}")
    if not isinstance(value.aliases, tuple) or not all(isinstance(alias, str) for alias in value.aliases):
        raise UnfitError(f"{kind.name} {value.name!r}: aliases must be a tuple of names, not {shown(value.aliases)}")
    if isinstance(value, Metric):
        columns = value.columns
        if not isinstance(columns, tuple) or not columns or not all(isinstance(column, Column) for column in columns):
            raise UnfitError(f"metric {value.name!r}: columns must be a tuple of Column")
        for column in columns:
            if not isinstance(column.name, str) or (lost := lost_in_tables(column.name)):
                why = f"{column.name!r} is no text" if not isinstance(column.name, str) else lost
                raise UnfitError(f"metric {value.name!r}: the column {why}")
        try:
            check_columns(columns)
        except ValueError as error:
            raise UnfitError(f"metric {value.name!r}: {error}") from None
        if value.requires is not None and not callable(value.requires):
            raise UnfitError(f"metric {value.name!r}: requires must be a function, not {shown(value.requires)}")
    if isinstance(value, Penalty) and not (value.discriminator or value.generator or value.inputs):
        raise UnfitError(f"penalty {value.name!r} does nothing: give it discriminator, generator or inputs")
    if isinstance(value, Penalty) and bool(value.memory) != bool(value.remember):
        raise UnfitError(f"penalty {value.name!r}: memory and remember go together")
    parameters = read_parameters(kind, value)
    check_named(kind, value, parameters)
    if isinstance(value, Metric):
        asked = {*bind(value.measure, {}).names}
        if (of_cell := sorted(asked & CELL_NAMES)) and asked - CELL_NAMES:
            raise UnfitError(f"metric {value.name!r}: {of_cell[0]!r} belongs to the cell, not to a seed: name it alone")
        for column in value.columns:
            if column.role == "covered" and find(value.columns, "total", column.name) is None:
                raise UnfitError(
                    f"metric {value.name!r}: the column {column.name!r} counts the modes covered: "
                    f"add a column of the role 'total' for it, or no verdict can use it"
                )
            if column.role in OF_CELL and not of_cell:
                raise UnfitError(
                    f"metric {value.name!r}: the column {column.name!r} is a {column.role}, which is of the cell: "
                    f"measure must name {' or '.join(sorted(CELL_NAMES))}"
                )
            if of_cell and column.role == "value" and column.better != "neither":
                raise UnfitError(
                    f"metric {value.name!r}: the column {column.name!r} is of the cell and has a better side: "
                    f"say role='count' or role='clock', or nothing will compare it"
                )
    return parameters


def a(thing: type) -> str:
    """A class as a noun phrase: ``a Loss``, ``an Optimizer``."""
    return f"{'an' if thing.__name__[:1].lower() in 'aeiou' else 'a'} {thing.__name__}"
