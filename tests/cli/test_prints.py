"""What plugins print is no part of a command's output, which other programs read; what they warn of is shown once."""

from __future__ import annotations

import json
import sys
import warnings

import numpy as np
import pytest

from ganbench import cli

PLUGIN = """
import warnings
from torch import nn
from ganbench import Architecture, Column, Dataset, Finite, Loss, Metric, Networks, hookimpl

def discriminator(d_real, d_fake):
    print("LOUD loss")
    return d_fake.mean() - d_real.mean()

def generator(d_fake):
    return -d_fake.mean()

def measure(samples):
    print("LOUD metric")
    warnings.warn("WARNED of samples")
    return {"mean": samples.mean().item()}

def build(shape):
    print("LOUD networks")
    return Networks(nn.Linear(2, shape[0]), nn.Linear(shape[0], 1), (2,))

@hookimpl
def ganbench_losses():
    yield Loss("loud", discriminator, generator)

@hookimpl
def ganbench_metrics():
    yield Metric("loud", measure, (Column("mean", "mean of all numbers"),))

@hookimpl
def ganbench_architectures():
    yield Architecture("loud", build)
"""
SUITE = """
suite: t
seeds: 2
budget: {steps: 4, batch: 8}
evaluate: {every: 2, samples: 100}
datasets: {r: {name: ring}}
references: []
variants: {a: {loss: loud, architecture: loud}}
metrics: [loud]
"""


@pytest.mark.parametrize(
    ("command", "is_json"),
    [
        ("plan t.yaml", False),
        ("run t.yaml --no-report --no-pictures", False),
        ("run t.yaml --no-report --no-pictures --engine eager --json", True),
        ("score x.npy --dataset ring --metric loud --json", True),
        ("check loud --kind metric --json", True),
    ],
)
def test_what_a_plugin_prints_goes_to_standard_error(command, is_json, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "loud.py").write_text(PLUGIN)
    (tmp_path / "t.yaml").write_text(SUITE)
    np.save("x.npy", np.zeros((50, 2), np.float32))
    monkeypatch.setattr(sys, "argv", ["ganbench", *command.split()])
    with warnings.catch_warnings(action="default", record=True) as warned, pytest.raises(SystemExit):
        cli.main()
    output = capsys.readouterr()
    assert "LOUD" in output.err
    assert sum("WARNED" in str(each.message) for each in warned) == 1
    assert "LOUD" not in output.out
    assert output.out
    if is_json:
        json.loads(output.out if command.startswith(("score", "check")) else output.out.splitlines()[-1])
