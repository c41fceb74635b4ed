"""Properties of a loss at D's optimum, for f-divergences and for losses that estimate a probability.

And one property of any loss before the optimum: D must learn to tell real samples from generated ones.

D is a table: a logit for each point. The loss of samples from two densities is a sum over points, so the best logit of
each point is found by trying all logits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize
from torch import Tensor

from ganbench.core.errors import NotApplicableError
from ganbench.plugin.binding import bind
from ganbench.testing.dirac_game import resting
from ganbench.testing.discriminators import TwoLogits
from ganbench.testing.game_at_point import Position
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.testing.terms import steady, terms

Array = np.ndarray
#: f of Nowozin et al. 2016, arXiv:1606.00709, table 6; the divergence is E_q f(p/q).
F: dict[str, Callable[[Array], Array]] = {
    "total-variation": lambda u: np.abs(u - 1) / 2,
    "kl": lambda u: u * np.log(u),
    "reverse-kl": lambda u: -np.log(u),
    "pearson": lambda u: (u - 1) ** 2,
    "neyman": lambda u: (1 - u) ** 2 / u,
    "squared-hellinger": lambda u: (np.sqrt(u) - 1) ** 2,
    "jensen-shannon": lambda u: -(u + 1) * np.log((1 + u) / 2) + u * np.log(u),
    "gan": lambda u: u * np.log(u) - (u + 1) * np.log(u + 1),
}
#: The ratios p/q at which the loss's f is computed, and the logits that D can have.
RATIOS = np.exp(np.linspace(-3, 3, 121))
RATIOS_FAR = np.exp(np.linspace(-14, 8, 441))
LOGITS = np.concatenate([np.linspace(-16, 16, 16001), np.geomspace(16, 1e4, 600)[1:]])
STEP = 2e-3
#: Logits are shifted by SHIFT to measure the slope of D's loss; a slope below FLAT counts as 0.
SHIFT = 1e-4
FLAT = 1e-6
#: Section 3 of the paper fits a Gaussian to this mixture; (weight, mean, standard deviation) each.
MIXTURE = ((0.33, -1.0, 0.25), (0.67, 2.0, math.sqrt(2.0)))
#: Two densities on 8 points, in 64ths, for which the mean of a batch is exact.
P = (1, 2, 4, 8, 16, 16, 9, 8)
Q = (12, 16, 12, 8, 6, 4, 3, 3)


@dataclass(frozen=True)
class Table:
    """A loss as a function of logits alone: the cost of a real and of a generated sample at each of LOGITS."""

    real: Array
    fake: Array

    @classmethod
    def of(cls, subject: Subject) -> Table:
        """The table of D's loss; raises NotApplicableError where that is not a sum over samples."""
        loss = function_of(subject, "discriminator")
        v = torch.tensor(LOGITS)
        zero = torch.zeros(1, dtype=torch.float64)
        one = torch.func.vmap(lambda v: loss(v[None], zero))(v)
        other = torch.func.vmap(lambda v: loss(zero, v[None]))(v)
        both = torch.func.vmap(lambda v: loss(v[None], v[None]))(v)
        if not torch.allclose(one + other - loss(zero, zero), both, rtol=1e-6, atol=1e-6, equal_nan=True):
            raise NotApplicableError("its loss is no sum over samples")
        half = loss(zero, zero).item() / 2
        return cls(one.numpy() - half, other.numpy() - half)

    def best(self, ratios: Array) -> tuple[Array, Array]:
        """For each ratio p/q: the largest gain of D over all logits, per sample of q; and that logit."""
        cost = np.nan_to_num(ratios[:, None] * self.real + self.fake, nan=np.inf)
        at = cost.argmin(axis=1)
        return -cost[np.arange(len(ratios)), at], LOGITS[at]


def function_of(subject: Subject, player: str) -> Callable[[Tensor, Tensor], Tensor]:
    """A player's loss as a function of (d_real, d_fake); raises NotApplicableError where it names other values."""
    bound = bind(getattr(subject.value, player), subject.parameters)
    if not {*bound.names} <= {"d_real", "d_fake"}:
        raise NotApplicableError("names more than logits")
    return lambda real, fake: bound({"d_real": real, "d_fake": fake})


def divergence_of(subject: Subject) -> str:
    """The f-divergence that the parameter ``divergence`` names; raises NotApplicableError without one."""
    name = subject.parameters.get("divergence")
    if not isinstance(name, str) or name.replace("_", "-") not in F:
        raise NotApplicableError("has no parameter 'divergence' that names an f-divergence")
    return name.replace("_", "-")


def conjugate(subject: Subject) -> None:
    """The gain of the best D is f(p/q) for every ratio: f* and the activation are those of the divergence."""
    name = divergence_of(subject)
    found, _ = Table.of(subject).best(RATIOS)
    wanted = F[name](RATIOS)
    # c (u - 1) adds nothing to a divergence: a constant can be split between real and fake in any way.
    line = RATIOS - 1
    wanted = wanted + line * (line @ (found - wanted)) / (line @ line)
    apart = np.abs(found - wanted) / (1 + np.abs(wanted))
    # At the largest logits tanh is not quite 1.
    if apart.max() > 1e-4:
        at = apart.argmax()
        raise WrongError(
            f"{name}: for p/q = {RATIOS[at]:.3g} the best D gains {found[at]:.4g}, and f is {wanted[at]:.4g}: "
            "f* or the activation is another, or a log is missing"
        )


def fitted(subject: Subject) -> str:
    """The Gaussian nearest to a mixture is the same by the loss as by the divergence itself."""
    name = divergence_of(subject)
    table = Table.of(subject)
    gain = CubicSpline(np.log(RATIOS_FAR), table.best(RATIOS_FAR)[0])
    mean, std = fit(lambda u: np.asarray(gain(np.log(u))))
    wanted = fit(F[name])
    if max(abs(mean - wanted[0]), abs(std - wanted[1])) > 5e-3:
        raise WrongError(
            f"{name}: the nearest Gaussian is ({mean:.4f}, {std:.4f}), not ({wanted[0]:.4f}, {wanted[1]:.4f})"
        )
    return f"{name}: the Gaussian ({mean:.4f}, {std:.4f})"


def fit(f: Callable[[Array], Array]) -> tuple[float, float]:
    """The mean and the standard deviation of the Gaussian q that minimises E_q f(p/q), where p is the mixture."""
    x = np.linspace(-12, 14, 1301)
    p = sum(weight * _normal(x, mean, std) for weight, mean, std in MIXTURE)

    def divergence(at: Array) -> float:
        q = _normal(x, at[0], math.exp(at[1]))
        u = np.clip(p / np.maximum(q, 1e-300), RATIOS_FAR[0], RATIOS_FAR[-1])
        return float((q * f(u)).sum() * (x[1] - x[0]))

    found = minimize(divergence, np.array([1.0, 0.5]), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-9})
    return float(found.x[0]), float(math.exp(found.x[1]))


def generator(subject: Subject) -> str:
    """G minimises what D maximises (saturating), or maximises D's term for real samples (non-saturating)."""
    divergence_of(subject)
    loss = function_of(subject, "generator")
    table = Table.of(subject)
    near = np.abs(LOGITS) < 8
    own = torch.func.vmap(lambda v: loss(v[None], v[None]))(torch.tensor(LOGITS)).numpy()[near]
    for name, all_of_it in (("saturating", -table.fake), ("non-saturating", table.real)):
        wanted = all_of_it[near]
        if np.allclose(own - own[0], wanted - wanted[0], rtol=1e-6, atol=1e-6):
            return name
    raise WrongError("G's loss is neither -f*(g(v)) nor -g(v) of D's")


def probability(subject: Subject) -> str:
    """Sigmoid of the best logit is p / (p + q), and V there is -log 4 + 2 JSD (Goodfellow et al. 2014, theorem 1)."""
    if not subject.value.probability:
        raise NotApplicableError("does not say that sigmoid(logit) is a probability")
    loss = function_of(subject, "discriminator")
    p, q = np.array(P), np.array(Q)
    _, logits = Table.of(subject).best(p / q)
    if np.abs(logits - np.log(p / q)).max() > STEP:
        worst = np.abs(logits - np.log(p / q)).argmax()
        probability = 1 / (1 + math.exp(-logits[worst]))
        raise WrongError(f"where p / (p + q) is {(p / (p + q))[worst]:.3f}, the best D says {probability:.3f}")
    value = -_of_samples(loss, np.log(p / q)).item()
    flat = -_of_samples(loss, np.zeros(len(P))).item()
    m = (p + q) / 2
    jsd = float((p * np.log(p / m) + q * np.log(q / m)).sum() / 2 / p.sum())
    scale = (value - flat) / (2 * jsd)
    if abs(value - scale * (2 * jsd - math.log(4))) > 1e-9:
        raise WrongError(f"V of the best D is {value:.6g}, and -log 4 + 2 JSD is {2 * jsd - math.log(4):.6g}")
    return "V of the best D is -log 4 + 2 JSD" + ("" if abs(scale - 1) < 1e-9 else f", times {scale:.3g}")


def gradients(subject: Subject) -> str:
    """G's gradient is -D for each sample, as in minimax, or that times (1 - D) / D: non-saturating."""
    if not subject.value.probability:
        raise NotApplicableError("does not say that sigmoid(logit) is a probability")
    loss = function_of(subject, "generator")
    v = torch.linspace(-12, 12, 97, dtype=torch.float64)
    own = torch.func.vmap(torch.func.grad(lambda v: loss(v[None], v[None])))(v)
    D = v.sigmoid()
    for name, wanted in (("saturating", -D), ("non-saturating: that times (1 - D) / D", -D * (1 - D) / D)):
        scale = (own @ wanted) / (wanted @ wanted)
        if scale > 0 and torch.allclose(own, scale * wanted, rtol=1e-6, atol=1e-9):
            return name
    if (own > 0).any():
        raise WrongError(f"G's gradient lowers a logit, at {v[own > 0][0]:.2g}: a wrong sign?")
    raise NotApplicableError("neither saturating nor non-saturating")


def apart(subject: Subject) -> None:
    """At a D that cannot tell yet, the loss has slopes of opposite sign in the logits of real and of fake samples."""
    at = terms(subject)[0].position
    if not at.rules.judges:
        raise NotApplicableError("its D judges more than single samples")
    rest = resting(lambda b: sum(_slopes(at, b)))
    slopes = _slopes(at, rest)
    for which, slope in zip(("real", "fake"), slopes, strict=True):
        if abs(slope) < FLAT:
            raise WrongError(f"D's loss does not change with the logits of {which} samples: is a term left out?")
    if slopes[0] * slopes[1] > 0:
        way = "rises" if slopes[0] > 0 else "falls"
        raise WrongError(
            f"D's loss {way} with the logits of real samples and of fake ones alike: a wrong sign in one term?"
        )


PROPERTIES = (
    Property("D tells real from fake", steady(apart)),
    Property("the best D is p / (p + q)", steady(probability)),
    Property("G's gradient", steady(gradients)),
    Property("f-divergence: the conjugate", steady(conjugate)),
    Property("f-divergence: the nearest Gaussian", steady(fitted)),
    Property("f-divergence: G's loss", steady(generator)),
)


def _slopes(at: Position, b: float) -> tuple[float, float]:
    """The slopes of D's loss in the logits of all real and of all fake samples, at b, by central differences."""

    def loss(real: float, fake: float) -> float:
        rules = replace(at.rules, discriminator=TwoLogits(at, (b + real, b + fake)))
        return at.loss("discriminator", rules=rules).item()

    real, fake = (
        (loss(*up) - loss(*down)) / (2 * SHIFT) for up, down in (((SHIFT, 0), (-SHIFT, 0)), ((0, SHIFT), (0, -SHIFT)))
    )
    return real, fake


def _of_samples(loss: Callable[[Tensor, Tensor], Tensor], logits: Array) -> Tensor:
    """The loss of a batch that contains each point in proportion to its density."""
    v = torch.tensor(logits)
    return loss(v.repeat_interleave(torch.tensor(P)), v.repeat_interleave(torch.tensor(Q)))


def _normal(x: Array, mean: float, std: float) -> Array:
    return np.asarray(np.exp(-(((x - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi)))
