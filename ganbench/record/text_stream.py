"""Text files as streams: packed or not, in the encoding that their first bytes say, and never without end."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ganbench.record.sample_file import UnreadableError

#: A line is no longer than this, and a file, unpacked, no larger.
LONGEST_LINE, LARGEST = 2**26, 2**34


def _zipped(path: Path, mode: str) -> IO[bytes]:
    archive = zipfile.ZipFile(path)
    names = [info for info in archive.infolist() if not info.is_dir()]
    if len(names) != 1:
        raise UnreadableError(f"{path}: holds {len(names)} files: give one of them alone")
    return archive.open(names[0])


_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zip": _zipped}
#: The endings of packed text.
PACKED = tuple(_OPENERS)


class _Bounded(io.RawIOBase):
    """Bytes as they come, until a line or the whole is longer than text of numbers can be."""

    def __init__(self, path: Path, source: IO[bytes]) -> None:
        self._path, self._source = path, source
        self._line = self._all = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer; raises UnreadableError where there is no end in sight."""
        block = self._source.read(len(buffer))
        last = max(block.rfind(b"\n"), block.rfind(b"\r"))
        self._line = self._line + len(block) if last < 0 else len(block) - last
        self._all += len(block)
        for size, limit, what in ((self._line, LONGEST_LINE, "a line"), (self._all, LARGEST, "text")):
            if size > limit:
                raise UnreadableError(f"{self._path}: holds {what} of more than {limit:,} bytes: is it text?")
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the file."""
        self._source.close()
        super().close()


def open_text(path: Path) -> IO[str]:
    """A text file, packed or not; line ends are as they are. Raises OSError as ``open`` does."""
    opener = _OPENERS.get(path.suffix.lower(), open)
    source: IO[bytes] = opener(path, "rb")
    with source:
        start = source.read(4)
    utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf16 else "utf-8-sig"
    return io.TextIOWrapper(io.BufferedReader(_Bounded(path, opener(path, "rb")), 2**16), encoding=encoding, newline="")
