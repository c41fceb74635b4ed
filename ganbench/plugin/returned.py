"""What a plugin has returned in place of a Distribution or of Networks, and what to return."""

from __future__ import annotations

from typing import Any

_FINITE = "return Finite(training, held_out), of ganbench, with rows that are never trained on in the second"


def not_distribution(built: Any) -> str:
    """Why a value is no Distribution: ``a Tensor of shape (9, 2), which is no Distribution: return Finite(...)``."""
    if isinstance(built, type):
        return f"the class {built.__name__}, not an object of it: return {built.__name__}()"
    missing = [name for name in ("shape", "sample") if not hasattr(built, name)]
    rows = hasattr(built, "dtype") or hasattr(built, "dtypes") or hasattr(built, "__getitem__")
    # A data frame has a method ``sample``, too.
    if built is None or not (missing or rows):
        return f"{described(built)}, which is no Distribution: is its return missing?"
    if rows:
        return f"{described(built)}, which is no Distribution: {_FINITE}"
    return (
        f"{described(built)}, which is no Distribution, for it has no {' and no '.join(missing)}: write the attribute "
        f"shape, as (2,), and sample(self, n, generator), which returns n samples, or {_FINITE}"
    )


def not_networks(built: Any) -> str:
    """Why a value is no Networks: ``a tuple, which is no Networks: return Networks(...)``."""
    cure = "is its return missing?" if built is None else "return Networks(G, D, latent=(2,)), with the shape of one z"
    return f"{described(built)}, which is no Networks: {cure}"


def described(value: Any) -> str:
    """A value by its kind, not by its numbers: ``a Tensor of shape (1000, 2)``, ``nothing``."""
    if value is None:
        return "nothing"
    shape = getattr(value, "shape", None) if hasattr(value, "dtype") or hasattr(value, "dtypes") else None
    kind = type(value).__name__
    if isinstance(value, tuple | list) and 0 < len(value) <= 4:
        kind += f" of {', '.join(type(each).__name__ for each in value)}"
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    return f"{article} {kind}" + (f" of shape {tuple(shape)}" if isinstance(shape, tuple) else "")
