"""A finite set whose rows have labels, for conditional GANs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.data.finite_set import Finite, on_unit_scale


class LabelledSet(Finite):
    """A finite set with the class of each row: whole numbers from 0, (n,), for both parts.

    ``estimator`` makes the classifier that says which class a sample looks like, one of scikit-learn's; by default the
    class is that of the nearest training row. Raises ValueError as ``Finite`` does, and where labels do not fit.
    """

    def __init__(
        self,
        training: Tensor | np.ndarray | Any,
        held_out: Tensor | np.ndarray | Any,
        training_labels: Tensor | np.ndarray | Any,
        held_out_labels: Tensor | np.ndarray | Any,
        estimator: Callable[[], Any] | None = None,
    ) -> None:
        super().__init__(training, held_out)
        self.training_labels = _as_labels(training_labels, "training_labels", len(self.parts["training"]))
        self.held_out_labels = _as_labels(held_out_labels, "held_out_labels", len(self.parts["held_out"]))
        counts = torch.bincount(self.training_labels)
        if not counts.all():
            raise ValueError(
                f"class {int(counts.argmin())} has no row to train on: number the classes from 0, without gaps"
            )
        if int(self.held_out_labels.max()) >= len(counts):
            raise ValueError(f"class {int(self.held_out_labels.max())} has held-out rows, and no row to train on")
        self._estimator = estimator or _nearest_row
        self._labels_on: dict[torch.device, Tensor] = {}

    @property
    def class_shares(self) -> np.ndarray:
        """The share of each class in the training part, (classes,)."""
        return torch.bincount(self.training_labels).double().numpy() / len(self.training_labels)

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The samples that ``sample`` draws, and their classes, (n,), int64."""
        if generator.device not in self._labels_on:
            self._labels_on[generator.device] = self.training_labels.to(generator.device)
        samples, chosen = self._drawn(n, generator)
        return samples, self._labels_on[generator.device][chosen]

    def classes_like(self, samples: Tensor) -> np.ndarray:
        """The class that each of ``samples``, (n, *shape), looks like to the classifier, (n,); -1 where not finite."""
        rows = samples.detach().cpu().flatten(1).float().numpy()
        good = (np.abs(rows) < 1e30).all(axis=1)  # false for NaN, too
        answer = np.full(len(rows), -1)
        if good.any():
            answer[good] = self._classifier.predict(rows[good])
        return answer

    @cached_property
    def classifier_accuracy(self) -> float:
        """The share of the held-out rows that the classifier labels correctly."""
        return float((self.classes_like(self.held_out) == self.held_out_labels.numpy()).mean())

    @cached_property
    def _classifier(self) -> Any:
        rows = on_unit_scale(self.parts["training"]).flatten(1).numpy()
        return self._estimator().fit(rows, self.training_labels.numpy())


def _nearest_row() -> Any:
    # Late: slow to import, and few runs need it.
    from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]

    return KNeighborsClassifier(1)


def _as_labels(given: Any, name: str, n: int) -> Tensor:
    labels = torch.as_tensor(np.asarray(given))
    if labels.dtype.is_floating_point or labels.dtype.is_complex or tuple(labels.shape) != (n,):
        raise ValueError(
            f"{name} must be whole numbers, one for each row, ({n},), not {labels.dtype} {tuple(labels.shape)}"
        )
    if labels.min() < 0:
        raise ValueError(f"{name} must be whole numbers from 0, and there is {int(labels.min())}")
    return labels.long()
