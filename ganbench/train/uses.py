"""Where the code of modules names a variable, draws from a global generator, or changes a tensor in place."""

from __future__ import annotations

import dis
import random
import types
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor

from ganbench.core.place import place

#: The variables of a module.
Namespace = dict[str, Any]
#: The modules and objects whose functions draw from a global generator.
_GLOBAL: dict[str, tuple[Any, ...]] = {
    "Python": (random, getattr(random.random, "__self__", None)),
    "numpy": (np.random, getattr(np.random.uniform, "__self__", None)),
}


class Use(NamedTuple):
    """An instruction that names a variable: whether it stores it, whether it is a function's local, and its place."""

    stored: bool
    local: bool
    place: str


def module_name(space: Namespace) -> str:
    """The name of the module that has these variables."""
    return str(space["__name__"])


def uses(space: Namespace, name: str) -> Iterator[Use]:
    """The instructions of a module's functions that name a variable."""
    for code in _inner(function.__code__ for function in functions(space)):
        for instruction in dis.get_instructions(code):
            if (
                instruction.argval == name
                and instruction.opname.startswith(("STORE", "LOAD"))
                and (line := _line(instruction))
            ):
                stored, local = instruction.opname.startswith("STORE"), "FAST" in instruction.opname
                yield Use(stored, local, place(code.co_filename, line))


def draws(space: Namespace, whose: str) -> Iterator[str]:
    """The places where a module's functions use a global generator: numpy's or Python's."""
    for code in _inner(function.__code__ for function in functions(space)):
        instructions = list(dis.get_instructions(code))
        for at, instruction in enumerate(instructions):
            if not instruction.opname.startswith("LOAD_GLOBAL"):
                continue
            value = space.get(instruction.argval)
            following = {each.argval for each in instructions[at + 1 : at + 3]}
            bound = getattr(value, "__self__", value)
            drawn = _is(bound, _GLOBAL[whose]) or (whose == "numpy" and value is np and "random" in following)
            if drawn and (line := _line(instruction)):
                yield place(code.co_filename, line)


def in_place(codes: Iterable[types.CodeType]) -> Iterator[tuple[str, str]]:
    """The calls in code that change a tensor in place: the name of each, ``fill_``, and its place.

    Not those in ``__init__`` or of a function that has init in its name, where weights are set.
    """
    for code in _inner(code for code in codes if "init" not in code.co_name):
        for instruction in dis.get_instructions(code):
            name = instruction.argval
            if (
                instruction.opname in ("LOAD_ATTR", "LOAD_METHOD")
                and isinstance(name, str)
                and name.endswith("_")
                and not name.startswith("_")
                and name != "requires_grad_"
                and hasattr(Tensor, name)
                and (line := _line(instruction))
            ):
                yield name, place(code.co_filename, line)


def functions(space: Namespace) -> Iterator[types.FunctionType]:
    """The functions and methods that a module has itself."""
    module = module_name(space)
    for value in [*space.values()]:
        if getattr(value, "__module__", None) != module:
            continue
        for inner in vars(value).values() if isinstance(value, type) else (value,):
            inner = getattr(inner, "__func__", inner)
            if isinstance(inner, types.FunctionType):
                yield inner


def _inner(codes: Iterable[types.CodeType]) -> Iterator[types.CodeType]:
    """Code, and that of the functions inside it."""
    waiting = [*codes]
    while waiting:
        code = waiting.pop(0)
        waiting += [each for each in code.co_consts if isinstance(each, types.CodeType)]
        yield code


def _line(instruction: dis.Instruction) -> int | None:
    return instruction.positions and instruction.positions.lineno


def _is(value: Any, others: tuple[Any, ...]) -> bool:
    """Whether a value is one of others; not by equality, which values may have of their own kind."""
    return any(value is each for each in others)
