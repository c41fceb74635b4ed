"""Layers with chance in them, as torch computes them, from a seed's own uniform numbers: dropouts, RReLU, attention.

Attention is here for its dropout, and written out as a product, a softmax and a product: torch's fused kernels have no
second derivative, which gradient penalties take, and no batched form.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ganbench.plugin.played import RandomSource
from ganbench.train.step.distributions import Replacement

#: What SELU tends to for large negative inputs, minus scale times alpha: what alpha dropout puts in place of a unit.
_SATURATED = -1.7580993408473766


def dropout(
    source: RandomSource,
    input: Tensor,  # noqa: A002
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor | None:
    """Set a share ``p`` of the numbers to 0, and scale the others.

    Args:
        source: the random numbers.
        input: any tensor.
        p: the share that is dropped.
        training: False: nothing is dropped.
        inplace: whether the result is written into ``input``.

    Returns:
        The result; None where nothing is dropped.
    """
    return _drop(source, input, p, tuple(input.shape), inplace) if training and p else None


def of_channels(*batched: int, alone: tuple[int, ...] = ()) -> Replacement:
    """Dropout of whole channels: the dimensions of inputs with a batch axis, and of those without one."""

    def replacement(
        source: RandomSource,
        input: Tensor,  # noqa: A002
        p: float = 0.5,
        training: bool = True,
        inplace: bool = False,
    ) -> Tensor | None:
        leading = 2 if input.dim() in batched else 1 if input.dim() in alone else 0
        if not training or not p or not leading:
            return None
        return _drop(source, input, p, _leading(input, leading), inplace)

    return replacement


def alpha_dropout(
    source: RandomSource,
    input: Tensor,  # noqa: A002
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
) -> Tensor | None:
    """Dropout that keeps mean 0 and variance 1 (Klambauer et al. 2017, arXiv:1706.02515); see ``dropout``.

    Args:
        source: the random numbers.
        input: any tensor.
        p: the share that is dropped.
        training: False: nothing is dropped.
        inplace: whether the result is written into ``input``.

    Returns:
        The result; None where nothing is dropped.
    """
    return _alpha(source, input, p, tuple(input.shape), inplace) if training and 0 < p < 1 else None


def feature_alpha_dropout(
    source: RandomSource,
    input: Tensor,  # noqa: A002
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
) -> Tensor | None:
    """Alpha dropout of whole channels; see ``alpha_dropout``.

    Args:
        source: the random numbers.
        input: (batch, channels, ...).
        p: the share that is dropped.
        training: False: nothing is dropped.
        inplace: whether the result is written into ``input``.

    Returns:
        The result; None where nothing is dropped.
    """
    return _alpha(source, input, p, _leading(input, 2), inplace) if training and 0 < p < 1 else None


def rrelu(
    source: RandomSource,
    input: Tensor,  # noqa: A002
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor | None:
    """A leaky ReLU whose slope below 0 is drawn for each number, uniformly.

    Args:
        source: the random numbers.
        input: any tensor.
        lower: the least slope.
        upper: the greatest slope.
        training: False: torch takes the mean slope.
        inplace: whether the result is written into ``input``.

    Returns:
        The result; None where nothing is drawn.
    """
    if not training:
        return None
    slope = lower + (upper - lower) * source.uniform(*input.shape).to(input.dtype)
    return _given(input, torch.where(input < 0, slope * input, input), inplace)


def attention(
    source: RandomSource,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(Q K' scale + mask) V, with dropout of the weights.

    Args:
        source: the random numbers.
        query: Q, (..., n, features).
        key: K, (..., m, features).
        value: V, (..., m, values).
        attn_mask: what is added, or, in booleans, what is attended to; (..., n, m).
        dropout_p: the share of the weights that is dropped.
        is_causal: whether each place attends to itself and those before it alone.
        scale: the factor of the products; one over the root of the number of features by default.
        enable_gqa: whether several heads of Q share one of K and V.

    Returns:
        The values, (..., n, values).
    """
    if enable_gqa:
        shared = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(shared, -3), value.repeat_interleave(shared, -3)
    logits = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
    if is_causal:
        causal = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).tril()
        logits = logits.masked_fill(~causal, -torch.inf)
    if attn_mask is not None:
        masked = attn_mask.dtype == torch.bool
        logits = logits.masked_fill(~attn_mask, -torch.inf) if masked else logits + attn_mask
    weights = logits.softmax(-1)
    dropped = dropout(source, weights, dropout_p)
    return (weights if dropped is None else dropped) @ value


def _drop(source: RandomSource, x: Tensor, p: float, shape: tuple[int, ...], inplace: bool) -> Tensor:
    kept = (source.uniform(*shape) >= p).to(x.dtype)
    return _given(x, x * kept / (1.0 - p) if p < 1.0 else x * kept, inplace)


def _alpha(source: RandomSource, x: Tensor, p: float, shape: tuple[int, ...], inplace: bool) -> Tensor:
    scale = ((1 - p) * (1 + p * _SATURATED**2)) ** -0.5
    kept = source.uniform(*shape) >= p
    return _given(x, torch.where(kept, x, _SATURATED) * scale - scale * _SATURATED * p, inplace)


def _given(x: Tensor, result: Tensor, inplace: bool) -> Tensor:
    return x.copy_(result) if inplace else result


def _leading(x: Tensor, axes: int) -> tuple[int, ...]:
    return (*x.shape[:axes], *[1] * (x.dim() - axes))


#: Torch's functions that layers with chance call, each with what is called in its place.
LAYERS: dict[Any, Replacement] = {
    functional.dropout: dropout,
    functional.dropout1d: of_channels(3, alone=(2,)),
    functional.dropout2d: of_channels(2, 3, 4),
    functional.dropout3d: of_channels(5, alone=(4,)),
    functional.alpha_dropout: alpha_dropout,
    functional.feature_alpha_dropout: feature_alpha_dropout,
    functional.rrelu: rrelu,
    functional.scaled_dot_product_attention: attention,
}
