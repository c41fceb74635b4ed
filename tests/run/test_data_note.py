"""What is unusual about data is said at its own row; what is wrong with it is never the fault of a loss."""

from __future__ import annotations

import pandas as pd

PLUGIN = """'''A test's data.'''
import torch
from ganbench import Dataset, hookimpl
from ganbench.data.finite_set import Finite

def labelled():
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0))
    x[:, 2] = (x[:, 0] > 0).float()
    return Finite(x[:400], x[400:])

class Rarely:
    shape = (2,)

    def sample(self, n, generator):
        x = torch.randn(n, 2, generator=generator)
        x[torch.rand(n, generator=generator) < 0.0003] = torch.nan
        return x

@hookimpl
def ganbench_datasets():
    yield Dataset("labelled", labelled)
    yield Dataset("rarely", Rarely)
"""

SUITE = """
suite: noted
seeds: 2
budget: {steps: 40, batch: 64}
evaluate: {every: 40, samples: 200}
datasets: {data: NAME}
references: []
defaults: {architecture: {name: mlp, width: 8}}
variants: {a: {loss: minimax}}
metrics: [mmd]
"""


def test_a_column_that_is_discrete_is_said_at_the_datas_own_row_and_in_plan(run_text, plugins, gb, tmp_path):
    table = pd.read_csv(run_text(SUITE.replace("NAME", "labelled"), engine="eager").folder.path / "seeds.csv")
    said = table.message.fillna("").str.contains("column 2 of 3 has at most 2 values (classes, labels", regex=False)
    assert list(said) == list(table.variant == "oracle")
    (tmp_path / "t.yaml").write_text(SUITE.replace("NAME", "labelled"))
    code, out, _ = gb("plan", tmp_path / "t.yaml", "--plugins", plugins, "--engine", "eager")
    assert code == 0
    assert "data oracle: column 2 of 3 has at most 2 values" in out


def test_samples_that_repeat_rows_are_said_with_their_share(run_text):
    """For 200 of 400 rows 21 %: they are drawn with replacement."""
    table = pd.read_csv(run_text(SUITE.replace("NAME", "labelled"), engine="eager").folder.path / "seeds.csv")
    (said,) = set(table.message[table.variant == "oracle"])
    assert "200 samples are drawn from 400 training rows, so 21 % of them repeat others" in said
    fewer = SUITE.replace("NAME", "labelled").replace("samples: 200", "samples: 60")
    table = pd.read_csv(run_text(fewer, engine="eager").folder.path / "seeds.csv")
    assert not table.message.str.contains("repeat others", na=False).any()


def test_seeds_that_diverge_by_numbers_of_the_data_that_are_not_finite_are_the_datas_error(run_text):
    """Numbers so rare that no check before training has met them."""
    table = pd.read_csv(run_text(SUITE.replace("NAME", "rarely"), engine="eager").folder.path / "seeds.csv")
    own = table[table.variant == "a"]
    assert set(own.status) == {"error"}
    assert own.message.str.startswith("dataset rarely: sample() gives numbers that are not finite (nan in ").all()


def test_no_more_data_is_drawn_to_find_out_than_a_step_has(run_text, monkeypatch):
    """A data set may take long to sample: what each seed was given at the step at which it diverged is looked at."""
    looked = []
    monkeypatch.setattr(
        "ganbench.train.trainer.check_drawn", lambda name, drawn, seed, step: looked.append((len(drawn), seed))
    )
    table = pd.read_csv(run_text(SUITE.replace("NAME", "rarely"), engine="eager").folder.path / "seeds.csv")
    diverged = table[(table.variant == "a") & (table.status == "diverged")].seed
    assert len(diverged) > 0
    assert looked == [(64, seed) for seed in diverged]
