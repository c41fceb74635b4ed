"""Samples from anywhere get the numbers that a run gives its own, and whatever is wrong with them is one line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ganbench import Mixture
from ganbench.plugin.registry import Registry
from ganbench.record.samples import Samples, keep, read
from ganbench.run.evaluate import bind_metrics
from ganbench.score import save as score_on_disk
from ganbench.score.save import as_frame, as_object
from ganbench.score.score import FLOOR_SEEDS, fitted, score
from ganbench.score.target import needed, of_names, of_suite, usual_metrics
from ganbench.suite.load import parse

SUITE = """
suite: tiny
seeds: [0, 3]
budget: {steps: 40, batch: 16}
evaluate: {every: 40, samples: 850}
datasets:
  two: {name: mixture, means: [[-1, 0], [1, 0.5]], std: 0.1}
references: [one-mode]
defaults: {architecture: {name: mlp, width: 8, depth: 1}}
variants: {it: {loss: nonsaturating}, wild: {loss: minimax, optimizer: {name: sgd, lr: 1.0e+30}}}
metrics: METRICS
"""
RING = Mixture([[2, 0], [0, 2], [-2, 0], [0, -2]], 0.1)
DATA = ["--dataset", "ring", "--param", "modes=4", "--param", "std=0.1"]
QUICK = ["--metric", "jsd", "--metric", "modes"]
PLUGIN = '''"""Data and metrics for tests."""
import torch
from ganbench import Column, Dataset, Metric, hookimpl

class Pictures:
    shape = (1, 4, 4)
    def sample(self, n, generator):
        return torch.rand(n, 1, 4, 4, generator=generator, device=generator.device)

class Broken(Pictures):
    def sample(self, n, generator):
        raise RuntimeError("no more")

class Few(Pictures):
    held_out = torch.rand(500, 1, 4, 4)
    def sample(self, n, generator):
        if n > 1000:
            raise RuntimeError("no more than 1000")
        return super().sample(n, generator)

class Endless(Few):
    held_out = None

class Short(Pictures):
    def sample(self, n, generator):
        return super().sample(min(n, 1000), generator)

class Circle:
    shape = (2,)
    def sample(self, n, generator):
        angle = 6.2832 * torch.rand(n, generator=generator, device=generator.device)
        return torch.stack([angle.cos(), angle.sin()], dim=1)

def raises(samples):
    raise RuntimeError("the plugin's own words")

def leaves(samples):
    raise SystemExit(7)

def far(samples):
    return {"distance": float("inf")}

def mean(samples, *, power: int):
    return {"mean_power": (samples**power).mean()}

@hookimpl
def ganbench_datasets():
    yield Dataset("pictures", Pictures)
    for data in (Broken, Few, Endless, Short, Circle):
        yield Dataset(data.__name__.lower(), data)

@hookimpl
def ganbench_metrics():
    yield Metric("raises", raises, (Column("nothing", "never"),))
    yield Metric("leaves", leaves, (Column("gone", "never"),))
    yield Metric("far", far, (Column("distance", "infinite", better="lower"),))
    yield Metric("mean", mean, (Column("mean_power", "a mean"),))
'''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder, on one thread."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(before)


def drawn(n=2000, seed=7, data=RING):
    return data.sample(n, torch.Generator().manual_seed(seed)).numpy()


def saved(values, name="x.npy"):
    np.save(name, values)
    return name


def answer(result):
    code, out, err = result
    assert (code, err) == (0, "")
    return json.loads(out)


@pytest.mark.parametrize(
    ("dataset", "method", "columns"),
    [
        ("{name: mixture, means: [[-1, 0], [1, 0.5]], std: 0.1}", "density", "jsd_low modes_covered reverse_kl parzen"),
        ("circle", "neighbours", "jsd_low jsd_high jsd_floor spread"),
        ("{name: mixture, means: [[-1, 0, 0], [1, 0, 1]], std: 0.1}", "lower bound", "jsd_low jsd_floor modes_covered"),
        ("digits", "lower bound", "jsd_low jsd_floor copied"),
    ],
)
def test_the_numbers_are_those_of_the_run_that_made_the_samples(dataset, method, columns, gb, shipped, monkeypatch):
    """Of every variant and reference, diverged or not, in every metric that samples are enough for: to the last bit."""
    monkeypatch.setattr("ganbench.score.score.FLOOR_SEEDS", ())
    monkeypatch.setattr("ganbench.train.engine.speed.TIMED_SECONDS", 0.01)
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    usual = usual_metrics(shipped)
    metrics = [*(choice.name for choice in usual), "discriminator", "throughput"]
    two = "{name: mixture, means: [[-1, 0], [1, 0.5]], std: 0.1}"
    assert two in SUITE
    Path("tiny.yaml").write_text(SUITE.replace("METRICS", json.dumps(metrics)).replace(two, dataset))
    assert gb("run", "tiny.yaml", "--save-samples", "--engine", "eager", "--device", "cpu")[0] == 0
    (run,) = Path("results/tiny").glob("*/")
    seeds = pd.read_csv(run / "seeds.csv")
    assert set(seeds.status) == {"done", "diverged"}
    compared = set()
    # The second of the seeds: the first is what a score would have without one.
    for _, wanted in seeds[seeds.seed == 3].iterrows():
        file = run / "samples" / wanted.dataset / wanted.variant / f"{wanted.seed}.npz"
        options = ["--suite", "tiny.yaml", "--dataset", wanted.dataset, "--device", "cpu", "--out", "score.csv"]
        assert gb("score", file, *options)[0] == 0
        found = pd.read_csv("score.csv").iloc[0]
        assert found.seed == wanted.seed
        for column in (column.name for _, column in bind_metrics(usual).columns):
            # A reference is fitted to points that the file does not hold.
            if wanted.variant in ("oracle", "one-mode") and column in ("copied", "copying_z"):
                continue
            one, other = found[column], wanted[column]
            assert one == other or (pd.isna(one) and pd.isna(other)), (wanted.variant, wanted.seed, column)
            compared |= set() if pd.isna(one) else {column}
    assert {"jsd", "mmd", "sliced_wasserstein", *columns.split()} <= compared
    assert set(seeds.jsd_method) == {method}


def test_the_floor_is_the_oracle_of_a_run(gb):
    """Fresh data is drawn and scored as a run's oracle rows of the same seeds are."""
    suite = SUITE.replace("[0, 3]", "5").replace("METRICS", "[jsd, modes, mass]")
    suite = suite.replace(", wild: {loss: minimax, optimizer: {name: sgd, lr: 1.0e+30}}", "")
    Path("tiny.yaml").write_text(suite)
    gb("run", "tiny.yaml", "--engine", "eager", "--device", "cpu")
    (run,) = Path("results/tiny").glob("*/")
    seeds = pd.read_csv(run / "seeds.csv")
    oracle = seeds[(seeds.dataset == "two") & (seeds.variant == "oracle")]
    saved(drawn(850))
    code, _, _ = gb("score", "x.npy", "--suite", "tiny.yaml", "--dataset", "two", "--device", "cpu", "--out", "s.csv")
    floor = pd.read_csv("s.csv").iloc[1:]
    assert code == 0
    assert list(floor.variant) == ["oracle"] * len(FLOOR_SEEDS)
    for name in ("jsd", "jsd_low", "jsd_high", "high_quality", "reverse_kl", "mass_tv"):
        assert list(floor[name]) == list(oracle[name]), name


def test_a_perfect_sampler_reads_as_the_data_does_and_half_of_it_as_half(gb):
    """The JSD of two of four modes is 0.2158 (drop 4 of 8 on the ring, the same by symmetry)."""
    saved(drawn(4000))
    found = answer(gb("score", "x.npy", *DATA, *QUICK, "--json"))
    assert found["values"]["jsd_low"] <= 0.005 <= found["values"]["jsd_high"] + 0.005
    assert found["values"]["modes_covered"] == 4
    assert found["floor"]["all_modes"] == {"median": 1, "low": True, "high": True}
    half = drawn(4000, data=Mixture([[2, 0], [0, 2]], 0.1))
    found = answer(gb("score", saved(half), *DATA, *QUICK, "--json"))
    assert found["values"]["jsd"] == pytest.approx(0.2158, abs=0.01)
    assert found["values"]["modes_covered"] == 2


def test_what_is_written_is_what_is_said(gb):
    """The table says where; the same samples and settings have the same name, others another."""
    saved(drawn())
    code, out, err = gb("score", "x.npy", *DATA, *QUICK)
    assert (code, err) == (0, "")
    path = Path(out.splitlines()[-1])
    assert path.parent == Path("results/scores")
    frame = pd.read_csv(path)
    assert list(frame.columns[:4]) == ["dataset", "variant", "seed", "step"]
    assert list(frame.columns[-2:]) == ["message", "settings"]
    assert list(frame.variant) == ["x.npy", *["oracle"] * 5]
    settings = json.loads(frame.settings[0])
    assert settings["dataset"] == {"name": "ring", "modes": 4, "radius": 2.0, "std": 0.1}
    assert settings["sha256"] == read(Path("x.npy")).sha256
    found = answer(gb("score", "x.npy", *DATA, *QUICK, "--json"))
    assert found["written"] == str(path)
    assert found["values"]["jsd"] == frame.jsd[0]
    assert {"dataset", "metrics", "seed", "device", "ganbench", "samples", "notes", "versions"} <= found.keys()
    gb("score", "x.npy", *DATA, *QUICK, "--seed", "1")
    assert len(list(path.parent.iterdir())) == 2
    gb("score", "x.npy", *DATA, *QUICK, "--out", "deep/score.json")
    assert json.loads(Path("deep/score.json").read_text()) == {
        key: value for key, value in found.items() if key != "written"
    }


def test_what_does_not_apply_is_null_and_said(gb):
    """Images have no modes: no number is made up."""
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    saved(np.random.default_rng(0).random((300, 1, 4, 4), dtype=np.float32))
    found = answer(gb("score", "x.npy", "--dataset", "pictures", "--metric", "modes", "--metric", "mmd", "--json"))
    assert found["values"]["modes_covered"] is None
    assert found["floor"]["modes_covered"] is None
    assert found["values"]["mmd"] is not None
    out = gb("score", "x.npy", "--dataset", "pictures", "--metric", "modes", "--metric", "mmd")[1]
    assert "Not for such data or so few samples: modes_covered" in out
    assert gb("score", "x.npy", "--dataset", "pictures", "--metric", "mass")[0] == 3


def test_a_metric_that_fails_takes_no_other_with_it(gb):
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    saved(drawn())
    code, out, err = gb("score", "x.npy", *DATA, *QUICK, "--metric", "raises")
    assert (code, err) == (3, "")
    assert "metric raises: RuntimeError: the plugin's own words (mine.py:" in out
    assert "on the data itself: metric raises" in out
    assert pd.read_csv(out.splitlines()[-1]).modes_covered[0] == 4


def test_a_data_set_that_fails_is_one_line_and_exit_code_3(gb):
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    saved(drawn())
    code, out, err = gb("score", "x.npy", "--dataset", "broken", "--metric", "mmd")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert err.startswith("dataset broken: sample(1000): RuntimeError: no more (mine.py:")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("few", "dataset few: sample(1200): RuntimeError: no more than 1000 (mine.py:"),
        ("endless", "dataset endless: sample(1200): RuntimeError: no more than 1000 (mine.py:"),
        ("short", "dataset short: sample(1200) gives the shape (1000, 1, 4, 4), not (1200, 1, 4, 4)"),
    ],
)
def test_a_data_set_that_fails_when_more_is_asked_of_it_is_one_line_too(name, line, gb):
    """Whether fresh data is drawn or what is held out: the samples that a check asks for are not enough to know."""
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    saved(np.zeros((1200, 1, 4, 4), dtype=np.float32))
    code, out, err = gb("score", "x.npy", "--dataset", name, "--metric", "mmd", "--metric", "jsd")
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert err.startswith(line)


def test_a_metric_that_would_end_the_command_does_not(gb):
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    code, out, err = gb("score", saved(drawn()), *DATA, "--metric", "leaves", "--metric", "modes")
    assert (code, err) == (3, "")
    assert "metric leaves: SystemExit: 7 (mine.py:" in out
    assert pd.read_csv(out.splitlines()[-1]).modes_covered[0] == 4


def test_an_infinite_number_is_written_in_every_form(gb):
    """As the journal writes it: JSON itself has no infinity."""
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    metric = ["--metric", "far"]
    found = answer(gb("score", saved(drawn()), *DATA, *metric, "--out", "score.json", "--json"))
    assert found["values"] == {"distance": "inf"}
    assert found["floor"]["distance"] == {"median": "inf", "low": "inf", "high": "inf"}
    assert json.loads(Path("score.json").read_text())["values"] == {"distance": "inf"}
    code, out, _ = gb("score", "x.npy", *DATA, *metric)
    assert code == 0
    assert "inf" in out
    assert pd.read_csv(out.splitlines()[-1]).distance[0] == np.inf


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--dataset", "rign"], "--dataset: unknown dataset 'rign', did you mean 'ring'?"),
        (
            ["--dataset", "ring", "--param", "mods=8"],
            "--param mods: unknown parameter 'mods' of dataset 'ring', did you mean 'modes'?",
        ),
        (["--dataset", "ring", "--param", "std=0"], "--param std: must be a number above 0, not 0"),
        (["--dataset", "ring", "--param", "std=a"], "--param std: must be a number above 0, not 'a'"),
        (
            ["--dataset", "mixture", "--param", "std=1"],
            "--param means: dataset 'mixture' needs the parameter 'means'",
        ),
        (
            ["--dataset", "mixture", "--param", "std=1", "--param", "means=[[0, 0], [1]]"],
            "--dataset mixture: means must all have the same number of coordinates",
        ),
        (
            ["--dataset", "ring", "--param", "modes"],
            "--param: must be NAME=VALUE, as in --param modes=8, not 'modes'",
        ),
        (["--dataset", "ring", "--param", "std="], "--param: must be NAME=VALUE, as in --param modes=8, not 'std='"),
        (["--dataset", "ring", "--param", "std=1", "--param", "std=2"], "--param std: is there twice"),
        (["--dataset", "ring", "--param", "std=.nan"], "--param std: .nan is not a finite number"),
        ([*DATA, "--metric", "jds"], "--metric: unknown metric 'jds', did you mean 'jsd'?"),
        ([*DATA, "--metric", "throughput"], "--metric: 'throughput' needs speed, which samples alone do not have"),
        ([*DATA, "--out", "x.txt"], "--out x.txt: must end in .csv or .json"),
        ([*DATA, *QUICK, "--out", "there.csv"], "there.csv: holds the samples; write their score elsewhere"),
        (
            [*DATA, "--suite", "smoke"],
            "--param: a suite sets the parameters of its data sets; drop one of the two",
        ),
        (["--suite", "smok", "--dataset", "x"], "smok: unknown suite, did you mean 'smoke'?"),
        (["--suite", "mog", "--dataset", "ring"], "--dataset: suite 'mog' has no 'ring', did you mean 'ring8'?"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, line, gb):
    np.savetxt("there.csv", drawn(500))
    before = Path("there.csv").read_bytes()
    assert gb("score", "there.csv", *arguments) == (2, "", line + "\n")
    assert Path("there.csv").read_bytes() == before


def test_all_wrong_parameters_are_told_at_once(gb):
    code, _, err = gb("score", saved(drawn()), "--dataset", "ring", "--param", "modes=-1", "--param", "std=a")
    assert code == 2
    assert err.splitlines() == [
        "--param modes: must be a whole number above 0, not -1",
        "--param std: must be a number above 0, not 'a'",
    ]


def test_a_metric_that_must_be_told_something_is_for_suites(gb):
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(PLUGIN)
    code, _, err = gb("score", saved(drawn()), *DATA, "--metric", "mean")
    assert (code, err) == (2, "--metric: metric 'mean' needs the parameter 'power'; set it in a suite\n")
    Path("mine.yaml").write_text(SUITE.replace("METRICS", "[{name: mean, power: 2}, throughput]"))
    found = answer(gb("score", "x.npy", "--suite", "mine.yaml", "--dataset", "two", "--metric", "mean", "--json"))
    assert found["values"]["mean_power"] == pytest.approx((drawn() ** 2).mean(), rel=1e-5)


def test_a_file_that_cannot_be_scored_is_one_line_and_exit_code_2(gb):
    assert gb("score", "nowhere.npy", *DATA) == (2, "", "nowhere.npy: no such file\n")
    saved(drawn().T)
    line = "x.npy: must have the shape (n, 2), not (2, 2000): transpose it\n"
    assert gb("score", "x.npy", *DATA, *QUICK) == (2, "", line)
    code, out, err = gb("score", saved(drawn()), *DATA, *QUICK, "--out", "x.npy/below.csv")
    assert (code, out, err) == (2, "", "x.npy: is a file, not a folder\n")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_a_place_that_cannot_be_written(gb, tmp_path):
    tmp_path.chmod(0o500)
    assert gb("score", saved(drawn()), *DATA, *QUICK)[0] == 2
    tmp_path.chmod(0o700)


@pytest.mark.parametrize("stage", ["folder", "file"])
def test_a_score_that_cannot_be_written_is_shown_all_the_same(stage, gb, monkeypatch):
    """It may have taken minutes."""
    saved(drawn())
    line = "the score is shown, and not kept: --out FILE writes it elsewhere\n"
    if stage == "folder":
        Path("results").write_text("in the way")
    else:

        def full(path, text):
            raise OSError(28, "No space left on device", str(path))

        monkeypatch.setattr(score_on_disk, "write", full)
    code, out, err = gb("score", "x.npy", *DATA, *QUICK)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("results")
    assert err.endswith(line)
    assert "modes" in out
    code, out, _ = gb("score", "x.npy", *DATA, *QUICK, "--json")
    assert code == 2
    assert json.loads(out)["written"] is None
    assert gb("score", "x.npy", *DATA, *QUICK, "--out", "other/score.csv")[0] == (0 if stage == "folder" else 2)


# In the library


def test_a_shape_that_does_not_fit_is_told_what_would():
    def hint(shape, wanted):
        with pytest.raises(ValueError, match="must have the shape") as raised:
            fitted(np.zeros(shape, dtype=np.float32), wanted)
        return str(raised.value).partition(": ")[2]

    assert hint((2, 50), (2,)) == "transpose it"
    assert hint((2,), (2,)) == "it is a single sample"
    assert hint((100,), (2,)) == "reshape it to (50, 2)"
    assert hint((5, 10, 2), (2,)) == "reshape it to (50, 2)"
    assert hint((50, 28, 28), (1, 28, 28)) == "reshape it to (50, 1, 28, 28)"
    assert hint((50, 784), (1, 28, 28)) == "reshape it to (50, 1, 28, 28)"
    assert hint((50, 8, 8, 3), (3, 8, 8)) == "the channels come first, (0, 3, 1, 2) transposes it"
    assert hint((50, 3), (2,)) == ""


def test_columns_that_are_no_coordinates_are_named():
    table = np.random.default_rng(0).random((40, 3), dtype=np.float32)
    table[:, 2] = np.arange(40) % 4

    def hint(values, names=()):
        with pytest.raises(ValueError, match="must have the shape") as raised:
            fitted(values, (2,), rows=True, names=names)
        return str(raised.value).partition("): ")[2]

    assert hint(table, ("x", "y", "label")) == "leave out 'label', of whole numbers alone"
    assert hint(table) == "leave out column 2, of whole numbers alone"
    none = "leave out the columns that are no coordinates; its columns are 'x', 'y', 'z'"
    assert hint(table + 0.5, ("x", "y", "z")) == none


def test_a_coordinate_of_whole_numbers_is_said_where_the_datas_is_none(shipped):
    values = drawn(300)
    values[:, 1] = np.arange(300) % 7
    line = "column 1 of the samples holds whole numbers alone, and the data's does not: row numbers or labels?"
    assert line in scored(values, shipped, metrics=["modes"]).notes
    values[:, 1] = 0
    assert line not in scored(values, shipped, metrics=["modes"]).notes


def test_a_table_holds_images_row_by_row_and_a_list_numbers():
    values, notes = fitted(np.arange(32, dtype=np.float32).reshape(2, 16), (1, 4, 4), rows=True)
    assert values[1, 0, 0, 1] == 17
    assert notes == ("samples of shape (2, 16) are taken as (n, 1, 4, 4)",)
    assert fitted(np.zeros(5, dtype=np.float32), (1,))[0].shape == (5, 1)
    assert fitted(np.zeros((5, 2), dtype=np.float32), (2,))[1] == ()


def scored(values, registry, metrics=("jsd", "modes"), **options):
    target = of_names("ring", ["modes=4", "std=0.1"], metrics, registry)
    values = np.asarray(values, dtype=np.float32)
    return score(Samples(Path("x.npy"), "0", values, **options), target)


def test_nothing_is_dropped(shipped):
    """A tenth of NaN is a tenth of the mass where there is no data: JSD rises by what theory says, 0.0359."""
    values = drawn(4000)
    values[:400] = np.nan
    found = scored(values, shipped)
    assert len(found.samples.values) == 4000
    mixed = [0.9 * np.log(0.9 / 0.95), 0.1 * np.log(2), np.log(1 / 0.95)]
    assert found.values["jsd"] == pytest.approx((mixed[0] + mixed[1] + mixed[2]) / 2, abs=0.01)
    assert found.values["high_quality"] < 0.9


def test_too_few_samples_have_a_value_without_an_interval_and_the_reason(shipped):
    found = scored(drawn(1000), shipped)
    assert found.values["jsd"] is not None
    assert found.values["jsd_low"] is found.values["jsd_high"] is None
    assert "400 needed for an interval" in found.values["jsd_note"]
    assert scored(drawn(1600), shipped).values["jsd_low"] is not None


@pytest.mark.parametrize(("factor", "odd"), [(1, False), (0.5, True), (127, True), (0, True)])
def test_another_scale_is_suspected_aloud(factor, odd, shipped):
    found = scored(drawn() * factor, shipped, metrics=["modes"])
    assert [("another scale?" in note) for note in found.notes] == [True] * odd
    if odd:
        times = float(found.notes[0].partition("standard deviation is ")[2].partition(" times")[0])
        assert times == pytest.approx(factor, rel=0.01)


def standardised(values):
    return (values - values.mean(0)) / values.std(0)


def by_the_data(values):
    """As a pipeline does: by the mean and the standard deviation of the data that it was fitted to."""
    real = drawn(2000, seed=7)
    return (values - real.mean(0)) / real.std(0)


@pytest.mark.parametrize("way", [standardised, by_the_data, lambda values: values / values.std()])
def test_standardised_samples_are_suspected_aloud(way, shipped):
    """A ring of radius 1 has the standard deviation 0.71, which is too near 1 to look like another scale."""
    notes = scored(way(drawn(2000)), shipped, metrics=["modes"]).notes
    assert ["were they standardised? Bring them back" in note for note in notes] == [True]
    assert not scored(drawn(2000), shipped, metrics=["modes"]).notes


def test_standardised_data_is_no_surprise(shipped):
    """Samples of data that have mean 0 and standard deviation 1 themselves."""
    target = of_names("ring", ["modes=4", "std=0.1", "radius=1.4107"], ["modes"], shipped)
    values = standardised(np.sqrt(2) * drawn(2000)).astype(np.float32)
    assert score(Samples(Path("x.npy"), "0", values), target).notes == ()


def test_the_seed_is_the_files_own_unless_another_is_asked_for(shipped):
    target = of_names("ring", ["modes=4"], ["mmd"], shipped)
    file = Samples(Path("x.npz"), "0", drawn(500), seed=3)
    assert score(file, target).seed == 3
    assert score(file, target, seed=0).seed == 0
    assert score(file, target).values != score(file, target, seed=0).values


def test_scoring_twice_says_the_same_and_leaves_global_randomness_alone(shipped):
    state = torch.get_rng_state()
    names = usual_names(shipped)
    first, second = (as_object(scored(drawn(300), shipped, names)) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), state)


def usual_names(registry):
    return [choice.name for choice in usual_metrics(registry)]


def test_all_usual_metrics_are_shipped_need_no_game_and_fit_in_one_table(shipped):
    names = usual_names(shipped)
    assert names[:2] == ["jsd", "modes"]
    assert not {"throughput", "discriminator", "likelihood"} & set(names)
    assert all(not needed(shipped.get("metric", name).value) for name in names)
    frame = as_frame(scored(drawn(500), shipped, names))
    assert frame.columns.is_unique


def test_the_suites_metrics_that_need_a_game_are_left_out_and_said(shipped):
    suite = parse(SUITE.replace("METRICS", "[{name: modes, share: 0.5}, throughput, discriminator]"), shipped)
    target = of_suite(suite, "two", [], shipped)
    assert [choice.plain() for choice in target.metrics] == [{"name": "modes", "share": 0.5}]
    assert target.notes == ("Left out, since samples are not enough for them: throughput, discriminator",)
    assert of_suite(suite, "two", ["modes", "jsd", "modes"], shipped).metrics[0].parameters["share"] == 0.5
    alone = parse(SUITE.replace("METRICS", "[throughput]"), shipped)
    with pytest.raises(ValueError, match="only metrics that need a game"):
        of_suite(alone, "two", [], shipped)


def test_plugins_are_found_where_a_run_finds_them(gb):
    for place, options in (("plugins", []), ("other", ["--plugins", "other"])):
        Path(place).mkdir()
        Path(place, "mine.py").write_text(PLUGIN)
        assert Registry.load([Path("plugins")], Path(place)).broken == ()
        saved(np.random.default_rng(0).random((50, 1, 4, 4), dtype=np.float32))
        assert gb("score", "x.npy", "--dataset", "pictures", "--metric", "mmd", *options)[0] == 0
        Path(place, "mine.py").unlink()


@pytest.mark.parametrize("radius", [2.0, 1.0])
def test_samples_of_a_generator_of_another_data_set_are_told_apart(gb, radius, monkeypatch):
    """The same plugin with another parameter is other data, and what scale it has may be hard to see."""
    monkeypatch.setattr("ganbench.score.score.FLOOR_SEEDS", ())
    data = {"name": "ring", "modes": 4, "radius": radius, "std": 0.1}
    keep(Path("x.npz"), torch.from_numpy(drawn()), 0, 1, dataset=data)
    found = answer(gb("score", "x.npz", *DATA, "--metric", "jsd", "--json"))
    said = "trained on {name: ring, radius: 1.0}, and they are scored against {name: ring, radius: 2.0}: for its own"
    assert [said in note for note in found["notes"]] == ([True] if radius == 1.0 else [])


def test_a_suite_of_one_data_set_needs_no_name_of_it(shipped):
    suite = parse(SUITE.replace("METRICS", "[jsd]"), shipped)
    assert of_suite(suite, None, (), shipped) == of_suite(suite, "two", (), shipped)
    several = parse(SUITE.replace("METRICS", "[jsd]").replace("  two:", "  one: ring\n  two:"), shipped)
    with pytest.raises(ValueError, match="--dataset: suite 'tiny' has one, two: name one of them"):
        of_suite(several, None, (), shipped)
