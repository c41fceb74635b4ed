"""What is measured: the sizes, the losses, and the game that every peer plays with the same numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

MODES, RADIUS, STD = 8, 2.0, 0.02
LEARNING_RATE, BETAS = 1e-3, (0.5, 0.999)
PENALTY = 0.1
R1 = R2 = 1.0

#: As a suite has them; both players' optimisers, and one discriminator step for each of the generator.
LOSSES = {
    "nonsaturating": "nonsaturating",
    "wgan-gp": f"{{name: wgan-gp, penalty: {PENALTY}}}",
    "rpgan": f"{{name: rpgan, r1: {R1}, r2: {R2}}}",
}
#: Width, batch and latents.
SIZES = {
    "128-512": (128, 512, 2),
    "128-128": (128, 128, 2),
    "32-64": (32, 64, 2),
    "128-512-z256": (128, 512, 256),
    "tiny": (8, 16, 3),
}
SUITE = """
suite: peers
seeds: {seeds}
budget: {{steps: 1000000, batch: {batch}}}
datasets: {{ring8: {{name: ring, modes: {modes}, radius: {radius}, std: {std}}}}}
defaults:
  architecture: {{name: mlp, width: {width}, depth: 2, activation: relu, latent: {latent}}}
  optimizer: {{name: adam, lr: {lr}, betas: [{betas[0]}, {betas[1]}]}}
  update: {{name: alternating, discriminator_steps: 1}}
variants: {{it: {{loss: {loss}}}}}
"""


@dataclass(frozen=True)
class Case:
    """Networks of depth 2 and one width, a batch, a latent, a loss, and how many seeds train at once."""

    size: str
    loss: str
    seeds: int

    @property
    def width(self) -> int:
        return SIZES[self.size][0]

    @property
    def batch(self) -> int:
        return SIZES[self.size][1]

    @property
    def latent(self) -> int:
        return SIZES[self.size][2]

    def suite(self) -> str:
        """The same case as a suite file."""
        return SUITE.format(
            seeds=self.seeds,
            batch=self.batch,
            modes=MODES,
            radius=RADIUS,
            std=STD,
            width=self.width,
            latent=self.latent,
            lr=LEARNING_RATE,
            betas=BETAS,
            loss=LOSSES[self.loss],
        )


def cases(sizes: str | None, losses: str | None, seeds: str | None, *, dry: bool) -> list[Case]:
    """Those asked for by name, such as ``32-64,128-512``, or all; a dry run has enough of one tiny case.

    Raises ValueError for what there is not. JAX takes seconds to compile a loss, so a dry run has but one.
    """
    all_sizes = ["tiny"] if dry else [size for size in SIZES if size != "tiny"]
    chosen_sizes = _chosen("--peer-cases", sizes, SIZES, all_sizes)
    chosen_losses = _chosen("--peer-losses", losses, LOSSES, ["rpgan"] if dry else list(LOSSES))
    try:
        numbers = ([2] if dry else [8, 32]) if seeds is None else [int(number) for number in seeds.split(",")]
    except ValueError:
        numbers = [0]
    if min(numbers) < 1:
        raise ValueError(f"--peer-seeds: {seeds!r} is not a list of numbers such as 8,32")
    return [Case(size, loss, n) for loss in chosen_losses for size in chosen_sizes for n in numbers]


def _chosen(option: str, said: str | None, known: Collection[str], default: list[str]) -> list[str]:
    names = default if said is None else [name.strip() for name in said.split(",")]
    for name in names:
        if name not in known:
            raise ValueError(f"{option}: {name!r} is none of {', '.join(known)}")
    return names
