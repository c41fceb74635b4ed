"""A usable plugin value with its parameters, or a plugin that could not be loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.core.messages import shown, suggest
from ganbench.core.process_state import process_kept
from ganbench.plugin.binding import bind
from ganbench.plugin.parameters import Parameter
from ganbench.plugin.types import Value
from ganbench.plugin.words import key_cure, parameter_cure

#: The kinds whose parameters may be written at one another: all are of a variant.
_OF_A_VARIANT = ("loss", "penalty", "architecture", "update", "optimizer")


@dataclass(frozen=True)
class Entry:
    """A usable plugin value, which a suite can name, and where it comes from."""

    kind: str
    name: str
    value: Value
    source: Path | str
    origin: str
    doc: str
    sha256: str
    parameters: tuple[Parameter, ...]
    #: The name and the SHA-256 of each file that it uses and that no installation has: modules, and data beside it.
    uses: tuple[tuple[str, str], ...] = ()

    @property
    def scheduled(self) -> str | None:
        """The parameter that a schedule multiplies; None where a suite can give the plugin no schedule."""
        name = getattr(self.value, "scheduled", None)
        return name if any(parameter.name == name for parameter in self.parameters) else None

    def build(self, parameters: Mapping[str, Any], *, by: str = "build", **given: Any) -> Any:
        """Call the ``build`` function of a dataset or an architecture.

        The process is put back afterwards, and so are the global generators of torch, numpy and Python. A dataset
        finds them seeded, always alike; an architecture finds them as they are: they decide its first parameters.

        Args:
            parameters: the parameters that a suite sets, by name.
            by: which of the value's functions is called, such as ``players`` of a loss.
            **given: values for its positional parameters, by name; those that it does not name are ignored.

        Returns:
            What the function returns.

        Raises:
            Exception: any error that the plugin raises.
        """
        from ganbench.core.rng import isolated, restored  # late: torch takes seconds, and a list of plugins needs none

        function = getattr(self.value, by)
        with process_kept(), isolated(0, "dataset") if self.kind == "dataset" else restored():
            return bind(function, parameters)(given)

    def check_parameters(self, given: Mapping[str, Any]) -> list[tuple[str | None, str]]:
        """Every mistake in the parameters ``given``, as (parameter, message)."""
        known = {parameter.name: parameter for parameter in self.parameters}
        mistakes: list[tuple[str | None, str]] = []
        for name, value in given.items():
            if name not in known:
                mistakes.append((name, self.unknown_parameter(name, value)))
                continue
            try:
                known[name].read(value)
            except ValueError as problem:
                mistakes.append((name, str(problem)))
        return mistakes + [(name, message) for name, message in self.missing(given)]

    def unknown_parameter(self, name: str, value: Any = None, *, swept: bool = False) -> str:
        """The message about a parameter that the plugin does not have.

        Args:
            name: what was written as its name.
            value: what was written there, if that is known.
            swept: whether it stands in a sweep, where a schedule is no parameter, either.

        Returns:
            The message, with what to write where that is known.
        """
        known = [parameter.name for parameter in self.parameters]
        known += ["schedule"] if self.scheduled and not swept else []
        written = "" if value is None or isinstance(value, Mapping) else shown(value)
        near = parameter_cure(name, known, written)
        if not near and self.kind in _OF_A_VARIANT:
            near = key_cure(name, written)
            near = "" if f"{self.kind}: " in near else near  # else it says to write here what is written here
        near = near or (suggest(name, known) if known else "; it has none")
        return f"unknown parameter {shown(name)} of {self.kind} {self.name!r}{near}"

    def missing(self, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The required parameters that are not ``given``, as (parameter, message)."""
        return [
            (parameter.name, f"{self.kind} {self.name!r} needs the parameter {parameter.name!r}")
            for parameter in self.parameters
            if parameter.required and parameter.name not in given
        ]

    def resolve(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every parameter, in order: the value that is given, or else its default.

        A parameter that all plugins of the kind have (``common``) is left out where it is not given: it then has no
        effect. Raises ValueError at the first mistake.
        """
        for name, message in self.check_parameters(given):
            raise ValueError(f"{name}: {message}" if name else message)
        return {
            parameter.name: parameter.read(given[parameter.name]) if parameter.name in given else parameter.default
            for parameter in self.parameters
            if parameter.name in given or not parameter.common
        }


@dataclass(frozen=True)
class Broken:
    """A plugin that could not be loaded, with its cause in one line."""

    source: Path | str
    origin: str
    cause: str
    text: str = ""
    #: The (kind, name) of each plugin that the file would have defined, as far as its text says so.
    declared: frozenset[tuple[str, str]] = frozenset()

    def defines(self, name: str) -> bool:
        """Whether this file was probably meant to define the plugin ``name``."""
        stem = Path(self.source).stem.lower().replace("_", "-")
        return (
            stem == name.lower().replace("_", "-")
            or re.search(rf"""(["']){re.escape(name)}\1""", self.text) is not None
        )


@dataclass(frozen=True)
class NoPlugin(Broken):
    """A file that was looked at and not executed, since it has no hook, or is no file that can be read."""

    def defines(self, name: str) -> bool:
        """Whether the file has this name: its text is of something else."""
        return Path(self.source).stem.lower().replace("_", "-") == name.lower().replace("_", "-")
