"""Hinge (Lim & Ye 2017, arXiv:1705.02894): D need only keep real and fake samples a margin apart."""

from torch.nn.functional import relu

from ganbench import Loss, hookimpl


def discriminator(d_real, d_fake):
    return relu(1 - d_real).mean() + relu(1 + d_fake).mean()


def generator(d_fake):
    return -d_fake.mean()


@hookimpl
def ganbench_losses():
    yield Loss("hinge", discriminator, generator)
