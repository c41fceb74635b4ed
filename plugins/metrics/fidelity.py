"""FID and KID of images, by torch-fidelity's reference implementation (Heusel et al. 2017, arXiv:1706.08500); PRDC.

All compare features of the Inception network: FID as Gaussians, KID by a polynomial kernel, without bias, PRDC by
neighbourhoods (its papers take VGG's features). FID and KID are infinite where a sample is not finite. They need ``pip
install 'ganbench[fidelity]'`` and the network's weights, which you download to ``--data DIR``: what is missing is said
before anything is trained. Grey images are three equal channels. The data are the held-out images, so values are not
those of papers that take 50,000 training images: compare rows, and look at the oracle's. FID falls with the number of
samples: below 2,048 it is much too large.

Direction: fid and kid lower, down to the oracle's; the others higher, up to the oracle's.
Unit: squared distance of features; shares, and density in units of k.
Source: arXiv:1706.08500, equation 6; Binkowski et al. 2018, arXiv:1801.01401, equation 4; Naeem et al. 2020,
    arXiv:2002.09797.
Floor: KID 0, give or take kid_std; the others what the oracle reads: FID falls with the number of samples.
Cost: Inception on a CPU, about 20 images a second and thread; at a seed's last evaluation only.
"""

from math import inf

from pydantic import PositiveInt

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.fidelity import as_images, features, fidelity, inception, weights
from ganbench.metrics.precision_recall import manifold


def measure(samples, real, *, k: PositiveInt = 5, points: PositiveInt = 2000):
    made, data = as_images(samples), as_images(real)
    if made is None or data is None:
        return {}
    if not samples.isfinite().all():
        return {"fid": inf, "kid": inf}
    made, data = (features(images, inception()) for images in (made, data))
    found, near = fidelity(made, data), manifold(made.numpy(), data.numpy(), k, points)
    return {
        "fid": found.fid,
        "kid": found.kid,
        "kid_std": found.kid_std,
        "inception_precision": near.precision,
        "inception_recall": near.recall,
        "inception_density": near.density,
        "inception_coverage": near.coverage,
    }


COLUMNS = (
    Column("fid", "Frechet distance of Inception features to held-out images", better="lower", title="FID"),
    Column("kid", "squared MMD of Inception features, polynomial kernel", better="lower", title="KID"),
    Column("kid_std", "standard deviation of kid over its subsets", summary="none", role="error", of="kid"),
    Column("inception_precision", "precision in Inception features", "share", "higher"),
    Column("inception_recall", "recall in Inception features", "share", "higher"),
    Column("inception_density", "density in Inception features; 1 for the data itself", better="higher"),
    Column("inception_coverage", "coverage in Inception features", "share", "higher"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("fidelity", measure, COLUMNS, at="end", requires=weights)
