"""Rows of samples as a tensor, from what people have: tensors, arrays, lists, data frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

_COMPLEX = "{} holds complex numbers: give real and imaginary parts as coordinates of their own"


def as_rows(given: Any, name: str) -> Tensor:
    """Rows (n, *shape) as a tensor: float32, or bytes as they are.

    ``name``: what the rows are called in messages. Raises ValueError, one line, for what is no table of numbers.
    """
    if isinstance(given, Tensor):
        rows = given.detach()
        if rows.layout != torch.strided:
            rows = rows.to_dense()
    else:
        rows = torch.from_numpy(_numbers(given, name))
    if rows.dtype.is_complex:
        raise ValueError(_COMPLEX.format(name))
    if rows.ndim == 0:
        raise ValueError(f"{name} must have the shape (n, *shape), and is a single number")
    if rows.ndim == 1:
        raise ValueError(
            f"{name} must have the shape (n, *shape), not ({len(rows)},): where each number is a sample, "
            f"give {name}[:, None]"
        )
    return rows if rows.dtype == torch.uint8 else rows.float()


def _numbers(given: Any, name: str) -> np.ndarray:
    """Anything but a tensor as an array that torch takes: bytes as they are, all other numbers in float32."""
    if callable(dense := getattr(given, "toarray", None)):  # SciPy's sparse matrices
        given = dense()
    if np.ma.is_masked(given):
        raise ValueError(f"{name} has masked entries: leave these rows out, or fill them")
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, RuntimeError):
        what = "rows of different lengths" if isinstance(given, list | tuple) else type(given).__name__
        raise ValueError(f"{name} must be an array of numbers, (n, *shape), not {what}") from None
    if array.ndim == 0 and array.dtype == object:
        raise ValueError(f"{name} must be an array of numbers, (n, *shape), not {type(given).__name__}")
    if array.dtype.kind == "c":
        raise ValueError(_COMPLEX.format(name))
    if array.dtype.kind not in "buif":
        raise ValueError(f"{name} must hold numbers alone, and {_foreign(given, array)}")
    if array.dtype == np.uint8:
        return np.array(array)
    with np.errstate(over="ignore"):  # what is beyond float32's range becomes infinite, and is found as such
        return np.array(array, dtype=np.float32)


def _foreign(given: Any, array: np.ndarray) -> str:
    """What is no number: of a data frame the first such column, else the kind of values."""
    if hasattr(given, "dtypes") and hasattr(given, "columns"):
        for column, kind in zip(given.columns, given.dtypes, strict=True):
            if not isinstance(kind, np.dtype) or kind.kind not in "buif":
                return f"its column {column!s} holds {kind}: drop it, or turn it into float32"
    words = {"O": "Python objects", "U": "text", "S": "text", "M": "dates", "m": "times"}
    return f"holds {words.get(array.dtype.kind, str(array.dtype))}"
