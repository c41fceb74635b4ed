"""The shipped observers, each with its real package where that is installed: what they write is read back.

One run is told to all of them; it is also exported as studies of Optuna.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from noted import Noted

from ganbench.cli.export import export
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
sweep: {{optimizer.lr: [0.001, 0.01, 0.1], "optimizer.betas": [[0.0, 0.9], [0.5, 0.9]]}}
metrics: [jsd, modes]
observers: [{observers}]
"""
OBSERVERS = {
    "tensorboard": "{name: tensorboard, seeds: true}",
    "wandb": "{name: wandb, mode: offline, seeds: true}",
    "trackio": "trackio",
    "mlflow": "{name: mlflow, tracking_uri: 'sqlite:///mlflow.db', seeds: true}",
}
#: A row of it.
ROW = "a lr=0.01 betas=[0.5,0.9]"
pytestmark = pytest.mark.filterwarnings("ignore")  # what the trackers themselves warn of


def installed(name):
    """Skips where the package of an observer is not installed."""
    pytest.importorskip(name, reason=f"pip install 'ganbench[{name}]'")


@pytest.fixture(scope="module")
def tracked(shipped, cpu, tmp_path_factory):
    """A run of the suite, in a working folder of its own, with all observers that are installed."""
    home, watching = tmp_path_factory.mktemp("tracked"), Noted()
    observers = ", ".join(text for name, text in OBSERVERS.items() if find_spec(name))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("TRACKIO_DIR", str(home / "trackio"))
        suite = parse(SUITE.format(observers=observers), shipped)
        folder = run(suite, out=home, device=cpu, engine="eager", command=[], observer=watching).folder
    assert watching.lines == []
    return folder


def test_tensorboard(tracked):
    installed("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    home = tracked.path / "tensorboard" / "ring8"
    assert len([*home.iterdir()]) == 7
    events = EventAccumulator(str(home / ROW)).Reload()
    tags = events.Tags()
    wanted = {"modes_covered", *(f"modes_covered/{what}" for what in ("low", "high", "seed 0", "seed 5"))}
    assert wanted <= {*tags["scalars"]}
    assert [point.step for point in events.Scalars("modes_covered")] == [2, 4]
    seeds = sorted(events.Scalars(f"modes_covered/seed {n}")[-1].value for n in range(6))
    assert events.Scalars("modes_covered")[-1].value == pytest.approx((seeds[2] + seeds[3]) / 2)
    assert [image.step for image in events.Images("samples")] == [2, 4]
    hyperparameters = str(events.summary_metadata["_hparams_/session_start_info"].plugin_data.content)
    assert "optimizer.lr" in hyperparameters


def test_mlflow(tracked):
    installed("mlflow")
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{tracked.path.parents[1] / 'mlflow.db'}")
    runs = {
        one.info.run_name: one for one in client.search_runs([client.get_experiment_by_name("tracked").experiment_id])
    }
    assert len(runs) == 8
    row, whole = runs[f"ring8/{ROW}"], runs[tracked.path.name]
    assert row.data.params["optimizer.lr"] == "0.01"
    assert row.data.tags["mlflow.parentRunId"] == whole.info.run_id
    assert {one.info.status for one in runs.values()} == {"FINISHED"}
    table = pd.read_csv(tracked.table).set_index("variant")
    assert row.data.metrics["jsd"] == pytest.approx(table.jsd[ROW])
    assert row.data.metrics["jsd/low"] == pytest.approx(table.jsd_low[ROW])
    assert [one.step for one in client.get_metric_history(row.info.run_id, "jsd/seed 5")] == [2, 4]
    assert {"table.csv", "suite.yaml"} <= {one.path for one in client.list_artifacts(whole.info.run_id)}


def test_wandb(tracked):
    installed("wandb")
    runs = [*(tracked.path / "wandb").glob("offline-run-*")]
    assert len(runs) == 7
    content = b"".join(file.read_bytes() for one in runs for file in one.glob("*.wandb"))
    assert b"jsd/seed 5" in content
    assert all(len([*one.glob("files/media/images/samples_*.png")]) >= 1 for one in runs)


def test_trackio(tracked):
    installed("trackio")
    import sqlite3

    (file,) = (tracked.path.parents[1] / "trackio").glob("ganbench*.db")
    with sqlite3.connect(file) as database:
        told = database.execute("SELECT run_name, step FROM metrics").fetchall()
    database.close()
    assert {step for name, step in told if name.endswith(ROW)} == {2, 4}


@pytest.mark.parametrize("file", ["study.log", "study.db"])
def test_a_sweep_is_exported_as_studies_of_optuna(tracked, tmp_path, file):
    optuna = pytest.importorskip("optuna", reason="pip install 'ganbench[optuna]'")
    out = tmp_path / file
    result = CliRunner().invoke(export, [str(tracked.path), "--format", "optuna", "--out", str(out)])
    assert (result.exit_code, result.stderr) == (0, f"{out}: 6 trials in tracked/ring8/a\n")
    if file == "study.db":
        storage = f"sqlite:///{out}"
    else:
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(out)))
    study = optuna.load_study(study_name="tracked/ring8/a", storage=storage)
    table = pd.read_csv(tracked.table).set_index("variant")
    found = {trial.user_attrs["variant"]: trial for trial in study.trials}
    assert found[ROW].params == {"optimizer.lr": 0.01, "optimizer.betas": "[0.5, 0.9]"}
    for name, trial in found.items():
        assert trial.value == pytest.approx(table.jsd[name])
        assert trial.user_attrs["interval"] == pytest.approx([table.jsd_low[name], table.jsd_high[name]])
        assert np.median([*trial.user_attrs["values"].values()]) == pytest.approx(trial.value)
        assert (trial.user_attrs["seeds"], trial.user_attrs["verdicts"]) == (6, table.verdicts[name])
    assert study.direction == optuna.study.StudyDirection.MINIMIZE
    assert study.best_value == table.jsd.drop("oracle").min()
    assert found[ROW].distributions["optimizer.lr"] == optuna.distributions.FloatDistribution(0.001, 0.1, log=True)
    again = CliRunner().invoke(export, [str(tracked.path), "--format", "optuna", "--out", str(out)])
    assert (again.exit_code, again.stderr) == (
        2,
        f"{out}: is there already, and nothing is added to it: name another file\n",
    )


def test_a_study_needs_a_file_and_optuna(tracked, monkeypatch):
    call = [str(tracked.path), "--format", "optuna"]
    without = CliRunner().invoke(export, call)
    line = "a study is a file: name it with --out study.log, or --out study.db for SQLite\n"
    assert (without.exit_code, without.stderr) == (2, line)
    monkeypatch.setitem(sys.modules, "optuna", None)
    lacking = CliRunner().invoke(export, [*call, "--out", "x.log"])
    assert (lacking.exit_code, lacking.stderr) == (2, "writing a study needs optuna: pip install 'ganbench[optuna]'\n")


SLOW = ("wandb", "mlflow")  # they start a process, or make a database, each time


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.slow] * (one in SLOW)) for one in OBSERVERS])
def test_the_kit_finds_nothing(name, shipped, monkeypatch, tmp_path):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    found = check(name, shipped, kind="observer")
    assert {each.status for each in found} == ({"pass"} if find_spec(name) else {"n/a"}), found
