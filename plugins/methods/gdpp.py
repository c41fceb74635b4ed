"""GDPP (Elfeki et al. 2019, arXiv:1812.00068): fakes are to be as diverse as real samples, in D's features.

The kernel of a batch is L = F F', F the unit vectors of D's last features, as in a determinantal point process. The
term compares the eigenvalues of both kernels, and their eigenvectors by the cosine, each weighted by the real
eigenvalue (min-max normalised). As in public code eigenvalues weigh 1/10,000, and each part of the loss half. It takes
the signs of eigenvectors as the solver gives them; an eigenvector has none, so here |cos|, and 1 - |cos|: 0 where fake
and real are the same, which changes no gradient. It depends on which fake stands beside which real sample, and costs
two eigendecompositions of batch x batch a step.
"""

import torch
from pydantic import NonNegativeFloat
from torch.nn.functional import normalize, softplus

from ganbench import Loss, Networks, hookimpl, split_head

#: Sets equal eigenvalues apart, of features fewer than samples: between equal ones eigenvectors have no derivative.
APART = 1e-9


def players(build, shape):
    whole = build(shape)
    features, _ = split_head(whole.discriminator)
    return Networks(
        whole.generator,
        whole.discriminator,
        whole.latent,
        whole.latent_distribution,
        discriminator_parts={"features": features},
    )


def diversity(features):
    """Eigenvalues, ascending, (n,), and eigenvectors, the columns of (n, n), of a batch's kernel; in float64."""
    unit = normalize(features.flatten(1).double(), dim=1, eps=1e-6)
    steps = torch.arange(len(unit), dtype=unit.dtype, device=unit.device)
    return torch.linalg.eigh(unit @ unit.T + torch.diag(APART * steps))


def gdpp_term(real, fake, magnitude):
    """The GDPP loss of the features of a real and a fake batch of n samples, (n, features) each."""
    (real_values, real_vectors), (fake_values, fake_vectors) = diversity(real), diversity(fake)
    least, most = real_values[0], real_values[-1]
    share = (real_values - least) / (most - least)
    cosine = (real_vectors * fake_vectors).sum(0).abs()
    term = magnitude * (real_values - fake_values).square().mean() + (share * (1 - cosine)).sum()
    return term.to(real.dtype)


def discriminator(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()


def generator(
    d_fake, features, real, fake, *, weight: NonNegativeFloat = 1.0, eigenvalue_weight: NonNegativeFloat = 1e-4
):
    return (softplus(-d_fake).mean() + weight * gdpp_term(features(real), features(fake), eigenvalue_weight)) / 2


@hookimpl
def ganbench_losses():
    yield Loss("gdpp", discriminator, generator, probability=True, players=players, parts=("features",))
