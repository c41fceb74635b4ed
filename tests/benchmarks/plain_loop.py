"""The peer: one GAN trained as people write it, with modules, two optimisers and a criterion on logits."""

from __future__ import annotations

import math

import torch
from cases import BETAS, LEARNING_RATE, MODES, PENALTY, R1, R2, RADIUS, STD, Case
from torch import Tensor, nn


def network(inputs: int, outputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


def gradient(x: Tensor, logits: Tensor) -> Tensor:
    """The gradient of each sample's logit with respect to that sample, itself differentiable."""
    return torch.autograd.grad(logits.sum(), x, create_graph=True)[0]


class PlainLoop:
    """A game on a ring of 8, with Adam: the same networks, draws and losses as ganbench's cell of the same case."""

    def __init__(self, case: Case, device: torch.device) -> None:
        self.case, self.device = case, device
        self.G = network(case.latent, 2, case.width).to(device)
        self.D = network(2, 1, case.width).to(device)
        self.adam_G = torch.optim.Adam(self.G.parameters(), lr=LEARNING_RATE, betas=BETAS)
        self.adam_D = torch.optim.Adam(self.D.parameters(), lr=LEARNING_RATE, betas=BETAS)
        angle = torch.arange(MODES, device=device) * 2 * math.pi / MODES
        self.centres = RADIUS * torch.stack([angle.cos(), angle.sin()], dim=1)
        self.ones = torch.ones(case.batch, 1, device=device)
        self.zeros = torch.zeros(case.batch, 1, device=device)
        self.criterion = nn.BCEWithLogitsLoss()

    def real(self) -> Tensor:
        mode = torch.randint(MODES, (self.case.batch,), device=self.device)
        return self.centres[mode] + STD * torch.randn(self.case.batch, 2, device=self.device)

    def latent(self) -> Tensor:
        return torch.randn(self.case.batch, self.case.latent, device=self.device)

    def weight(self) -> Tensor:
        return torch.rand(self.case.batch, 1, device=self.device)

    def discriminator_loss(self) -> Tensor:
        real, fake = self.real(), self.G(self.latent()).detach()
        match self.case.loss:
            case "nonsaturating":
                return self.criterion(self.D(real), self.ones) + self.criterion(self.D(fake), self.zeros)
            case "wgan-gp":
                weight = self.weight()
                between = (weight * real + (1 - weight) * fake).requires_grad_()
                norm = gradient(between, self.D(between)).norm(dim=1)
                return self.D(fake).mean() - self.D(real).mean() + PENALTY * ((norm - 1) ** 2).mean()
            case "rpgan":
                real, fake = real.requires_grad_(), fake.requires_grad_()
                d_real, d_fake = self.D(real), self.D(fake)
                r1 = gradient(real, d_real).square().sum(1).mean()
                r2 = gradient(fake, d_fake).square().sum(1).mean()
                return self.criterion(d_real - d_fake, self.ones) + R1 / 2 * r1 + R2 / 2 * r2

    def generator_loss(self) -> Tensor:
        d_fake = self.D(self.G(self.latent()))
        match self.case.loss:
            case "nonsaturating":
                return self.criterion(d_fake, self.ones)
            case "wgan-gp":
                return -d_fake.mean()
            case "rpgan":
                return self.criterion(d_fake - self.D(self.real()), self.ones)

    def step(self) -> None:
        loss_D = self.discriminator_loss()
        self.adam_D.zero_grad()
        loss_D.backward()
        self.adam_D.step()
        loss_G = self.generator_loss()
        self.adam_G.zero_grad()
        loss_G.backward()
        self.adam_G.step()
