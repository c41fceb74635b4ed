"""FID and KID of images, computed by torch-fidelity, the reference implementation in PyTorch; it is an extra."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import PluginError
from ganbench.data.data_folder import data_folder

#: The weights of the Inception network of the first FID, as torch-fidelity has them; the name ends in their SHA-256.
WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
_ADDRESS = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{WEIGHTS}"
#: What whoever downloads much should know before.
_OF_IMAGES = "; it measures images alone: of points take sliced-wasserstein, mmd or prdc"
#: The layer of both papers, and the images that go through the network at a time.
LAYER, AT_ONCE = "2048", 64


@dataclass(frozen=True)
class Fidelity:
    """``fid``: the Frechet distance; ``kid``, ``kid_std``: the squared MMD, its mean and std over subsets."""

    fid: float
    kid: float
    kid_std: float


def as_images(samples: Tensor) -> Tensor | None:
    """Grey or coloured finite images on [-1, 1] as colours in bytes, (n, 3, height, width); None for other samples."""
    if samples.dim() != 4 or samples.shape[1] not in (1, 3) or min(samples.shape[2:]) < 2:
        return None
    pixels = samples.detach().float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.expand(-1, 3, -1, -1)


def weights() -> Path:
    """The file of the network's weights; raises PluginError, one line, where it or the package is not there.

    Another file is refused: it is a pickle, which would be executed, and other weights give other distances.
    """
    if find_spec("torch_fidelity") is None:
        raise PluginError(
            f"needs the package torch-fidelity, which is not installed: pip install 'ganbench[fidelity]'{_OF_IMAGES}"
        )
    path, begin = data_folder() / WEIGHTS, WEIGHTS.removesuffix(".pth").rpartition("-")[2]
    if not path.is_file():
        cure = (
            f"download {_ADDRESS} (its SHA-256 begins with {begin}) into that folder, or give another with --data DIR"
            f"{_OF_IMAGES}"
        )
        raise PluginError(f"needs the file {path}, which is not there: {cure}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if not found.startswith(begin):
        whose = f"the SHA-256 of the file at {_ADDRESS} begins with {begin}, its own with {found[:8]}"
        raise PluginError(f"needs other weights than those of {path}: {whose}; download it again")
    return path


@lru_cache(maxsize=1)
def inception() -> Any:
    """The Inception network of the first FID; raises PluginError as ``weights`` does."""
    path = weights()
    from torch_fidelity.utils import create_feature_extractor  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return create_feature_extractor(
        "inception-v3-compat", [LAYER], cuda=False, feature_extractor_weights_path=str(path), verbose=False
    )


@torch.no_grad()
def features(images: Tensor, extractor: Any) -> Tensor:
    """The features of images, (n, features), float32 on the CPU.

    Args:
        images: (n, 3, height, width), uint8.
        extractor: one of torch-fidelity's feature extractors, with one layer.

    Returns:
        The features.
    """
    return torch.cat([extractor(some.cpu())[0].float() for some in torch.split(images, AT_ONCE)])


def fidelity(samples: Tensor, real: Tensor) -> Fidelity:
    """FID and KID between the features of samples and of data.

    Args:
        samples: (n, features), n at least 2.
        real: (m, features), m at least 2.

    Returns:
        FID (Heusel et al. 2017, arXiv:1706.08500, equation 6); KID (Binkowski et al. 2018, arXiv:1801.01401, equation
        4), over 100 subsets of 1,000, or of all where these are fewer.
    """
    from torch_fidelity import metric_fid, metric_kid  # type: ignore[import-not-found, import-untyped, unused-ignore]

    statistics = (metric_fid.fid_features_to_statistics(each.double()) for each in (samples, real))
    fid = metric_fid.fid_statistics_to_metric(*statistics, verbose=False)
    size = min(1000, len(samples), len(real))
    kid = metric_kid.kid_features_to_metric(
        samples.double(), real.double(), kid_subset_size=size, kid_subsets=100, verbose=False
    )
    return Fidelity(
        fid["frechet_inception_distance"],
        kid["kernel_inception_distance_mean"],
        kid["kernel_inception_distance_std"],
    )
