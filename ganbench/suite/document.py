"""YAML files, read strictly: with the position of every key and value, no duplicate keys, no surprising types.

Scalars follow YAML 1.2: ``1e-4`` is a number, ``on``, ``1:30`` and ``2020-01-01`` are text. A whole number with an
exponent (``1e4``) is an integer. Anchors, aliases, tags and several documents are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ganbench.suite.commas import parted
from ganbench.suite.mistake import Mistake, Place, SuiteError, dotted
from ganbench.suite.source import end_of, text_of
from ganbench.suite.yaml_words import RefusedError, words

Position = tuple[int, int]

_DEEPEST = 50
_LARGEST = 2**63
_EXACT = 2**53
_ENDLESS = 10**9
_CONSTANTS = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    spelling: value
    for word, value in (("true", True), ("false", False))
    for spelling in (word, word.title(), word.upper())
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass
class Document:
    """A YAML file's plain data, the position of each part, and the mistakes found while reading."""

    file: str
    value: Any = None
    values: dict[Place, Position] = field(default_factory=dict)
    keys: dict[Place, Position] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    _unusable: set[Place] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        """Where relative paths begin: the file's folder, or what its key ``relative_to`` names from there."""
        given = self.value.get("relative_to") if isinstance(self.value, dict) else None
        return Path(self.file).parent / (given if isinstance(given, str) else "")

    def at(self, *place: str | int) -> Any:
        """The value at a place of mappings; None where there is none."""
        value = self.value
        for part in place:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def items(self, section: str) -> Iterator[tuple[str, Any]]:
        """The entries of a mapping at the top; nothing where it is no mapping."""
        found = self.at(section)
        yield from found.items() if isinstance(found, dict) else ()

    def position(self, place: Place, key: bool = False) -> Position:
        """Line and column, from 1, of a value or of its key; of the nearest enclosing value where it is missing."""
        if key and place in self.keys:
            return self.keys[place]
        while place and place not in self.values:
            place = place[:-1]
        return self.values.get(place, (1, 1))

    def add(self, place: Place, message: str, key: bool = False) -> None:
        """Add a mistake, unless the value at its place was refused while reading, which is a mistake already.

        Args:
            place: the place of the value.
            message: what is wrong, one line.
            key: whether the key is wrong, and not its value.
        """
        if not any(place[:length] in self._unusable for length in range(len(place) + 1)):
            self._note(self.position(place, key), place, message)

    def _note(self, position: Position, place: Place, message: str) -> None:
        mistake = Mistake(self.file, *position, dotted(place), message)
        if mistake not in self.mistakes:
            self.mistakes.append(mistake)

    def _take(self, node: yaml.Node, place: Place) -> Any:
        self.values[place] = _position(node.start_mark)
        if isinstance(node, yaml.SequenceNode):
            return [self._take(item, (*place, index)) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        assert isinstance(node, yaml.ScalarNode)
        try:
            return _scalar(node)
        except ValueError as problem:
            self.add(place, str(problem))
            self._unusable.add(place)
            return str(node.value)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        pairs, broken = parted(node)
        for key, value in pairs:
            here = _position(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                variable = ": variables are not replaced in a suite, write the value" if node.flow_style else ""
                self._note(here, place, f"a key must be a word, not a list or a mapping{variable}")
                self._unusable.add(place)
                continue
            inner = (*place, key.value)
            if key.value in mapping:
                self._note(here, inner, f"duplicate key {key.value!r}, first on line {self.keys[inner][0]}")
                continue
            self.keys[inner] = here
            mapping[key.value] = self._take(value, inner)
            if key in broken:
                # Written with a comma, which in a mapping begins the next key: it is no value, and so is what follows.
                self.add(inner, broken[key])
                self._unusable.add(inner)
                mapping[key.value] = None
        return mapping


def read(path: Path) -> Document:
    """Read a YAML file; raises SuiteError where it is missing, no file of text, too large or not YAML."""
    return parse(text_of(path), str(path))


def parse(text: str, file: str = "<text>") -> Document:
    """Read YAML from ``text``; raises SuiteError where it is not valid YAML."""
    document = Document(file)
    try:
        composer = _Composer(text)
        node = composer.get_single_node()
    except yaml.reader.ReaderError as error:
        message = f"the character U+{ord(text[error.position]):04X} may not stand in YAML"
        raise SuiteError([Mistake(file, *end_of(text[: error.position]), "", message)]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = words(error, text)
        raise SuiteError([Mistake(file, *(_position(mark) if mark else (1, 1)), "", message)]) from None
    except (ValueError, OverflowError):  # an escape such as "\Uffffffff"
        message = "not valid YAML: a character that does not exist"
        raise SuiteError([Mistake(file, *_position(composer.get_mark()), "", message)]) from None
    if node is None:
        raise SuiteError([Mistake(file, 1, 1, "", "the file is empty")])
    document.value = document._take(node, ())
    return document


def dump(data: Any) -> str:
    """``data`` as YAML that ``parse`` reads back as the same data."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)


def flow(data: Any) -> str:
    """``data`` as YAML on one line."""
    text = yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=True, allow_unicode=True, width=_ENDLESS)
    return text.strip().removesuffix("\n...")


def _position(mark: Any) -> Position:
    return mark.line + 1, mark.column + 1


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half a character (a lone surrogate)")
    if node.style is not None:  # quoted, or a block: always text
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    if _FLOAT.fullmatch(text):
        return _number(text)
    return text


def _number(text: str) -> int | float:
    value = float(text)
    if abs(value) == float("inf") or (_INTEGER.fullmatch(text) and abs(value) >= _LARGEST):
        raise ValueError(f"{text[:20]}{'...' * (len(text) > 20)} is too large a number")
    if _INTEGER.fullmatch(text):
        return int(text)
    return int(value) if "e" in text.lower() and value.is_integer() and abs(value) < _EXACT else value


class _Composer(yaml.SafeLoader):
    """PyYAML up to its tree of nodes: plain scalars stay text, and anchors, aliases and tags are refused."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - PyYAML's own attribute
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        for what, is_there in (
            ("aliases (*)", isinstance(event, yaml.AliasEvent)),
            ("anchors (&)", getattr(event, "anchor", None) is not None),
            ("tags (!)", getattr(event, "tag", None) is not None),
        ):
            if is_there:
                raise RefusedError(f"{what} are not part of a suite: write the value out", event.start_mark)
        if self._depth > _DEEPEST:
            raise RefusedError("nested too deeply", event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Only in this style does PyYAML keep Unicode's line breaks.
    style = '"' if re.search("[\x85\u2028\u2029]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
# Text that this reader would read as a number is quoted, in addition to what PyYAML itself quotes.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"(?:{_FLOAT.pattern})$"), list("-+.0123456789"))
