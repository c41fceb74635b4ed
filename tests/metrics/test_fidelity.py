"""FID and KID by torch-fidelity: known answers, in the features of a tiny extractor; what is missing is one line."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.metrics.fidelity import LAYER, WEIGHTS, as_images, features, fidelity, inception, weights

SUITE = """
suite: it
seeds: 1
budget: {steps: 5, batch: 16}
evaluate: {samples: 12}
datasets: {digits: {name: digits}}
references: []
variants: {it: {loss: nonsaturating, architecture: {name: mlp, width: 8}}}
metrics: [fidelity]
"""


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
        patch.setitem(sys.modules, "torch_fidelity", None)
        with pytest.raises(PluginError, match=r"pip install 'ganbench\[fidelity\]'"):
            weights()
    pytest.importorskip("torch_fidelity")
    missing = (
        rf"needs the file {re.escape(str(tmp_path / WEIGHTS))}, .*: download https:\S+{WEIGHTS} \(its SHA-256 begins "
    )
    with pytest.raises(
        PluginError,
        match=missing + r"with 6726825d\) into that folder, or give another with --data DIR; it measures images ",
    ):
        inception()
    (tmp_path / WEIGHTS).write_bytes(b"another")
    with pytest.raises(PluginError, match="begins with 6726825d, its own with ae448ac8; download it again"):
        inception()


@pytest.mark.parametrize(
    "command", [["run", "it.yaml"], ["plan", "it.yaml"], ["score", "x.npy", "--dataset", "digits"]]
)
def test_a_command_that_names_the_metric_says_what_is_missing_before_anything_is_trained(
    command, gb, tmp_path, monkeypatch
):
    """And `score`, which is not told what to measure, does without."""
    pytest.importorskip("torch_fidelity")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    Path("it.yaml").write_text(SUITE)
    np.save("x.npy", np.zeros((30, 1, 8, 8), np.float32))
    named = [] if command[-1] == "it.yaml" else ["--metric", "fidelity"]
    code, _, err = gb(*command, *named)
    assert (code, len(err.splitlines())) == (2, 1), err
    assert f"metric 'fidelity': needs the file {tmp_path / WEIGHTS}" in err
    assert not Path("results").exists()
    if named:
        code, out, err = gb(*command, "--json")
        assert (code, "fid" in json.loads(out)["values"]) == (0, False), err


@pytest.mark.slow
def test_a_run_measures_by_inception_of_random_weights(gb, tmp_path, monkeypatch):
    """From the suite's line to the table; the network is that of the papers but for its numbers, and a score agrees."""
    inceptions = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    with monkeypatch.context() as patch, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        patch.setattr(inceptions, "load_state_dict_from_url", lambda *_, **__: None)
        patch.setattr(inceptions.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        torch.save(inceptions.FeatureExtractorInceptionV3("random", [LAYER]).state_dict(), "random.pth")
    file = f"weights-random-{hashlib.sha256(Path('random.pth').read_bytes()).hexdigest()[:8]}.pth"
    Path("random.pth").rename(file)
    monkeypatch.setattr("ganbench.metrics.fidelity.WEIGHTS", file)
    Path("it.yaml").write_text(SUITE)
    code, out, err = gb("run", "it.yaml", "--device", "cpu", "--engine", "eager", "--save-samples")
    assert code == 0, out + err
    (run,) = Path("results/it").glob("*/")
    rows = pd.read_csv(run / "seeds.csv").set_index("variant")
    assert rows.fid["it"] > rows.fid["oracle"] > 0
    assert rows.kid["it"] > rows.kid["oracle"]
    assert rows.inception_coverage["oracle"] > rows.inception_coverage["it"] >= 0
    monkeypatch.setattr("ganbench.score.score.FLOOR_SEEDS", ())
    samples = run / "samples" / "digits" / "it" / "0.npz"
    code, out, err = gb("score", samples, "--suite", "it.yaml", "--dataset", "digits", "--device", "cpu", "--json")
    assert code == 0, err
    assert json.loads(out)["values"]["fid"] == rows.fid["it"]


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
    found = metric.measure(images, images)
    assert found["fid"] == pytest.approx(0, abs=1e-6)
    assert (found["inception_precision"], found["inception_coverage"]) == (1, 1)
    assert metric.measure(images.flatten(1), images.flatten(1)) == {}
    assert metric.measure(images.index_fill(0, torch.tensor([3]), torch.nan), images) == {"fid": inf, "kid": inf}
