"""Whether a distribution can be trained on and measured.

What is wrong is found before training, and in the data: later a loss or a generator would seem to be at fault.
"""

from __future__ import annotations

import inspect
import math
import operator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.core.rng import stream
from ganbench.data.density import check_density
from ganbench.data.finite_set import parts_of
from ganbench.data.labels import check_labels
from ganbench.data.phases import check_phases, phases

#: So many samples are drawn, but no more numbers than the second.
DRAWN, NUMBERS = 1000, 2**22
#: Of larger data so many numbers are looked at at once.
AT_ONCE = 2**20
#: From so many samples on it is asked whether another seed has others.
MANY = 64
#: Of the held-out rows so many are looked for among the training rows. A larger share than the second, above what
#: repeats in the data explain, is a mistake.
SOUGHT, MOST_SHARED = 2000, 0.5


def check_soundness(distribution: Any) -> None:
    """Check a distribution before training; its shape becomes a tuple of Python's numbers where it is another list.

    Where the data change during training, each phase is checked. Raises ValueError, one line, at the first thing that
    is wrong.
    """
    check_phases(distribution)
    for _, own in phases(distribution):
        _check_one(own)


def _check_one(distribution: Any) -> None:
    settle_shape(distribution)
    for name, rows in parts_of(distribution).items():
        _check_part(name, rows, distribution.shape)
    samples = checked_samples(distribution)
    _check_apart(distribution)
    check_density(distribution, samples)
    check_labels(distribution)


def settle_shape(distribution: Any) -> None:
    """Make the shape a tuple of Python's whole numbers: a list, or numbers of numpy, mean the same.

    Raises ValueError for what is no shape of a sample.
    """
    given = distribution.shape
    try:
        sizes = tuple(operator.index(size) for size in given)
    except TypeError:
        raise ValueError(f"shape must be a tuple of whole numbers, such as (2,), not {_shown(given)}") from None
    if not sizes or min(sizes) < 1:
        cure = "; where a sample is a single number it is (1,)" if not sizes else ""
        raise ValueError(f"shape must be a tuple of whole numbers above 0, such as (2,), not {sizes}{cure}")
    if type(given) is not tuple or any(type(size) is not int for size in given):
        try:
            distribution.shape = sizes
        except (AttributeError, TypeError):
            raise ValueError(f"shape must be a plain tuple, and is {_shown(given)}: give {sizes}") from None


def checked_samples(distribution: Any, n: int | None = None) -> Tensor:
    """Some samples, drawn twice to see that they depend on the generator alone.

    ``n``: how many; by default as many as are needed to find what few samples do not show. Raises ValueError where
    ``sample`` fails or gives anything but finite numbers of the right kind.
    """
    n = n or max(4, min(DRAWN, NUMBERS // math.prod(distribution.shape)))
    try:
        inspect.signature(distribution.sample).bind(n, None)
    except ValueError:  # of a function without a signature
        pass
    except TypeError:
        raise ValueError(
            "sample() must take n and a generator, and draw from that: def sample(self, n, generator), with "
            "torch.randn(n, 2, generator=generator, device=generator.device) and the like"
        ) from None
    try:
        samples, again = (_drawn(distribution, n, 0) for _ in range(2))
    except BaseException as error:
        raise_if_stopped(error)
        raise ValueError(f"sample({n}): {error_line(error)}") from error
    if not isinstance(samples, Tensor):
        raise ValueError(f"sample() must return a float32 tensor, not {_kind(samples)}")
    if samples.dtype != torch.float32:
        cure = "return it with .float()" if samples.dtype.is_floating_point else "scale it, and return it as float32"
        raise ValueError(f"sample() must return a float32 tensor, not a {samples.dtype} tensor: {cure}")
    wanted = (n, *distribution.shape)
    if tuple(samples.shape) != wanted:
        raise ValueError(f"sample({n}) must have the shape {wanted}, not {tuple(samples.shape)}")
    if samples.device.type != "cpu":
        raise ValueError(f"sample() must be on the generator's device, generator.device, not on {samples.device}")
    if found := _not_finite(samples):
        raise ValueError(f"sample() gives numbers that are not finite ({found[0]} in {found[2]} of {n} samples)")
    if not torch.equal(samples, again):
        raise ValueError("sample() must draw from the generator it is given, and from nothing else")
    # So many different samples do not come again by chance.
    seeded = n < MANY or len(np.unique(_names(samples[:MANY]))) <= MANY // 4
    if not seeded and torch.equal(samples, _drawn(distribution, n, 1)):
        raise ValueError("sample() gives the same samples for every seed: draw from the generator it is given")
    return samples


def _drawn(distribution: Any, n: int, seed: int) -> Any:
    with process_kept():
        return distribution.sample(n, stream(seed, "check"))


def _check_part(name: str, rows: Any, shape: tuple[int, ...]) -> None:
    wanted = f"(n, {', '.join(map(str, shape))})"
    if not isinstance(rows, Tensor) or rows.dtype not in (torch.float32, torch.uint8):
        raise ValueError(f"{name} must be a float32 tensor {wanted}, not {_kind(rows)}: ganbench.Finite makes one")
    if tuple(rows.shape[1:]) != tuple(shape) or rows.ndim == 0:
        raise ValueError(f"{name} must have the shape {wanted}, not {tuple(rows.shape)}")
    if rows.is_meta:
        raise ValueError(f"{name} holds no numbers: it is on the device meta; make it on the CPU")
    if not len(rows):
        cure = "; shuffle the data with a fixed seed, and hold some of it out" if name == "held_out" else ""
        raise ValueError(f"{name} has no rows{cure}")
    if rows.is_floating_point() and (found := _not_finite(rows)):
        value, first, count = found
        raise ValueError(
            f"{name} holds numbers that are not finite ({value} in row {first}; in {count} of {len(rows)} rows): "
            "leave such rows out, or fill them"
        )


def _check_apart(distribution: Any) -> None:
    shared, repeated = shared_rows(distribution)
    if shared - repeated > MOST_SHARED:
        raise ValueError(
            f"held_out has the rows of training ({100 * shared:.3g} % of them), so whoever copies them has perfect "
            "scores: shuffle the data with a fixed seed, and give each row to one of the two"
        )


def shared_rows(distribution: Any) -> tuple[float, float]:
    """The share of a finite set's held-out rows that are training rows too, and of training rows that repeat.

    Where the second is as large as the first, equal rows are all over the data.
    """
    parts = parts_of(distribution)
    if parts.keys() < {"training", "held_out"}:
        return 0.0, 0.0
    training, held_out = parts["training"], parts["held_out"]
    if training.shape == held_out.shape and torch.equal(training, held_out):
        return 1.0, 0.0
    names, counts = np.unique(_names(training), return_counts=True)
    step = -(-len(held_out) // SOUGHT)
    found = np.isin(_names(held_out[::step]), names)
    return float(found.mean()), float(counts[counts > 1].sum() / len(training))


def _names(rows: Tensor) -> np.ndarray:
    """A number for each row, (n,), the same for equal rows; for two others by chance, once in 2^48."""
    width = math.prod(rows.shape[1:])
    factors = np.random.RandomState(0).randint(0, 2**64, width, np.uint64) | np.uint64(1)
    found = []
    for some in _in_parts(rows):
        words = some.flatten(1).cpu().contiguous().numpy()
        if words.dtype == np.float32:
            words = (words + np.float32(0)).view(np.uint32)  # 0 is the same number as -0
            # The lower half of a float is often 0, as a whole number's: a product would be too.
            words ^= words >> 16
        found.append((words * factors).sum(1, dtype=np.uint64))
    return np.concatenate(found)


def _in_parts(rows: Tensor) -> tuple[Tensor, ...]:
    """The rows, so many at once that what is computed from all their numbers is not larger than a small data set."""
    return torch.split(rows, max(1, AT_ONCE // max(1, math.prod(rows.shape[1:]))))


def _not_finite(rows: Tensor) -> tuple[float, int, int] | None:
    """The first number that is not finite, its row, and how many rows have one; None where all are finite."""
    bad = torch.nonzero(torch.cat([~some.flatten(1).isfinite().all(dim=1) for some in _in_parts(rows)])).flatten()
    if not len(bad):
        return None
    first = int(bad[0])
    numbers = rows[first].flatten()
    return float(numbers[~numbers.isfinite()][0]), first, len(bad)


def _kind(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor"
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__}: the samples alone, without labels"
    if isinstance(value, np.ndarray):
        return f"ndarray ({value.dtype}, of numpy)"
    return type(value).__name__


def _shown(given: Any) -> str:
    text = "a method (write @property above it)" if callable(given) else repr(given)
    return text if len(text) <= 60 else text[:57] + "..."
