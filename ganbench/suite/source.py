"""The text of a suite's file: one that ends, is small, and is UTF-8."""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

from ganbench.core.names import no_path_here
from ganbench.suite.mistake import Mistake, SuiteError

#: In bytes: more takes PyYAML longer than a few seconds.
_LARGEST = 1_000_000
_ODD = {
    stat.S_IFIFO: "is a pipe, not a file: write the suite to a file first",
    stat.S_IFCHR: "is a device, not a suite file",
    stat.S_IFBLK: "is a device, not a suite file",
    stat.S_IFSOCK: "is a socket, not a suite file",
    stat.S_IFDIR: "is a folder, not a suite file",
}
_OTHER = {".py": "Python", ".toml": "TOML", ".ini": "INI", ".cfg": "INI", ".csv": "CSV", ".ipynb": "Jupyter"}
#: Longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip


def text_of(path: Path) -> str:
    """The text of a file; raises SuiteError where it is missing, endless, too large or no UTF-8 text."""
    file = str(path)
    try:
        if message := no_path_here(path):
            raise SuiteError([Mistake(file, 0, 0, "", message)])
        about = path.stat()
        if message := _ODD.get(stat.S_IFMT(about.st_mode)) or _language(path) or _too_large(about.st_size):
            raise SuiteError([Mistake(file, 0, 0, "", message)])
        content = path.read_bytes()
    except FileNotFoundError:
        raise SuiteError([Mistake(file, 0, 0, "", "no such file")]) from None
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        raise SuiteError([Mistake(file, 0, 0, "", f"cannot be read: {cause}")]) from None
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            raise SuiteError([Mistake(file, 1, 1, "", f"is {encoding} text: save it as UTF-8")])
    if b"\0" in content[:1000]:
        what = "UTF-16 text" if content[:1000].count(b"\0") > len(content[:1000]) // 4 else "no text"
        raise SuiteError([Mistake(file, 1, 1, "", f"is {what}: save it as UTF-8")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = end_of(content[: error.start].decode("utf-8", "replace"))
        message = f"is not UTF-8 text (byte 0x{content[error.start]:02x}): save it as UTF-8"
        raise SuiteError([Mistake(file, line, column, "", message)]) from None


def end_of(text: str) -> tuple[int, int]:
    """Line and column, from 1, of the end of a text."""
    lines = re.split(r"\r\n|[\r\n\x85\u2028\u2029]", text)
    return len(lines), len(lines[-1]) + 1


def _language(path: Path) -> str:
    language = _OTHER.get(path.suffix.lower())
    return f"is a {language} file by its name, and a suite is YAML: name it .yaml" if language else ""


def _too_large(size: int) -> str:
    return f"has {size / 1e6:.1f} MB; a suite has at most 1 MB" if size > _LARGEST else ""
