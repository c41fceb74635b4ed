"""Known values for plugins that call D: the slope of a line, and a constant, which a relativistic loss ignores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.binding import bind
from ganbench.plugin.types import Loss
from ganbench.testing.checked_cell import CHECK
from ganbench.testing.game_at_point import Rows
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.train.step.global_rng import GlobalRngOverride

#: The known forms of a penalty, as functions of the length of D's slope.
FORMS: dict[str, Callable[[float], float]] = {
    "|w|^2": lambda s: s**2,
    "(|w| - 1)^2": lambda s: (s - 1) ** 2,
    "max(0, |w| - 1)^2": lambda s: max(0.0, s - 1) ** 2,
}
#: Lengths of the slope, and directions of it, in two dimensions and for images.
LENGTHS = (0.5, 2.0, 5.0)
SHAPES = ((2,), (1, 3, 3))
N = 16
#: For tests that move coordinates: a shape with all sizes different, a length that is no usual target, and rounding.
IMAGE = (2, 3, 4)
LENGTH = 2.7
ROUNDING = 1e-6
Layout = Callable[[Tensor], Tensor]


def line(subject: Subject) -> str:
    """Where D is linear, a penalty on its slope has a closed form, for any data."""
    _looks(subject)
    found = [[_on_line(subject, shape, length) for length in LENGTHS] for shape in SHAPES]
    wanted = CHECK["slopes"][subject.entry.kind].get(subject.entry.name)
    closed = ""
    for form in FORMS if wanted is None else (wanted["form"],):
        own = [FORMS[form](length) - FORMS[form](0.0) for length in LENGTHS]
        factor = found[0][-1] / own[-1] if wanted is None else _factor(wanted["factors"], subject)
        size = abs(factor) * max(map(abs, own))
        if all(_near(value, factor * each, size) for row in found for value, each in zip(row, own, strict=True)):
            return f"{factor:.4g} {form}"
        expected = ", ".join(f"{factor * each:.4g}" for each in own)
        closed = f"{factor:.4g} {form} less its value at 0: {expected}"
    values = ", ".join(f"{value:.4g}" for value in found[0])
    if wanted is None:
        raise NotApplicableError(f"no closed form that is known: {values} for |w| = .5, 2 and 5")
    raise WrongError(f"for a line of slope |w| = .5, 2 and 5 it is {values}, not {closed}")


def _factor(known: Mapping[str, float], subject: Subject) -> float:
    """The sum of multiples of a plugin's parameters."""
    return sum(by * float(subject.parameters[name]) for name, by in known.items())


def constant(subject: Subject) -> None:
    """A constant that is added to D does not change a relativistic loss, which uses differences of logits."""
    if _own_networks(subject):
        raise NotApplicableError("a method with networks of its own")
    if "d_real" not in _names(subject, "generator"):
        raise NotApplicableError("not relativistic: G's loss does not name d_real")
    for player in ("discriminator", "generator"):
        plain, shifted = (_value(subject, player, _scope((2,), partial(_raised, by=by))) for by in (0.0, 5.0))
        if not _near(shifted.item(), plain.item()):
            if not subject.entry.name not in CHECK["relativistic"]:
                raise NotApplicableError("not relativistic: a constant added to D changes it")
            raise WrongError(f"the {player}'s loss changes from {plain:.5g} to {shifted:.5g} where 5 is added to D")


def points(subject: Subject) -> None:
    """Each point between a real and a fake sample has one weight, from 0 to 1: it lies on the segment."""
    _looks(subject)
    seen: list[Tensor] = []

    def watched(x: Tensor) -> Tensor:
        with suppress(RuntimeError):  # inside a vmap of the plugin's own the numbers cannot be read
            seen.append(torch.tensor(x.detach().tolist(), dtype=torch.float64))
        return x.flatten(1).sum(1)

    scope = _scope(IMAGE, watched)
    _value(subject, "discriminator", scope)
    real, fake = scope["real"], scope["fake"]
    for x in (x for x in seen if x.shape == real.shape):
        weight = ((x - fake) / (real - fake)).flatten(1)
        one = weight.amax(1) - weight.amin(1) < ROUNDING
        outside = (weight < -ROUNDING) | (weight > 1 + ROUNDING)
        if not outside.any() and one.sum() < N / 2:
            raise WrongError("D is called between real and fake samples: one weight a sample, not a coordinate")
        if (one & outside.all(1)).sum() > N / 8:
            own = weight[one & outside.all(1)][0, 0].item()
            raise WrongError(
                f"D is called outside the segment from fake to real, at a weight of {own:.3g}: it is from 0 to 1"
            )


def order(subject: Subject) -> None:
    """Another order of coordinates, in data and D alike, changes nothing: a norm is over all coordinates."""
    there = torch.randperm(torch.Size(IMAGE).numel(), generator=torch.Generator().manual_seed(2))
    one, other = (_slope(subject, layout) for layout in (_same, lambda x: x.flatten(1)[:, there].view(x.shape)))
    if not _near(one, other, tolerance=ROUNDING):
        raise WrongError(
            f"what it makes of D's gradient is {one:.6g}, with the coordinates of data and D in another order "
            f"{other:.6g}: a norm along one axis of several? Flatten first"
        )


def ignored(subject: Subject) -> None:
    """Coordinates that D ignores change nothing: a norm is a sum over coordinates, not a mean."""
    one, other = (_slope(subject, layout) for layout in (_same, partial(pad, pad=(0, 0, 0, 1, 0, 1))))
    if not _near(one, other, tolerance=ROUNDING):
        raise WrongError(
            f"what it makes of D's gradient is {one:.6g}, with more coordinates, which D ignores, {other:.6g}: "
            "a mean over coordinates in place of a sum?"
        )


LINE = Property("a penalty on a line", line)
CONSTANT = Property("relativistic: a constant", constant)


def _raised(x: Tensor, by: float) -> Tensor:
    return x.sum(1).tanh() + by


def _on_line(subject: Subject, shape: tuple[int, ...], length: float) -> float:
    """The value with a linear D of this slope, minus that with a D that is 0."""
    w = _direction(shape, length)
    lined, silent = _scope(shape, lambda x: (x * w).flatten(1).sum(1)), _scope(shape, lambda x: 0 * x.flatten(1).sum(1))
    silent |= {name: lined[name] for name in ("d_real", "d_fake")}
    return (_value(subject, "discriminator", lined) - _value(subject, "discriminator", silent)).item()


def _looks(subject: Subject) -> None:
    if "D" not in _names(subject, "discriminator") or _own_networks(subject):
        raise NotApplicableError("does not look at D's slope")


def _same(x: Tensor) -> Tensor:
    return x


class _Rearranged(Rows):
    """Random numbers for images in another layout of coordinates: the same numbers at the same coordinates."""

    def __init__(self, layout: Layout, real: Tensor, z: Tensor) -> None:
        super().__init__(torch.arange(N), N, real, z)
        self._layout, self._inside, self._outside = layout, real.shape[1:], layout(real).shape[1:]

    def take(self, purpose: str, kind: str, shape: tuple[int, ...], classes: int = 0) -> Tensor:
        """As ``Rows.take``, in the layout of the images."""
        if shape[1:] != self._outside:
            return super().take(purpose, kind, shape, classes)
        return self._layout(super().take(purpose, kind, (shape[0], *self._inside)))


def _slope(subject: Subject, layout: Layout) -> float:
    """The value with a linear D, minus that with a D of the same values without slope, for images in this layout."""
    _looks(subject)
    w = layout(_direction(IMAGE, LENGTH)[None])

    def line(x: Tensor) -> Tensor:
        return (x * w).flatten(1).sum(1)

    def flat(x: Tensor) -> Tensor:
        return line(x.detach()) + 0 * x.flatten(1).sum(1)

    lined, level = (_value(subject, "discriminator", _scope(IMAGE, D, layout)) for D in (line, flat))
    if lined == level:
        raise NotApplicableError("does not look at D's slope")
    return (lined - level).item()


def _direction(shape: tuple[int, ...], length: float) -> Tensor:
    w = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    w *= length / w.norm()
    return w


def _scope(shape: tuple[int, ...], D: Callable[[Tensor], Tensor], layout: Layout = _same) -> dict[str, Any]:
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(N, *shape, generator=random, dtype=torch.float64) for _ in range(2))
    z = torch.randn(N, 2, generator=random, dtype=torch.float64)
    own = _Rearranged(layout, real, z)
    real, fake = layout(real), layout(fake)
    given = {"D": D, "G": lambda z: fake, "real": real, "fake": fake, "z": z, "random": own, "step": torch.tensor(0)}
    given["label"] = torch.arange(N) % 2
    return given | {"d_real": D(real), "d_fake": D(fake)}


def _value(subject: Subject, player: str, scope: Mapping[str, Any]) -> Tensor:
    memory = tuple(torch.tensor(number).double() for number in getattr(subject.value, "memory", ()))
    # What code draws from torch's global generator are the scope's own numbers, as in training.
    with weights_asked(scope), GlobalRngOverride(scope["random"]):
        value: Tensor = bind(getattr(subject.value, player), subject.parameters)({**scope, "memory": memory})
        return value


def check_calls(subject: Subject, player: str) -> None:
    """Raise NotApplicableError where a loss or a penalty asks for D's weights or layers, and does not only call it."""
    _value(subject, player, _scope((2,), lambda x: x.flatten(1).sum(1)))


@contextmanager
def weights_asked(scope: Mapping[str, Any]) -> Iterator[None]:
    """Within it, code that asks for the weights of a D that has none, a plain function, makes a test not applicable."""
    try:
        yield
    except AttributeError as error:
        if getattr(error, "obj", None) is not scope.get("D"):
            raise
        raise NotApplicableError("asks for D's weights") from error


def _names(subject: Subject, player: str) -> tuple[str, ...]:
    function = getattr(subject.value, player)
    return () if function is None else bind(function, {}).names


def _own_networks(subject: Subject) -> bool:
    return isinstance(subject.value, Loss) and subject.value.players is not None


def _near(one: float, other: float, size: float = 1.0, tolerance: float = 1e-5) -> bool:
    # A norm has a small constant under its root, which keeps the derivative finite.
    return abs(one - other) <= tolerance * (size + abs(other))
