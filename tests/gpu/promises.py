"""What is promised of training, kept on this device: resuming, memory, seeds that diverge, cells that fail."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest
import torch

from ganbench.record.journal import Journal
from ganbench.train.trainer import Trainer

PLUGIN = """
import torch
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl

def plain(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()

def unlucky(d_real, d_fake, random, *, chance: float = 0.0):
    return plain(d_real, d_fake) + torch.where(random.uniform(1).sum() < chance, torch.nan, 0.0)

def outside(d_real, d_fake, step):
    # On a GPU an assertion of the device, after which this process can compute nothing on it any more.
    at = torch.where(step > 5, 10**6, 0).view(1)
    return plain(d_real.index_select(0, at), d_fake)

@hookimpl
def ganbench_losses():
    for f in (unlucky, outside):
        yield Loss(f.__name__, f, generator)
"""
SUITE = """
suite: promises
seeds: {seeds}
budget: {{steps: 60, batch: 32}}
evaluate: {{every: 20, samples: 500}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 16, depth: 1}}}}
variants: {{{variants}}}
metrics: [jsd]
references: []
"""
CALM = "calm: {loss: unlucky}"


@pytest.fixture(scope="module")
def seeds_of(run_text):
    """The rows of a run's seeds: ``seeds_of("a: {loss: minimax}")``."""

    def run(variants, **more):
        folder = run_text(SUITE.format(variants=variants, seeds=6), engine="eager", **more).folder
        rows = pd.read_csv(folder.path / "seeds.csv")
        return rows[rows["variant"] != "oracle"].reset_index(drop=True)

    return run


@pytest.fixture(scope="module")
def calm(seeds_of):
    return seeds_of(CALM)


def test_a_run_that_is_killed_goes_on_to_the_same_numbers(seeds_of, calm, room_for, tmp_path):
    with room_for(7, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        seeds_of(CALM, out=tmp_path)
    again = seeds_of(CALM, out=tmp_path)
    assert list(again["status"]) == ["done"] * 6
    assert again["jsd"].notna().all()
    pd.testing.assert_series_equal(again["jsd"], calm["jsd"], rtol=1e-5)


def test_seeds_that_diverge_change_no_other(seeds_of, calm):
    found = seeds_of("unlucky: {loss: {name: unlucky, chance: 0.02}}")
    fell = found["status"] == "diverged"
    assert 0 < fell.sum() < 6
    assert list(found[~fell]["status"].unique()) == ["done"]
    pd.testing.assert_series_equal(found["jsd"][~fell], calm["jsd"][~fell], rtol=1e-5)


def test_an_assertion_of_the_device_costs_its_own_cell_alone(plugins, dry, tmp_path):
    """The cells after it are trained, though on a GPU not by that process."""
    variants = "before: {loss: minimax}, outside: {loss: outside}, after: {loss: minimax}"
    (tmp_path / "suite.yaml").write_text(SUITE.format(variants=variants, seeds=2))
    command = [
        sys.executable,
        "-m",
        "ganbench",
        "run",
        tmp_path / "suite.yaml",
        "--plugins",
        plugins,
        "--engine",
        "eager",
    ]
    subprocess.run([*command, "--out", tmp_path, "--device", "cpu" if dry else "cuda"], check=False, timeout=100)
    seeds = pd.concat(map(pd.read_csv, (tmp_path / "promises").glob("*/seeds.csv")))
    ended = {variant: set(own["status"]) for variant, own in seeds.groupby("variant")}
    assert ended.pop("oracle") == {"done"}
    assert ended == {"before": {"done"}, "outside": {"error"}, "after": {"done"}}


@pytest.mark.usefixtures("needs_cuda")
def test_where_memory_runs_out_half_as_many_seeds_train_at_once(cell, cpu):
    """To what so few give from the start; the process may take only a small part of the memory."""
    wide = "{loss: nonsaturating, architecture: {name: mlp, width: 512, depth: 3}}"
    whole = cell(wide, seeds=256, batch=256)
    trainer = Trainer([whole], cpu, "eager", most_bytes=2**50)
    assert trainer.chunks.size == 256
    total = torch.cuda.get_device_properties(cpu).total_memory
    torch.cuda.empty_cache()
    try:
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + 4 * 2**30) / total)
        state = trainer.advance(trainer.start, 0, 20)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    size = trainer.chunks.size
    assert size < 256
    assert f"memory ran out: {size} of 256 seeds train at once" in trainer.note
    other = Trainer([whole], cpu, "eager", at_once=size)
    again = other.advance(other.start, 0, 20)
    assert all(torch.allclose(a.theta, b.theta, atol=1e-5) for a, b in zip(state.players, again.players, strict=True))
