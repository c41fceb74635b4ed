"""Properties of an optimizer: it goes down a bowl, also layer by layer, stays finite, and keeps all shapes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import NotApplicableError, raise_if_stopped
from ganbench.core.plain_words import plain_words
from ganbench.core.rng import stream
from ganbench.plugin.binding import bind
from ganbench.testing.purity import global_rng_untouched, unchanged
from ganbench.testing.result import Property, Subject, WrongError

Shapes = tuple[torch.Size, ...]
#: Eight numbers as the parameters of three layers, the second of them with a bias.
LAYERS = tuple(map(torch.Size, ((1, 1), (2, 2), (1,), (1, 2))))
#: The parameters of networks: with biases, without, of images.
NETWORKS = tuple(
    tuple(map(torch.Size, shapes))
    for shapes in (
        ((4, 2), (4,), (5, 4), (5,), (1, 5), (1,)),
        ((4, 2), (3, 4), (3, 3), (1, 3)),
        ((2, 1, 3, 3), (4, 2, 3, 3), (4,), (1, 4), ()),
    )
)


class Run:
    """An optimizer at work on a function whose gradient is known."""

    def __init__(self, subject: Subject, theta: Tensor, shapes: Shapes = LAYERS) -> None:
        self._update = bind(subject.value.update, subject.parameters)
        self.theta, self.state = theta, tuple(subject.value.start(theta))
        self.t = torch.zeros(())
        self._shapes = shapes

    def step(self, gradient: Tensor) -> None:
        """One update."""
        self.t = self.t + 1
        given = {"theta": self.theta, "gradient": gradient, "state": self.state, "t": self.t}
        given |= {"shapes": self._shapes, "networks": (self._shapes,)}
        with unchanged(given):
            self.theta, self.state = self._update(given)


def downhill(subject: Subject) -> str:
    """It goes down a bowl, |theta|^2 / 2, from a steep start to a flat end."""
    run = Run(subject, torch.linspace(-1, 1, 8).double())
    first, start = run.theta, run.theta.norm().item()
    run.step(run.theta)
    rise = (first @ (run.theta - first)).item()
    for _ in range(STEPS - 1):
        run.step(run.theta)
    if torch.equal(run.theta, first):
        raise WrongError("does not move theta, whatever the gradient")
    end = run.theta.norm().item()
    if not end < start:
        why = "goes up: a wrong sign?" if rise > 0 else "overshoots: is its step too long?"
        raise WrongError(f"|theta| goes from {start:.4g} to {end:.4g} down |theta|^2 / 2; it {why}")
    return f"|theta| {start:.3g} -> {end:.3g} in {STEPS} steps"


def layers(subject: Subject) -> None:
    """An optimizer that names the shapes of the layers goes down the bowl in each of them, whatever they are."""
    if not {"shapes", "networks"} & {*bind(subject.value.update, {}).names}:
        raise NotApplicableError("does not name the shapes of the layers")
    for shapes in NETWORKS:
        sizes = [shape.numel() for shape in shapes]
        theta = torch.randn(sum(sizes), generator=stream(0, "conformance.layers")).double()
        run = Run(subject, theta, shapes)
        run.step(theta)
        for shape, before, after in zip(shapes, torch.split(theta, sizes), torch.split(run.theta, sizes), strict=True):
            if not before @ (after - before) < 0:
                raise WrongError(f"does not go down |theta|^2 / 2 in the layer {tuple(shape)} of {len(shapes)}")


def flat(subject: Subject) -> None:
    """With a gradient of zero all numbers stay finite."""
    run = Run(subject, torch.linspace(-1, 1, 8).double())
    for _ in range(10):
        run.step(torch.zeros_like(run.theta))
    if not all(each.isfinite().all() for each in (run.theta, *run.state)):
        raise WrongError("a gradient of exactly zero gives numbers that are not finite")


def shapes(subject: Subject) -> None:
    """The state has theta's shape, for one model or many, and an update keeps the shapes of theta and state."""
    for shape in ((8,), (3, 8)):
        theta = torch.ones(shape)
        if any(tuple(each.shape) != shape for each in subject.value.start(theta)):
            raise WrongError(f"start() must give tensors of theta's shape {shape}")
    run = Run(subject, torch.ones(8))
    before = [tuple(each.shape) for each in (run.theta, *run.state)]
    run.step(torch.ones(8))
    if [tuple(each.shape) for each in (run.theta, *run.state)] != before:
        raise WrongError("update() must give a theta and a state of the shapes that it is given")


def scheduled(subject: Subject) -> None:
    """With a rate as a schedule gives it, a tensor and one for each seed, it moves as with the suite's number."""
    name = subject.entry.scheduled
    number = subject.parameters.get(name) if name else None
    if name is None or type(number) not in (int, float):
        raise NotApplicableError("has no number that a schedule scales")
    start = torch.linspace(-1, 1, 8).double()

    def moved(value: Any) -> Tensor:
        update = bind(subject.value.update, subject.parameters | {name: value})
        theta, state = start, tuple(subject.value.start(start))
        for t in range(1, 6):
            # All in float64: else what is compared would be rounding.
            at = torch.tensor(float(t), dtype=torch.float64)
            given = {"theta": theta, "gradient": theta, "state": state, "t": at}
            theta, state = update(given | {"shapes": LAYERS, "networks": (LAYERS,)})
        return theta

    try:
        together = torch.func.vmap(moved)(torch.tensor([number, number], dtype=torch.float64))
    except BaseException as error:
        raise_if_stopped(error)
        raise NotApplicableError(f"under a schedule its seeds train one by one: {plain_words(error)}") from error
    alone = moved(number)
    if not torch.allclose(together, alone.expand(2, -1), rtol=1e-9):
        apart = (together - alone).abs().max().item()
        raise WrongError(f"moves elsewhere ({apart:.2g}) where {name!r} is a tensor, as a schedule gives it")


def global_rng(subject: Subject) -> None:
    """No global random state is changed."""
    with global_rng_untouched():
        Run(subject, torch.ones(8)).step(torch.ones(8))


STEPS = 200
PROPERTIES = (
    Property("downhill", downhill),
    Property("downhill in each layer", layers),
    Property("finite without a gradient", flat),
    Property("theta and state keep their shapes", shapes),
    Property("scheduled = as it is", scheduled),
    Property("no global random state", global_rng),
)
