"""Properties of a penalty: its weight, its memory, and how it changes D's inputs."""

from __future__ import annotations

from dataclasses import replace

import torch

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.binding import bind
from ganbench.plugin.types import Penalty
from ganbench.testing.game_at_point import with_global_rng
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.testing.terms import steady, terms

HEAVIER = 3.0


@steady
def weight(subject: Subject) -> None:
    """The parameter ``weight`` multiplies it."""
    if not isinstance(subject.parameters.get("weight"), float):
        raise NotApplicableError("has no parameter 'weight'")
    usual = subject.parameters["weight"] or 1.0
    light, heavy, none = (
        replace(subject, parameters=subject.parameters | {"weight": own}) for own in (usual, HEAVIER * usual, 0.0)
    )
    for one, more, zero in zip(terms(light), terms(heavy), terms(none), strict=True):
        if not torch.isclose(HEAVIER * one(), more(), rtol=1e-6, atol=1e-9) or zero().abs() > 1e-9:
            raise WrongError(
                f"{one.name} is {one():.5g}, with {HEAVIER:g} times the weight {more():.5g}, with none {zero():.5g}"
            )


def memory(subject: Subject) -> None:
    """The memory stays as many finite scalars, while the logits are the same at 50 steps."""
    penalty: Penalty = subject.value
    if penalty.remember is None:
        raise NotApplicableError("remembers nothing")
    remember = bind(penalty.remember, subject.parameters)
    kept = tuple(torch.tensor(number).double() for number in penalty.memory)
    random = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(16, generator=random, dtype=torch.float64) for _ in range(2))
    for step in range(50):
        kept = remember({"memory": kept, "d_real": real, "d_fake": fake, "step": torch.tensor(step)})
        if not isinstance(kept, tuple) or len(kept) != len(penalty.memory):
            raise WrongError(f"remember() must return {len(penalty.memory)} scalars")
        if any(number.dim() or not number.isfinite() for number in kept):
            raise WrongError(f"remember() gives something else than finite scalars at step {step}")


def inputs(subject: Subject) -> None:
    """The changed inputs of D have the shape of the samples, and are finite."""
    penalty: Penalty = subject.value
    if penalty.inputs is None:
        raise NotApplicableError("does not change what D sees")
    changed = bind(penalty.inputs, subject.parameters)
    for step in (0, 1000):
        for shape in ((24, 2), (24, 1, 8, 8)):
            x = torch.linspace(-1, 1, torch.Size(shape).numel()).reshape(shape).double()
            game = terms(subject)[0].position.game()
            with with_global_rng(game):
                seen = changed({"x": x, "random": game.draw().random, "step": torch.tensor(step)})
            if seen.shape != x.shape or not seen.isfinite().all():
                raise WrongError(f"inputs() makes {tuple(seen.shape)}, finite or not, of {shape}")


PROPERTIES = (
    Property("the weight multiplies it", weight),
    Property("memory", memory),
    Property("what D sees", inputs),
)
