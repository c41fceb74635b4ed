"""Files of seeds kept by one attempt at a run and not by another: what is lacking is said, and nothing that stands in
the way is replaced without a word."""

from __future__ import annotations

import shutil

import pytest
from noted import Noted

from ganbench.record.journal import Journal
from ganbench.run.executors import local
from ganbench.run.run import RunStoppedError

PLUGIN = """
from ganbench import Loss, hookimpl
import torch

def discriminator(d_real, d_fake, step):
    return (d_fake.mean() - d_real.mean()) * torch.where(step == 5, torch.inf, 1.0)

def generator(d_fake):
    return -d_fake.mean()

@hookimpl
def ganbench_losses():
    yield Loss("ends", discriminator, generator)
"""
SUITE = """
suite: small
seeds: 2
budget: {steps: 20, batch: 8}
evaluate: {every: 10, samples: 50}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 4}}
variants: {first: {loss: ends}, second: {loss: minimax}}
metrics: [modes]
references: []
"""
#: Start, evaluation and end of the oracle and of the first variant, whose seeds diverge.
FIRST = 3 + 3
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def stopped_once(run_text, room_for, tmp_path_factory):
    """The results of an attempt that was stopped after so many events, trained once for all tests."""
    known = {}

    def build(events, saves):
        key = events, *saves.items()
        if key not in known:
            out = known[key] = tmp_path_factory.mktemp("stopped")
            with room_for(events, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
                run_text(SUITE, engine="eager", out=out, **saves)
        return known[key]

    return build


@pytest.fixture
def stopped(stopped_once, tmp_path):
    """A copy of those results in the test's folder: the run's folder."""

    def build(events, **saves):
        shutil.copytree(stopped_once(events, saves), tmp_path, dirs_exist_ok=True)
        (path,) = tmp_path.glob("small/*/")
        return path

    return build


@pytest.fixture
def attempts(run_text, stopped, tmp_path):
    """An attempt that is stopped after so many events, and one that ends the run: its folder, and what was said."""

    def build(events, first, second, kind="samples"):
        path = stopped(events, **({f"save_{kind}": True} if first else {}))
        told = Noted()
        result = run_text(SUITE, engine="eager", out=tmp_path, **{f"save_{kind}": second}, observer=told)
        assert result.folder.path == path
        return path, told.lines

    return build


def test_seeds_that_had_ended_before_samples_were_kept_are_counted(attempts):
    """The oracle's and the first variant's; those of the second are there."""
    path, lines = attempts(FIRST, False, True)
    assert [line.partition(", ")[0] for line in lines] == ["the last samples of 4 seeds are not kept"]
    assert f"move {path} away, or give another --out" in lines[0]
    assert sorted(file.relative_to(path).as_posix() for file in path.rglob("*.npz")) == [
        f"samples/ring8/second/{seed}.npz" for seed in (0, 1)
    ]


def test_seeds_that_had_ended_before_generators_were_kept_are_counted(attempts):
    """Those of the first variant; the oracle has none."""
    path, lines = attempts(FIRST, False, True, "generators")
    assert [line.partition(", ")[0] for line in lines] == ["the generators of 2 seeds are not kept"]
    assert sorted(file.relative_to(path).as_posix() for file in path.rglob("*.safetensors")) == [
        f"generators/ring8/second/{seed}.safetensors" for seed in (0, 1)
    ]


def test_wherever_a_run_is_stopped_the_generator_of_each_seed_is_there_whole(run_text, room_for, tmp_path):
    """Between a seed's file and its row, and between two files: the same, to the byte, as of a run without a stop."""

    def kept(out):
        (path,) = out.glob("small/*/")
        files = sorted(path.glob("generators/**/*"))
        return {file.relative_to(path): file.read_bytes() for file in files if file.is_file()}

    run_text(SUITE, engine="eager", out=tmp_path / "through", save_generators=True)
    whole = kept(tmp_path / "through")
    assert len(whole) == 4
    for owner, name, room in ((Journal, "append", FIRST + 2), (local, "write_generator", 1)):
        out = tmp_path / name
        with room_for(room, owner, name, KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            run_text(SUITE, engine="eager", out=out, save_generators=True)
        run_text(SUITE, engine="eager", out=out, save_generators=True)
        assert kept(out) == whole, name


def test_seeds_of_a_cell_that_trains_again_are_kept(attempts):
    """The first variant had been measured, and had not ended: its seeds are measured again."""
    path, lines = attempts(FIRST - 1, False, True)
    assert [line.partition(", ")[0] for line in lines] == ["the last samples of 2 seeds are not kept"]
    assert len([*path.rglob("*.npz")]) == 4


def test_a_second_attempt_that_does_not_keep_them_any_more_is_said(attempts):
    path, lines = attempts(FIRST, True, False)
    assert lines == [
        f"an earlier attempt kept samples in {path / 'samples'}, and this one does not: add --save-samples to keep them"
    ]


@pytest.mark.parametrize("asked", [True, False])
def test_attempts_that_are_alike_have_nothing_to_say(attempts, asked):
    assert attempts(FIRST, asked, asked)[1] == []


@pytest.mark.parametrize("name", ["seeds.csv", "samples/ring8/second/1.npz"])
def test_a_folder_where_a_file_belongs_is_named(run_text, stopped, tmp_path, name):
    """And not the hidden file that should have replaced it; once it is moved away the same command goes on."""
    path = stopped(FIRST, save_samples=True)
    (path / name / "inner").mkdir(parents=True)
    with pytest.raises(RunStoppedError) as error:
        run_text(SUITE, engine="eager", out=tmp_path, save_samples=True)
    assert error.value.filename == str(path / name)
    assert error.value.strerror.startswith("is a folder where a file belongs: move it away; what was measured so far")
    (path / name).rename(tmp_path / "away")
    assert run_text(SUITE, engine="eager", out=tmp_path, save_samples=True).folder.path == path


def test_a_file_where_samples_belong_is_named(run_text, stopped, tmp_path):
    path = stopped(FIRST)
    (path / "samples").write_text("mine")
    with pytest.raises(RunStoppedError) as error:
        run_text(SUITE, engine="eager", out=tmp_path, save_samples=True)
    assert (error.value.filename, error.value.strerror.partition(";")[0]) == (
        str(path / "samples"),
        "is a file, not a folder",
    )
