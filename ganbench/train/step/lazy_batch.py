"""A minibatch as a plugin is given it: its parts are drawn when they are first read."""

from __future__ import annotations

from math import prod

from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.rules import Rules
from ganbench.train.step.short_lived import ShortLived


class LazyBatch(
    ShortLived,
    own="_label _real _rules _z random",
    called="the batch",
    instead="pass it on as an argument; what D sees in place of samples is a penalty's inputs=",
):
    """A fresh minibatch; each part is drawn when it is first read, so that an unused one costs nothing."""

    def __init__(self, recorder: DrawRecorder, rules: Rules) -> None:
        self.random = recorder
        self._rules = rules
        self._real: Tensor | None = None
        self._label: Tensor | None = None
        self._z: Tensor | None = None

    @property
    def real(self) -> Tensor:
        """Samples of the data, (batch, *shape)."""
        if self._real is None:
            size, shape = self._rules.batch, self._rules.shape
            if self._rules.classes:
                # One draw for both: a label is that of its sample.
                rows = self.random.take("real", "labelled", (size, prod(shape) + 1), self._rules.classes)
                self._real, self._label = rows[:, :-1].reshape(size, *shape), rows[:, -1].long()
            else:
                self._real = self.random.take("real", "real", (size, *shape))
        return self._real

    @property
    def label(self) -> Tensor:
        """The classes of the samples of the data, and those that G is asked for, (batch,), int64.

        Raises PluginError where nothing in the variant names labels, or the data have none.
        """
        if not self._rules.classes:
            raise PluginError("batch.label is there where the networks, the loss or a penalty take labels")
        _ = self.real
        assert self._label is not None
        return self._label

    @property
    def z(self) -> Tensor:
        """Latents, (batch, *latent)."""
        if self._z is None:
            self._z = self.random.take("latent", self._rules.latent_kind, (self._rules.batch, *self._rules.latent))
        return self._z
