"""Images put on top of each other as colour channels: a mode for each combination of their classes."""

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
    """Images of one channel and ten classes, three drawn on their own as colours (Metz et al. 2017, arXiv:1611.02163).

    The class of a stack is the number that its classes write, the first channel's in front: 0 to 999. There are too
    many stacks to speak of a training set. Those held out are of images that are never drawn, each once a channel: were
    they used again and again, a discriminator could tell a stack by the few images that come back, and the data itself
    would seem far from them.

    ``labels`` and ``held_out_labels`` are of the images' two parts; ``estimator`` makes the classifier, one of
    scikit-learn's. It is fitted to single images of the training part, when it is first asked.
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
        """Stacks of images that are never drawn, as many as there are such images, always the same; float32."""
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
        """The class that each of ``samples``, (n, *shape), looks most like, (n,); -1 where it is not finite."""
        pixels = samples.detach().cpu().flatten(2).float().numpy()
        good = (np.abs(pixels) < 1e30).all(axis=(1, 2))  # false for NaN, too
        answer = np.full(len(pixels), -1)
        if good.any():
            labels = self._classifier.predict(pixels[good].reshape(-1, pixels.shape[2]))
            answer[good] = labels.reshape(-1, self._channels) @ _CLASSES ** np.arange(self._channels)[::-1]
        return answer

    @cached_property
    def classifier_accuracy(self) -> float:
        """The share of single images, held out, that the classifier gets right."""
        guessed = self._classifier.predict(self._images.held_out.flatten(1).numpy())
        return float((guessed == self._held_out_labels).mean())

    @cached_property
    def _classifier(self) -> Any:
        estimator = self._estimator()
        with warnings.catch_warnings():  # that it might be trained for longer; its accuracy says how good it is
            warnings.simplefilter("ignore")
            return estimator.fit(self._images.training.flatten(1).numpy(), self._labels)
