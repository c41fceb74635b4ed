"""What a run depends on: where any of it changes, a stopped run is not gone on with, and a line says what differs."""

from __future__ import annotations

import json
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


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("plugins").mkdir()
    for name, text in FILES.items():
        Path("plugins", name).write_text(text)
    Path("plugins/weights.txt").write_text("1")
    points(0)
    return tmp_path


def points(seed: int) -> None:
    np.save("plugins/points.npy", np.random.default_rng(seed).normal(size=(400, 2)))


@pytest.fixture
def go(home, cpu, one_thread):
    def build(text: str = SUITE, engine: str = "eager"):
        watching = Noting()
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


@pytest.mark.parametrize("what", CHANGES)
def test_a_stopped_run_is_gone_on_with_only_as_long_as_nothing_has_changed(what, go, room_for):
    act, words = CHANGES[what]
    with room_for(8, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        go()
    (stopped,) = Path("results/t").glob("[!.]*/")
    before = {path: path.read_bytes() for path in Path("plugins").iterdir() if path.is_file()}
    act()
    result, watching = go()
    assert result.folder.path != stopped
    assert watching.ended == 0
    assert watching.notes == [
        f"a new run: {stopped} has not finished, but since then {words}. "
        "To go on with that run, undo this and give its command again"
    ]
    for path, content in before.items():
        path.write_bytes(content)
    result, watching = go()
    assert (result.folder.path, watching.ended > 0, watching.notes) == (stopped, True, [])
    # It is not the newest any more once it has ended, nor is anything left to say.
    assert go()[1].notes == []


def test_other_data_and_other_modules_are_not_comparable(go):
    first = load(str(go()[0].folder.path))
    again = load(str(go()[0].folder.path))
    assert incomparable(first, again, ("r", "a")) == metric_differs(first, again, "spread") == ""
    change("of_metric.py")
    metric = load(str(go()[0].folder.path))
    assert incomparable(first, metric, ("r", "a")) == ""
    assert (
        metric_differs(first, metric, "spread") == "the file of_metric.py, which the metric 'spread' uses, is another"
    )
    points(1)
    other = load(str(go()[0].folder.path))
    assert incomparable(first, other, ("r", "a")) == "the data differ"
    change("helper.py")
    helped = load(str(go()[0].folder.path))
    assert incomparable(other, helped, ("r", "a")) == "the file helper.py, which the dataset 'spots' uses, is another"
    Path("plugins/helper.py").write_text("SCALE = 2.0\n")
    scaled = load(str(go()[0].folder.path))
    assert incomparable(other, scaled, ("r", "a")) == "the data differ"


def test_what_else_differs_is_said_with_its_cure(go, room_for, monkeypatch):
    def stopped(*given):
        with room_for(1, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            go(*given)

    stopped(SUITE)
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    result, watching = go(SUITE.replace("seeds: 2", "seeds: 1").replace("steps: 4", "steps: 2"), "serial")
    (line,) = watching.notes
    assert "the engine is another (--engine eager); MKL_CBWR is AVX2 (it was not set); " in line
    assert "; and 1 more. To go on" in line
    assert json.loads((result.folder.path / "run.json").read_text())["environment"]["MKL_CBWR"] == "AVX2"


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
def test_a_damaged_run_of_before_does_not_stop_a_new_one(damage, go, room_for):
    """What differs from it is only a line; there is nothing to go on with."""
    with room_for(8, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        go()
    (stopped,) = Path("results/t").glob("[!.]*/")
    if damage == "cut":
        (stopped / "suite.yaml").write_text("{suite: t, seeds: [")
    else:
        about = json.loads((stopped / "run.json").read_text())
        about["plugins"] = None if damage == "null" else [{"kind": "loss", "name": "minimax"}]
        (stopped / "run.json").write_text(json.dumps(about))
    change("spread.py")
    assert go()[0].folder.path != stopped
