"""The shipped observers, with the real package where it is installed: what they write is read back."""

from __future__ import annotations

import pytest

from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.load import parse
from ganbench.testing import check

SUITE = """
suite: tracked
seeds: 6
budget: {{steps: 4, batch: 8}}
evaluate: {{every: 2, samples: 60}}
datasets: {{ring8: {{name: ring, modes: 2, std: 0.3}}}}
references: []
defaults: {{architecture: {{width: 4, depth: 1}}, loss: nonsaturating}}
variants: {{a: {{}}}}
sweep: {{optimizer.lr: [0.001, 0.01]}}
metrics: [modes]
observers: [{observer}]
"""


class Noted(RunObserver):
    """Keeps the lines about the run as a whole: of observers that fail, if any."""

    def __init__(self):
        self.lines = []

    def note(self, line):
        self.lines.append(line)


@pytest.fixture
def tracked(shipped, cpu, monkeypatch, tmp_path):
    """Runs the suite with an observer, in an empty working folder, and returns the folder of the run."""
    monkeypatch.chdir(tmp_path)

    def train(observer):
        suite, watching = parse(SUITE.format(observer=observer), shipped), Noted()
        folder = run(suite, out=tmp_path, device=cpu, engine="eager", command=[], observer=watching).folder
        assert watching.lines == []
        return folder.path

    return train


def test_tensorboard(tracked):
    pytest.importorskip("tensorboard", reason="pip install 'ganbench[tensorboard]'")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    home = tracked("{name: tensorboard, seeds: true}") / "tensorboard" / "ring8"
    assert sorted(path.name for path in home.iterdir()) == ["a lr=0.001", "a lr=0.01", "oracle"]
    events = EventAccumulator(str(home / "a lr=0.01")).Reload()
    tags = events.Tags()
    wanted = {"modes_covered", *(f"modes_covered/{what}" for what in ("low", "high", "seed 0", "seed 5"))}
    assert wanted <= {*tags["scalars"]}
    assert [point.step for point in events.Scalars("modes_covered")] == [2, 4]
    seeds = sorted(events.Scalars(f"modes_covered/seed {n}")[-1].value for n in range(6))
    assert events.Scalars("modes_covered")[-1].value == pytest.approx((seeds[2] + seeds[3]) / 2)
    assert [image.step for image in events.Images("samples")] == [2, 4]
    hyperparameters = str(events.summary_metadata["_hparams_/session_start_info"].plugin_data.content)
    assert "optimizer.lr" in hyperparameters


@pytest.mark.parametrize("name", ["tensorboard"])
def test_the_kit_finds_nothing(name, shipped):
    found = check(name, shipped, kind="observer")
    assert {each.status for each in found} in ({"pass"}, {"n/a"}), found
