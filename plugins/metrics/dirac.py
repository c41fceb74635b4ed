"""How far a Dirac-GAN is from its equilibrium (0, 0): the length of (theta, psi), from its samples and its logits.

Of the architecture `dirac` on the data set `dirac` alone. theta is the sample that all are, less the data's point; psi
is the rise of D from there to here over theta. In float32 that is nothing once both are below some 1e-19: then there is
no number, and not a wrong one.

Direction: lower; 0 is the equilibrium.
Unit: that of the data and of D's slope, as the paper's figures have it.
Source: Mescheder et al. 2018, arXiv:1801.04406, definition 2.1 and figure 1.
Floor: the oracle has no D, so no number.
Cost: under 1 ms; at every evaluation.
"""

import math

from ganbench import Column, Metric, NotApplicableError, hookimpl


def measure(samples, real, d_real, d_fake):
    if d_fake is None:
        return {}
    points, data = samples.double().flatten(1), real.double().flatten(1)
    theta = points[0] - data[0]
    if theta.numel() != 1 or (points != points[0]).any() or (data != data[0]).any():
        raise NotApplicableError("not a Dirac-GAN: needs the architecture dirac and the data set dirac")
    rise = (d_fake[0].double() - d_real[0].double()).item()
    if 0 < abs(rise) < 1e-37 or (rise == 0 and theta != 0):
        raise NotApplicableError("psi is not known: theta times psi is too small for float32")
    psi = rise / theta.item() if theta != 0 else math.nan
    return {"equilibrium_distance": math.hypot(theta.item(), psi)}


COLUMNS = (
    Column(
        "equilibrium_distance",
        "length of (theta, psi) of a Dirac-GAN; 0 at its equilibrium",
        better="lower",
        title="|(theta, psi)|",
    ),
)


@hookimpl
def ganbench_metrics():
    yield Metric("dirac", measure, COLUMNS)
