"""The shipped perceptrons have the layers that their parameters ask for: counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench.calling import bind
from ganbench.suite import SuiteError

#: In the order of the layers, without the reshaping at a network's end.
G_LAYERS = {
    "none": ["Linear", "SiLU"] * 3 + ["Linear"],
    "layer": ["Linear", "LayerNorm", "SiLU"] * 3 + ["Linear"],
    "batch": ["Linear", "BatchNorm1d", "SiLU"] * 3 + ["Linear"],
}
D_LAYERS = {norm: ["Linear", "SiLU", *layers[len(layers) // 3 :]] for norm, layers in G_LAYERS.items()}
#: Latent 4 -> three layers of width 5 -> 2 outputs: 25 + 30 + 30 + 12; a norm adds 5 + 5 a layer, and under a batch
#: norm a layer has no bias of its own (5 fewer). The discriminator, 2 -> 5 -> 5 -> 5 -> 1, has no norm on its first.
PARAMETERS = {"none": (97, 15 + 30 + 30 + 6), "layer": (97 + 30, 81 + 20), "batch": (97 + 15, 81 + 10)}


@pytest.fixture
def mlp(shipped):
    def build(shape=(2,), **parameters):
        return bind(shipped.get("architecture", "mlp").value.build, parameters)({"shape": shape})

    return build


def size(network):
    return sum(parameter.numel() for parameter in network.parameters())


def kinds(network):
    return [type(layer).__name__ for layer in network if not isinstance(layer, nn.Flatten | nn.Unflatten)]


@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
def test_layers_and_parameters_are_those_counted_by_hand(norm, mlp):
    networks = mlp(width=5, depth=3, latent=4, activation="silu", norm=norm)
    assert (size(networks.generator), size(networks.discriminator)) == PARAMETERS[norm]
    assert kinds(networks.generator) == G_LAYERS[norm]
    assert kinds(networks.discriminator) == D_LAYERS[norm]
    assert networks.latent == (4,)


def test_defaults_are_two_relu_layers_of_128_without_norm_on_two_latents(mlp):
    networks = mlp()
    assert kinds(networks.generator) == kinds(networks.discriminator) == ["Linear", "ReLU"] * 2 + ["Linear"]
    assert size(networks.generator) == (2 * 128 + 128) + (128 * 128 + 128) + (128 * 2 + 2)
    assert size(networks.discriminator) == (2 * 128 + 128) + (128 * 128 + 128) + (128 + 1)
    assert (networks.latent, networks.latent_distribution) == ((2,), "normal")
    assert mlp(latent_distribution="uniform").latent_distribution == "uniform"


def test_depth_0_is_linear(mlp):
    networks = mlp(depth=0, latent=3)
    assert kinds(networks.generator) == kinds(networks.discriminator) == ["Linear"]
    assert (size(networks.generator), size(networks.discriminator)) == (3 * 2 + 2, 2 + 1)


@pytest.mark.parametrize(
    ("activation", "at_minus_1"),
    [("relu", 0.0), ("leaky_relu", -0.2), ("tanh", -0.7615942), ("silu", -0.2689414)],
)
def test_activations_are_those_named(activation, at_minus_1, mlp):
    for network in (mlp(activation=activation).generator, mlp(activation=activation).discriminator):
        hidden = [layer for layer in network if not isinstance(layer, nn.Linear | nn.Flatten | nn.Unflatten)]
        assert [layer(torch.tensor(-1.0)).item() for layer in hidden] == pytest.approx([at_minus_1] * 2)


def test_any_shape_of_data_goes_in_and_out(mlp):
    networks = mlp((3, 4), latent=5, width=6)
    samples = networks.generator(torch.zeros(7, 5))
    assert samples.shape == (7, 3, 4)
    assert networks.discriminator(samples).shape == (7, 1)


def test_a_batch_norm_keeps_no_running_averages(mlp):
    networks = mlp(norm="batch")
    assert not [*networks.generator.buffers(), *networks.discriminator.buffers()]


def test_dropout_is_the_discriminators_after_each_activation(mlp):
    networks = mlp(depth=2, dropout=0.3)
    assert kinds(networks.generator) == ["Linear", "ReLU"] * 2 + ["Linear"]
    assert kinds(networks.discriminator) == ["Linear", "ReLU", "Dropout"] * 2 + ["Linear"]
    assert {layer.p for layer in networks.discriminator if isinstance(layer, nn.Dropout)} == {0.3}
    assert not any(isinstance(layer, nn.Dropout) for layer in mlp().discriminator)


@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_a_dropout_that_leaves_nothing_or_more_than_all_is_refused(dropout, cell):
    with pytest.raises(SuiteError, match="dropout"):
        cell(f"{{loss: minimax, architecture: {{name: mlp, dropout: {dropout}}}}}")
