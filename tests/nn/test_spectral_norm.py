"""Spectral normalisation against the singular value decomposition: value, gradient, batching, and no state."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.utils import parametrizations

from ganbench.nn.spectral_norm import largest_singular_value, spectral_norm


def stream():
    return torch.Generator().manual_seed(0)


def graded(side, decay):
    """A matrix of known singular values 1, decay, decay^2, ...: the closer they are, the harder to tell apart."""
    U, V = (torch.linalg.qr(torch.randn(side, side, generator=stream())).Q for _ in range(2))
    return U @ torch.diag(decay ** torch.arange(float(side))) @ V


@pytest.mark.parametrize("shape", [(16, 9), (9, 16), (64, 64, 3, 3), (128, 64, 4, 4), (1, 300), (300, 1), (1, 1)])
def test_the_value_is_the_largest_singular_value(shape):
    weight = 0.02 * torch.randn(shape, generator=stream())
    truth = torch.linalg.matrix_norm(weight.flatten(1), ord=2)
    assert largest_singular_value(weight).item() == pytest.approx(truth.item(), rel=3e-4)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99, 0.999, 1.0])
def test_however_close_the_singular_values_it_is_at_most_the_promised_share_too_low(decay):
    value = largest_singular_value(graded(64, decay)).item()
    assert 64 ** (-1 / 514) <= value <= 1 + 1e-5


def test_the_gradient_is_that_of_fixed_singular_vectors():
    """Miyato et al. 2018, equation 12: d sigma / dW = u v', and that of W / sigma follows."""
    W = graded(12, 0.8)
    U, S, V = torch.linalg.svd(W)
    first = torch.outer(U[:, 0], V[0])
    assert torch.allclose(grad(largest_singular_value)(W), first, atol=1e-5)
    upstream = torch.randn(12, 12, generator=stream())
    ours = grad(lambda W: (upstream * W / largest_singular_value(W)).sum())(W)
    assert torch.allclose(ours, (upstream - (upstream * W).sum() / S[0] * first) / S[0], atol=1e-4)


def test_a_batch_of_replicas_gives_what_each_gives_alone():
    weights = torch.randn(5, 8, 3, 3, 3, generator=stream())
    gradient = grad(lambda W: (W / largest_singular_value(W)).sin().sum())
    assert torch.allclose(vmap(gradient)(weights), torch.stack([gradient(W) for W in weights]), atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: nn.Linear(5, 7),
        lambda: nn.Conv2d(3, 6, 3),
        lambda: nn.ConvTranspose1d(3, 6, 4),
        lambda: nn.ConvTranspose2d(3, 6, 4),
        lambda: nn.ConvTranspose3d(3, 6, 2),
        lambda: nn.Embedding(9, 4),
    ],
)
def test_a_layers_weight_is_that_of_torchs_own_norm(make):
    """Whose matrix of a transposed convolution has the outputs first, as of any other layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        ours = make()
    theirs = make()
    theirs.load_state_dict(ours.state_dict())
    theirs = parametrizations.spectral_norm(theirs, n_power_iterations=200)
    assert torch.allclose(spectral_norm(ours).weight, theirs.weight, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("make", [lambda: nn.Linear(20, 6), lambda: nn.Conv2d(3, 8, 4, 2, 1)])
def test_a_normalised_layer_has_norm_1_and_no_state(make, seed):
    torch.manual_seed(seed)
    layer = make()
    names = [parameter.shape for parameter in layer.parameters()]
    x = torch.randn(2, 20) if isinstance(layer, nn.Linear) else torch.randn(2, 3, 8, 8)
    plain = layer.weight.detach().clone()
    assert spectral_norm(layer) is layer
    norm = torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item()
    # The value divided by is too low by the promised share at most; how much depends on the draw.
    assert 1 - 1e-5 <= norm <= len(layer.weight) ** (1 / 514)
    assert not [*layer.buffers()]
    assert sorted(names) == sorted(parameter.shape for parameter in layer.parameters())
    # Ten times the weight is the same layer.
    tenfold = {name: 10 * plain if name.endswith("original") else value for name, value in layer.named_parameters()}
    assert torch.allclose(functional_call(layer, tenfold, (x,)), layer(x), atol=1e-5)
