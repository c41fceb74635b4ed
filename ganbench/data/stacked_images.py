"""Images stacked as colour channels: one mode for each combination of their classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.core.rng import stream
from ganbench.data.finite_set import Finite

_CLASSES = 10


class Stacked:
    """Stacks of three grey images, drawn independently, as colour channels (Metz et al. 2017, arXiv:1611.02163).

    The images have ten classes. The digits of a stack's class are the classes of its channels, the first channel's in
    front: 0 to 999. There is no training set, since there are too many stacks. The held-out stacks consist of images
    that are never drawn, each once in each channel: if a few images were repeated, a discriminator could recognise
    them, and the data itself would seem far from the held-out stacks.

    ``labels`` and ``held_out_labels`` belong to the two parts of the images; ``estimator`` makes the classifier, one of
    scikit-learn's. It is fitted to single images of the training part at its first use.
    """

    def __init__(
        self,
        images: Finite,
        labels: np.ndarray,
        held_out_labels: np.ndarray,
        estimator: Callable[[], Any],
        channels: int = 3,
    ) -> None:
        self._images, self._labels, self._held_out_labels = images, labels, held_out_labels
        self._estimator, self._channels = estimator, channels

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one stack: (channels, height, width)."""
        return (self._channels, *self._images.shape[1:])

    @cached_property
    def held_out(self) -> Tensor:
        """Stacks of images that are never drawn, as many as there are such images; always the same stacks; float32."""
        images, random = self._images.held_out, stream(0, "stacked.held_out")
        orders = [torch.randperm(len(images), generator=random) for _ in range(self._channels)]
        return torch.cat([images[order] for order in orders], dim=1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Draw ``n`` stacks, shape (n, *shape), float32, on the generator's device."""
        return self._images.sample(n * self._channels, generator).reshape(n, *self.shape)

    @cached_property
    def class_shares(self) -> np.ndarray:
        """The share of the data that is of each class, (1000,)."""
        one = np.bincount(self._labels, minlength=_CLASSES) / len(self._labels)
        shares = one
        for _ in range(self._channels - 1):
            shares = np.multiply.outer(shares, one).ravel()
        return shares

    def classify(self, samples: Tensor) -> np.ndarray:
        """The class of each of ``samples``, (n, *shape), by the classifier, (n,); -1 where a sample is not finite."""
        pixels = samples.detach().cpu().flatten(2).float().numpy()
        good = (np.abs(pixels) < 1e30).all(axis=(1, 2))  # false for NaN, too
        answer = np.full(len(pixels), -1)
        if good.any():
            labels = self._classifier.predict(pixels[good].reshape(-1, pixels.shape[2]))
            answer[good] = labels.reshape(-1, self._channels) @ _CLASSES ** np.arange(self._channels)[::-1]
        return answer

    @cached_property
    def classifier_accuracy(self) -> float:
        """The share of single held-out images that the classifier labels correctly."""
        guessed = self._classifier.predict(self._images.held_out.flatten(1).numpy())
        return float((guessed == self._held_out_labels).mean())

    @cached_property
    def _classifier(self) -> Any:
        estimator = self._estimator()
        with warnings.catch_warnings():  # of too few iterations; ``classifier_accuracy`` shows how good it is
            warnings.simplefilter("ignore")
            return estimator.fit(self._images.training.flatten(1).numpy(), self._labels)
