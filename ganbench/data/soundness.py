"""Whether a distribution can be trained on and measured: what is wrong with it, and what is only unusual.

What is wrong is found before training, and in the data: later a loss or a generator would seem to be at fault.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.core.errors import error_line, raise_if_stopped
from ganbench.core.process_state import process_kept
from ganbench.core.rng import stream
from ganbench.data.finite_set import parts_of
from ganbench.data.phases import check_phases, phases

#: So many samples are drawn, but no more numbers than the second.
DRAWN, NUMBERS = 1000, 2**22
#: Of larger data so many numbers are looked at at once.
AT_ONCE = 2**20
#: From so many samples on it is asked whether another seed has others.
MANY = 64
#: The log-density is computed of so many of these.
HEIGHTS = 100
#: The share of them where the density may be 0.
FEW_ABSENT = 0.1
#: Of the held-out rows so many are looked for among the training rows. A larger share than the first, above what
#: repeats in the data explain, is said, and a larger one than the second is a mistake.
SOUGHT, SHARED, MOST_SHARED = 2000, 0.01, 0.5
#: A column with at most so many values is called discrete.
FEW_VALUES = 20
#: An image's values beyond this are not on the scale of a generator that ends in tanh.
TANH = 1.05


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
    _check_density(distribution, samples[:HEIGHTS])


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


def remarks(distribution: Any) -> tuple[str, ...]:
    """What is unusual about a sound distribution and may be a mistake, in one line each."""
    parts = parts_of(distribution)
    few = [f"{name} has only {len(rows)} rows" for name, rows in parts.items() if len(rows) < FEW_VALUES]
    rows = parts["training"][:DRAWN] if "training" in parts else checked_samples(distribution)
    look = _scale if len(distribution.shape) > 1 else _discrete
    shared = _shared(distribution)
    leak = f"{100 * shared:.2g} % of the held-out rows are training rows too" if shared > SHARED else ""
    turns = ", ".join(f"{share:g}" for share, _ in phases(distribution)[1:])
    moves = f"the data change at {turns} of the training's steps: references have the last phase" if turns else ""
    return tuple(filter(None, (*few, leak, look(rows), moves)))


def _check_part(name: str, rows: Any, shape: tuple[int, ...]) -> None:
    wanted = f"(n, {', '.join(map(str, shape))})"
    if not isinstance(rows, Tensor) or rows.dtype not in (torch.float32, torch.uint8):
        raise ValueError(
            f"{name} must be a float32 tensor {wanted}, not {_kind(rows)}: ganbench.data.finite_set.Finite makes one"
        )
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
    shared = _shared(distribution)
    if shared > MOST_SHARED:
        raise ValueError(
            f"held_out has the rows of training ({100 * shared:.3g} % of them), so whoever copies them has perfect "
            "scores: shuffle the data with a fixed seed, and give each row to one of the two"
        )


def _shared(distribution: Any) -> float:
    """The share of the held-out rows that are training rows too, above what repeats among the training rows explain."""
    parts = parts_of(distribution)
    if parts.keys() < {"training", "held_out"}:
        return 0.0
    training, held_out = parts["training"], parts["held_out"]
    if training.shape == held_out.shape and torch.equal(training, held_out):
        return 1.0
    names, counts = np.unique(_names(training), return_counts=True)
    step = -(-len(held_out) // SOUGHT)
    found = np.isin(_names(held_out[::step]), names)
    return float(found.mean() - counts[counts > 1].sum() / len(training))


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


def _check_density(distribution: Any, samples: Tensor) -> None:
    if not callable(density := getattr(distribution, "log_density", None)):
        return
    x = samples.double().numpy()
    try:
        with process_kept():
            heights, alone = density(x), density(x[:1])
    except BaseException as error:
        raise_if_stopped(error)
        raise ValueError(f"log_density: {error_line(error)}") from error
    if not isinstance(heights, np.ndarray) or heights.dtype.kind != "f":
        raise ValueError(f"log_density must return a float64 array of numpy, not {_kind(heights)}")
    if heights.shape != (len(x),):
        raise ValueError(f"log_density must have the shape ({len(x)},) for {len(x)} samples, not {heights.shape}")
    # A sample may be rounded out of the region where the density is positive, but only a few can be.
    absent = np.isneginf(heights)
    bad = ~np.isfinite(heights) & ~absent if absent.mean() <= FEW_ABSENT else ~np.isfinite(heights)
    if bad.any():
        found = " and ".join(dict.fromkeys(str(height) for height in heights[bad]))
        raise ValueError(f"log_density gives {found} at {bad.sum()} of {len(x)} of the data's own samples")
    if np.shape(alone) != (1,) or not np.allclose(alone, heights[:1], rtol=1e-4, atol=1e-4):
        raise ValueError("log_density of a sample must not depend on the samples that are given with it")


def _discrete(rows: Tensor) -> str:
    """Which columns have few values: a generator whose outputs differ from these is as far from them as possible."""
    counts = [len(np.unique(column)) for column in rows.cpu().numpy().T]
    some = [index for index, count in enumerate(counts) if count <= min(FEW_VALUES, len(rows) // 5)]
    if not some:
        return ""
    most = max(counts[index] for index in some)
    values = "1 value" if most == 1 else f"at most {most} values"
    return (
        f"{_columns(some, len(counts))} {'has' if len(some) == 1 else 'have'} {values} (classes, labels, a constant?): "
        "a generator that does not give exactly these is told from the data by them alone, with a JSD of up to log 2"
    )


def _columns(some: list[int], total: int) -> str:
    if len(some) == 1:
        return f"column {some[0]} of {total}"
    if some == list(range(some[0], some[-1] + 1)):
        return f"columns {some[0]} to {some[-1]} of {total}"
    return f"{len(some)} of {total} columns, the first is column {some[0]},"


def _scale(rows: Tensor) -> str:
    low, high = float(rows.min()), float(rows.max())
    if rows.dtype == torch.uint8 or max(-low, high) <= TANH:
        return ""
    cure = "give Finite uint8, which it scales" if low >= 0 and TANH < high <= 255 and high > 2 else "scale them"
    return f"images run from {low:.3g} to {high:.3g}, and a generator that ends in tanh from -1 to 1: {cure}"


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
