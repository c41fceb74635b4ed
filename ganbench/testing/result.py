"""The result of one property of one plugin, and how the test of a property reports it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from ganbench.core.errors import NotApplicableError, raise_if_stopped
from ganbench.core.messages import shown
from ganbench.core.plain_words import plain_words
from ganbench.plugin.entry import Entry
from ganbench.plugin.registry import Registry

Status = Literal["pass", "fail", "n/a"]
Setting = dict[str, Any]


@dataclass(frozen=True)
class CheckResult:
    """One property of one plugin. ``reason``: why it failed or does not apply; where it passed, what was found."""

    kind: str
    name: str
    property: str
    status: Status
    reason: str = ""


class WrongError(Exception):
    """The plugin does not have the property; the message, one line, describes what is wrong."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A plugin under test at one setting of its parameters; ``registry``: the plugins that it is tested with.

    ``compile``: whether its step is really compiled, which takes seconds.
    """

    entry: Entry
    registry: Registry
    parameters: Setting
    compile: bool = False

    @property
    def value(self) -> Any:
        """The plugin's value."""
        return self.entry.value


S = TypeVar("S", bound=Subject)


class Property(NamedTuple):
    """A property: its name and its test, which raises WrongError or NotApplicableError, or returns what it found.

    ``everywhere``: whether it is tested at each setting, and not at the defaults alone.
    """

    name: str
    test: Callable[[Subject], str | None]
    everywhere: bool = True


def judge(properties: Sequence[Property], subjects: Sequence[Subject]) -> Iterator[CheckResult]:
    """The result of each property; the first of ``subjects`` is the plugin with its defaults."""
    entry = subjects[0].entry
    for each in properties:
        status, reason = _over(each, subjects if each.everywhere else subjects[:1])
        yield CheckResult(entry.kind, entry.name, each.name, status, reason)


def _over(tested: Property, subjects: Sequence[Subject]) -> tuple[Status, str]:
    """Failed where it fails at any setting; not applicable where it is not applicable at any setting."""
    found: list[tuple[Status, str]] = []
    for at, subject in enumerate(subjects):
        status, reason = _one(tested, subject, usual=not at)
        if status == "fail":
            return status, reason + (_where(subject, subjects[0]) if at else "")
        found.append((status, reason))
    return next((each for each in found if each[0] == "pass"), found[0])


def _one(tested: Property, subject: Subject, *, usual: bool) -> tuple[Status, str]:
    try:
        return "pass", tested.test(subject) or ""
    except WrongError as reason:
        return "fail", str(reason)
    except NotApplicableError as reason:
        return "n/a", str(reason)
    except BaseException as error:
        raise_if_stopped(error)
        # A plugin may refuse a setting: not every choice works with the defaults of the other parameters.
        return "n/a" if isinstance(error, ValueError) and not usual else "fail", plain_words(error)


def grouped_by_reason(results: Sequence[CheckResult], *, names: bool = True) -> Iterator[tuple[Status, str, str]]:
    """Status, property and reason of one plugin's results; of those with the same reason only the first in full.

    The others are counted in one line; ``names``: whether that line names them.
    """
    for result in results:
        twins = [other for other in results if _cause(other) == _cause(result)]
        if result.status == "pass" or result is twins[0]:
            yield result.status, result.property, result.reason
        if result.status != "pass" and result is twins[0] and twins[1:]:
            more = f"{len(twins) - 1} more for the same reason"
            yield result.status, more, "; ".join(one.property for one in twins[1:]) if names else ""


def _cause(result: CheckResult) -> tuple[str, ...]:
    """A key that is equal for results with the same reason; shapes of tensors are ignored."""
    return result.kind, result.name, result.status, re.sub(r"\((\d+, ?)+\d*\)", "(...)", result.reason)


def _where(subject: Subject, usual: Subject) -> str:
    unlike = {name: value for name, value in subject.parameters.items() if usual.parameters.get(name) != value}
    return f" (with {', '.join(f'{name}: {shown(value)}' for name, value in unlike.items())})"


def settings(entry: Entry) -> list[Setting]:
    """The defaults; then, one parameter at a time, each other choice of a parameter with choices (or true and false).

    Raises NotApplicableError where a parameter has no default.
    """
    for parameter in entry.parameters:
        if parameter.required:
            raise NotApplicableError(f"the parameter {parameter.name!r} has no default")
    usual = {parameter.name: parameter.default for parameter in entry.parameters}
    return [usual] + [
        usual | {parameter.name: choice}
        for parameter in entry.parameters
        for choice in _choices(parameter.json_schema)
        if choice != parameter.default
    ]


def _choices(schema: Any) -> list[Any]:
    if schema.get("type") == "boolean":
        return [False, True]
    return list(schema.get("enum", ()))
