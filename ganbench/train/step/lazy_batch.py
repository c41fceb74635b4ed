"""A minibatch as a plugin is given it: its parts are drawn when they are first read."""

from __future__ import annotations

from torch import Tensor

from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.short_lived import ShortLived


class LazyBatch(
    ShortLived,
    own="_real _sizes _z random",
    called="the batch",
    instead="pass it on as an argument; what D sees in place of samples is a penalty's inputs=",
):
    """A fresh minibatch; ``real`` and ``z`` are drawn when they are first read, so that an unused one costs nothing."""

    def __init__(
        self, recorder: DrawRecorder, size: int, shape: tuple[int, ...], latent: tuple[int, ...], latent_kind: str
    ) -> None:
        self.random = recorder
        self._sizes = ((size, *shape), (size, *latent), latent_kind)
        self._real: Tensor | None = None
        self._z: Tensor | None = None

    @property
    def real(self) -> Tensor:
        """Samples of the data, (batch, *shape)."""
        if self._real is None:
            self._real = self.random.take("real", "real", self._sizes[0])
        return self._real

    @property
    def z(self) -> Tensor:
        """Latents, (batch, *latent)."""
        if self._z is None:
            self._z = self.random.take("latent", self._sizes[2], self._sizes[1])
        return self._z
