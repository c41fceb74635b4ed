"""The parameters of a plugin: its functions' keyword-only arguments, read, checked and filled in."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ConfigDict, PositiveFloat, PositiveInt, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from ganbench.core.messages import expected, shown, suggest
from ganbench.plugin.kinds import Kind
from ganbench.plugin.types import Optimizer, Penalty, Schedule, Value
from ganbench.plugin.words import given_cure


def _of_optimizers(*, clip: PositiveFloat | None = None) -> None: ...


def _of_penalties(*, every: PositiveInt = 1) -> None: ...


#: Parameters that every plugin of a kind has. ``clip`` of an optimizer: gradients with a larger norm are scaled down to
#: it. ``every`` of a penalty: it is added only at every so many steps, times that number.
COMMON: dict[str, Callable[..., None]] = {"optimizer": _of_optimizers, "penalty": _of_penalties}
#: Keys with a meaning of their own in a suite's choice: no parameter may have these names.
RESERVED = {
    "optimizer": frozenset({"name", "generator", "discriminator", "clip", "schedule"}),
    "penalty": frozenset({"name", "every", "schedule"}),
}


@dataclass(frozen=True)
class Parameter:
    """One parameter: ``default`` is None where it is ``required``; ``common``: every plugin of the kind has it."""

    name: str
    annotation: Any
    default: Any
    required: bool
    adapter: TypeAdapter[Any] = field(repr=False, compare=False)
    common: bool = False

    @functools.cached_property
    def json_schema(self) -> dict[str, Any]:
        """The values that a suite may set, as a JSON schema."""
        return self.adapter.json_schema()

    @property
    def plain_default(self) -> Any:
        """The default as a suite would write it."""
        return to_jsonable_python(self.default)

    def read(self, given: Any) -> Any:
        """Read the value from ``given``, plain data, strictly: 1 is a number, "1" and true are not.

        Raises ValueError; the message is one line for the user.
        """
        try:
            return self.adapter.validate_json(json.dumps(to_jsonable_python(given), allow_nan=False), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            cause = first.get("ctx", {}).get("error")
            raise ValueError(str(cause) if cause else expected(self.json_schema, given)) from None
        except (ValueError, TypeError):  # what JSON cannot express: nan, inf, objects
            raise ValueError(f"{shown(given)} cannot be written in a suite") from None


class UnfitError(Exception):
    """A plugin's function cannot be called, or a suite cannot set its parameters; the message gives the reason."""


def read_parameters(kind: Kind, value: Any) -> tuple[Parameter, ...]:
    """The parameters of ``value``, in order; raises UnfitError, with the line, at the first mistake."""
    found: dict[str, Parameter] = {}
    owner: dict[str, str] = {}
    parts = frozenset(getattr(value, "parts", ()))
    for name, given in kind.given.items():
        function = getattr(value, name)
        if function is None and name in kind.optional:
            continue
        if not callable(function):
            raise UnfitError(f"{name} must be a function, not {shown(function)}")
        try:
            for parameter in _of_function(kind, name, function, given | parts):
                first = found.setdefault(parameter.name, parameter)
                other = owner.setdefault(parameter.name, name)
                if (first.required, first.default) != (parameter.required, parameter.default):
                    one, two = (
                        "none" if each.required else shown(each.plain_default, 20) for each in (first, parameter)
                    )
                    raise UnfitError(
                        f"{other} and {name} disagree on the parameter {parameter.name!r}: its default is {one} in "
                        f"{other} and {two} in {name}; give both the same one, or the two parameters two names"
                    )
                if first.annotation != parameter.annotation:
                    raise UnfitError(
                        f"{other} and {name} disagree on the parameter {parameter.name!r}: its annotations are not the "
                        "same; give both the same one, or the two parameters two names"
                    )
        except UnfitError as problem:
            code = getattr(_plain(function), "__code__", None)
            raise UnfitError(f"line {code.co_firstlineno}: {problem}" if code else str(problem)) from None
    # A penalty that has only ``inputs`` adds no term to a loss, so ``every`` would have no effect.
    if kind.name in COMMON and not (isinstance(value, Penalty) and not (value.discriminator or value.generator)):
        function = COMMON[kind.name]
        for argument in inspect.signature(function).parameters.values():
            found[argument.name] = replace(_of_argument(kind.name, argument, function), common=True)
    return tuple(found.values())


def check_named(kind: Kind, value: Value, parameters: Sequence[Parameter]) -> None:
    """Check that the parameters that a value names, ``scheduled`` and ``in_steps``, are its own.

    Args:
        kind: the value's kind.
        value: the value.
        parameters: its parameters.

    Raises:
        UnfitError: they are not.
    """
    names = [parameter.name for parameter in parameters]
    # The usual name, which is also that of who says nothing, need not be there: then there is nothing to scale.
    if isinstance(value, Optimizer | Penalty) and value.scheduled not in [*names, type(value).scheduled]:
        raise UnfitError(
            f"{kind.name} {value.name!r}: scheduled names {shown(value.scheduled)}, which is no parameter of it"
        )
    if isinstance(value, Schedule):
        if not isinstance(value.in_steps, tuple):
            raise UnfitError(f"schedule {value.name!r}: in_steps must be a tuple of names, not {shown(value.in_steps)}")
        for name in value.in_steps:
            if name not in names:
                raise UnfitError(f"schedule {value.name!r}: in_steps names {shown(name)}, which is no parameter of it")


def _plain(function: Callable[..., Any]) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.unwrap(getattr(function, "__init__") if isinstance(function, type) else function)  # noqa: B009


def _of_function(kind: Kind, label: str, function: Callable[..., Any], given: frozenset[str]) -> Iterator[Parameter]:
    name, label = label, getattr(_plain(function), "__name__", label)
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        raise UnfitError(f"{label} has no signature that can be read") from None
    for argument in signature.parameters.values():
        if argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD):
            if callable(getattr(function, "forward", None)):
                raise UnfitError(
                    f"{name} is an object of {type(function).__name__}, a network: give its method, "
                    f"{type(function).__name__}().forward"
                )
            raise UnfitError(f"{label} takes {argument}: name each argument instead")
        if argument.kind is argument.KEYWORD_ONLY:
            if argument.name in given:
                raise UnfitError(f"{label} has a parameter {argument.name!r}, which is given: put it before the '*'")
            if argument.name in RESERVED.get(kind.name, frozenset({"name"})):
                raise UnfitError(
                    f"{label} has a parameter {argument.name!r}, a word that suites use themselves: rename it"
                )
            yield _of_argument(label, argument, function, kind.name)
        elif argument.name not in given:
            raise UnfitError(
                f"{label} names {argument.name!r}, which {_has(kind, given)}{_hint(kind, argument, given)}"
            )


#: What a rule would call the number of its step.
_COUNTS = frozenset({"step", "t", "i", "it", "iteration", "global_step", "epoch"})


def _has(kind: Kind, given: frozenset[str]) -> str:
    names = ", ".join(sorted(given, key=lambda name: (name.lower(), name)))
    return f"is not given to a {kind.name} (given: {names or 'nothing'})"


def _hint(kind: Kind, argument: inspect.Parameter, given: frozenset[str]) -> str:
    if (named := given_cure(argument.name, given)) and argument.default is argument.empty:
        return named
    if kind.name == "update" and argument.name in _COUNTS:
        return "; an update rule keeps no count: it does in each step all that a step does, as a loop of D's moves"
    near = suggest(argument.name, given)
    if near.startswith(", did"):
        return near
    network = kind.name == "loss" and argument.default is argument.empty
    parts = f"; a network of the loss's own is named in parts=({argument.name!r},), beside players=" if network else ""
    if parts and argument.name[0].isupper():
        return parts
    default = "" if argument.default is argument.empty else f" = {shown(argument.default, 20)}"
    written = f"{argument.name}: {_annotation(kind.name, argument)}{default}"
    return f"{parts}; to make it a parameter, put it after a '*': (..., *, {written})"


#: Of these kinds a whole number is most often a weight or a rate that happens to be one.
_WEIGHED = frozenset({"loss", "penalty", "optimizer", "schedule"})


def _annotation(kind: str, argument: inspect.Parameter) -> str:
    """An annotation that a parameter may have, by its default."""
    default = argument.default
    if isinstance(default, bool | str):
        return type(default).__name__
    if isinstance(default, list | tuple) and default:
        whole = all(type(each) is int for each in default)
        inner = "str" if all(isinstance(each, str) for each in default) else "int" if whole else "float"
        return f"list[{inner}]" if isinstance(default, list) else f"tuple[{', '.join([inner] * len(default))}]"
    if type(default) is int and kind not in _WEIGHED:
        return "int"
    return "float | None" if default is None else "float"


def _of_argument(label: str, argument: inspect.Parameter, function: Callable[..., Any], kind: str = "") -> Parameter:
    name = argument.name
    if argument.annotation is argument.empty:
        written = f"{name}: {_annotation(kind, argument)}"
        raise UnfitError(f"{label}'s parameter {name!r} has no annotation, write for example {written}")
    annotation = argument.annotation
    try:
        if isinstance(annotation, str):  # other annotations of the function may be imported for type checkers only
            annotation = eval(annotation, getattr(_plain(function), "__globals__", {}))
        adapter: TypeAdapter[Any] = TypeAdapter(annotation, config=_CONFIG if _plain_type(annotation) else None)
        adapter.json_schema()
    except Exception:
        raise UnfitError(f"{label}'s parameter {name!r}: a suite cannot give a {argument.annotation}") from None
    required = argument.default is argument.empty
    parameter = Parameter(name, annotation, None, required, adapter)
    if required:
        return parameter
    try:
        return Parameter(name, annotation, parameter.read(argument.default), False, adapter)
    except ValueError as problem:
        raise UnfitError(f"{label}'s parameter {name!r}: its default {problem}") from None


_CONFIG = ConfigDict(allow_inf_nan=False)


def _plain_type(annotation: Any) -> bool:
    # Pydantic refuses a config for types that have their own.
    return not (hasattr(annotation, "model_config") or hasattr(annotation, "__dataclass_fields__"))
