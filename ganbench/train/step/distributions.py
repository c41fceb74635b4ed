"""What torch's random functions give, made from a seed's own uniform and normal numbers.

Each function has the signature of torch's, after the source of the numbers; None: this call is left to torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganbench.plugin.played import RandomSource

#: From the source and the arguments of torch's function to what that would give.
Replacement = Callable[..., Tensor | None]


def _rand(source: RandomSource, *size: Any, **options: Any) -> Tensor:
    """As ``torch.rand``."""
    return _as(source.uniform(*_shape(size, options)), options.get("dtype"))


def _randn(source: RandomSource, *size: Any, **options: Any) -> Tensor:
    """As ``torch.randn``."""
    return _as(source.normal(*_shape(size, options)), options.get("dtype"))


def _rand_like(source: RandomSource, input: Tensor, **options: Any) -> Tensor:  # noqa: A002
    """As ``torch.rand_like``."""
    return _as(source.uniform(*input.shape), options.get("dtype") or input.dtype)


def _randn_like(source: RandomSource, input: Tensor, **options: Any) -> Tensor:  # noqa: A002
    """As ``torch.randn_like``."""
    return _as(source.normal(*input.shape), options.get("dtype") or input.dtype)


def _randint(source: RandomSource, *given: Any, **options: Any) -> Tensor:
    """As ``torch.randint(low, high, size)``, or without ``low``."""
    bounds = [each for each in given if isinstance(each, int)]
    size = options["size"] if "size" in options else given[-1]
    high = int(options["high"] if "high" in options else bounds[-1])
    low = int(options["low"] if "low" in options else bounds[0] if len(bounds) > 1 else 0)
    return _integers(source, tuple(size), low, high).to(options.get("dtype") or torch.int64)


def _randint_like(source: RandomSource, input: Tensor, *bounds: int, **options: Any) -> Tensor:  # noqa: A002
    """As ``torch.randint_like(input, low, high)``, or without ``low``."""
    high = int(options["high"] if "high" in options else bounds[-1])
    low = int(options["low"] if "low" in options else bounds[0] if len(bounds) > 1 else 0)
    return _integers(source, tuple(input.shape), low, high).to(options.get("dtype") or input.dtype)


def _randperm(source: RandomSource, n: int, **options: Any) -> Tensor:
    """As ``torch.randperm``."""
    return source.uniform(n).argsort().to(options.get("dtype") or torch.int64)


def _normal(source: RandomSource, mean: Any = 0.0, std: Any = 1.0, size: Any = None, **options: Any) -> Tensor:
    """As ``torch.normal``; mean and standard deviation are numbers or tensors."""
    shape = (torch.as_tensor(mean) + std).shape if size is None else tuple(size)
    drawn: Tensor = _as(source.normal(*shape), options.get("dtype")) * std + mean
    return drawn


def _bernoulli(source: RandomSource, input: Tensor, p: float | None = None, **_: Any) -> Tensor:  # noqa: A002
    """As ``torch.bernoulli``."""
    return (source.uniform(*input.shape) < (input if p is None else p)).to(input.dtype)


def _multinomial(source: RandomSource, input: Tensor, num_samples: int, replacement: bool = False, **_: Any) -> Tensor:  # noqa: A002
    """As ``torch.multinomial``: with replacement by the distribution function, without by a race of exponentials."""
    if replacement:
        below = input.cumsum(-1) / input.sum(-1, keepdim=True)
        drawn = source.uniform(*input.shape[:-1], num_samples)
        return (drawn[..., None] >= below[..., None, :]).sum(-1).clamp(max=input.shape[-1] - 1)
    return (_exponentials(source, input.shape) / input).argsort(-1)[..., :num_samples]


def _normal_(source: RandomSource, x: Tensor, mean: float = 0.0, std: float = 1.0, **_: Any) -> Tensor:
    """As ``Tensor.normal_``."""
    return _fill_(x, source.normal(*x.shape) * std + mean)


def _uniform_(source: RandomSource, x: Tensor, *bounds: float, **options: Any) -> Tensor:
    """As ``Tensor.uniform_(from, to)``, on [0, 1) without them."""
    low, high = {0: (0.0, 1.0), 1: (*bounds, 1.0)}.get(len(bounds), bounds)
    low, high = options.get("from", low), options.get("to", high)
    return _fill_(x, source.uniform(*x.shape) * (high - low) + low)


def _bernoulli_(source: RandomSource, x: Tensor, p: Any = 0.5, **_: Any) -> Tensor:
    """As ``Tensor.bernoulli_``."""
    return _fill_(x, (source.uniform(*x.shape) < p).to(x.dtype))


def _exponential_(source: RandomSource, x: Tensor, lambd: float = 1.0, **_: Any) -> Tensor:
    """As ``Tensor.exponential_``."""
    return _fill_(x, _exponentials(source, x.shape) / lambd)


def _fill_(x: Tensor, drawn: Tensor) -> Tensor:
    """Write numbers into a tensor; raises RuntimeError where all seeds share it, so that it cannot hold them."""
    try:
        return x.copy_(drawn)
    except RuntimeError as error:
        raise RuntimeError("random numbers fill in place a tensor that all seeds share") from error


def _exponentials(source: RandomSource, shape: tuple[int, ...]) -> Tensor:
    # Never exactly 0, of which a logarithm is taken.
    return (-torch.log1p(-source.uniform(*shape))).clamp(min=torch.finfo(torch.float32).tiny)


def _integers(source: RandomSource, shape: tuple[int, ...], low: int, high: int) -> Tensor:
    # The product is rounded, and must stay below the number of integers.
    return low + (source.uniform(*shape) * (high - low)).floor().long().clamp(max=high - low - 1)


def _shape(size: tuple[Any, ...], options: dict[str, Any]) -> tuple[int, ...]:
    given = size or (options["size"],)
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int) else tuple(given)


def _as(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    return tensor if dtype is None else tensor.to(dtype)


#: Torch's functions and methods that draw, each with what is called in its place.
DRAWS: dict[Any, Replacement] = {
    torch.rand: _rand,
    torch.randn: _randn,
    torch.rand_like: _rand_like,
    torch.randn_like: _randn_like,
    torch.randint: _randint,
    torch.randint_like: _randint_like,
    torch.randperm: _randperm,
    torch.normal: _normal,
    torch.bernoulli: _bernoulli,
    torch.multinomial: _multinomial,
    torch.Tensor.bernoulli: _bernoulli,
    torch.Tensor.multinomial: _multinomial,
    torch.Tensor.normal_: _normal_,
    torch.Tensor.uniform_: _uniform_,
    torch.Tensor.bernoulli_: _bernoulli_,
    torch.Tensor.exponential_: _exponential_,
}
