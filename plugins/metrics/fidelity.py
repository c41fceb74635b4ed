"""FID and KID of images, by torch-fidelity's reference implementation (Heusel et al. 2017, arXiv:1706.08500).

Both compare features of the Inception network: FID as Gaussians, KID by a polynomial kernel, without bias; infinite
where a sample is not finite. They need ``pip install 'ganbench[fidelity]'`` and the network's weights, which you
download to ``--data DIR``; without one of them, a line says what is missing. Grey images are three equal channels. The
data are the held-out images, so values are not those of papers that take 50,000 training images: compare rows, and look
at the oracle's. FID falls with the number of samples: below 2,048 it is much too large.

Direction: lower is better, down to the oracle's.
Unit: squared distance of features.
Source: Heusel et al. 2017, arXiv:1706.08500, equation 6; Binkowski et al. 2018, arXiv:1801.01401, equation 4.
Floor: KID 0, give or take kid_std; FID what the oracle reads, which falls with the number of samples.
Cost: Inception on a CPU, about 20 images a second and thread; at a seed's last evaluation only.
"""

from math import inf

from ganbench import Column, Metric, hookimpl
from ganbench.metrics.fidelity import as_images, features, fidelity, inception


def measure(samples, real):
    made, data = as_images(samples), as_images(real)
    if made is None or data is None:
        return {}
    if not samples.isfinite().all():
        return {"fid": inf, "kid": inf}
    extractor = inception()
    found = fidelity(features(made, extractor), features(data, extractor))
    return {"fid": found.fid, "kid": found.kid, "kid_std": found.kid_std}


COLUMNS = (
    Column("fid", "Frechet distance of Inception features to held-out images", better="lower", title="FID"),
    Column("kid", "squared MMD of Inception features, polynomial kernel", better="lower", title="KID"),
    Column("kid_std", "standard deviation of kid over its subsets", summary="none", role="error", of="kid"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("fidelity", measure, COLUMNS, at="end", aliases=("fid", "kid"))
