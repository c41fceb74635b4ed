"""What a text was meant to be, where a number, a list or a truth value is wanted: how a suite would write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
#: A minus sign, a dash or a hyphen that is no ASCII character.
_MINUS = re.compile("[\u2010-\u2015\u2212]")
_TRUTH = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_TIMES = {"k": 1_000, "m": 1_000_000, "thousand": 1_000, "million": 1_000_000}
#: A number with what it counts; an epoch is no count of steps, and a time no number of anything.
_COUNTED = re.compile(r"(.*\d.*?)\s*([A-Za-z]+)")
_COUNTS = re.compile(
    r"(step|iter|iteration|it|update|sample|image|point|example|seed|run|unit|neuron|channel|layer|mode)s?"
)
_EPOCHS = ("epoch", "epochs")
_DURATION = re.compile(r"h|hours?|hrs?|mins?|minutes?|s|secs?|seconds?|d|days?")
_VARIABLE = re.compile(r"\$\{.*\}|\$\w+|\{\{.*\}\}|%\(.*\)s|<\w+>", re.DOTALL)
_NOTHING = ("none", "nil", "null", "undefined")
_OFF = ("off", "no", "false")
#: A whole number whose digits are in groups of three, in English.
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")


def respelled(text: str, schema: Mapping[str, Any]) -> str:
    """What to write in place of ``text``, as the end of a message: ``: write 0.0002``; empty where that is not known.

    Args:
        text: what was written, a text where another value is wanted.
        schema: the JSON schema of the value that is wanted.
    """
    word = unicodedata.normalize("NFKC", _MINUS.sub("-", text)).strip()
    options = list(_options(schema))
    wanted = {option.get("type") for option in options}
    for option in (one for node in options for one in node.get("enum", [node.get("const")])):
        if isinstance(option, str) and option != text and _bare(option) == _bare(word):
            return f": write {option}"
    if "string" in wanted:
        return ""
    if _VARIABLE.search(text):
        return ": variables are not replaced in a suite, write the value"
    if word.lower() in _NOTHING:
        return of_nothing(schema) or ": leave the key out to have the default"
    if word.lower() in _OFF and (cure := of_nothing(schema)):
        return cure
    if "boolean" in wanted and word.lower() in (*_TRUTH, "true", "false"):
        return f": write {_TRUTH.get(word.lower(), word.lower())}"
    if "array" in wanted and (listed := as_list(word) or _named(word, options)):
        return f": write {listed}"
    number = as_number(word) if wanted & {"number", "integer"} else ""
    if number and ("number" in wanted or _is_whole(number)):
        return f": write {number}"
    return "" if number or not wanted & {"number", "integer"} else counted(word)


def of_nothing(schema: Mapping[str, Any]) -> str:
    """What to write for nothing of it, as the end of a message; empty where there is always something.

    Leaving the key out is none of it only where that is the default, and no layer below says otherwise.
    """
    options = list(_options(schema))
    wanted = {option.get("type") for option in options}
    if "null" in wanted:
        return ": write null"
    if "boolean" in wanted:
        return ": write false"
    if any(option.get("minimum") == 0 and option.get("type") in ("number", "integer") for option in options):
        return ": write 0 for none, or leave the key out to have the default"
    return ""


def _is_whole(number: str) -> bool:
    return not re.fullmatch(_NUMBER, number) or float(number).is_integer()


def counted(word: str) -> str:
    """What to write where a number stands with what it counts, as ``100 steps``; empty where nothing is known."""
    found = _COUNTED.fullmatch(word)
    number, unit = (as_number(found[1]), found[2].lower()) if found else ("", "")
    if number and unit in _EPOCHS:
        return ": an epoch of n samples is n / batch steps, write the number of steps"
    if number and _DURATION.fullmatch(unit):
        return ": it is no duration, write a number; `ganbench plan` says how long a suite takes"
    return f": write {number}, without {unit!r}" if number and _COUNTS.fullmatch(unit) else ""


def of_other(found: Any, schema: Mapping[str, Any]) -> str:
    """The same for a value that is no text: a list where one value is wanted, or nothing at all."""
    if cure := of_number(found, schema):
        return cure
    if isinstance(found, list) and not {option.get("type") for option in _options(schema)} & {"array", None}:
        one = f", as {found[0]}" if found and type(found[0]) in (int, float) else ""
        return f": write one value{one} (how many layers there are is a parameter of its own); for several, a sweep"
    return of_nothing(schema) or ": leave the key out to have the default" if found is None else ""


def of_number(found: Any, schema: Mapping[str, Any]) -> str:
    """The same for a number or a truth value where the other, a whole number or nothing is wanted."""
    wanted = {option.get("type") for option in _options(schema)}
    if isinstance(found, float) and "integer" in wanted and found.is_integer() and 1 <= found < 2**53:
        return f": write {int(found)}"
    if type(found) is int and found in (0, 1) and "boolean" in wanted:
        return f": write {'true' if found else 'false'}"
    return of_nothing(schema) if found is False else ""


def as_number(word: str) -> str:
    """The number that a text was meant to be, as a suite writes it; empty where that is not known."""
    word = word.rstrip(",; ")
    if re.fullmatch(_NUMBER, word):
        return word if word.isascii() and "." not in word[-1:] else f"{float(word):g}"
    if _GROUPED.fullmatch(word):
        return (
            f"{word.replace(',', '')}, or {word.replace(',', '.')} for a fraction"
            if word.count(",") == 1
            else (word.replace(",", ""))
        )
    if re.fullmatch(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?", word):
        return word.replace(",", ".")
    if re.fullmatch(_NUMBER, plain := re.sub(r"(?<=\d)[_' ](?=\d)", "", word)):
        return plain
    if found := re.fullmatch(rf"({_NUMBER})\s*(k|K|M|thousand|million)", word):
        return _short(float(found[1]) * _TIMES[found[2].lower()])
    if found := re.fullmatch(rf"({_NUMBER})\s*%", word):
        return _short(float(found[1]) / 100)
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+", word):
        return str(int(word, 0))
    if found := re.fullmatch(rf"({_NUMBER})\s*[*x\u00d7\u00b7]\s*10\s*(?:\*\*|\^)\s*([-+]?\d+)", word):
        return f"{found[1]}e{int(found[2])}"
    if re.fullmatch(rf"{_NUMBER}[fFdDlL]", word):
        return word[:-1]
    if found := re.fullmatch(rf"({_NUMBER})\s*(\*\*|\^|\*|/)\s*({_NUMBER})", word):
        return _computed(float(found[1]), found[2], float(found[3]))
    return ""


def as_list(word: str) -> str:
    """The list that a text was meant to be, as a suite writes it; empty where that is not known."""
    inner = word[1:-1] if word[:1] + word[-1:] in ("()", "[]", "{}") else word
    items = re.split(r"\s*[,;]\s*|\s+", inner.strip().rstrip(","))
    if len(items) > 1 and all(re.fullmatch(_NUMBER, item) for item in items):
        return f"[{', '.join(items)}]"
    return f"[{items[0]}]" if inner != word and re.fullmatch(_NUMBER, items[0]) else ""


def _named(word: str, options: Iterable[Mapping[str, Any]]) -> str:
    """The list of names that a text was meant to be, where such a list is wanted."""
    items = [item for option in options for item in _options(option.get("items", {}))]
    names = re.split(r"\s*[,;]\s*", word)
    listed = any(item.get("type") == "string" for item in items) and all(re.fullmatch(r"[\w.-]+", one) for one in names)
    return f"[{', '.join(names)}]" if listed else ""


def _computed(left: float, sign: str, right: float) -> str:
    try:
        value = left * right if sign == "*" else left / right if sign == "/" else left**right
    except (ArithmeticError, ValueError):
        return ""
    return _short(value) if isinstance(value, float) and abs(value) < 1e15 else ""


def _short(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else f"{value:.12g}"


def _bare(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()


def _options(schema: Mapping[str, Any]) -> Any:
    for key in ("anyOf", "oneOf"):
        if key in schema:
            for option in schema[key]:
                yield from _options(option)
            return
    yield schema
