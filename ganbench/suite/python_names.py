"""A plugin that a suite names as Python would, ``torch.optim.Adam`` or ``mlp(width=16)``: what to write for it."""

from __future__ import annotations

import ast
import re
from typing import Any

from ganbench.plugin.registry import Registry
from ganbench.plugin.unknown import aliases, cure
from ganbench.plugin.words import same
from ganbench.suite.document import flow

#: A name, with its modules before it and perhaps called.
_NAME = re.compile(r"(?:[^\W\d]\w*\.)*([^\W\d][\w-]*)(?:\((.*)\))?", re.DOTALL)
#: A name and a number.
_PAIR = re.compile(r"([\w-]+)[\s:=*]+(\d[\d.e-]*)")


def of_python_name(kind: str, written: str, registry: Registry) -> str:
    """What to write for a plugin that is named as in Python.

    Args:
        kind: the kind of plugin that is wanted.
        written: what was written.
        registry: the plugins.

    Returns:
        The end of a message, such as ``: write {name: mlp, width: 16}``; empty for what is no such name, or a name
        that nothing is known of.
    """
    if kind == "loss" and (terms := [term.strip() for term in written.split("+")])[1:]:
        loss, *others = terms
        if loss in registry.names(kind) and all(term in registry.names("penalty") for term in others):
            return f": write loss: {loss}, penalty: {others[0] if len(others) == 1 else flow(others)}"
    # `r1 10` and `r1: 10` are what others write for r1(10).
    if (pair := _PAIR.fullmatch(written.strip())) and pair[1] in registry.names(kind):
        written = f"{pair[1]}({pair[2]})"
    found = _NAME.fullmatch(written.strip())
    if found is None or (word := found[1]) == written:
        return ""
    own = [entry for entry in registry.entries if entry.kind == kind]
    names = dict.fromkeys(entry.name for entry in own if same(word) in map(same, (entry.name, *aliases(entry))))
    if not names:
        return cure(kind, word, registry.entries)
    written_as = " or ".join(names)
    if not found[2]:
        return f": write {written_as}"
    if len(names) == 1 and (parameters := _parameters(kind, found[2])):
        return f": write {flow({'name': written_as, **parameters})}"
    return f": write {{name: {written_as}, PARAMETER: VALUE}}, each parameter by its name"


def _parameters(kind: str, arguments: str) -> dict[str, Any]:
    """The arguments of a call as parameters; empty where one has no name or is no plain value.

    Of a penalty a number alone is its weight; an optimizer needs not be told what it moves.
    """
    try:
        call = ast.parse(f"called({arguments})", mode="eval").body
        assert isinstance(call, ast.Call)
        given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
        nameless = call.args
        if kind == "optimizer" and nameless and not isinstance(nameless[0], ast.Constant):
            nameless = nameless[1:]
        if kind == "penalty" and len(nameless) == 1 and not given:
            given, nameless = {"weight": ast.literal_eval(nameless[0])}, []
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    if nameless or None in given:
        return {}
    return {str(name): list(value) if isinstance(value, tuple) else value for name, value in given.items()}
