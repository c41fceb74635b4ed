"""Whether a document has the shape of a suite; if not, each mistake of its shape, with what to write instead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from ganbench.core.messages import JsonSchema, describe_schema, shown
from ganbench.suite.cures import of_key, of_published, of_value
from ganbench.suite.document import Document
from ganbench.suite.mistake import Place
from ganbench.suite.schema import Budget, Evaluate, Parts, SuiteSchema, schema

_SECTIONS: dict[str, type[BaseModel]] = {"budget": Budget, "evaluate": Evaluate}


def read_shape(document: Document) -> SuiteSchema | None:
    """The document in the shape of a suite; None after adding each mistake of its shape to the document."""
    try:
        return SuiteSchema.model_validate(document.value)
    except ValidationError as errors:
        for place, message, key in _mistakes(errors, document.value):
            document.add(place, message, key)
    return None


def _mistakes(errors: ValidationError, data: Any) -> Iterator[tuple[Place, str, bool]]:
    """The place and the message of each mistake, and whether the place is that of a key, not of a value."""
    root = schema()
    for error in errors.errors(include_url=False):
        loc = error["loc"]
        place = _place(loc, data)
        if error["type"] == "missing":
            yield place, f"missing key {str(loc[-1])!r}", False
        elif error["type"] == "extra_forbidden":
            yield place, f"unknown key {shown(place[-1])}{_belongs(root, place, error['input'], data)}", True
        elif error["type"] == "too_long":
            yield place, f"has {len(error['input'])} entries; at most {error['ctx']['max_length']}", False
        elif error["type"] == "value_error":
            yield place, str(error["ctx"]["error"]), loc[-1] == "[key]"
        else:
            wanted = _schema_at(root, place)
            expected = describe_schema(wanted, root=root).removesuffix(" or null")
            cure = of_value(place, error["input"], wanted)
            yield place, f"must be {expected}, not {shown(error['input'])}{cure}", False


def _place(loc: tuple[int | str, ...], data: Any) -> Place:
    # What does not lead into the data is a tag of a union, a missing key or "[key]".
    place: list[int | str] = []
    for part in loc:
        if (isinstance(data, dict) and part in data) or (isinstance(data, list) and isinstance(part, int)):
            place.append(part)
            data = data[part]  # type: ignore[index]
    return tuple(place)


def _schema_at(root: JsonSchema, place: Place) -> JsonSchema:
    nodes: list[JsonSchema] = [root]
    for part in place:
        options = [option for node in nodes for option in _options(root, node)]
        nodes = [node["items"] for node in options if "items" in node and isinstance(part, int)]
        nodes += [node["properties"][part] for node in options if part in node.get("properties", {})]
        if not nodes:
            nodes = [value for node in options for value in node.get("patternProperties", {}).values()]
            nodes += [more for node in options if isinstance(more := node.get("additionalProperties"), dict)]
    return nodes[0] if nodes else {}


def _options(root: JsonSchema, node: JsonSchema) -> list[JsonSchema]:
    if "$ref" in node:
        return _options(root, root["$defs"][node["$ref"].rpartition("/")[2]])
    inner = node.get("anyOf") or node.get("oneOf")
    return [option for choice in inner for option in _options(root, choice)] if inner else [node]


def _belongs(root: JsonSchema, place: Place, value: Any, data: Any) -> str:
    known = next(node["properties"] for node in _options(root, _schema_at(root, place[:-1])) if "properties" in node)
    if place[0] == "published" and len(place) > 1:
        return of_published(str(place[-1]), known)
    return of_key(str(place[-1]), value, known, _homes(len(place) == 1), data)


def _homes(top: bool) -> dict[str, str]:
    """Where the keys of other places belong, seen from the top of a suite or from a place inside."""
    inside = {key: f"in {name!r}" for name, model in _SECTIONS.items() for key in model.model_fields}
    inside |= dict.fromkeys(Parts.model_fields, "in 'defaults', or in a variant") | {"expect": "in a variant"}
    above = dict.fromkeys(SuiteSchema.model_fields, "at the top of the suite, the same for all variants")
    above |= dict.fromkeys(("sweep", "guard"), "at the top of the suite, or in a variant")
    return inside if top else inside | above
