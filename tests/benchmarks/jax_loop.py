"""The peer in JAX: the same game, vmap over seeds and lax.scan over steps in one jitted call, with optax's Adam."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import torch
from cases import BETAS, LEARNING_RATE, MODES, PENALTY, R1, R2, RADIUS, STD, Case
from jax.nn import relu, softplus

#: The steps of one call.
STEPS = 64
ADAM = optax.adam(LEARNING_RATE, b1=BETAS[0], b2=BETAS[1])


class Noise(NamedTuple):
    """What one step of one seed draws; None for what its loss does not use."""

    real: jax.Array
    latent: jax.Array
    weight: jax.Array | None
    generator_latent: jax.Array
    generator_real: jax.Array | None


class Player(NamedTuple):
    """Weights and biases by layer, and the optimiser's state."""

    layers: list
    adam: optax.OptState


class Players(NamedTuple):
    """The discriminator and the generator."""

    D: Player
    G: Player


def network(layers, x):
    for weight, bias in layers[:-1]:
        x = relu(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def logits_and_gradient(D, x):
    """The logits of a batch, and the gradient of each with respect to its own sample, from one pass forward."""

    def total(x):
        logits = network(D, x)
        return logits.sum(), logits

    (_, logits), gradient = jax.value_and_grad(total, has_aux=True)(x)
    return logits, gradient


def discriminator_loss(D, G, noise, loss):
    real, fake = noise.real, network(G, noise.latent)
    match loss:
        case "nonsaturating":
            return softplus(-network(D, real)).mean() + softplus(network(D, fake)).mean()
        case "wgan-gp":
            _, slope = logits_and_gradient(D, noise.weight * real + (1 - noise.weight) * fake)
            norm = jnp.sqrt((slope**2).sum(1) + 1e-12)
            return network(D, fake).mean() - network(D, real).mean() + PENALTY * ((norm - 1) ** 2).mean()
        case "rpgan":
            (d_real, at_real), (d_fake, at_fake) = logits_and_gradient(D, real), logits_and_gradient(D, fake)
            r1, r2 = (at_real**2).sum(1).mean(), (at_fake**2).sum(1).mean()
            return softplus(d_fake - d_real).mean() + R1 / 2 * r1 + R2 / 2 * r2


def generator_loss(G, D, noise, loss):
    d_fake = network(D, network(G, noise.generator_latent))
    match loss:
        case "nonsaturating":
            return softplus(-d_fake).mean()
        case "wgan-gp":
            return -d_fake.mean()
        case "rpgan":
            return softplus(network(D, noise.generator_real) - d_fake).mean()


def move(player, gradient):
    updates, adam = ADAM.update(gradient, player.adam)
    return Player(optax.apply_updates(player.layers, updates), adam)


def step(players, noise, loss):
    """One step of one seed."""
    D, G = players
    D = move(D, jax.grad(discriminator_loss)(D.layers, G.layers, noise, loss))
    G = move(G, jax.grad(generator_loss)(G.layers, D.layers, noise, loss))
    return Players(D, G)


def draw(key, case):
    """The noise of one step of one seed, from as few calls as will do: each costs a kernel, and seconds to compile."""
    keys = jax.random.split(key, 3)
    batches = 2 if case.loss == "rpgan" else 1
    normal = jax.random.normal(keys[0], (case.batch, 2 * case.latent + 2 * batches))
    angle = jax.random.randint(keys[1], (case.batch, batches), 0, MODES) * (2 * jnp.pi / MODES)
    centres = RADIUS * jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)
    latents, jitters = jnp.split(normal, [2 * case.latent], axis=1)
    real = centres + STD * jitters.reshape(case.batch, batches, 2)
    return Noise(
        real=real[:, 0],
        latent=latents[:, : case.latent],
        weight=jax.random.uniform(keys[2], (case.batch, 1)) if case.loss == "wgan-gp" else None,
        generator_latent=latents[:, case.latent :],
        generator_real=real[:, 1] if batches == 2 else None,
    )


@partial(jax.jit, static_argnames=("case", "steps"), donate_argnums=0)
def many(state, case, steps):
    """Several steps of all seeds."""

    def one(state, _):
        players, key = state
        key, now = jax.random.split(key)
        return (step(players, draw(now, case), case.loss), key), None

    return jax.lax.scan(jax.vmap(one, in_axes=(0, None)), state, length=steps)[0]


def layers(theta: np.ndarray, sizes):
    """Weights (seeds, in, out) and biases (seeds, out) from vectors (seeds, parameters) in torch's order."""
    found, at = [], 0
    for inputs, outputs in pairwise(sizes):
        weight = theta[:, at : at + inputs * outputs].reshape(-1, outputs, inputs).swapaxes(1, 2)
        at += inputs * outputs
        found.append((weight, theta[:, at : at + outputs]))
        at += outputs
    return found


def start(case, theta_D: np.ndarray, theta_G: np.ndarray) -> Players:
    """Players with these parameters, (seeds, parameters), and fresh optimisers."""
    D = layers(theta_D, (2, case.width, case.width, 1))
    G = layers(theta_G, (case.latent, case.width, case.width, 2))
    adam = jax.jit(jax.vmap(ADAM.init))
    return Players(Player(D, adam(D)), Player(G, adam(G)))


class JaxLoop:
    """All seeds of a case, on torch's device. Raises RuntimeError where JAX has none such."""

    def __init__(self, case: Case, theta_D: np.ndarray, theta_G: np.ndarray, device: torch.device) -> None:
        self.case = case
        self.device = jax.devices(device.type)[device.index or 0]
        if device.type != "cpu":
            # Full float32, as ganbench trains: JAX's default on a GPU may round products to TF32.
            jax.config.update("jax_default_matmul_precision", "highest")
        keys = jax.random.split(jax.random.key(0), case.seeds)
        self.state = jax.device_put((start(case, theta_D, theta_G), keys), self.device)

    def run(self, steps: int) -> None:
        """Make so many steps, and wait for them."""
        for at in range(0, steps, STEPS):
            self.state = many(self.state, self.case, min(STEPS, steps - at))
        jax.block_until_ready(self.state)
