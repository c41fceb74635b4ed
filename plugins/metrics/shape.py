"""The form of each mode: where its samples are centred, how wide, how round, and whether they fill it.

A mode's samples are those nearest to it, but for strewn ones (5 std from their median). Each number stands for the
median over the modes and, as _worst, for the worst of them; modes with fewer than 20 samples are left out, and counted.
For mixtures only.

Direction: centre_error, radial and modes_left_out lower; variance_ratio and smallest_variance_ratio best at 1.
Unit: std of the mode for centre_error; ratio to the mode's variance; Kolmogorov-Smirnov distance, 0 to 1, for radial.
Source: no paper; sample moments, and Kolmogorov-Smirnov on squared Mahalanobis radii against chi-square.
Floor: in 2-D with n samples a mode: centre_error 1.25 / sqrt n, the ratios 1 and 1 - 1.3 / sqrt n, radial 0.6 / sqrt n.
Cost: 8 ms at 10,000 samples in 2-D, one thread; at a seed's last evaluation.
"""

import numpy as np

from ganbench import Column, Metric, Mixture, hookimpl
from ganbench.metrics.points import from_tensor
from ganbench.metrics.shape import shapes


def measure(samples, dataset):
    if not isinstance(dataset, Mixture):
        return {}
    found = shapes(from_tensor(samples), dataset)
    if found.left_out == dataset.modes:
        return {"modes_left_out": found.left_out}
    with np.errstate(divide="ignore"):
        furthest = np.abs(np.log(found.variance)).argmax()
    return {
        "centre_error": np.median(found.centre),
        "centre_error_worst": found.centre.max(),
        "variance_ratio": np.median(found.variance),
        "variance_ratio_worst": found.variance[furthest],
        "smallest_variance_ratio": np.median(found.smallest),
        "smallest_variance_ratio_worst": found.smallest.min(),
        "radial": np.median(found.radial),
        "radial_worst": found.radial.max(),
        "modes_left_out": found.left_out,
    }


COLUMNS = (
    Column("centre_error", "distance of a mode's samples from its centre, median over modes", "std", "lower"),
    Column("centre_error_worst", "the same of the worst mode", "std", "lower"),
    Column("variance_ratio", "total variance of a mode's samples over the mode's, median over modes; 1 is right"),
    Column("variance_ratio_worst", "the same of the mode furthest from 1, as a ratio"),
    Column("smallest_variance_ratio", "the same in the direction where it is smallest, median; 0 is a line"),
    Column("smallest_variance_ratio_worst", "the same of the most squeezed mode"),
    Column("radial", "KS distance of a mode's radii from a Gaussian's, median; 0.63 is a thin ring", better="lower"),
    Column("radial_worst", "the same of the worst mode", better="lower"),
    Column("modes_left_out", "modes with too few samples to have a form", "modes", "lower"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("shape", measure, COLUMNS, at="end")
