"""FID and KID by torch-fidelity: known answers, in the features of a tiny extractor; what is missing is one line."""

from __future__ import annotations

import sys
from math import inf

import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.metrics.fidelity import WEIGHTS, as_images, features, fidelity, inception


@pytest.fixture(autouse=True)
def _afresh():
    inception.cache_clear()
    yield
    inception.cache_clear()


class Tiny(torch.nn.Module):
    """The mean of each channel, as torch-fidelity's extractors give features: a tuple, from bytes."""

    def forward(self, x):
        assert x.dtype == torch.uint8
        return (x.float().mean((2, 3)),)


def test_images_become_colours_in_bytes_and_other_samples_do_not():
    grey = torch.tensor([-1.0, 0.0, 1.0, -7.0, 5.0, -1.0]).reshape(1, 1, 2, 3)
    assert as_images(grey)[0].flatten(1).tolist() == [[0, 128, 255, 0, 255, 0]] * 3
    assert as_images(torch.zeros(4, 2)) is None
    assert as_images(torch.zeros(4, 2, 8, 8)) is None
    assert features(as_images(torch.ones(70, 3, 2, 2)), Tiny()).tolist() == [[255.0] * 3] * 70


def test_the_extra_its_weights_and_another_file_are_one_line_each(monkeypatch, tmp_path):
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch_fidelity.utils", None)
        with pytest.raises(PluginError, match=r"pip install 'ganbench\[fidelity\]'"):
            inception()
    pytest.importorskip("torch_fidelity")
    with pytest.raises(PluginError, match=r"needs the file .* download it from"):
        inception()
    (tmp_path / WEIGHTS).write_bytes(b"another")
    with pytest.raises(PluginError, match="is not the file of"):
        inception()


def test_known_answers():
    """FID of Gaussians of one covariance is the squared distance of their means; KID of all rows is by hand."""
    pytest.importorskip("torch_fidelity")
    random = torch.Generator().manual_seed(0)
    one, other = (torch.randn(4000, 3, generator=random) for _ in range(2))
    assert fidelity(one, other + 2).fid == pytest.approx(12, abs=0.3)
    x, y = one[:50].double(), 1 + other[:50].double()
    kernel = [(a @ b.T / 3 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
    within = sum((each.sum() - each.trace()) / (50 * 49) for each in kernel[:2])
    found = fidelity(x.float(), y.float())
    assert found.kid == pytest.approx(float(within - 2 * kernel[2].mean()), rel=1e-5)
    assert found.kid_std == pytest.approx(0, abs=1e-6)


def test_the_metric_measures_images_alone(shipped, monkeypatch):
    pytest.importorskip("torch_fidelity")
    metric = shipped.get("metric", "fidelity").value
    monkeypatch.setitem(metric.measure.__globals__, "inception", Tiny)
    images = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert metric.measure(images, images)["fid"] == pytest.approx(0, abs=1e-6)
    assert metric.measure(images.flatten(1), images.flatten(1)) == {}
    assert metric.measure(images.index_fill(0, torch.tensor([3]), torch.nan), images) == {"fid": inf, "kid": inf}
