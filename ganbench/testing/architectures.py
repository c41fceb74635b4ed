"""Properties of an architecture: shapes, initialisation, gradients to every layer, second derivatives for penalties."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from ganbench.core.errors import NotApplicableError, PluginError
from ganbench.core.rng import isolated, stream
from ganbench.plugin.entry import Entry
from ganbench.plugin.types import Dataset, Networks
from ganbench.testing.purity import global_rng_untouched, unchanged
from ganbench.testing.result import Property, Subject, WrongError
from ganbench.train.step.check import check_networks
from ganbench.train.step.draws import DrawRecorder, fill
from ganbench.train.step.flat_network import flatten
from ganbench.train.step.global_rng import GlobalRngOverride

#: Shapes of data: a line, the plane, a grey image, a coloured image, and a larger one.
SHAPES = ((1,), (2,), (1, 8, 8), (3, 8, 8), (1, 28, 28))
#: Shapes that are tried where it takes none of these: sequences.
SEQUENCES = ((8, 2), (8, 1), (8,))
BATCH = 6
#: The classes of the data that conditional networks are built for; the rows of a batch have them in turn.
CLASSES = 3


class Noise:
    """A dataset of noise of any shape, such as small grey images, with labels that say nothing."""

    class_shares = np.full(CLASSES, 1 / CLASSES)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Numbers on (-1, 1), (n, *shape)."""
        return torch.randn(n, *self.shape, generator=generator, device=generator.device).tanh()

    def labelled(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """What ``sample`` gives, and classes, (n,)."""
        return self.sample(n, generator), torch.randint(CLASSES, (n,), generator=generator, device=generator.device)


def noise(shape: tuple[int, ...]) -> Entry:
    """The dataset of noise of a shape, as a plugin named ``conformance-noise``."""
    value = Dataset("conformance-noise", lambda: Noise(shape))
    return Entry("dataset", value.name, value, "ganbench.testing", "kit", "", "", ())


@lru_cache(maxsize=64)
def built(subject: Subject, shape: tuple[int, ...], seed: int = 0) -> Networks:
    """Build the networks for data of a shape.

    Args:
        subject: the architecture under test.
        shape: the shape of one sample.
        seed: decides the initial parameters.

    Returns:
        The networks.

    Raises:
        NotApplicableError: the plugin does not support this shape.
        PluginError: the networks are not valid.
    """
    try:
        with isolated(seed, "conformance"):
            networks: Networks = subject.entry.build(subject.parameters, shape=shape, classes=CLASSES)
    except (ValueError, IndexError, AssertionError) as refused:
        raise NotApplicableError(f"not for data of shape {shape}: {refused}") from refused
    check_networks(subject.entry.name, networks, shape)
    return networks


def shapes(subject: Subject) -> str:
    """G gives one sample for each latent and D one logit for each sample, for every shape that it supports."""
    found, refused, wrong = [], "", None
    tried = (*SHAPES, *_further(subject))
    for shape in tried:
        try:
            networks = built(subject, shape)
        except NotApplicableError as reason:
            refused = str(reason)
            continue
        except PluginError as error:
            wrong = error
            if shape in _further(subject) or not _further(subject):
                break
            continue
        sizes = [len(flatten(each)) for each in (networks.generator, networks.discriminator)]
        found.append(f"{'x'.join(map(str, shape))}: G {sizes[0]:,}, D {sizes[1]:,}")
    if wrong is not None and not (found and _further(subject)):
        cure = f"; where it is not for data of shape {shape}, let build raise a ValueError"
        raise WrongError(f"{wrong}{cure}") from wrong
    if not found:
        raise WrongError(f"takes data of none of the shapes {tried}: {refused}; yield a dataset too, in the same file")
    return "parameters for " + "; ".join(found)


def initial(subject: Subject) -> None:
    """The seed decides the initial parameters; they are drawn from the global generators alone."""
    shape = shape_of(subject)
    one = built(subject, shape, 0)
    built.cache_clear()
    again, other = built(subject, shape, 0), built(subject, shape, 1)
    for player in ("generator", "discriminator"):
        first, second, third = (flatten(getattr(each, player)) for each in (one, again, other))
        if not torch.equal(first, second):
            raise WrongError(f"the {player} starts elsewhere each time: does it draw from a generator without a seed?")
        if torch.equal(first, third):
            raise WrongError(f"the {player} starts from the same parameters for every seed")


def gradients(subject: Subject) -> None:
    """Every parameter of both players gets a gradient, and all are finite."""
    networks, z, theta_G, theta_D = _point(subject)

    def logits(G: dict[str, Tensor], D: dict[str, Tensor]) -> Tensor:
        fake = _call(networks.generator, G, z, classes=networks.classes)
        # Each logit has a different weight: with a norm over the batch their plain sum could be constant.
        return (
            _call(networks.discriminator, D, fake, classes=networks.classes).flatten() * torch.arange(1.0, BATCH + 1)
        ).sum()

    found = torch.func.grad(logits, argnums=(0, 1))(theta_G, theta_D)
    for player, own in zip(("generator", "discriminator"), found, strict=True):
        for name, gradient in own.items():
            if not gradient.isfinite().all():
                raise WrongError(f"the gradient of the {player}'s {name} is not finite")
        if not any(gradient.any() for gradient in own.values()):
            raise WrongError(f"no gradient reaches the {player}")
        dead = [name for name, gradient in own.items() if not gradient.any()]
        # A last layer that starts at 0 stops the gradients of all layers before it for one step, on purpose.
        if dead and all(theta.any() for theta in (theta_G if player == "generator" else theta_D).values()):
            raise WrongError(f"no gradient reaches the {player}'s {dead[0]}")


def second(subject: Subject) -> None:
    """The gradient of a gradient penalty is finite: D can be differentiated twice, batched over seeds."""
    networks, _, _, theta = _point(subject)
    x = torch.randn(BATCH, *shape_of(subject), generator=stream(0, "conformance.x"))

    def r1(theta: dict[str, Tensor]) -> Tensor:
        gradient = torch.func.grad(lambda x: _call(networks.discriminator, theta, x, classes=networks.classes).sum())(x)
        penalty: Tensor = gradient.square().flatten(1).sum(1).mean()
        return penalty

    both = {name: torch.stack([each, each]) for name, each in theta.items()}
    found = torch.func.vmap(torch.func.grad(r1), randomness="different")(both)
    if not all(each.isfinite().all() for each in found.values()):
        raise WrongError("the gradient of a gradient penalty is not finite")


def logits(subject: Subject) -> None:
    """D gives logits, not probabilities, also for samples that are far apart."""
    networks, _, _, theta = _point(subject)
    wide = torch.randn(64, *shape_of(subject), generator=stream(0, "conformance.wide"))
    D, classes = networks.discriminator, networks.classes
    found = torch.cat([_call(D, theta, scale * wide, classes=classes).flatten() for scale in (1, 30, 1000)])
    # A D that is constant is only not trained yet.
    if found.min() >= 0 and found.max() <= 1 and found.max() > found.min():
        raise WrongError("the discriminator gives probabilities: a loss takes logits, so leave out the last sigmoid")


def rows(subject: Subject) -> None:
    """For inputs in another order the outputs are the same, in that order."""
    networks, z, theta_G, theta_D = _point(subject)
    order = torch.randperm(BATCH, generator=torch.Generator().manual_seed(0))
    for player, module, theta, x in (
        ("generator", networks.generator, theta_G, z),
        ("discriminator", networks.discriminator, theta_D, z.new_zeros(0)),
    ):
        given = x if len(x) else _call(networks.generator, theta_G, z, classes=networks.classes).detach()
        every = torch.arange(BATCH)
        one, other = (
            _call(module, theta, given[rows], train=False, classes=networks.classes, rows=rows)
            for rows in (every, order)
        )
        if not torch.allclose(one[order], other, rtol=1e-4, atol=1e-4 * (1 + one.abs().max().item())):
            raise WrongError(f"the {player} gives other values where the batch is in another order")


def untouched(subject: Subject) -> None:
    """Neither inputs nor buffers are changed in place."""
    networks, z, theta_G, theta_D = _point(subject)
    for module, theta, x in ((networks.generator, theta_G, z), (networks.discriminator, theta_D, None)):
        given = torch.randn(BATCH, *shape_of(subject), generator=stream(0, "conformance.x")) if x is None else x
        with unchanged({"its input": given, "a buffer": dict(module.named_buffers())}):
            _call(module, theta, given, classes=networks.classes)


def global_rng(subject: Subject) -> None:
    """A call draws only random numbers that the engine can give to each seed: dropout, rand, randn."""
    networks, z, theta_G, _ = _point(subject)
    with global_rng_untouched():
        _call(networks.generator, theta_G, z, classes=networks.classes)


def labels(subject: Subject) -> str:
    """Conditional networks give other values for another label, to both players."""
    networks, z, theta_G, theta_D = _point(subject)
    if not networks.classes:
        return "its networks take none"
    x = torch.randn(BATCH, *shape_of(subject), generator=stream(0, "conformance.x"))
    for player, theta, given in (("generator", theta_G, z), ("discriminator", theta_D, x)):
        module = getattr(networks, player)
        # Other parameters than the first: a last layer, or what a label adds, may start at 0.
        moved = {name: each + 0.1 * torch.randn(each.shape, generator=stream(0, name)) for name, each in theta.items()}
        one, other = (
            _call(module, moved, given, train=False, classes=networks.classes, rows=torch.arange(BATCH) + shift)
            for shift in (0, 1)
        )
        if torch.equal(one, other):
            raise WrongError(f"the {player} gives the same values for another label")
    return f"{networks.classes} classes"


PROPERTIES = (
    Property("shapes", shapes),
    Property("a seed decides the first parameters", initial),
    Property("gradients reach every layer", gradients),
    Property("differentiable twice", second),
    Property("D gives logits", logits),
    Property("the order of the batch", rows),
    Property("nothing changed in place", untouched),
    Property("no global random state", global_rng),
    Property("the label matters", labels),
)


def shape_of(subject: Subject) -> tuple[int, ...]:
    """The plane where the architecture supports it, or else the first image shape that it supports."""
    wrong = None
    for shape in (*SHAPES[1:], *_further(subject)):
        try:
            built(subject, shape)
        except NotApplicableError:
            continue
        except PluginError as error:
            wrong = wrong or error
            continue
        return shape
    if wrong is not None:
        raise wrong
    raise NotApplicableError("takes data of no shape that is tried")


@lru_cache(maxsize=64)
def _further(subject: Subject) -> tuple[tuple[int, ...], ...]:
    """Shapes to try besides the usual ones, where it takes none of those: its own file's datasets', and sequences."""
    for shape in SHAPES[1:]:
        try:
            built(subject, shape)
        except (NotApplicableError, PluginError):
            continue
        except Exception:
            return ()
        return ()
    own = [
        tuple(each.build({one.name: one.default for one in each.parameters}).shape)
        for each in subject.registry.entries
        if each.kind == "dataset" and each.source == subject.entry.source
    ]
    return (*own, *SEQUENCES)


def _point(subject: Subject) -> tuple[Networks, Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """The networks, latents, and both players' parameters."""
    networks = built(subject, shape_of(subject))
    kind = "normal" if networks.latent_distribution == "normal" else "symmetric"
    z = fill(kind, (BATCH, *networks.latent), stream(0, "conformance.z"))
    G, D = (
        {name: each.detach() for name, each in module.named_parameters()}
        for module in (networks.generator, networks.discriminator)
    )
    return networks, z, G, D


def _call(
    module: torch.nn.Module,
    theta: dict[str, Tensor],
    x: Tensor,
    *,
    train: bool = True,
    classes: int = 0,
    rows: Tensor | None = None,
) -> Tensor:
    """A module's output; ``rows`` has the classes in turn, by default one row after another."""
    given = (x, (torch.arange(len(x)) if rows is None else rows) % classes) if classes else (x,)
    module.train(train)
    with GlobalRngOverride(DrawRecorder()):
        output: Any = functional_call(module, theta, given)
    module.train()
    return output  # type: ignore[no-any-return]
