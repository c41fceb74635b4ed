"""Commas inside ``{ }`` that part a value: ``{betas: (0.5, 0.999)}`` has the keys ``betas`` and ``0.999)`` for YAML."""

from __future__ import annotations

import re

import yaml

from ganbench.core.spelling import as_list, as_number

Pair = tuple[yaml.Node, yaml.Node]


def parted(node: yaml.MappingNode) -> tuple[list[Pair], dict[yaml.Node, str]]:
    """The pairs of a mapping without those that are the rest of a value, and for each key of such a value a message."""
    pairs: list[Pair] = []
    broken: dict[yaml.Node, str] = {}
    words: list[str] = []
    for key, value in node.value if node.flow_style else ():
        if not (words and _is_rest(key, value, words)):
            pairs.append((key, value))
            words = [value.value] if _is_plain(value) and value.value else []
            continue
        words.append(key.value)
        broken[pairs[-1][0]] = _message(pairs[-1][0].value, words)
    for key, value in pairs:
        if _is_plain(key) and _is_empty(value) and (found := re.fullmatch(r"([\w.-]+?)\s*[=:]\s*(\S.*)", key.value)):
            broken[key] = f"write {found[1]}: {found[2]}, with a colon and a space"
    return (pairs, broken) if node.flow_style else (list(node.value), {})


def _is_rest(key: yaml.Node, value: yaml.Node, words: list[str]) -> bool:
    """Whether a key without a value goes on with a value: a number, or within its brackets."""
    if not (_is_plain(key) and _is_empty(value)):
        return False
    text = ",".join(words)
    if text.count("(") > text.count(")"):
        return True
    return all(re.fullmatch(r"[-+.\d][-+.\deE]*", word) for word in (key.value, words[0]))


def _message(key: str, words: list[str]) -> str:
    listed, text = as_list(", ".join(words)), ",".join(words)
    number = as_number(text) if len(words) == 2 else ""
    if number and (" or " in number or words[0].lstrip("-+") == "0" or words[1].startswith("0")):
        return f"a comma begins the next key: write {key}: {number}"
    if listed:
        return f"a comma begins the next key: write a list, {key}: {listed}"
    return f"a comma begins the next key, and nothing is computed in a suite: write the value of {key}"


def _is_plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None


def _is_empty(node: yaml.Node) -> bool:
    return _is_plain(node) and node.start_mark.index == node.end_mark.index
