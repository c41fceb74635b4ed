"""The peer: one GAN trained as people write it, with modules, two optimisers and a loss with logits."""

from __future__ import annotations

import math

import torch
from torch import nn


def network(inputs: int, outputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


class PlainLoop:
    """The non-saturating game on a ring of 8, with Adam: the same work a step as the benchmarked cell."""

    def __init__(self, width: int, batch: int) -> None:
        self.batch = batch
        self.G, self.D = network(2, 2, width), network(2, 1, width)
        self.adam_G = torch.optim.Adam(self.G.parameters(), lr=1e-3, betas=(0.5, 0.999))
        self.adam_D = torch.optim.Adam(self.D.parameters(), lr=1e-3, betas=(0.5, 0.999))
        angle = torch.arange(8) * 2 * math.pi / 8
        self.centres = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
        self.ones, self.zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
        self.loss = nn.BCEWithLogitsLoss()

    def step(self) -> None:
        mode = torch.randint(8, (self.batch,))
        real = self.centres[mode] + 0.02 * torch.randn(self.batch, 2)
        fake = self.G(torch.randn(self.batch, 2)).detach()
        loss_D = self.loss(self.D(real), self.ones) + self.loss(self.D(fake), self.zeros)
        self.adam_D.zero_grad()
        loss_D.backward()
        self.adam_D.step()
        loss_G = self.loss(self.D(self.G(torch.randn(self.batch, 2))), self.ones)
        self.adam_G.zero_grad()
        loss_G.backward()
        self.adam_G.step()
