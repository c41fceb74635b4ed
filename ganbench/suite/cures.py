"""What to write in place of a key or a value that is not of a suite's shape: the end of a message, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ganbench.core.messages import shown, suggest
from ganbench.core.spelling import as_list, counted, of_number, respelled
from ganbench.plugin.words import average_cure, key_cure, published_cure
from ganbench.suite.document import flow
from ganbench.suite.mistake import Place

_LONGEST, _LONG = 20, 60
_TRUE, _FALSE = ("yes", "on", "true", "y"), ("no", "off", "false", "n", "none", "null", "nil", "", "0", "{}", "[]")
#: What every variant has.
_ALWAYS = ("loss", "architecture", "update", "optimizer")
#: A range of seeds: ``range(3)``, ``range(2, 5)``, ``0-9``, ``0..9``, ``0:10``.
_RANGE = re.compile(r"(?:np\.arange|arange|range)\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_FROM_TO = re.compile(r"(\d+)\s*(-|\.\.\.?|:|to)\s*(\d+)")
#: What a cure says to write once in a suite.
_WRITES = re.compile(r"write (budget|evaluate|seeds|precision|suite|description): (?:\{(\w+):)?")


def of_key(key: str, value: Any, known: Mapping[str, Any], homes: Mapping[str, str], suite: Any) -> str:
    """What to write for a key that is none here.

    Args:
        key: the key.
        value: what was written there.
        known: the keys that there are at its place.
        homes: for keys of other places: where they belong.
        suite: the whole document, which may say already what the key says.

    Returns:
        The end of a message, such as ``, it belongs in 'budget'``; empty where nothing is known.
    """
    plain = "" if isinstance(value, Mapping | bool) or value is None else shown(value)
    if {"decay", "width"} <= set(known) and (cure := average_cure(key)):
        return cure
    if key in homes:
        place = homes[key].removeprefix("in ").strip("'")
        return f", it belongs {homes[key]}{_there(f'write {place}: {{{key}: ', suite)}"
    cure = key_cure(key, plain)
    if isinstance(value, list) and "seeds: [" in cure:
        cure = f": write seeds: {flow(value)}"
    return f"{cure}{_there(cure, suite)}" if cure else suggest(key, known)


def of_published(key: str, known: Mapping[str, Any]) -> str:
    """What to write for a key that is none of those ``known`` of a published row, or of its source."""
    return published_cure(key) or suggest(key, known)


def _there(cure: str, suite: Any) -> str:
    """The end of a cure where the suite has what it says to write, for instance ``budget: {steps: 100}``."""
    found = _WRITES.search(cure)
    said = suite.get(found[1]) if found and isinstance(suite, Mapping) else None
    if found and found[2]:
        said = {found[2]: said[found[2]]} if isinstance(said, Mapping) and found[2] in said else None
    if found is None or said is None:
        return ""
    written = flow({found[1]: said})[1:-1]
    return f"; or delete it: {written if len(written) < _LONG else found[1]} is there already"


def of_value(place: Place, found: Any, schema: Mapping[str, Any]) -> str:
    """What to write in place of a value that is not of the shape that is wanted.

    Args:
        place: where it is.
        found: the value.
        schema: the JSON schema of what is wanted.

    Returns:
        The end of a message, such as ``: write [jsd]``; empty where nothing is known.
    """
    none = "none" if found is None else str(found).lower()
    match place:
        case (*_, "penalty") if none in _FALSE:
            return ": write [] for none"
        case (*_, "average") if none in _FALSE:
            return ": write null for none"
        case (*_, "sweep" | "expect") if none in _FALSE:
            return ": write null for none"
        case (*_, "schedule") if none in _FALSE:
            return ": write null for none"
        case (*_, "optimizer", "generator" | "discriminator") if none in _FALSE:
            return ": write null for nothing of its own"
        case (*_, "optimizer") | (*_, "optimizer", "generator" | "discriminator") if type(found) in (int, float):
            return f": write {flow({'lr': found})}"
        case ("defaults" | "variants", *_, "loss" | "architecture" | "update") if _names_in(found):
            part, each = str(place[-1]), {name: {place[-1]: name} for name in found}
            return f": each {part} is a variant of its own, write variants: {flow(each)}"
        case (*_, "guard") if none in _FALSE:
            return ": write false at each measure that is not to be judged, as {jsd: false}, or leave the key out"
        case ("defaults" | "variants", *_, part) if part in _ALWAYS and none in _FALSE:
            return f": each variant has one, name another (ganbench list {part}), or leave the key out for the default"
        case ("seeds", *_):
            return _of_seeds(found, len(place) > 1)
        case ("metrics" | "references" | "observers",):
            return _listed(found, none=place != ("metrics",))
        case ("datasets" | "variants" as section,) if isinstance(found, list | str):
            entry = _named_entry(section, found[0] if isinstance(found, list) and found else found)
            return f": write names to choices, as {flow(entry)}" if entry else ""
        case ("variants", _) if isinstance(found, str):
            return f": write {flow({'loss': found})}"
        case ("variants", _) if found is None:
            return ": write {} for the defaults alone, or its loss, as {loss: minimax}"
        case ("budget" | "evaluate" as section,) if type(found) is int:
            return f": write {flow({'steps' if section == 'budget' else 'every': found})}"
        case ("variants", _, "expect", *_) if isinstance(found, str):
            return _of_expect(found)
        case ("precision",):
            return _of_precision(found)
        case (*_, "penalty") if isinstance(found, int | float):
            return key_cure("penalty-weight", shown(found))
        case (*_, "average") if str(found).lower() in _TRUE:
            return ": write 0.999, the decay at each step"
        case (*_, "average") if isinstance(found, list):
            return ": write one, and the others in a sweep of average.decay"
        case ("sweep", *_) | ("variants", _, "sweep", *_):
            return _swept(place, found)
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str) and len(place) > 1:
        return f": write {found[0]} without the brackets"
    return respelled(found, schema) if isinstance(found, str) else of_number(found, schema)


def of_nameless(kind: str, parameters: Mapping[str, Any], names: list[str]) -> str:
    """What to write in a choice that has no name; empty where that is not known.

    Args:
        kind: the kind of plugin.
        parameters: what was written.
        names: the plugins of that kind.

    Returns:
        For example ``write {name: hinge}``.
    """
    for key, value in parameters.items():
        # What is left out here would have its default, without a word.
        others = {name: other for name, other in parameters.items() if name != key}
        if key in ("type", "kind", "class", "_target_", "id", "cls", kind) and isinstance(value, str):
            return f"write {flow({'name': value, **others})}"
        if key in names and kind == "penalty" and len(others) and all(name in names for name in others):
            return f"write a list, {flow([{'name': name, **_own(kind, own)} for name, own in parameters.items()])}"
        if key in names:
            own = _own(kind, value)
            number = "" if own or isinstance(value, Mapping) or value is None else f", and what {shown(value)} is"
            return f"write {flow({'name': key, **own, **others})}{number}"
    return ""


def _own(kind: str, value: Any) -> dict[str, Any]:
    """The parameters in what stands at a plugin's name: of a penalty a number is its weight."""
    if kind == "penalty" and isinstance(value, int | float):
        return {"weight": value}
    return dict(value) if isinstance(value, Mapping) else {}


def _names_in(found: Any) -> bool:
    return isinstance(found, list) and len(found) > 1 and all(isinstance(name, str) for name in found)


def _of_seeds(found: Any, inner: bool) -> str:
    text = found if isinstance(found, str) else ""
    if text.lower() in ("none", "null", "default", "auto"):
        return ": leave the key out for 16"
    if isinstance(found, float) and found.is_integer():
        return f": write {int(found)}"
    if between := _RANGE.fullmatch(text):
        first, last = (0, int(between[1])) if between[2] is None else (int(between[1]), int(between[2]))
        return _seeds(first, last, inner)
    if (between := _FROM_TO.fullmatch(text)) and (between[2] != ":" or int(between[1]) == 0):
        return _seeds(int(between[1]), int(between[3]) + (between[2] != ":"), inner)
    if not inner and (listed := as_list(text)):
        return f": write {listed}"
    if isinstance(found, Mapping) and len(found) == 1 and type(count := next(iter(found.values()))) is int:
        return f": write {count}"
    if isinstance(found, Mapping):
        return _from_to(found, inner)
    return f": write {text}" if text.isdecimal() else counted(text) or respelled(text, {})


def _from_to(given: Mapping[Any, Any], inner: bool) -> str:
    """The seeds of a mapping such as ``{start: 0, stop: 4}``: from the first to before ``stop``, or to ``last``."""
    numbers = {key: value for key, value in given.items() if type(value) is int}
    first = next((numbers[key] for key in ("start", "from", "first", "min") if key in numbers), 0)
    for end, after in {
        "stop": 0,
        "end": 0,
        "to": 1,
        "last": 1,
        "max": 1,
        "n": first,
        "num": first,
        "count": first,
    }.items():
        if end in numbers:
            return _seeds(first, numbers[end] + after, inner)
    return ""


def _named_entry(section: str, first: Any) -> dict[str, Any]:
    """The first item of a list, as an entry of the mapping that is wanted; empty where its name is not known."""
    if isinstance(first, str):
        return {first: first if section == "datasets" else {"loss": first}}
    if not isinstance(first, Mapping):
        return {}
    inner = first.get("name", first.get("loss") if section == "variants" else None)
    name = inner.get("name") if isinstance(inner, Mapping) else inner
    own = {key: value for key, value in first.items() if key != "name" or section == "datasets"}
    return {name: own} if isinstance(name, str) else {}


def _seeds(first: int, end: int, inner: bool) -> str:
    if not 0 <= first < end:
        return ""
    if first == 0:
        return f": write seeds: {end} for the seeds 0 to {end - 1}"
    if end - first > _LONGEST:
        return ": write each seed in the list"
    listed = ", ".join(map(str, range(first, end)))
    return f": write {listed}" if inner else f": write [{listed}]"


def _of_precision(found: Any) -> str:
    word = str(found).lower()
    if any(mark in word for mark in ("bf16", "16")):
        return ": write bfloat16, the only one of 16 bits" if "b" not in word else ": write bfloat16"
    return ": write float32" if any(mark in word for mark in ("32", "full", "float", "single")) else ""


def _of_expect(found: str) -> str:
    word = found.lower()
    if any(mark in word for mark in ("fail", "diverge", "collapse", "lost", "negative")):
        return ": write fails"
    return ": write converges" if any(mark in word for mark in ("conver", "pass", "succe", "positive")) else ""


def _listed(found: Any, none: bool) -> str:
    if str(found).lower() in _FALSE:
        return ": write [] for none" if none else ": leave the key out for the default"
    if found == "all":
        return ": write each in a list"
    if isinstance(found, str):
        names = [name for name in re.split(r"[,\s]+", found.strip("()")) if name]
        return f": write {flow(names)}"
    if isinstance(found, Mapping) and found:
        named = (
            [found]
            if "name" in found
            else [{"name": name, **(own if isinstance(own, Mapping) else {})} for name, own in found.items()]
        )
        return f": write {flow([one if len(one) > 1 else one['name'] for one in named])}"
    return ""


def _swept(place: Place, found: Any) -> str:
    if isinstance(found, Mapping) and isinstance(place[-1], str) and found and place[-1] != "sweep":
        inner, values = next(iter(found.items()))
        if "." in place[-1]:
            # It leads to a parameter: the mapping is a range, or values under a word, as searches of other tools have.
            lists = [one for one in found.values() if isinstance(one, list) and len(one) > 1]
            ends = [one for one in found.values() if type(one) in (int, float)][:2] or [1e-4, 1e-3]
            return f": write {flow(lists[0])}" if lists else f": write each value in a list, as {flow(ends)}"
        return f": write {flow({f'{place[-1]}.{inner}': values if isinstance(values, list) else [values]})}"
    if isinstance(found, int | float) and not isinstance(found, bool):
        return f": write [{shown(found)}]"
    if isinstance(found, str):
        return f": write {listed}" if (listed := as_list(found)) else ": write the values in a list, as [1e-4, 1e-3]"
    return ""
