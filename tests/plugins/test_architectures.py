"""The shipped networks have the layers that their papers and parameters ask for, and batch as the engine needs it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.functional import softplus

from ganbench.plugin.binding import bind
from ganbench.suite.mistake import SuiteError

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


def test_the_generators_weights_are_drawn_first(mlp):
    """So that a seed's networks are those that it had before an option was added."""
    torch.manual_seed(0)
    networks = mlp(width=5, depth=1)
    torch.manual_seed(0)
    wanted = [nn.Linear(*sizes).weight for sizes in ((2, 5), (5, 2), (2, 5), (5, 1))]
    found = [layer.weight for layer in (*networks.generator, *networks.discriminator) if isinstance(layer, nn.Linear)]
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))


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


def test_the_input_scale_multiplies_what_the_discriminator_sees_and_nothing_else(mlp):
    x = torch.linspace(-1, 1, 10).reshape(5, 2)
    torch.manual_seed(0)
    scaled = mlp(input_scale=4)
    torch.manual_seed(0)
    plain = mlp()
    torch.testing.assert_close(scaled.discriminator(x), plain.discriminator(4 * x))
    torch.testing.assert_close(scaled.generator(x), plain.generator(x))
    assert kinds(plain.discriminator) == ["Linear", "ReLU"] * 2 + ["Linear"]  # at 1 no layer is added


def test_the_discriminator_may_be_wider_or_deeper_than_the_generator(mlp):
    networks = mlp(width=5, depth=1, discriminator_width=7, discriminator_depth=3)
    widths = [
        [layer.out_features for layer in player if isinstance(layer, nn.Linear)]
        for player in (networks.generator, networks.discriminator)
    ]
    assert widths == [[5, 2], [7, 7, 7, 1]]


def test_the_discriminator_may_have_an_activation_of_its_own(mlp):
    networks = mlp(activation="tanh", discriminator_activation="leaky_relu")
    assert kinds(networks.generator) == ["Linear", "Tanh"] * 2 + ["Linear"]
    assert kinds(networks.discriminator) == ["Linear", "LeakyReLU"] * 2 + ["Linear"]


def test_leaky_relu_has_the_slope_that_is_asked_for_and_else_that_of_dcgan(mlp):
    def slopes(**keys):
        found = mlp(discriminator_activation="leaky_relu", **keys).discriminator
        return {layer.negative_slope for layer in found if isinstance(layer, nn.LeakyReLU)}

    assert slopes() == {0.2}
    assert slopes(negative_slope=0.05) == {0.05}
    with pytest.raises(ValueError, match="leaky_relu, which neither network has"):
        mlp(negative_slope=0.05)


def test_spectral_norm_is_of_the_discriminators_weights_alone(mlp):
    networks = mlp(spectral_norm=True, discriminator_width=64)
    generator, discriminator = networks.generator, networks.discriminator
    largest = [torch.linalg.matrix_norm(layer.weight, 2).item() for layer in discriminator if hasattr(layer, "weight")]
    assert largest == pytest.approx([1.0] * 3, rel=0.01)
    assert torch.linalg.matrix_norm(generator[2].weight, 2).item() != pytest.approx(1.0, rel=0.01)


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


IMAGES = ("dcgan", "sndcgan", "resnet", "r3gan")


@pytest.fixture
def build(shipped):
    def make(name, shape, **parameters):
        return bind(shipped.get("architecture", name).value.build, parameters)({"shape": shape})

    return make


def convolutions(network, kind=nn.Conv2d):
    """(inputs, outputs, kernel, stride) of each, in order."""
    found = [layer for layer in network.modules() if isinstance(layer, kind)]
    return [(layer.in_channels, layer.out_channels, layer.kernel_size[0], layer.stride[0]) for layer in found]


def player_losses(networks):
    """Non-saturating with R1, as functions of one player's tensors: second derivatives of the discriminator too."""

    def D(theta, x):
        return functional_call(networks.discriminator, theta, (x,)).reshape(-1)

    def discriminator(theta, real, fake):
        r1 = grad(lambda x: D(theta, x).sum())(real).square().sum()
        return softplus(-D(theta, real)).mean() + softplus(D(theta, fake)).mean() + r1

    def generator(theta, theta_D, z):
        return softplus(-D(theta_D, functional_call(networks.generator, theta, (z,)))).mean()

    return discriminator, generator


@pytest.mark.parametrize(
    ("name", "shape", "parameters", "generator", "discriminator"),
    [
        # 100 -> 1200 -> 1200 -> 784; 784 -> 240 of 5 pieces -> 240 of 5 -> 1.
        ("goodfellow-mlp", (1, 28, 28), {}, 101 * 1200 + 1201 * 1200 + 1201 * 784, 785 * 1200 + 241 * 1200 + 241),
        # No biases but the output's, a gain and a shift for each of 4 x 400 units; 3 layers of 200 units of 5 pieces.
        ("pacgan-mlp", (2,), {}, 2 * 400 + 3 * 400**2 + 8 * 400 + 401 * 2, 3 * 1000 + 2 * 201 * 1000 + 201),
        # Huang et al. 2024, table 9, Stacked MNIST: 20.73 and 20.68 million.
        ("r3gan", (3, 32, 32), {"channels": 768}, 20_732_160, 20_683_776),
    ],
)
def test_parameters_are_as_many_as_the_paper_says(name, shape, parameters, generator, discriminator, build):
    networks = build(name, shape, **parameters)
    assert (size(networks.generator), size(networks.discriminator)) == (generator, discriminator)


def test_goodfellows_networks_start_and_drop_as_in_the_2014_recipe(build):
    networks = build("goodfellow-mlp", (1, 28, 28))
    for network, irange in ((networks.generator, 0.05), (networks.discriminator, 0.005)):
        for layer in (layer for layer in network.modules() if isinstance(layer, nn.Linear)):
            assert not layer.bias.any()
            assert 0.95 * irange < layer.weight.abs().max() <= irange
    assert [layer.p for layer in networks.discriminator if isinstance(layer, nn.Dropout)] == [0.2, 0.5, 0.5]
    assert (networks.latent, networks.latent_distribution) == ((100,), "uniform")


def test_goodfellows_generator_stretches_its_latent_and_its_output(build):
    generator = build("goodfellow-mlp", (1, 8, 8), width=30).generator
    layers = [layer for layer in generator if isinstance(layer, nn.Linear)]
    z = 2 * torch.rand(5, 100) - 1
    h = torch.relu(layers[1](torch.relu(layers[0](3**0.5 * z))))
    assert torch.allclose(generator(z), (2 * torch.sigmoid(layers[2](h)) - 1).reshape(5, 1, 8, 8), atol=1e-6)
    assert not any(isinstance(layer, nn.Tanh) for layer in build("goodfellow-mlp", (2,), output="linear").generator)


@pytest.mark.parametrize("name", ["goodfellow-mlp", "pacgan-mlp"])
def test_a_maxout_unit_is_the_largest_of_its_pieces(name, build):
    D = build(name, (2,), units=1, pieces=2).discriminator.eval()
    maxout = next(layer for layer in D if type(layer).__name__ == "Maxout")
    with torch.no_grad():
        for parameter, value in zip(maxout.parameters(), ([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0]), strict=True):
            parameter.copy_(torch.tensor(value))
        assert maxout(torch.tensor([[-3.0, 7.0], [2.0, 7.0]])).tolist() == [[3.0], [2.0]]  # |x|


def test_pacgans_weights_start_at_0_02_and_its_norm_is_a_choice(build):
    networks = build("pacgan-mlp", (2,))
    weights = [m.weight.flatten() for N in (networks.generator, networks.discriminator) for m in N.modules()
               if isinstance(m, nn.Linear)]  # fmt: skip
    assert torch.cat(weights).std().item() == pytest.approx(0.02, rel=0.01)
    assert kinds(networks.generator) == ["Linear", "BatchNorm1d", "ReLU"] * 4 + ["Linear"]
    assert kinds(build("pacgan-mlp", (2,), norm="layer").generator) == ["Linear", "LayerNorm", "ReLU"] * 4 + ["Linear"]


def test_dcgan_at_64_pixels_and_128_channels_is_the_papers(build):
    """Figure 1: 1024 maps of 4 x 4, then 512, 256, 128, and the image."""
    networks = build("dcgan", (3, 64, 64), channels=128)
    ups = [(1024, 512, 4, 2), (512, 256, 4, 2), (256, 128, 4, 2), (128, 3, 4, 2)]
    assert convolutions(networks.generator, nn.ConvTranspose2d) == ups
    assert convolutions(networks.discriminator) == [(b, a, 4, 2) for a, b, *_ in reversed(ups)]
    assert networks.latent_distribution == "uniform"


def test_sndcgan_at_32_pixels_and_64_channels_is_the_papers(build):
    """Table 3."""
    networks = build("sndcgan", (3, 32, 32), channels=64)
    assert convolutions(networks.discriminator) == [
        *[(3, 64, 3, 1), (64, 64, 4, 2), (64, 128, 3, 1), (128, 128, 4, 2), (128, 256, 3, 1), (256, 256, 4, 2)],
        (256, 512, 3, 1),
    ]
    ups = [(512, 256, 4, 2), (256, 128, 4, 2), (128, 64, 4, 2)]
    assert convolutions(networks.generator, nn.ConvTranspose2d) == ups
    assert networks.discriminator[-1].in_features == 512 * 4 * 4
    assert networks.latent == (128,)


def test_resnet_at_32_pixels_and_128_channels_is_the_papers(build):
    """Table 4: three blocks up, 256 wide; two blocks down, two plain ones, 128 wide, on 8 x 8 pixels."""
    networks = build("resnet", (3, 32, 32), channels=128)
    up, down = ([m for m in N if type(m).__name__ == kind] for N, kind in zip(
        (networks.generator, networks.discriminator), ("Up", "Down"), strict=True))  # fmt: skip
    assert [block.size for block in up] == [8, 16, 32]
    assert [block.halve for block in down] == [True, True, False, False]
    assert nn.Sequential(*down)(torch.zeros(2, 3, 32, 32)).shape == (2, 128, 8, 8)
    assert convolutions(networks.generator)[0] == (256, 256, 3, 1)


@pytest.mark.parametrize("name", ["sndcgan", "resnet"])
def test_spectral_norm_is_on_every_layer_of_the_discriminator(name, build):
    layers = [m for m in build(name, (1, 8, 8)).discriminator.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), ord=2).item() == pytest.approx(1, rel=1e-3)


def test_r3gan_starts_with_blocks_that_do_nothing_and_resamples_bilinearly(build):
    networks = build("r3gan", (1, 16, 16), channels=32)
    x = torch.randn(2, 32, 8, 8)
    blocks = [m for m in networks.discriminator if type(m).__name__ == "Block"]
    assert len(blocks) == 2 * 3
    for block in blocks:
        assert torch.equal(block(x), x)
        # He's gain times (6 blocks)^(-1/4), for 32 inputs.
        assert block.residual[0].weight.std().item() == pytest.approx((2 / 1.04 / 32) ** 0.5 * 6**-0.25, rel=0.1)
        assert block.residual[2].groups == 4
    halve = next(m for m in networks.discriminator if type(m).__name__ == "Resample")
    double = next(m for m in networks.generator if type(m).__name__ == "Resample")
    assert torch.allclose(halve.shares[3, 5:9], torch.tensor([1, 3, 3, 1]) / 8)
    assert torch.allclose(double.shares[2, :2], torch.tensor([0.25, 0.75]))
    for resample in (halve, double):
        assert torch.allclose(resample.shares.sum(1), torch.ones(len(resample.shares)))


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 9), (2, 15, 15), (1, 28, 28), (3, 32, 32)])
def test_square_images_from_8_pixels_are_drawn_and_judged(name, shape, build):
    networks = build(name, shape, channels=8, latent=3)
    images = networks.generator(torch.randn(4, 3))
    assert images.shape == (4, *shape)
    assert networks.discriminator(images).shape == (4, 1)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("shape", [(2,), (1, 7, 7), (1, 8, 9)])
def test_what_is_no_square_image_is_refused_in_one_line(name, shape, build):
    with pytest.raises(ValueError, match=f"^{name} needs images, shape .* not .{shape[0]}.*$"):
        build(name, shape)


def test_groups_that_do_not_divide_the_channels_are_refused(build):
    with pytest.raises(ValueError, match=r"^group must divide channels \* expansion, 20, "):
        build("r3gan", (1, 8, 8), channels=10)


SMALL = {"channels": 8, "latent": 3}
BATCHED = {
    "goodfellow-mlp": {"width": 8, "units": 4, "input_dropout": 0.0, "hidden_dropout": 0.0},
    "pacgan-mlp": {"width": 8, "units": 4},
    **{f"dcgan {norm}": {**SMALL, "generator_norm": norm, "discriminator_norm": norm}
       for norm in ("batch", "layer", "instance", "none")},
    **{f"sndcgan {norm}": {**SMALL, "norm": norm} for norm in ("batch", "none")},
    **{f"resnet {norm}": {**SMALL, "generator_norm": "batch", "discriminator_norm": norm}
       for norm in ("spectral", "batch", "layer", "instance", "none")},
    "r3gan": {**SMALL, "blocks": 1},
}  # fmt: skip


@pytest.mark.parametrize("case", BATCHED)
def test_replicas_batch_through_second_derivatives_and_every_parameter_has_a_gradient(case, build):
    """Nothing is left to rounding, as a bias would be that a norm takes away: replicas would drift apart by it."""
    torch.manual_seed(0)
    replicas = [build(case.split()[0], (1, 12, 12), **BATCHED[case]) for _ in range(2)]
    players = [[getattr(each, player) for each in replicas] for player in ("discriminator", "generator")]
    D, G = ({**parameters, **buffers} for parameters, buffers in map(stack_module_state, players))
    D, G = ({name: value.detach() for name, value in player.items()} for player in (D, G))
    discriminator, generator = player_losses(replicas[0])
    real, fake, z = torch.randn(2, 4, 1, 12, 12), torch.randn(2, 4, 1, 12, 12), torch.randn(2, 4, *replicas[0].latent)
    for gradient, arguments in ((grad(discriminator), (D, real, fake)), (grad(generator), (G, D, z))):
        together = vmap(gradient)(*arguments)
        for replica in range(2):
            one = [{k: v[replica] for k, v in a.items()} if isinstance(a, dict) else a[replica] for a in arguments]
            alone = gradient(*one)
            largest = max(each.abs().max().item() for each in alone.values())
            for name, each in alone.items():
                # R3GAN's blocks start as nothing, so all in them but their last layer starts without a gradient.
                assert case == "r3gan" or each.abs().max() > 1e-6 * largest, name
                assert torch.allclose(together[name][replica], each, rtol=1e-3, atol=1e-5 * largest), name
