"""Methods that are more than a loss: their networks, and known answers of the terms that they add."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import pytest
import torch
from torch import nn

from ganbench.plugin.binding import bind
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.trainer import Trainer

METHODS = Path(__file__).parents[2] / "plugins" / "methods"
NAMES = ("pacgan", "ali", "bigan", "veegan", "reg-gan", "mdgan", "gdpp", "mgan", "bourgan", "deligan")


def of(file):
    """What a method's file defines."""
    return runpy.run_path(str(METHODS / f"{file}.py"))


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def made(shipped):
    """A method's networks on small perceptrons: ``made("ali", shape=(2,), latent=3, packing=2)``."""

    def make(name, shape=(2,), latent=3, width=5, **parameters):
        mlp = shipped.get("architecture", "mlp").value.build

        def build(shape):
            return mlp(shape, width=width, depth=2, latent=latent)

        torch.manual_seed(0)
        players = bind(shipped.get("loss", name).value.players, parameters)
        return players({"build": build, "shape": shape, "data": lambda n: normal(n, *shape)})

    return make


@pytest.fixture
def losses(shipped):
    def functions(name, **parameters):
        loss = shipped.get("loss", name).value
        return bind(loss.discriminator, parameters), bind(loss.generator, parameters)

    return functions


def test_the_folder_holds_these_methods(shipped):
    found = {entry.name for entry in shipped.entries if entry.kind == "loss" and entry.value.players}
    assert found == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_method_trains_all_seeds_at_once(name, cell, shipped):
    trainer = Trainer([cell(f"{{loss: {name}}}", seeds=2, batch=8)], torch.device("cpu"), "eager")
    assert trainer.engine == "eager", trainer.note
    assert trainer.probe.idle == ()
    state = trainer.advance(trainer.start, 0, 2)
    assert state.survived.tolist() == [2, 2]


# PacGAN


def test_a_pack_joins_neighbours_on_the_first_axis():
    packs = of("pacgan")["packs"]
    assert packs(torch.arange(8).reshape(4, 2), 2).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    images = normal(6, 3, 8, 8)
    joined = packs(images, 2)
    assert joined.shape == (3, 6, 8, 8)
    assert torch.equal(joined[1, 3:], images[3])
    with pytest.raises(ValueError, match="a batch of 6 makes no packs of 4"):
        packs(images, 4)


def test_the_discriminator_of_packs_is_built_for_packs(made):
    networks = made("pacgan", packing=3)
    assert networks.discriminator(torch.zeros(4, 6)).shape == (4, 1)
    assert networks.generator(torch.zeros(4, 3)).shape == (4, 2)


def test_packing_one_is_the_nonsaturating_game(losses):
    real, fake = normal(8, 2), normal(8, 2, seed=1)
    scope = {"real": real, "fake": fake, "D": lambda x: x.sum(1)}
    scope |= {"d_real": real.sum(1), "d_fake": fake.sum(1)}
    for packed, plain in zip(losses("pacgan", packing=1), losses("nonsaturating"), strict=True):
        assert packed(scope) == plain(scope)


def test_the_optimal_discriminator_of_packs_gives_the_divergence_of_products(losses):
    """Data on {0, 1} evenly, fakes all 0: of pairs p^2 and q^2 the loss at D* is log 4 - 2 JSD."""
    real = torch.tensor([0, 0, 0, 1, 1, 0, 1, 1.0])[:, None]
    fake = torch.zeros(8, 1)
    mean = (1 / 4 + 1) / 2
    jsd = (1 / 4 * math.log(1 / 4 / mean) + 3 / 4 * math.log(2) + math.log(1 / mean)) / 2

    def D(pack):
        return torch.where(pack.any(1), 60.0, math.log(1 / 4))

    value = losses("pacgan", packing=2)[0]({"D": D, "real": real, "fake": fake})
    assert value.item() == pytest.approx(math.log(4) - 2 * jsd)


# ALI, BiGAN, VEEGAN


@pytest.mark.parametrize("name", ["ali", "bigan", "veegan"])
@pytest.mark.parametrize("shape", [(2,), (3, 8, 8)])
def test_a_joint_discriminator_takes_samples_with_their_latents(name, shape, made):
    networks = made(name, shape)
    x, z = normal(4, *shape), normal(4, 3)
    assert networks.discriminator(x, z).shape == (4, 1)
    assert not torch.equal(networks.discriminator(x, z), networks.discriminator(x, z + 1))
    assert not torch.equal(networks.discriminator(x, z), networks.discriminator(x + 1, z))
    (part,) = networks.generator_parts.values()
    assert part(x).shape == (4, 6 if name == "ali" else 3)


def test_beside_an_image_a_latent_is_a_channel_that_is_the_same_at_every_pixel():
    joint = of("ali")["Joint"](nn.Identity())
    x, z = normal(2, 1, 4, 4), normal(2, 3)
    both = joint(x, z)
    assert both.shape == (2, 4, 4, 4)
    assert torch.equal(both[:, :1], x)
    assert torch.equal(both[:, 1:], z[:, :, None, None].expand(2, 3, 4, 4))


def test_where_the_encoder_inverts_the_generator_no_discriminator_beats_log_4(losses):
    """The pairs (x, E(x)) and (G(z), z) are then the same, so D = 1/2 is the best."""
    z = normal(64, 2)
    fake = real = 3 * z + 1
    discriminator, _ = losses("bigan")

    def value(D):
        return discriminator({"D": D, "E": lambda x: (x - 1) / 3, "real": real, "fake": fake, "z": z}).item()

    assert value(lambda x, z: 0 * x[:, 0]) == pytest.approx(math.log(4))
    for seed in range(5):
        a, b = normal(2, 2, seed=seed)
        assert value(lambda x, z, a=a, b=b: x @ a + z @ b) > math.log(4)


@pytest.mark.parametrize("name", ["ali", "bigan"])
def test_generator_and_encoder_want_the_labels_swapped(name, losses):
    real, fake, z = normal(16, 2), normal(16, 2, seed=1), normal(16, 1, seed=2)
    scope = {"E": lambda x: torch.cat([x[:, :1], -200 + 0 * x[:, :1]], 1)[:, : 1 + (name == "ali")]}
    scope |= {"real": real, "fake": fake, "z": z, "random": DrawRecorder()}
    discriminator, generator = losses(name)
    D = {"D": lambda x, z: x[:, 0] - z[:, 0]}
    swapped = {"D": lambda x, z: z[:, 0] - x[:, 0]}
    torch.testing.assert_close(generator(scope | D), discriminator(scope | swapped))


def test_alis_encoder_draws_from_the_gaussian_that_it_gives():
    """20,000 draws: mean and standard deviation within 5 standard errors."""
    z = of("ali")["drawn"](
        lambda x: torch.tensor([3.0, math.log(4)]).expand(len(x), 2), torch.zeros(20_000, 1), DrawRecorder()
    )
    assert z.shape == (20_000, 1)
    assert z.mean().item() == pytest.approx(3, abs=5 * 2 / math.sqrt(20_000))
    assert z.std().item() == pytest.approx(2, abs=5 * 2 / math.sqrt(2 * 20_000))


def test_veegan_scores_the_generator_by_logit_and_reconstruction(losses):
    _, generator = losses("veegan")
    z = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    scope = {"z": z, "fake": 2 * z, "D": lambda x, z: x[:, 0]}
    assert generator(scope | {"F": lambda x: x / 2}).item() == pytest.approx(-1)
    # |(1, 2)|^2 / 2 = 5/2 for one of two samples
    assert generator(scope | {"F": lambda x: 0 * x}).item() == pytest.approx(-1 + 5 / 4)


# Mode-regularised GANs


def test_a_perfect_autoencoder_leaves_the_mode_regulariser_only(losses):
    x = normal(8, 2)
    scope = {"D": lambda x: 0 * x[:, 0], "G": lambda z: z, "E": lambda x: x, "d_fake": torch.zeros(8), "real": x}
    _, generator = losses("reg-gan")
    assert generator(scope).item() == pytest.approx(1.4 * math.log(2))
    off = scope | {"E": lambda x: x + 1}
    assert generator(off).item() == pytest.approx(1.4 * math.log(2) + 0.2 * 2)
    # -log D(G(E(x))): what D takes for real is good, as the paper's text has it.
    assert generator(scope | {"D": lambda x: 1 + 0 * x[:, 0]}) < generator(scope)


def test_mdgan_has_a_second_discriminator_between_reconstructions_and_samples(losses, made):
    assert set(made("mdgan").discriminator_parts) == {"D2"}
    x, fake = normal(8, 2), normal(8, 2, seed=1)
    scope = {"D": lambda x: 0 * x[:, 0], "D2": lambda x: 0 * x[:, 0], "G": lambda z: z, "E": lambda x: x}
    scope |= {"d_real": torch.zeros(8), "real": x, "fake": fake}
    discriminator, generator = losses("mdgan")
    assert discriminator(scope).item() == pytest.approx(4 * math.log(2))
    assert generator(scope).item() == pytest.approx(1.01 * math.log(2))


# GDPP


@pytest.fixture(scope="module")
def gdpp():
    return of("gdpp")["gdpp_term"]


def test_gdpp_is_zero_where_fake_and_real_are_the_same(gdpp):
    features = normal(16, 5)
    rotation = torch.linalg.qr(normal(5, 5, seed=1)).Q
    assert gdpp(features, features, 1.0).item() == pytest.approx(0, abs=1e-6)
    assert gdpp(features, 3 * features @ rotation, 1.0).item() == pytest.approx(0, abs=1e-5)
    assert gdpp(features, normal(16, 5, seed=2), 1.0) > 0.1


def test_gdpp_of_two_samples_is_the_difference_of_their_cosines(gdpp):
    """Unit features at an angle a have the kernel ((1, cos a), (cos a, 1)): eigenvalues 1 -+ cos a, (1, -+1)."""

    def pair(angle):
        return torch.tensor([[1.0, 0.0], [math.cos(angle), math.sin(angle)]])

    value = gdpp(pair(0.5), pair(1.2), 0.25)
    assert value.item() == pytest.approx(0.25 * (math.cos(0.5) - math.cos(1.2)) ** 2, abs=1e-6)


def test_gdpp_has_a_gradient_where_features_are_few_or_dead(gdpp):
    real, fake = normal(32, 4).relu(), normal(32, 4, seed=1).relu()
    real[:, 0], fake[:, 0] = 0, 0
    fake[:3] = 0
    gradient = torch.func.grad(lambda x: gdpp(real, x, 1e-4))
    both = torch.func.vmap(gradient)(torch.stack([fake, 2 * fake]))
    assert both.isfinite().all()
    # Only directions count, of features that are not all 0.
    alive = fake.any(1)
    torch.testing.assert_close(both[0, alive], 2 * both[1, alive], rtol=1e-3, atol=1e-4)


def test_gdpp_follows_its_gradient_downhill(gdpp):
    real, fake = normal(12, 6), normal(12, 6, seed=1)
    gradient, value = torch.func.grad_and_value(lambda x: gdpp(real, x, 1e-4))(fake)
    after = gdpp(real, fake - 1e-3 * gradient, 1e-4)
    assert (value - after).item() == pytest.approx(1e-3 * gradient.square().sum().item(), rel=0.1)


# Latents that draw a generator or a component


def quantiles(n):
    """The middles of n equally likely ranges of a standard normal number, as a column."""
    return torch.special.ndtri((torch.arange(n, dtype=torch.float64) + 0.5) / n).float()[:, None]


def test_mgan_draws_its_generators_evenly_and_each_is_its_first_layer_with_the_shared_ones(made):
    networks = made("mgan", generators=4, width=5, latent=3)
    G = networks.generator
    z = torch.cat([quantiles(8), normal(8, 3)], dim=1)
    chosen = networks.generator_parts["choice"](z)
    assert chosen.argmax(1).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert chosen.sum(1).tolist() == [1] * 8
    for k, (row, sample) in enumerate(zip(z, G(z), strict=True)):
        torch.testing.assert_close(sample, G.shared(G.firsts[k // 2](row[None, 1:]))[0])
    uniform = of("mgan")["Choice"](4, "uniform")
    assert uniform(torch.tensor([[-1.0], [-0.1], [0.1], [1.0]])).argmax(1).tolist() == [0, 1, 2, 3]


def test_mgans_classifier_shares_all_of_the_discriminator_but_its_last_layer(made):
    networks = made("mgan", generators=4, width=5)
    C = networks.discriminator_parts["C"]
    own = {id(parameter) for parameter in networks.discriminator.parameters()}
    further = [tuple(parameter.shape) for parameter in C.parameters() if id(parameter) not in own]
    assert further == [(4, 5), (4,)]


def test_mgans_generators_pay_beta_log_k_where_the_classifier_cannot_tell(losses):
    discriminator, generator = losses("mgan", beta=0.5)
    scope = {"d_real": torch.zeros(8), "d_fake": torch.zeros(8), "fake": normal(8, 2), "z": quantiles(8)}
    scope |= {"choice": of("mgan")["Choice"](4, "normal"), "C": lambda x: torch.zeros(len(x), 4)}
    assert generator(scope).item() == pytest.approx(math.log(2) + 0.5 * math.log(4))
    assert discriminator(scope).item() == pytest.approx(2 * math.log(2) + math.log(4))


def test_deligan_draws_its_components_evenly_and_starts_with_narrow_ones(made):
    networks = made("deligan", components=4, latent=3)
    mixture = networks.generator[0]
    assert (mixture.mu.rows.abs() <= 1).all()
    still = torch.cat([quantiles(8), torch.zeros(8, 3)], dim=1)
    torch.testing.assert_close(mixture(still), mixture.mu.rows.repeat_interleave(2, 0))
    moved = torch.cat([quantiles(8), torch.ones(8, 3)], dim=1)
    torch.testing.assert_close(mixture(moved) - mixture(still), torch.full((8, 3), 0.02))
    assert networks.generator_parts["spread"] is mixture.sigma


def test_deligan_keeps_its_components_from_shrinking(losses):
    _, generator = losses("deligan")
    scope = {"d_fake": torch.zeros(8), "z": quantiles(8), "spread": lambda z: torch.full((len(z), 3), 0.02)}
    assert generator(scope).item() == pytest.approx(math.log(2) + 0.1 * 0.98**2)


# BourGAN


def test_bourgains_coordinates_never_stretch_a_distance_and_keep_it_up_to_a_logarithm():
    """Distances to a set are 1-Lipschitz, exactly; all together are distorted by O(log n) (Bourgain 1985).

    By at most log2 n for points on a ring of 8 clusters.
    """
    angle = torch.arange(256) * (2 * math.pi / 8)
    points = torch.stack([angle.cos(), angle.sin()], dim=1) + 0.05 * normal(256, 2)
    torch.manual_seed(0)
    embedded = of("bourgan")["bourgain"](points, repeats=5)
    assert embedded.shape == (256, 5 * 8)
    distance = torch.pdist(points)
    for column in embedded.T:
        assert (torch.pdist(column[:, None]) <= distance + 1e-5).all()
    # Of distances that are no noise within a cluster.
    ratio = (torch.pdist(embedded) / distance)[distance > 0.3]
    assert (ratio.max() / ratio.min()).item() < math.log2(256)


def test_bourgans_latents_are_narrow_gaussians_about_the_embedded_points(made):
    networks = made("bourgan", points=16, repeats=2)
    mixture = networks.generator[0]
    centres = mixture.centres
    assert networks.latent == (1 + 2 * 4,)
    assert centres.square().mean().item() == pytest.approx(1, rel=1e-5)
    still = torch.cat([quantiles(16), torch.zeros(16, 8)], dim=1)
    assert torch.equal(mixture(still), centres)
    moved = torch.cat([quantiles(16), torch.ones(16, 8)], dim=1)
    torch.testing.assert_close(mixture(moved), centres + 0.01)


def test_bourgans_term_is_zero_for_a_generator_that_keeps_distances(losses, made):
    networks = made("bourgan", points=16, repeats=2)
    latent = networks.generator_parts["latent"]
    z = normal(32, 9)
    _, generator = losses("bourgan", alpha=1.0)
    scope = {"d_fake": torch.zeros(32), "latent": latent, "z": z, "random": DrawRecorder()}
    turn = torch.linalg.qr(normal(8, 8)).Q
    assert generator(scope | {"G": lambda z: latent(z) @ turn, "fake": latent(z) @ turn}).item() == pytest.approx(
        math.log(2), abs=1e-4
    )
    twice = generator(scope | {"G": lambda z: 2 * latent(z), "fake": 2 * latent(z), "random": DrawRecorder()})
    assert twice.item() == pytest.approx(math.log(2) + math.log(2) ** 2, abs=1e-4)


@pytest.mark.parametrize("name", ["ali", "veegan", "reg-gan", "mdgan", "gdpp", "mgan"])
def test_a_discriminator_without_a_last_layer_is_said_in_one_line(name, shipped):
    class Whole(nn.Module):
        def forward(self, x):
            return x.sum(1)

    def build(shape):
        networks = shipped.get("architecture", "mlp").value.build(shape)
        return type(networks)(networks.generator, Whole(), networks.latent)

    with pytest.raises(ValueError, match=r"must be an nn\.Sequential that ends in nn\.Linear$"):
        bind(shipped.get("loss", name).value.players, {})({"build": build, "shape": (2,), "data": None})


def test_a_batch_that_makes_no_packs_is_said_in_one_line(cell):
    with pytest.raises(Exception, match="a batch of 8 makes no packs of 3"):
        Trainer(
            [cell("{loss: {name: pacgan, packing: 3}}", seeds=2, batch=8)],
            torch.device("cpu"),
            "eager",
        )
