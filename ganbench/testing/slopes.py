"""Known answers of what looks at D itself: the slope of a line, and a constant, which is nothing to a relative loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganbench.calling import bind
from ganbench.failure import NotApplicable
from ganbench.kinds import Loss
from ganbench.testing.position import Rows
from ganbench.testing.result import Property, Subject, Wrong

#: What a penalty may make of the length of D's slope.
FORMS: dict[str, Callable[[float], float]] = {
    "|w|^2": lambda s: s**2,
    "(|w| - 1)^2": lambda s: (s - 1) ** 2,
    "max(0, |w| - 1)^2": lambda s: max(0.0, s - 1) ** 2,
}
Parameters = Mapping[str, Any]
#: By name: the form that a plugin must have, and its factor.
KNOWN: dict[str, tuple[str, Callable[[Parameters], float]]] = {
    "r1": ("|w|^2", lambda own: own["weight"] / 2),
    "r2": ("|w|^2", lambda own: own["weight"] / 2),
    "gp0": ("|w|^2", lambda own: own["weight"]),
    "gp": ("(|w| - 1)^2", lambda own: own["weight"]),
    "lp": ("max(0, |w| - 1)^2", lambda own: own["weight"]),
    "dragan": ("(|w| - 1)^2", lambda own: own.get("weight", own.get("penalty"))),
    "wgan-gp": ("(|w| - 1)^2", lambda own: own["penalty"]),
    "wgan-lp": ("max(0, |w| - 1)^2", lambda own: own["penalty"]),
    "nonsaturating-r1": ("|w|^2", lambda own: own["gamma"] / 2),
    "rpgan": ("|w|^2", lambda own: (own["r1"] + own["r2"]) / 2),
}
#: Lengths of the slope, and directions of it, in two dimensions and for images.
LENGTHS = (0.5, 2.0, 5.0)
SHAPES = ((2,), (1, 3, 3))
N = 16


def line(subject: Subject) -> str:
    """On a D that is a line, a penalty of its slope has a closed form, whatever the data."""
    if "D" not in _names(subject, "discriminator") or _own_networks(subject):
        raise NotApplicable("does not look at D's slope")
    found = [[_on_line(subject, shape, length) for length in LENGTHS] for shape in SHAPES]
    wanted = KNOWN.get(subject.entry.name)
    said = ""
    for form in FORMS if wanted is None else (wanted[0],):
        own = [FORMS[form](length) - FORMS[form](0.0) for length in LENGTHS]
        factor = found[0][-1] / own[-1] if wanted is None else wanted[1](subject.parameters)
        size = abs(factor) * max(map(abs, own))
        if all(_near(value, factor * each, size) for row in found for value, each in zip(row, own, strict=True)):
            return f"{factor:.4g} {form}"
        expected = ", ".join(f"{factor * each:.4g}" for each in own)
        said = f"{factor:.4g} {form} less its value at 0: {expected}"
    values = ", ".join(f"{value:.4g}" for value in found[0])
    if wanted is None:
        raise NotApplicable(f"no closed form that is known: {values} for |w| = .5, 2 and 5")
    raise Wrong(f"for a line of slope |w| = .5, 2 and 5 it is {values}, not {said}")


def constant(subject: Subject) -> None:
    """A constant added to D changes nothing in a loss that looks at differences."""
    if _own_networks(subject):
        raise NotApplicable("a method with networks of its own")
    if "d_real" not in _names(subject, "generator"):
        raise NotApplicable("not relativistic: G's loss does not name d_real")
    for player in ("discriminator", "generator"):
        plain, shifted = (_value(subject, player, _scope((2,), partial(_raised, by=by))) for by in (0.0, 5.0))
        if not _near(shifted.item(), plain.item()):
            if not subject.entry.name.startswith(("rp", "ra", "relativistic")):
                raise NotApplicable("not relativistic: a constant added to D changes it")
            raise Wrong(f"the {player}'s loss changes from {plain:.5g} to {shifted:.5g} where 5 is added to D")


LINE = Property("a penalty on a line", line)
CONSTANT = Property("relativistic: a constant", constant)


def _raised(x: Tensor, by: float) -> Tensor:
    return x.sum(1).tanh() + by


def _on_line(subject: Subject, shape: tuple[int, ...], length: float) -> float:
    """What calling a line of this slope adds, beside calling a D that says 0."""
    random = torch.Generator().manual_seed(1)
    w = torch.randn(shape, generator=random, dtype=torch.float64)
    w = w * (length / w.norm())
    lined, silent = _scope(shape, lambda x: (x * w).flatten(1).sum(1)), _scope(shape, lambda x: 0 * x.flatten(1).sum(1))
    silent |= {name: lined[name] for name in ("d_real", "d_fake")}
    return (_value(subject, "discriminator", lined) - _value(subject, "discriminator", silent)).item()


def _scope(shape: tuple[int, ...], D: Callable[[Tensor], Tensor]) -> dict[str, Any]:
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(N, *shape, generator=random, dtype=torch.float64) for _ in range(2))
    z = torch.randn(N, 2, generator=random, dtype=torch.float64)
    own = Rows(torch.arange(N), N, real, z)
    given = {"D": D, "G": lambda z: fake, "real": real, "fake": fake, "z": z, "random": own, "step": torch.tensor(0)}
    return given | {"d_real": D(real), "d_fake": D(fake)}


def _value(subject: Subject, player: str, scope: Mapping[str, Any]) -> Tensor:
    memory = tuple(torch.tensor(number).double() for number in getattr(subject.value, "memory", ()))
    value: Tensor = bind(getattr(subject.value, player), subject.parameters)({**scope, "memory": memory})
    return value


def _names(subject: Subject, player: str) -> tuple[str, ...]:
    function = getattr(subject.value, player)
    return () if function is None else bind(function, {}).names


def _own_networks(subject: Subject) -> bool:
    return isinstance(subject.value, Loss) and subject.value.players is not None


def _near(one: float, other: float, size: float = 1.0) -> bool:
    # The root of a norm has a constant in it that keeps its derivative finite.
    return abs(one - other) <= 1e-5 * (size + abs(other))
