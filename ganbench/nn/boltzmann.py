"""Restricted Boltzmann machines: one layer of a deeper model, or the whole of it.

The energy of visible units v and hidden units h, all bits, is -b v - c h - v W h (Smolensky 1986; Hinton 2002,
doi:10.1162/089976602760128018).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Boltzmann:
    """The weights W, (visible, hidden), and the biases b of the visible units and c of the hidden ones."""

    W: Tensor
    b: Tensor
    c: Tensor

    def hidden(self, v: Tensor) -> Tensor:
        """The probabilities of the hidden units, (n, hidden), where the visible ones are v, (n, visible)."""
        return torch.sigmoid(v @ self.W + self.c)

    def visible(self, h: Tensor) -> Tensor:
        """The probabilities of the visible units, (n, visible), where the hidden ones are h, (n, hidden)."""
        return torch.sigmoid(h @ self.W.T + self.b)

    def gibbs(self, v: Tensor, steps: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Go on for some steps with each of n Markov chains.

        Args:
            v: the visible units of each chain, (n, visible).
            steps: how many times all hidden, then all visible units are drawn anew.
            random: where they are drawn from.

        Returns:
            The visible units after the last step, and the probabilities that they were drawn with, (n, visible) both.
        """
        mean = v
        for _ in range(steps):
            mean = self.visible(bits(self.hidden(v), random))
            v = bits(mean, random)
        return v, mean

    def to(self, device: torch.device) -> Boltzmann:
        """The same machine on another device."""
        return Boltzmann(self.W.to(device), self.b.to(device), self.c.to(device))


def bits(probabilities: Tensor, random: torch.Generator) -> Tensor:
    """A bit for each of these probabilities, as 0.0 or 1.0."""
    return (torch.rand(probabilities.shape, generator=random, device=random.device) < probabilities).float()


def coins(n: int, size: int, random: torch.Generator) -> Tensor:
    """Rows of bits, each 1 half of the time: where chains begin that know nothing.

    Args:
        n: how many rows.
        size: how many bits a row.
        random: where they are drawn from.

    Returns:
        The rows, (n, size).
    """
    return bits(torch.full((n, size), 0.5, device=random.device), random)


def trained_machine(
    rows: Tensor, random: torch.Generator, *, hidden: int, steps: int, batch: int, chains: int, lr: float
) -> Boltzmann:
    """A machine trained by persistent contrastive divergence (Tieleman 2008, doi:10.1145/1390156.1390290).

    The gradient of the likelihood needs samples of the machine itself: Markov chains that go on by one step at each
    update, while the machine changes slowly below them. The rate falls to 0 in a straight line.

    Args:
        rows: the data, (n, visible), numbers from 0 to 1: the probabilities of the bits that are trained on.
        random: where all random numbers are drawn from.
        hidden: how many hidden units.
        steps: how many updates.
        batch: rows an update, drawn with replacement.
        chains: how many chains go on.
        lr: the rate of the first update.

    Returns:
        The machine.
    """
    device, visible = random.device, rows.shape[1]
    # With the biases that a machine without hidden units would have (Hinton 2012, section 8).
    share = rows.mean(0).clamp(0.01, 0.99)
    W = 0.01 * torch.randn(visible, hidden, generator=random, device=device)
    machine = Boltzmann(W, (share / (1 - share)).log(), torch.zeros(hidden, device=device))
    own = coins(chains, visible, random)
    for step in range(steps):
        v = bits(rows[torch.randint(len(rows), (batch,), generator=random, device=device)], random)
        own, _ = machine.gibbs(own, 1, random)
        up, own_up = machine.hidden(v), machine.hidden(own)
        rate = lr * (1 - step / steps)
        machine.W.add_(v.T @ up / batch - own.T @ own_up / chains, alpha=rate)
        machine.b.add_(v.mean(0) - own.mean(0), alpha=rate)
        machine.c.add_(up.mean(0) - own_up.mean(0), alpha=rate)
    return machine
