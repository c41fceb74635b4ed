"""Text from plugins, files and other people's runs, without what would control a terminal, a log or a CI service."""

from __future__ import annotations

import re

#: Control characters but tab and newline, separators of lines, changes of direction, and halves of characters.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: A line that begins so is a command to GitHub's runner.
_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)


def without_controls(text: str) -> str:
    r"""The text with its control characters written out, ``\x1b``; newlines and tabs are kept."""
    if text.isascii() and text.isprintable() and "::" not in text:
        return text
    return _COMMAND.sub(r"\1: :", _CONTROLS.sub(_written, text.replace("\r\n", "\n")))


def has_controls(text: str) -> bool:
    """Whether a text has control characters, newlines and tabs among them."""
    return any(found[0] < "\ud800" for found in re.finditer(f"[\n\t]|{_CONTROLS.pattern}", text))


def on_one_line(text: str) -> str:
    """The same, with newlines and tabs written out too."""
    return without_controls(text.replace("\n", "\\n").replace("\t", "\\t"))


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
