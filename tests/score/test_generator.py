"""A saved generator gives its run's own samples, on a copy of the folder, or one clear line why not."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import ganbench
from ganbench.plugin.registry import Registry
from ganbench.record.generators import read
from ganbench.report.image_grid import grid
from ganbench.score.generator import rebuild
from ganbench.suite.load import parse

PLUGIN = '''"""A network of its own."""
from torch import nn
from ganbench import Architecture, Networks, hookimpl

class Twice(nn.Module):
    """Has a tensor under two names, and a buffer that is in no state_dict."""
    def __init__(self, width):
        super().__init__()
        self.first = nn.Linear(2, width)
        self.second = nn.Linear(width, width)
        self.again = nn.Linear(width, width)
        self.again.weight = self.second.weight
        self.last = nn.Linear(width, 2)
        import torch
        self.register_buffer("shift", torch.randn(2), persistent=False)

    def forward(self, z):
        return self.last(self.again(self.second(self.first(z)).relu()).relu()) + self.shift

def build(shape, *, width: int = 8):
    return Networks(Twice(width), nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1)), (2,), "uniform")

@hookimpl
def ganbench_architectures():
    yield Architecture("twice", build)
'''
SUITE = """
suite: kept
seeds: [0, 3]
budget: {steps: 6, batch: 8}
evaluate: {every: 3, samples: 5100}
datasets: {line: gaussian-1d, ring8: {name: ring, std: 0.1}, digits: digits}
references: []
defaults: {architecture: {name: mlp, width: 8}, loss: nonsaturating, optimizer: {lr: 0.01}}
variants: {it: {}, mean: {average: 0.5}}
metrics: [modes, sliced-wasserstein]
"""
#: More than one network a player, networks that are made from data, tied tensors, a sweep, and another precision.
ODD = """
suite: odd
seeds: [1]
precision: bfloat16
budget: {steps: 2, batch: 8}
evaluate: {samples: 300}
datasets: {ring8: ring}
references: []
defaults: {architecture: {name: mlp, width: 8}}
variants:
  ali: {loss: ali}
  bourgan: {loss: bourgan}
  twice: {loss: minimax, architecture: twice}
  label: {loss: minimax, architecture: conditional-mlp}
sweep: {optimizer.lr: [0.1, 0.2]}
metrics: [modes]
"""
CASES = [("line", "it"), ("ring8", "it"), ("digits", "it"), ("ring8", "mean")]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def kept(run_text, tmp_path_factory):
    """A copy, elsewhere, of the folder of a run that has kept its samples and its generators."""
    path = run_text(SUITE, engine="eager", save_samples=True, save_generators=True).folder.path
    return shutil.copytree(path, tmp_path_factory.mktemp("elsewhere") / "run")


@pytest.fixture(scope="module")
def odd(run_text):
    return run_text(ODD, engine="eager", save_samples=True, save_generators=True).folder.path


@pytest.fixture
def file(kept, tmp_path):
    """A generator's file that may be damaged."""
    return Path(shutil.copy(kept / "generators/ring8/it/3.safetensors", tmp_path / "3.safetensors"))


def arrays(path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize(("dataset", "variant"), CASES)
def test_samples_are_those_of_the_last_evaluation_to_the_bit(dataset, variant, kept, shipped):
    for seed in (0, 3):
        built = rebuild(kept / f"generators/{dataset}/{variant}/{seed}.safetensors", shipped)
        own = arrays(kept / f"samples/{dataset}/{variant}/{seed}.npz")
        assert np.array_equal(built.samples(len(own["samples"])).numpy(), own["samples"])
        assert (built.about.seed, built.about.step, built.notes) == (int(own["seed"]), int(own["step"]), ())
        assert built.about.weights == ("averaged" if variant == "mean" else "live")


@pytest.mark.parametrize("row", ["ali lr=0.1", "bourgan lr=0.2", "twice lr=0.1", "twice lr=0.2", "label lr=0.1"])
def test_so_are_those_of_several_networks_of_tied_tensors_and_of_a_row_of_a_sweep(row, odd, plugins):
    built = rebuild(odd / f"generators/ring8/{row}/1.safetensors", Registry.load(extra=plugins))
    assert np.array_equal(built.samples(300).numpy(), arrays(odd / f"samples/ring8/{row}/1.npz")["samples"])


def test_the_suite_in_a_file_is_the_row_alone_and_runs(odd, plugins):
    about = read(odd / "generators/ring8/twice lr=0.2/1.safetensors").about
    suite = parse(about.suite, Registry.load(extra=plugins))
    assert (list(suite.variants), list(suite.datasets), suite.sweeps) == (["twice"], ["ring8"], {})
    assert suite.variants["twice"].generator_optimizer.parameters["lr"] == 0.2


def test_a_conditional_generator_is_asked_for_a_class_or_for_all(odd, gb, tmp_path):
    """Alone, and in the file of samples, whose labels are as frequent as the data's."""
    path = odd / "generators/ring8/label lr=0.1/1.safetensors"
    generator = ganbench.load_generator(path)
    assert generator.ganbench.class_shares == pytest.approx([1 / 8] * 8)
    z = torch.zeros(2, *generator.ganbench.latent)
    assert not torch.equal(*generator(z, torch.tensor([0, 1])))
    for option, labels in (((), set(range(8))), (("--label", 3), {3})):
        code, out, _ = gb("sample", odd, "label lr=0.1", "-o", tmp_path / "s.npz", *option)
        assert (code, "class 3 of seed 1" in out) == (0, bool(option))
        assert {*arrays(tmp_path / "s.npz")["labels"].tolist()} == labels
    kept = arrays(odd / "samples/ring8/label lr=0.1/1.npz")
    assert np.bincount(kept["labels"]).min() > 300 / 8 / 3
    for row, has in (("label lr=0.1", "has the classes 0 to 7"), ("ali lr=0.1", "takes no labels")):
        code, _, err = gb("sample", odd, row, "-o", tmp_path / "s.npz", "--label", 8)
        assert (code, err.count("\n")) == (2, 1)
        assert has in err


def test_a_loaded_generator_is_a_plain_module(kept, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    path = kept / "generators/ring8/mean/0.safetensors"
    generator = ganbench.load_generator(str(path))
    assert isinstance(generator, torch.nn.Module)
    assert not generator.training
    about = generator.ganbench
    z = torch.randn(3, *about.latent)
    assert generator(z).shape == (3, *about.shape) == (3, 2)
    assert {*generator.state_dict()} == {*load_file(path)}
    generator(z).sum().backward()
    assert all(parameter.grad is not None for parameter in generator.parameters())


@pytest.mark.slow
def test_in_a_fresh_process_their_scores_are_their_rows_digit_for_digit(kept, tmp_path):
    """One process, with nothing but the copied folder, draws and scores all of them."""
    code = f"""
import sys, json
from ganbench import cli
def call(*arguments):
    sys.argv = ["ganbench", *arguments]
    try:
        cli.main()
    except SystemExit as stop:
        assert not stop.code, arguments
for dataset, variant in {CASES}:
    name = f"{{dataset}}-{{variant}}"
    call("sample", "run", variant, "--dataset", dataset, "--seed", "3", "-o", name + ".npz", "--device", "cpu")
    call("score", name + ".npz", "--suite", "run/suite.yaml", "--dataset", dataset, "--device", "cpu", "--out",
         name + ".json")
"""
    shutil.copytree(kept, tmp_path / "run", ignore=shutil.ignore_patterns("samples"))
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    seeds = pd.read_csv(kept / "seeds.csv", dtype=str)
    for dataset, variant in CASES:
        scored = json.loads((tmp_path / f"{dataset}-{variant}.json").read_text())["values"]
        (row,) = seeds[(seeds.dataset == dataset) & (seeds.variant == variant) & (seeds.seed == "3")].to_dict("records")
        known = {name: str(value) for name, value in scored.items() if value is not None}
        assert known
        assert {name: row[name] for name in known} == known


# The command.


@pytest.fixture
def sample(gb, kept, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: gb("sample", kept, *arguments, "--device", "cpu")


def test_samples_are_written_for_numpy_and_for_a_score(sample, kept):
    code, out, err = sample("mean", "--dataset", "line", "-n", 7, "-o", "s.npz")
    assert (code, err) == (0, "")
    assert out == "s.npz: 7 samples of seed 0 of mean on line, averaged weights after 6 steps\n"
    written = arrays("s.npz")
    assert (written["samples"].shape, int(written["seed"]), int(written["step"])) == ((7, 1), 0, 6)


def test_images_are_written_as_a_grid(sample):
    code, out, err = sample("it", "--dataset", "digits", "--seed", 3, "--image", "s.png", "-n", 10)
    assert (code, err) == (0, "")
    assert out == "s.png: 10 images of seed 3 of it on digits, live weights after 6 steps\n"
    with Image.open("s.png") as image:
        assert image.size == (8 * (6 * 8 + 2) + 2, 2 * (6 * 8 + 2) + 2)


def test_a_grid_shows_the_images_in_order_and_on_their_scale():
    images = np.full((3, 1, 2, 2), -1.0, np.float32)
    images[1] = 0.0
    images[2, 0, 0, 1] = np.nan
    images[2, 0, 1, 1] = 9.0
    whole = grid(images)
    size = (whole.shape[1] - 2) // 3
    corners = [whole[3, 3 + at * size] for at in range(3)]
    assert [one.tolist() for one in corners] == [[0] * 3, [128] * 3, [0] * 3]
    assert whole[3, -4].tolist() == [0] * 3
    assert whole[-4, -4].tolist() == [255] * 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["it", "--dataset", "ring8"], "say where to write: -o samples.npz, or --image samples.png"),
        (["it", "--dataset", "ring8", "-o", "s.csv"], "-o s.csv: must end in .npz"),
        (["it", "-o", "s.npz"], "--dataset: RUN has generators of digits and line and ring8: name one"),
        (["it", "--dataset", "ring9", "-o", "s.npz"], "no generators of 'ring9', did you mean 'ring8'?"),
        (["men", "--dataset", "ring8", "-o", "s.npz"], "a variant 'men' on ring8, did you mean 'mean'?"),
        (
            ["it", "--dataset", "ring8", "--seed", 1, "-o", "s.npz"],
            "no generator of seed 1 of it on ring8; it has 0, 3",
        ),
        (["it", "--dataset", "ring8", "--image", "s.png"], "samples of the shape (2,) are no images"),
        (["it", "--dataset", "ring8", "-n", 2**40, "-o", "s.npz"], "at most 134,217,728 samples are drawn at once"),
    ],
)
def test_a_mistake_is_one_line(sample, arguments, says, kept):
    code, out, err = sample(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says.replace("RUN", str(kept)) in err


def test_a_file_that_lies_in_the_place_of_another_is_not_drawn_from(gb, kept, tmp_path):
    """Its samples would be those of another seed, or of another row, under the asked one's name."""
    run = shutil.copytree(kept, tmp_path / "run")
    for own, other in (("it/3", "it/0"), ("mean/0", "it/0")):
        shutil.copy(kept / f"generators/ring8/{other}.safetensors", run / f"generators/ring8/{own}.safetensors")
        variant, seed = own.split("/")
        code, _, err = gb(
            "sample", run, variant, "--dataset", "ring8", "--seed", seed, "-o", tmp_path / "s.npz", "--device", "cpu"
        )
        assert (code, err.count("\n")) == (2, 1)
        assert f"ring8/{own}.safetensors: holds seed 0 of it on ring8: it was copied over, or renamed" in err
        assert not (tmp_path / "s.npz").exists()


def test_a_run_without_generators_says_how_to_keep_them(gb, kept, tmp_path):
    shutil.copytree(kept, tmp_path / "run", ignore=shutil.ignore_patterns("generators"))
    code, _, err = gb("sample", tmp_path / "run", "it", "-o", tmp_path / "s.npz")
    assert (code, err.count("\n")) == (2, 1)
    assert "has no saved generators: ganbench run SUITE --save-generators saves them" in err


def test_a_row_of_a_sweep_is_asked_for(gb, odd, plugins, tmp_path):
    code, _, err = gb("sample", odd, "twice", "-o", tmp_path / "s.npz", "--plugins", plugins)
    assert code == 2
    assert "it was swept, name a row, as 'twice lr=0.1'" in err


# Plugins that have changed, or are not there.


def test_a_plugin_that_is_not_there_is_named_with_where_it_is_looked_for(odd, shipped):
    with pytest.raises(ValueError, match=r"unknown architecture 'twice'.*; plugins of your own are found in .*DIR$"):
        rebuild(odd / "generators/ring8/twice lr=0.1/1.safetensors", shipped)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("A network of its own", "Another word"), ""),
        (("width: int = 8", "width: int = 9, depth: int = 1"), ""),
        (("self.last = nn.Linear(width, 2)", "self.last = nn.Linear(width, 2, bias=False)"), "last.bias"),
        (("nn.Linear(2, width)", "nn.Linear(2, width + 1)[:]"), "cannot be built here"),
        (('(2,), "uniform")', "(2,))"), "its latent is uniform, (2,), the built network's normal, (2,)"),
    ],
)
def test_a_plugin_that_has_changed_since_is_said(change, says, odd, tmp_path):
    (tmp_path / "other.py").write_text(PLUGIN.replace(*change))
    path, registry = odd / "generators/ring8/twice lr=0.1/1.safetensors", Registry.load(extra=tmp_path)
    if says:
        with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
            rebuild(path, registry)
        assert says in str(error.value)
    else:
        assert rebuild(path, registry).notes == (
            f"{path}: since it was saved other.py has changed: its samples may be others",
        )
    if "last" in says:
        assert str(error.value).endswith("since it was saved other.py has changed: its samples may be others")


def test_a_change_is_a_warning_of_the_library(odd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.py").write_text(PLUGIN + "\n")
    with pytest.warns(UserWarning, match=r"since it was saved other.py has changed"):
        ganbench.load_generator(odd / "generators/ring8/twice lr=0.1/1.safetensors", plugins=tmp_path)


# Files that are no generators.


def torn(path):
    path.write_bytes(path.read_bytes()[:-5])


def longer(path):
    path.write_bytes(path.read_bytes() + b"more")


def altered(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def retold(path):
    path.write_bytes(path.read_bytes().replace(b"nonsaturating", b"nonsaturatinG"))


def foreign(path):
    save_file(load_file(path), path)


def reshaped(path):
    """By somebody who has made the digest anew: of the right form, and for networks of another width."""
    from ganbench.record import generators

    saved = generators.read(path)
    generators.write(path, generators.SavedGenerator(saved.about, {k: v[:1] for k, v in saved.tensors.items()}))


def pickled(path):
    path.write_bytes(pickle.dumps({"weight": [1.0]}))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (torn, "is no whole safetensors file"),
        (longer, "is no whole safetensors file"),
        (altered, "is not as it was saved: its digest is another"),
        (retold, "is not as it was saved: its digest is another"),
        (foreign, "is no generator that ganbench has saved"),
        (reshaped, "is of another architecture: of the tensor "),
        (pickled, "is no whole safetensors file"),
        (lambda path: path.write_bytes(b""), "is no whole safetensors file"),
        (lambda path: (path.unlink(), path.mkdir()), "is no file"),
        (lambda path: path.unlink(), "there is no such file"),
    ],
)
def test_a_damaged_or_forged_file_is_one_line(damage, says, file, shipped):
    damage(file)
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        rebuild(file, shipped)
    assert str(error.value).startswith(f"{file}: {says}")


def test_a_generator_of_a_seed_that_diverged_is_kept_and_said(run_text, shipped):
    text = (
        SUITE.replace("line: gaussian-1d, ", "").replace(", digits: digits", "").replace(", mean: {average: 0.5}", "")
    )
    text = text.replace("it: {}", "it: {optimizer: {name: sgd, lr: 1.0e+30}}")
    path = run_text(text, engine="eager", save_generators=True).folder.path / "generators/ring8/it/0.safetensors"
    built = rebuild(path, shipped)
    assert built.about.status == "diverged"
    assert built.notes == (f"{path}: seed 0 diverged at or before step {built.about.step}",)
