"""Relativistic average GAN (Jolicoeur-Martineau 2018, arXiv:1807.00734): samples against the mean of the others.

Three forms of the paper: RaSGAN, RaLSGAN and RaHingeGAN. Both players share them with the roles of real and fake
exchanged. Its public code halves the losses; the paper, and this, do not.
"""

from typing import Literal

from torch.nn.functional import relu, softplus

from ganbench import Loss, hookimpl

#: What each form charges a sample whose relative logit should be large.
CHARGES = {
    "standard": lambda logit: softplus(-logit),
    "least-squares": lambda logit: (logit - 1).square(),
    "hinge": lambda logit: relu(1 - logit),
}
Form = Literal["standard", "least-squares", "hinge"]


def discriminator(d_real, d_fake, *, form: Form = "standard"):
    charge = CHARGES[form]
    return charge(d_real - d_fake.mean()).mean() + charge(d_real.mean() - d_fake).mean()


def generator(d_real, d_fake, *, form: Form = "standard"):
    return discriminator(d_fake, d_real, form=form)


@hookimpl
def ganbench_losses():
    yield Loss("ragan", discriminator, generator)
