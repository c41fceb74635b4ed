"""The numbers behind the pictures of a page, as bytes: compressed once, and unpacked by the browser."""

from __future__ import annotations

import base64
import zlib

import numpy as np


class Atlas:
    """Arrays of bytes, one after the other."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def size(self) -> int:
        """How many bytes there are so far."""
        return self._size

    def add(self, array: np.ndarray) -> int:
        """Add an array of uint8; returns the place of its first byte."""
        place, content = self._size, np.ascontiguousarray(array, np.uint8).tobytes()
        self._parts.append(content)
        self._size += len(content)
        return place

    def packed(self) -> str:
        """All of them, as ``packed`` writes them."""
        return packed(b"".join(self._parts))


def packed(content: bytes) -> str:
    """Bytes as text for the browser to unpack: deflated, in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()


def levels(values: np.ndarray, low: float | np.ndarray, high: float | np.ndarray) -> np.ndarray:
    """Numbers as bytes.

    Args:
        values: The numbers.
        low: What is 0, as is all below it; it may differ by the last axis.
        high: What is 254, as is all above it.

    Returns:
        An array of uint8 of the same shape; 255 where a number is not finite.
    """
    with np.errstate(invalid="ignore"):
        codes = np.clip(np.round((values - low) / (high - low) * 254), 0, 254)
    return np.where(np.isfinite(values), codes, 255).astype(np.uint8)
