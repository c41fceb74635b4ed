from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from ganbench.metrics.divergence import divergences

PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.fixture(scope="module")
def digits() -> Any:
    (value,) = runpy.run_path(str(PLUGINS / "datasets" / "digits.py"))["ganbench_datasets"]()
    assert value.name == "digits"
    return value.build()


def rows(images: torch.Tensor) -> set[bytes]:
    return {image.numpy().tobytes() for image in images}


def test_all_images_are_there_in_two_parts_that_share_none(digits: Any) -> None:
    assert digits.shape == (1, 8, 8)
    assert digits.training.shape == (1437, 1, 8, 8)
    assert digits.held_out.shape == (360, 1, 8, 8)
    assert digits.training.dtype == torch.float32
    whole = torch.cat([digits.training, digits.held_out])
    pixels = torch.tensor(load_digits().data, dtype=torch.float32).reshape(-1, 1, 8, 8)
    assert rows(whole) == rows(pixels / 8 - 1)
    assert len(rows(whole)) == 1797
    assert (whole.min(), whole.max()) == (-1, 1)


def test_a_fifth_of_each_class_is_held_out(digits: Any) -> None:
    held_out = rows(digits.held_out)
    images, classes = load_digits(return_X_y=True)
    plain = torch.tensor(images / 8 - 1, dtype=torch.float32).reshape(-1, 1, 8, 8)
    for digit in range(10):
        own = rows(plain[torch.tensor(classes) == digit])
        assert len(own & held_out) / len(own) == pytest.approx(0.2, abs=0.01)


def test_samples_are_training_images_from_the_generator_alone(digits: Any) -> None:
    first, again = (digits.sample(2000, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == (2000, 1, 8, 8)
    assert rows(first) <= rows(digits.training)
    assert not torch.equal(first, digits.sample(2000, torch.Generator().manual_seed(8)))


class Pool:
    """Some of the images, drawn with replacement, and none held out."""

    shape = (1, 8, 8)

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        return self.images[torch.randint(len(self.images), (n,), generator=generator)]


def test_images_of_a_finite_pool_are_no_way_from_themselves(digits: Any) -> None:
    """20 pools of 300; at exactly 5 % wrong, 4 or more would come twice in 100."""
    wrong = 0
    for seed in range(20):
        random = torch.Generator().manual_seed(seed)
        pool = Pool(digits.training[torch.randperm(len(digits.training), generator=random)[:300]])
        samples, real = (pool.sample(1000, random)[None] for _ in range(2))
        (read,) = divergences(samples, pool, real, final=True)
        wrong += read.low is None or read.low > 0
    assert wrong < 4


def test_training_images_are_near_those_held_out(digits: Any) -> None:
    samples = digits.sample(1000, torch.Generator().manual_seed(1))[None]
    (read,) = divergences(samples, digits, digits.held_out[None], final=True)
    assert read.low == 0
    assert read.floor is not None
    assert read.floor < 0.01


def test_the_mlp_plays_on_images(digits: Any) -> None:
    (architecture,) = runpy.run_path(str(PLUGINS / "architectures" / "mlp.py"))["ganbench_architectures"]()
    networks = architecture.build(digits.shape, latent=16)
    fake = networks.generator(torch.randn(5, 16))
    assert fake.shape == (5, 1, 8, 8)
    assert networks.discriminator(fake).numel() == 5
