"""What a run depends on: where any of it changes, a stopped run is not gone on with, and a line says what differs."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.compare.sides.comparable import incomparable, metric_differs
from ganbench.compare.sides.load import load
from ganbench.plugin.registry import Registry
from ganbench.record.journal import Journal
from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train.fingerprint import fingerprint

FILES = {
    "data.py": '''"""Points of a file (no citation)."""
from pathlib import Path
import numpy as np
from ganbench import Column, Dataset, Metric, hookimpl
from ganbench.data.finite_set import Finite
from helper import SCALE

def build():
    x = np.load(Path(__file__).parent / "points.npy") * SCALE
    return Finite(x[::2], x[1::2])

@hookimpl
def ganbench_datasets():
    yield Dataset("spots", build)
''',
    "spread.py": '''"""A metric (no citation)."""
from ganbench import Column, Metric, hookimpl
from of_metric import POWER

WEIGHTS = "weights.txt"

def measure(samples):
    return {"spread": samples.std() ** POWER}

@hookimpl
def ganbench_metrics():
    yield Metric("spread", measure, (Column("spread", "how wide"),))
''',
    "helper.py": "SCALE = 1.0\n",
    "of_metric.py": "POWER = 1\n",
}
SUITE = """
suite: t
seeds: 2
budget: {steps: 4, batch: 8}
evaluate: {every: 2, samples: 60}
datasets: {r: spots}
references: []
defaults: {architecture: {name: mlp, width: 4}}
variants: {a: {loss: minimax}, b: {loss: nonsaturating}}
metrics: [spread]
"""


class Noting(RunObserver):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.ended = 0

    def started(self, cells, record) -> None:
        self.ended = sum(cell.ended for cell in record.cells)

    def note(self, line: str) -> None:
        self.notes.append(line)


def write_home(folder: Path) -> None:
    """The working folder of a user, with plugins and what these use."""
    (folder / "plugins").mkdir()
    for name, text in FILES.items():
        (folder / "plugins" / name).write_text(text)
    (folder / "plugins/weights.txt").write_text("1")
    points(0, folder)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_home(tmp_path)
    return tmp_path


def points(seed: int, folder: Path = Path()) -> None:
    np.save(folder / "plugins/points.npy", np.random.default_rng(seed).normal(size=(400, 2)))


@pytest.fixture(scope="module")
def train(cpu, one_thread):
    """Run the suite in the working folder: the result, and who was told of it."""

    def build(text: str = SUITE, engine: str = "eager", watching: Noting | None = None):
        watching = watching or Noting()
        result = run(
            parse(text, Registry.load([Path("plugins")])),
            out=Path("results"),
            device=cpu,
            engine=engine,
            command=["ganbench"],
            observer=watching,
        )
        return result, watching

    return build


@pytest.fixture
def go(home, train):
    return train


@pytest.fixture(scope="module")
def stopped_home(train, room_for, tmp_path_factory):
    """A user's folder with a run that was stopped in its first variant, after a cell had ended."""
    folder = tmp_path_factory.mktemp("stopped")
    write_home(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with room_for(8, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            train()
    return folder


@pytest.fixture
def stopped(stopped_home, tmp_path, monkeypatch):
    """The stopped run in a copy of that folder, the working folder now."""
    shutil.copytree(stopped_home, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    return only_run()


@pytest.fixture
def begin(train, room_for):
    """Give the command of the run, and stop it before it trains: whom it told."""

    def build(*given):
        watching = Noting()
        with room_for(0, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            train(*given, watching=watching)
        return watching

    return build


def runs() -> set[Path]:
    return set(Path("results/t").glob("[!.]*/"))


def only_run() -> Path:
    (path,) = runs()
    return path


def change(name: str):
    path = Path("plugins", name)
    path.write_text(path.read_text() + "# a comment\n")


CHANGES = {
    "data": (lambda: points(1), "points.npy has changed, which data.py uses; the data of 'r' have changed"),
    "weights": (lambda: Path("plugins/weights.txt").write_text("2"), "weights.txt has changed, which spread.py uses"),
    "helper": (lambda: change("helper.py"), "helper.py has changed, which data.py uses"),
    "plugin": (lambda: change("spread.py"), "spread.py has changed"),
    "helper of a metric": (lambda: change("of_metric.py"), "of_metric.py has changed, which spread.py uses"),
}  # fmt: skip


def left_behind(stopped: Path, words: str) -> list[str]:
    """What is said of the stopped run."""
    return [
        f"a new run: {stopped} has not finished, but since then {words}. "
        "To go on with that run, undo this and give its command again"
    ]


@pytest.mark.parametrize("what", CHANGES)
def test_a_stopped_run_is_gone_on_with_only_as_long_as_nothing_has_changed(what, stopped, begin):
    act, words = CHANGES[what]
    before = {path: path.read_bytes() for path in Path("plugins").iterdir() if path.is_file()}
    act()
    watching = begin()
    assert (watching.ended, watching.notes) == (0, left_behind(stopped, words))
    (other,) = runs() - {stopped}
    shutil.rmtree(other)
    for path, content in before.items():
        path.write_bytes(content)
    watching = begin()
    assert (only_run(), watching.ended > 0, watching.notes) == (stopped, True, [])


def test_nothing_is_said_of_a_newer_run_where_an_older_one_is_gone_on_with(stopped, begin):
    act, words = CHANGES["plugin"]
    before = Path("plugins/spread.py").read_bytes()
    act()
    assert begin().notes == left_behind(stopped, words)
    Path("plugins/spread.py").write_bytes(before)
    assert (begin().notes, len(runs())) == ([], 2)


def test_a_stopped_run_is_gone_on_with_after_another_has_ended(stopped, train):
    act, words = CHANGES["plugin"]
    before = Path("plugins/spread.py").read_bytes()
    act()
    result, watching = train()
    assert result.folder.path != stopped
    assert watching.notes == left_behind(stopped, words)
    Path("plugins/spread.py").write_bytes(before)
    result, watching = train()
    assert (result.folder.path, watching.ended > 0, watching.notes) == (stopped, True, [])
    # It is not the newest any more once it has ended, nor is anything left to say.
    assert train()[1].notes == []


def test_other_data_and_other_modules_are_not_comparable(go):
    def trained():
        return load(str(go(SUITE.replace(", b: {loss: nonsaturating}", ""))[0].folder.path))

    first, again = trained(), trained()
    assert incomparable(first, again, ("r", "a")) == metric_differs(first, again, "spread") == ""
    change("of_metric.py")
    metric = trained()
    assert incomparable(first, metric, ("r", "a")) == ""
    assert (
        metric_differs(first, metric, "spread") == "the file of_metric.py, which the metric 'spread' uses, is another"
    )
    points(1)
    other = trained()
    assert incomparable(first, other, ("r", "a")) == "the data differ"
    change("helper.py")
    helped = trained()
    assert incomparable(other, helped, ("r", "a")) == "the file helper.py, which the dataset 'spots' uses, is another"
    Path("plugins/helper.py").write_text("SCALE = 2.0\n")
    scaled = trained()
    assert incomparable(other, scaled, ("r", "a")) == "the data differ"


#: A data set that draws from the rows of files, and networks with weights of a file; no name of these is in the code.
GLOBBED = '''"""Files by a pattern (no citation)."""
from functools import cache
from pathlib import Path
import numpy as np, torch
from torch import nn
from ganbench import Architecture, Dataset, Networks, hookimpl

HERE = Path(__file__).parent

@cache
def rows():
    return np.concatenate([np.load(path) for path in sorted(HERE.glob("part-*.npy"))])

class Drawn:
    shape = (2,)

    def sample(self, n, generator):
        return torch.from_numpy(rows())[torch.randint(len(rows()), (n,), generator=generator)]

def build():
    rows()
    return Drawn()

def networks(shape, *, size: int = 3):
    G = nn.Linear(2, 2)
    G.weight.data += torch.from_numpy(np.load(HERE / f"w{size}.npy"))
    return Networks(G, nn.Linear(2, 1), (2,))

@hookimpl
def ganbench_datasets():
    yield Dataset("drawn", build)

@hookimpl
def ganbench_architectures():
    yield Architecture("loaded", networks)
'''


@pytest.mark.parametrize(
    ("file", "at", "words"),
    [
        ("part-1.npy", (29_999, 1), "the data of 'r' have changed"),
        ("w3.npy", (0, 0), "w3.npy has changed, which globbed.py uses"),
    ],
)
def test_a_file_that_is_opened_by_a_pattern_is_a_part_of_a_run(home, begin, file, at, words):
    """One number among 60,000 is another: no draw of a thousand samples need show it."""
    Path("plugins/globbed.py").write_text(GLOBBED)
    for part in range(2):
        drawn = np.random.default_rng(part).normal(size=(30_000, 2)).astype(np.float32)
        np.save(f"plugins/part-{part}.npy", drawn)
    np.save("plugins/w3.npy", np.zeros((2, 2), np.float32))
    text = SUITE.replace("r: spots", "r: drawn").replace("{name: mlp, width: 4}", "loaded")
    begin(text)
    stopped = only_run()
    assert begin(text).notes == []
    numbers = np.load(f"plugins/{file}")
    before = Path(f"plugins/{file}").read_bytes()
    numbers[at] += 1
    np.save(f"plugins/{file}", numbers)
    assert begin(text).notes == left_behind(stopped, words)
    (other,) = runs() - {stopped}
    shutil.rmtree(other)
    Path(f"plugins/{file}").write_bytes(before)
    assert begin(text).notes == []
    assert only_run() == stopped


def test_what_else_differs_is_said_with_its_cure(stopped, begin, monkeypatch):
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    watching = begin(SUITE.replace("seeds: 2", "seeds: 1").replace("steps: 4", "steps: 2"), "serial")
    (line,) = watching.notes
    assert "the engine is another (--engine eager); MKL_CBWR is AVX2 (it was not set); " in line
    assert "; and 1 more. To go on" in line
    (other,) = runs() - {stopped}
    assert json.loads((other / "run.json").read_text())["environment"]["MKL_CBWR"] == "AVX2"


def chosen(registry, text=SUITE):
    return next(cell.data for cell in plan(parse(text, registry)))


def test_a_fingerprint_finds_one_row_and_forgives_rounding(home):
    registry = Registry.load([Path("plugins")])
    first = fingerprint(chosen(registry))
    state = torch.get_rng_state()
    assert fingerprint(chosen(Registry.load([Path("plugins")]))) == first
    assert torch.equal(torch.get_rng_state(), state)
    values = np.load("plugins/points.npy")
    values[7, 1] += 1
    np.save("plugins/points.npy", values)
    second = fingerprint(chosen(Registry.load([Path("plugins")])))
    values[7, 1] -= 1
    np.save("plugins/points.npy", values * (1 + 1e-7))
    third = fingerprint(chosen(Registry.load([Path("plugins")])))
    assert len({one["sha256"] for one in (first, second, third)}) == 3

    assert differing(first, third) == differing(first, second) == differing(first, second, "b") == "the data differ"
    assert (
        differing(first, third, "b")
        == differing(first, first)
        == differing(first, None)
        == differing(None, second)
        == ""
    )


def test_a_fingerprint_finds_another_label(home):
    """A conditional GAN trains on other data where one row has another class, on any machine."""
    text = """
        def build():
            x = np.load(Path(__file__).parent / "points.npy")
            y = np.arange(len(x)) % 4 // 2
            y[4] = LABEL
            return LabelledSet(x[::2], x[1::2], y[::2], y[1::2])
    """
    source = Path("plugins/data.py").read_text()
    source = source[: source.index("def build")] + textwrap.dedent(text) + source[source.index("\n@hookimpl") :]
    found = []
    for label in (0, 0, 1):
        labelled = source.replace("import Finite", "import Finite\nfrom ganbench.data.labelled_set import LabelledSet")
        Path("plugins/data.py").write_text(labelled.replace("LABEL", str(label)))
        found.append(fingerprint(chosen(Registry.load([Path("plugins")]))))
    first, same, other = found
    assert same == first
    assert {key for key in first if first[key] != other[key]} == {"labels"}
    assert differing(first, other) == differing(first, other, "b") == "the data differ"
    assert differing(first, {**other, "labels": ""}) == differing(first, same, "b") == ""


def differing(one, other, machine="a"):
    """What a comparison says of two runs that differ in their data only."""
    from ganbench.compare.sides.compared_run import ComparedRun

    protocol = {"version": 1, "budget": {}, "evaluate": {}, "datasets": {"r": "spots"}, "metrics": {}}
    base, new = (
        ComparedRun("", "t", protocol, {}, {}, {}, device={"cpu": cpu}, data={"r": each} if each else {})
        for each, cpu in ((one, "a"), (other, machine))
    )
    return incomparable(base, new, ("r", "a"))


def test_data_without_end_is_the_same_on_a_machine_that_draws_other_numbers(shipped):
    text = SUITE.replace("r: spots", "r: {name: ring, modes: 4, std: 0.1}").replace("[spread]", "[modes]")
    found = fingerprint(chosen(shipped, text))
    assert found["rows"] == []
    assert fingerprint(chosen(shipped, text)) == found
    assert fingerprint(chosen(shipped, text.replace("0.1", "0.2")))["sha256"] != found["sha256"]


@pytest.mark.parametrize("damage", ["null", "no list", "cut"])
def test_a_damaged_run_of_before_does_not_stop_a_new_one(damage, stopped, begin):
    """What differs from it is only a line; there is nothing to go on with."""
    if damage == "cut":
        (stopped / "suite.yaml").write_text("{suite: t, seeds: [")
    else:
        about = json.loads((stopped / "run.json").read_text())
        about["plugins"] = None if damage == "null" else [{"kind": "loss", "name": "minimax"}]
        (stopped / "run.json").write_text(json.dumps(about))
    change("spread.py")
    assert begin().ended == 0
    assert len(runs() - {stopped}) == 1
