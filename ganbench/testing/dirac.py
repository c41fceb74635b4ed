"""Properties from the theory of Dirac-GAN (Mescheder et al. 2018, arXiv:1801.04406), the smallest possible game.

Near the equilibrium (psi, theta) = (0, 0) a step is a matrix. Its eigenvalues predict whether the game converges,
orbits or diverges, and the game is then played and compared with the prediction.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.types import Loss
from ganbench.testing.checked_cell import CHECK, variant_of
from ganbench.testing.dirac_game import RATE, START, DiracGAN, game_of
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.testing.slopes import check_calls
from ganbench.testing.terms import PLAYERS, steady

#: Near the equilibrium the game is linear, and followed for so many steps.
NEAR = 1e-3
STEPS = 60
#: Real parts of eigenvalues smaller than this are 0.
ZERO = 1e-6
#: A slope so large is no slope: the penalty has a kink at the equilibrium.
KINK = 1e4


def oppose(subject: Subject) -> None:
    """D moves away from the generated point, and G in the direction that D prefers: the players oppose each other."""
    game = _game(subject, CHECK["at_once"])
    apart, pointing = (0.0, 0.5), (0.5, 0.0)
    psi = game.step(game.begin(apart)).at[0] - apart[0]
    theta = game.step(game.begin(pointing)).at[1] - pointing[1]
    if psi == 0 or theta == 0:
        still = "discriminator" if psi == 0 else "generator"
        if isinstance(subject.value, Loss):
            check_calls(subject, still)  # this game's D has one weight, and no layers that a loss could match
        raise WrongError(f"the {still} does not move")
    if psi * theta > 0 or (getattr(subject.value, "probability", False) and psi > 0):
        wrong = "discriminator" if psi > 0 else "generator"
        raise WrongError(f"both players move the same way: a wrong sign in the {wrong}'s loss?")


def linear(subject: Subject) -> str:
    """The game moves as its eigenvalues predict, and none of them moves it away from the equilibrium."""
    game = _game(subject, CHECK["at_once"])
    if not game.steady:
        return _noisy(game)
    matrix = game.matrix()
    if not matrix.isfinite().all() or matrix.abs().max() > KINK:
        return _kinked(_game(subject, CHECK["at_once"], RATE / 20))
    flow = _flow(matrix, RATE)
    if player := _still(matrix):
        raise WrongError(f"the {player} does not move near the equilibrium: is its loss constant there?")
    growth = flow.real.max().item()
    if growth > ZERO:
        raise WrongError(
            f"leaves the equilibrium, eigenvalues {_shown(flow)}: no GAN loss does (lemma 2.3); a wrong sign?"
        )
    # A loss of a larger scale, or a large penalty, wants smaller steps than the paper's, to be followed at all.
    rate = RATE / max(1.0, flow.abs().max().item())
    updates = (CHECK["at_once"], CHECK["in_turn"])
    radii = [_follow(_game(subject, update, rate), update) for update in updates]
    word = "converges" if growth < -ZERO else "orbits"
    return (
        f"{word}: eigenvalues {_shown(flow)}; a step of {rate:.3g} scales by {radii[0]:.4f}, alternating {radii[1]:.4f}"
    )


def rule(subject: Subject) -> str:
    """An update rule converges where the game does (non-saturating with R1), and moves as its eigenvalues predict."""
    own = {"update": {"name": subject.entry.name, **subject.parameters}}
    rate = RATE / 10
    eigenvalues: list[str] = []
    for loss in (CHECK["converges"], CHECK["orbits"]):
        game = game_of(own | {"loss": loss}, subject.registry, rate=rate)
        matrix = game.matrix()
        if player := _still(matrix):
            raise WrongError(f"the {player} does not move near the equilibrium")
        flow = _flow(matrix, rate)
        _follow(game, "the rule")
        if not eigenvalues and flow.real.max() > -ZERO:
            raise WrongError(f"does not converge where the game does: eigenvalues {_shown(flow)}; a wrong sign?")
        eigenvalues.append(_shown(flow))
    return f"eigenvalues {eigenvalues[0]} with R1, {eigenvalues[1]} without"


PROPERTIES = (
    Property("Dirac-GAN: the players oppose", steady(oppose)),
    Property("Dirac-GAN: as theory says", steady(linear), everywhere=False),
)
RULE_PROPERTIES = (Property("Dirac-GAN: as theory says", rule),)


@lru_cache(maxsize=64)
def _game(subject: Subject, update: str, rate: float = RATE) -> DiracGAN:
    if isinstance(subject.value, Loss) and subject.value.players is not None:
        raise NotApplicableError("a method with networks of its own")
    return game_of(variant_of(subject) | {"update": update}, subject.registry, rate=rate)


def _flow(matrix: Tensor, rate: float) -> Tensor:
    """The eigenvalues of the continuous motion, of which a step with this rate is one Euler step."""
    flow: Tensor = torch.linalg.eigvals((matrix - torch.eye(2, dtype=matrix.dtype)) / rate)
    return flow


def _still(matrix: Tensor) -> str:
    """The player, if any, that a step with this matrix does not move."""
    moved = (matrix - torch.eye(2, dtype=matrix.dtype)).abs().amax(1)
    return next((player for player, by in zip(PLAYERS, moved, strict=True) if by < ZERO), "")


def _follow(game: DiracGAN, name: str) -> float:
    """The spectral radius of a step, after a check that the game really moves as the matrix of a step predicts."""
    matrix = game.matrix()
    wanted = torch.tensor([NEAR, NEAR], dtype=torch.float64)
    for found in game.play((NEAR, NEAR), STEPS):
        wanted = matrix @ wanted
        apart = (found - wanted).norm() / NEAR
    if apart > 0.02 * (1 + wanted.norm() / NEAR):
        raise WrongError(
            f"{name}: after {STEPS} steps the game is at ({found[0]:.3g}, {found[1]:.3g}), and its matrix says "
            f"({wanted[0]:.3g}, {wanted[1]:.3g}): is something detached?"
        )
    return float(torch.linalg.eigvals(matrix).abs().max())


def _noisy(game: DiracGAN) -> str:
    game = replace(game, rules=replace(game.rules, batch=1000))
    *_, last = game.play(steps=3 * STEPS)
    if last.norm() > 2 * math.hypot(*START):
        raise WrongError(
            f"noise drives the game away: |(psi, theta)| is {last.norm().item():.3g} after {3 * STEPS} steps"
        )
    return f"noisy: |(psi, theta)| {math.hypot(*START):.3g} -> {last.norm().item():.3g} in {3 * STEPS} steps"


def _kinked(game: DiracGAN) -> str:
    *_, last = game.play(steps=5 * STEPS)
    if not last.norm() < 10:
        raise WrongError(f"diverges: |(psi, theta)| is {last.norm().item():.3g} after {5 * STEPS} steps")
    return f"a kink at the equilibrium: |(psi, theta)| {math.hypot(*START):.3g} -> {last.norm().item():.3g}"


def _shown(values: Tensor) -> str:
    real, imaginary = values.real.tolist(), values.imag.abs().max().item()
    if imaginary > ZERO:
        return f"{real[0] + 0.0:.3g} ± {imaginary:.3g}i"
    return " and ".join(f"{each:.3g}" for each in real)
