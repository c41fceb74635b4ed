"""The texts of error messages: what was expected, what was found, and which name was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ganbench.core.spelling import of_other, respelled

JsonSchema = Mapping[str, Any]

_NOUNS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "array": "list",
    "object": "mapping",
    "boolean": "true or false",
    "null": "null",
}
_BOUNDS = {
    "exclusiveMinimum": "above",
    "minimum": "of at least",
    "exclusiveMaximum": "below",
    "maximum": "of at most",
    "multipleOf": "divisible by",
    "pattern": "matching",
}
_SIZES = {"Length": ("character", "characters"), "Items": ("item", "items"), "Properties": ("entry", "entries")}


def suggest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown ``word``: ``, did you mean 'x'?`` or ``; known: a, b``."""
    lower = {name.lower(): name for name in sorted(known)}
    # Close enough for a slip of the finger: 'infogan' is not to be taken for 'fgan', nor 'wgan-div' for 'wgan-lp'.
    swapped = [name for name in lower if sorted(name) == sorted(word.lower())]
    close = swapped or difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.74)
    if close:
        return f", did you mean {lower[close[0]]!r}?"
    return f"; known: {', '.join(lower.values())}" if lower else "; there are none"


def shown(value: Any, longest: int = 60) -> str:
    """``value`` as a suite file would write it, on one line of at most ``longest`` characters."""
    text = str(value).lower() if isinstance(value, bool) else "null" if value is None else repr(value)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def expected(schema: JsonSchema, found: Any) -> str:
    """The message for a value that does not fit its JSON schema: ``must be a number above 0, not 'abc'``."""
    cure = respelled(found, schema) if isinstance(found, str) else of_other(found, schema)
    return f"must be {describe_schema(schema)}, not {shown(found)}{cure}"


def describe_schema(schema: JsonSchema, plural: bool = False, root: JsonSchema | None = None) -> str:
    """Describe what a JSON schema allows, as a noun phrase: ``a list of 2 numbers``, ``one of 'a', 'b' or null``.

    The schema's ``description`` is that phrase where it has one, except on an object with known keys: there it is
    documentation.

    Args:
        schema: the JSON schema, or a part of one.
        plural: whether the phrase is in the plural, ``numbers`` for ``a number``.
        root: the whole schema, which references (``$ref``) point into; by default ``schema`` itself.

    Returns:
        The phrase.
    """
    root = schema if root is None else root
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    if "description" in schema and "properties" not in schema:
        return str(schema["description"])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(describe_schema(option, plural, root) for option in schema[choice]))
    if "enum" in schema or "const" in schema:
        values = ", ".join(shown(value) for value in schema.get("enum", [schema.get("const")]))
        return values if "const" in schema else f"one of {values}"
    kind = str(schema.get("type", ""))
    if kind not in _NOUNS:
        return "any value"
    if kind in ("boolean", "null", "string"):
        noun = _NOUNS[kind]
    else:
        noun = f"{_NOUNS[kind]}s" if plural else f"a {_NOUNS[kind]}"
    return noun + "".join(_details(schema, noun, root))


def _details(schema: JsonSchema, noun: str, root: JsonSchema) -> Iterable[str]:
    bounds = [f" {words} {_bound(schema[key])}" for key, words in _BOUNDS.items() if key in schema]
    yield " and".join(bounds)
    for suffix, words in _SIZES.items():
        least, most = schema.get(f"min{suffix}"), schema.get(f"max{suffix}")
        if suffix == "Items" and least is not None and least == most:
            members = [
                describe_schema(item, True, root) for item in schema.get("prefixItems", [schema.get("items", {})])
            ]
            yield f" of {least} {members[0] if len(set(members)) == 1 else 'items: ' + ', '.join(members)}"
            return
        if least is not None and most is not None:
            yield f" of {least} to {most} {words[1]}"
        elif least is not None or most is not None:
            bound, count = ("least", least) if most is None else ("most", most)
            yield f" of at {bound} {count} {words[count != 1]}"
    if schema.get("items"):
        sized = "minItems" in schema or "maxItems" in schema
        yield f"{', each' if sized else ' of'} {describe_schema(schema['items'], not sized, root)}"
    if "properties" in schema:
        yield f" with the keys {', '.join(schema['properties'])}"


def _bound(value: Any) -> str:
    """A bound as a person writes it: some versions of pydantic give 0.0 for 0."""
    return f"{value:g}" if isinstance(value, float) else str(value)
