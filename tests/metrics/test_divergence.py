from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ganbench.data.mixture import Mixture
from ganbench.metrics.divergence import divergences
from ganbench.metrics.jsd import jsds
from ganbench.metrics.jsd_lower_bound import lower_bound
from ganbench.metrics.jsd_neighbours import neighbour_jsd
from ganbench.metrics.points import from_tensor

LOG2 = math.log(2)
PLANE = Mixture([[0.0, 0.0], [3.0, 0.0]], 0.5)
SPACE = Mixture([[0.0] * 5, [3.0] * 5], 0.5)


class Unknown:
    """A distribution that nothing but its samples are known of, of any shape."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return torch.randn(n, *self.shape, generator=generator, device=generator.device)


class FiniteSet(Unknown):
    """A finite set of real data, part of it held out."""

    def __init__(self, *shape: int) -> None:
        super().__init__(*shape)
        self.training, self.held_out = super().sample(800, draw(1)).split([600, 200])

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.training[torch.randint(len(self.training), (n,), generator=generator)]


def draw(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(law: Unknown | Mixture, n: int = 500, seeds: int = 2, start: int = 0) -> Tensor:
    return torch.stack([law.sample(n, draw(start + seed)) for seed in range(seeds)])


def test_a_known_density_on_a_line_or_plane_is_used() -> None:
    samples = batch(PLANE, 2000)
    for final in (False, True):
        read = divergences(samples, PLANE, None, final=final)
        for one, known in zip(read, jsds(samples, PLANE, guard=final), strict=True):
            assert (one.value, one.low, one.high, one.note) == (known.value, known.low, known.high, known.note)
            assert one.method == "density"
            assert one.floor is None


@pytest.mark.parametrize("shape", [(1,), (2,), (1, 1, 2)])
def test_data_known_by_samples_on_a_line_or_plane_is_read_from_neighbours(shape: tuple[int, ...]) -> None:
    law = Unknown(*shape)
    samples, real = batch(law) + 1, batch(law, start=50)
    first, second = divergences(samples, law, real, final=True)
    expected = neighbour_jsd(from_tensor(samples[1]), from_tensor(real[1]))
    assert (second.value, second.low, second.high) == (expected.value, expected.low, expected.high)
    assert first.method == second.method == "neighbours"
    for one in (first, second):
        assert one.floor is not None
        assert one.floor < 0.02
    assert [d.floor for d in divergences(samples, law, real, final=False)] == [None, None]


def test_rows_that_are_not_finite_or_repeat_are_told_on_the_plane_too() -> None:
    law = Unknown(2)
    samples = batch(law)
    samples[0, :50] = math.nan
    samples[1, :100] = samples[1, 100]
    broken, again = divergences(samples, law, batch(law, start=50), final=False)
    assert broken.note == "10 % of the samples are not finite"
    assert (broken.duplicates, again.note) == (0, "")
    assert again.duplicates == pytest.approx(0.2)


@pytest.mark.parametrize("law", [Unknown(1, 3, 3), FiniteSet(5), SPACE], ids=["image", "finite set", "5-D mixture"])
def test_all_else_gets_a_lower_bound_at_the_end_only(law: Unknown | Mixture) -> None:
    samples, real = batch(law) + 1, batch(law, start=50)
    for one in divergences(samples, law, real, final=False):
        assert (one.value, one.low, one.high, one.floor) == (None, None, None, None)
        assert (one.method, one.note) == ("lower bound", "measured at the end")
    for one, x, y in zip(divergences(samples, law, real, final=True), samples, real, strict=True):
        training = law.training.numpy() if isinstance(law, FiniteSet) else None
        mixture = law if isinstance(law, Mixture) else None
        noise = 0.05 if len(law.shape) > 1 else 0.0
        bound = lower_bound(x.numpy(), y.numpy(), training=training, mixture=mixture, noise=noise)
        assert (one.value, one.low, one.high) == (bound.value, bound.low, None)
        assert one.value is not None
        assert one.value > 0.2
        assert one.method == "lower bound"
        assert one.note == ("a lower bound, with noise of 5 % on both" if noise else "a lower bound")
        assert one.floor is not None
        assert one.floor < 0.01


@pytest.mark.parametrize(
    "law", [Unknown(2), Unknown(1, 3, 3), FiniteSet(5), SPACE], ids=["plane", "image", "set", "5-D"]
)
def test_the_floor_of_a_seed_does_not_depend_on_the_seeds_beside_it(law: Unknown | Mixture) -> None:
    samples, real = batch(law, seeds=3), batch(law, seeds=3, start=50)
    together = divergences(samples, law, real, final=True)
    for seed, read in enumerate(together):
        assert divergences(samples[seed, None], law, real[seed, None], final=True) == [read]
        assert read == divergences(samples[[2, seed]], law, real[[2, seed]], final=True)[1]


def test_each_seed_has_a_floor_of_its_own() -> None:
    law = Unknown(2)
    samples, real = batch(law, seeds=5), batch(law, seeds=5, start=50)
    assert len({read.floor for read in divergences(samples, law, real, final=True)}) > 2


def test_a_small_part_held_out_is_enough() -> None:
    law = FiniteSet(5)
    (same,) = divergences(law.sample(1000, draw(3))[None], law, law.held_out[None], final=True)
    (moved,) = divergences(law.sample(1000, draw(3))[None] + 1, law, law.held_out[None], final=True)
    assert same.low == 0
    assert same.duplicates > 0.5
    assert moved.low is not None
    assert moved.low > 0.2


def test_too_few_rows_for_a_lower_bound_are_said() -> None:
    law = Unknown(4)
    (read,) = divergences(batch(law, 10, seeds=1), law, batch(law, 30, seeds=1), final=True)
    assert read.value is None
    assert read.note == "20 samples and as many real ones needed, not 10 and 30"


def test_nothing_finite_is_as_far_as_can_be() -> None:
    for law in (PLANE, SPACE, Unknown(2), Unknown(3, 2)):
        samples = torch.full_like(batch(law, seeds=1), math.nan)
        (read,) = divergences(samples, law, batch(law, seeds=1), final=True)
        assert read.value == pytest.approx(LOG2, abs=1e-6)


def test_shapes_that_do_not_fit_are_refused() -> None:
    law = Unknown(1, 4, 4)
    good = batch(law)
    with pytest.raises(
        ValueError, match=r"samples must have the shape \(seeds, n, 1, 4, 4\), n above 0, not \(2, 500, 16\)"
    ):
        divergences(good.flatten(2), law, good, final=True)
    with pytest.raises(ValueError, match=r"real must have the shape"):
        divergences(good, law, good.flatten(2), final=True)
    with pytest.raises(ValueError, match="samples are of 2 seeds and real of 1"):
        divergences(good, law, good[:1], final=True)
    with pytest.raises(ValueError, match="real samples are needed"):
        divergences(good, law, None, final=True)
    with pytest.raises(ValueError, match=r"samples must have the shape \(seeds, n, 2\)"):
        divergences(batch(SPACE), PLANE, None, final=True)
