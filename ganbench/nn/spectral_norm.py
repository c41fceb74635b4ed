"""Spectral normalisation without state, so that it works batched over seeds and compiled."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

Layer = TypeVar("Layer", bound=nn.Module)

#: How often the Gram matrix is raised to its fourth power: as exact as 4^4 = 256 power iterations, in 8 products.
_ROUNDS = 4
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def spectral_norm(layer: Layer) -> Layer:
    """Divide a linear or convolutional layer's weight by its largest singular value, in every call; returns the layer.

    Miyato et al. 2018, arXiv:1802.05957, section 2.1; a convolution's weight (outputs, inputs, height, width) is a
    matrix (outputs, the rest). Use it in place of torch's own, which keeps its vectors in buffers that change.
    """
    # As torch's own: a transposed convolution's weight has its inputs first.
    parametrize.register_parametrization(layer, "weight", _Normalised(1 if isinstance(layer, _TRANSPOSED) else 0))
    return layer


def largest_singular_value(weight: Tensor) -> Tensor:
    """The spectral norm of ``weight.flatten(1)``, a scalar; its gradient is u v', as the paper has it (equation 12).

    The normalised powers of the Gram matrix W W' converge to u u', and then sigma^2 = tr(u u' W W'). If several
    singular values are largest, they converge to the mean over their vectors. u is constant in the gradient. The result
    is never above the true value, and below it by a factor of at most n^(1/514), n the smaller dimension: 0.8 % for 64,
    and far less for usual matrices.
    """
    matrix = weight.flatten(1)
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.mT
    fixed = matrix.detach()
    power = _unit_trace(fixed @ fixed.mT)
    for _ in range(_ROUNDS):
        square = power @ power
        power = _unit_trace(square @ square)
    return (power @ matrix * matrix).sum().sqrt()


def _unit_trace(gram: Tensor) -> Tensor:
    return gram / gram.diagonal().sum().clamp_min(torch.finfo(gram.dtype).tiny)


class _Normalised(nn.Module):
    """``outputs``: the axis of a weight that is the layer's outputs."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self._outputs = outputs

    def forward(self, weight: Tensor) -> Tensor:
        matrix = weight.movedim(self._outputs, 0) if self._outputs else weight
        # In bfloat16 the powers would lose the third digit. On meta, where nothing is computed, torch has no autocast.
        with torch.autocast("cpu" if weight.is_meta else weight.device.type, enabled=False):
            return weight / largest_singular_value(matrix).clamp_min(torch.finfo(weight.dtype).tiny)
