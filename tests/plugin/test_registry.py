"""The registry: what is found, what is broken and why, and that one broken plugin takes nothing else with it."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from ganbench.core.rng import drawn_since, global_states, isolated
from ganbench.plugin import shipped
from ganbench.plugin.listing import listed, rows_of
from ganbench.plugin.loader import load_file
from ganbench.plugin.registry import Registry, UnknownNameError

GOOD = '''"""Good loss (Somebody 2020, arXiv:2001.00001).

More about it.
"""
from dataclasses import dataclass
from ganbench import Loss, hookimpl

@dataclass(frozen=True)
class Recipe:
    power: float

def discriminator(d_real, d_fake, *, penalty: float = 10, tau: float):
    return d_fake - d_real

def generator(d_fake, *, penalty: float = 10):
    return -d_fake

@hookimpl
def ganbench_losses():
    yield Loss("good", discriminator, generator)
'''


def loss(name: str = "mine", discriminator: str = "(d_real, d_fake)", before: str = "") -> str:
    """The source of a plugin file, with its functions' arguments to be spoilt."""
    return (
        f"{before}from ganbench import Loss, hookimpl\n\n"
        f"def discriminator{discriminator}:\n    return d_fake - d_real\n\n"
        "def generator(d_fake):\n    return -d_fake\n\n"
        f"@hookimpl\ndef ganbench_losses():\n    yield Loss({name!r}, discriminator, generator)\n"
    )


DATASET = """from typing import Annotated, Literal
from pydantic import Field
from ganbench import Dataset, hookimpl

def build(*, {parameters}):
    return None

@hookimpl
def ganbench_datasets():
    yield Dataset("points", build)
"""


@pytest.fixture(autouse=True)
def nothing_shipped(tmp_path_factory, monkeypatch):
    """Only the plugins of the test at hand are found."""
    empty = tmp_path_factory.mktemp("shipped")
    monkeypatch.setattr(shipped, "folder", lambda name: empty)


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for stem, source in files.items():
        (folder / f"{stem}.py").write_text(source)
    return folder


def rows(registry: Registry) -> list[dict[str, Any]]:
    return listed(rows_of(registry.entries), registry.broken)


def only(registry: Registry, kind: str = "dataset", name: str = "points") -> Any:
    assert registry.broken == ()
    return registry.get(kind, name)


def test_an_entry_says_what_it_is_and_where_it_comes_from(tmp_path):
    entry = Registry.load([write(tmp_path / "plugins", good=GOOD)]).get("loss", "good")
    assert (entry.kind, entry.name, entry.origin) == ("loss", "good", "folder")
    assert entry.source == tmp_path / "plugins" / "good.py"
    assert entry.doc == "Good loss (Somebody 2020, arXiv:2001.00001)."
    assert len(entry.sha256) == 64
    assert [(p.name, p.default, p.required) for p in entry.parameters] == [
        ("penalty", 10.0, False),
        ("tau", None, True),
    ]


def test_the_row_of_a_plugin_is_plain_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    registry = Registry.load([write(tmp_path / "plugins", good=GOOD, bad="import nothing_such\n" + HOOKED)])
    good, bad = json.loads(json.dumps(rows(registry)))
    assert good["parameters"] == [
        {"name": "penalty", "type": "a number", "default": 10.0, "required": False},
        {"name": "tau", "type": "a number", "default": None, "required": True},
    ]
    assert good["citation"] == "Good loss (Somebody 2020, arXiv:2001.00001)."
    assert (good["source"], good["origin"], good["broken"]) == ("plugins/good.py", "folder", None)
    assert (bad["kind"], bad["source"]) == (None, "plugins/bad.py")
    assert bad["broken"].startswith("line 1: ModuleNotFoundError: No module named 'nothing_such': install nothing_such")


#: What makes a source one of a plugin, wherever it stands.
HOOKED = "from ganbench import hookimpl\n"

BROKEN = {
    "syntax": ("def f(:\n    pass\n" + HOOKED, "line 1: syntax error: invalid syntax"),
    "import": (
        "\nimport nothing_such.part\n" + HOOKED,
        "line 2: ModuleNotFoundError: No module named 'nothing_such': install nothing_such in this Python, "
        "or put nothing_such.py beside the file, or leave the import out",
    ),
    "raises": ("x = 1\ny = 1 / 0\n" + HOOKED, "line 2: ZeroDivisionError: division by zero"),
    "deep": ("def f():\n    raise ValueError('one\\ntwo')\n\nf()\n" + HOOKED, "line 2: ValueError: one"),
    "exits": (
        "import sys\nsys.exit(3)\n" + HOOKED,
        "line 2: SystemExit: 3: put what a script does below if __name__ == '__main__':",
    ),
    "without": (
        "from ganbench import Loss\n",
        "has no hook: mark a function such as ganbench_losses with @hookimpl, or start the file's name with '_'",
    ),
    "unmarked": ("def ganbench_losses():\n    yield 1\n", "line 1: ganbench_losses is not marked with @hookimpl"),
    "misspelt": (
        "from ganbench import hookimpl\n@hookimpl\ndef ganbench_loses():\n    yield 1\n",
        "line 2: ganbench_loses is not a hook, did you mean 'ganbench_losses'?",
    ),
    "argument": (
        "from ganbench import hookimpl\n@hookimpl\ndef ganbench_losses(config):\n    yield 1\n",
        "Argument(s) {'config'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "hook_raises": (
        "from ganbench import hookimpl\n@hookimpl\ndef ganbench_losses():\n    yield {}['x']\n",
        "line 4: KeyError: 'x'",
    ),
    "returns_none": (
        "from ganbench import hookimpl\n@hookimpl\ndef ganbench_losses():\n    pass\n",
        "line 2: ganbench_losses returned nothing: it should yield each Loss",
    ),
    "returns_one": (
        "from ganbench import hookimpl\n@hookimpl\ndef ganbench_losses():\n    return 5\n",
        "line 2: ganbench_losses returned an int: it should yield each Loss",
    ),
    "wrong_kind": (
        "from ganbench import Dataset, hookimpl\n@hookimpl\ndef ganbench_losses():\n    yield Dataset('x', dict)\n",
        "ganbench_losses yields a Dataset, not a Loss",
    ),
    "no_function": (
        "from ganbench import Loss, hookimpl\n@hookimpl\ndef ganbench_losses():\n    yield Loss('x', None, len)\n",
        "discriminator must be a function, not null",
    ),
    "twice": (
        loss() + "    yield Loss('mine', generator, generator)\n",
        "ganbench_losses yields 'mine' twice",
    ),
    "bad_name": (
        loss("my loss"),
        "the loss's name 'my loss' is not letters, digits and . _ + - (a letter or digit first)",
    ),
    "names_other": (
        loss(discriminator="(d_rael, d_fake)"),
        "line 3: discriminator names 'd_rael', which is not given to a loss "
        "(given: D, d_fake, d_real, fake, G, label, random, real, step, z), did you mean 'd_real'?",
    ),
    "positional": (
        loss(discriminator="(d_real, d_fake, penalty=10.0)"),
        "line 3: discriminator names 'penalty', which is not given to a loss (given: D, d_fake, d_real, fake, G, "
        "label, random, real, step, z); to make it a parameter, put it after a '*': (..., *, penalty: float = 10.0)",
    ),
    "positional_whole": (
        "from ganbench import Architecture, hookimpl\ndef build(shape, nz=2):\n    pass\n@hookimpl\n"
        "def ganbench_architectures():\n    yield Architecture('a', build)\n",
        "line 2: build names 'nz', which is not given to a architecture (given: classes, shape); to make it a "
        "parameter, put it after a '*': (..., *, nz: int = 2)",
    ),
    "unannotated_words": (
        "from ganbench import Architecture, hookimpl\ndef build(shape, *, act='relu'):\n    pass\n@hookimpl\n"
        "def ganbench_architectures():\n    yield Architecture('a', build)\n",
        "line 2: build's parameter 'act' has no annotation, write for example act: str",
    ),
    "unannotated_list": (
        "from ganbench import Architecture, hookimpl\ndef build(shape, *, widths=(64, 64), norm=None):\n    pass\n"
        "@hookimpl\ndef ganbench_architectures():\n    yield Architecture('a', build)\n",
        "line 2: build's parameter 'widths' has no annotation, write for example widths: tuple[int, int]",
    ),
    "star_names": (
        loss(discriminator="(d_real, d_fake, **options)"),
        "line 3: discriminator takes **options: name each argument instead",
    ),
    "network": (
        loss(
            before="import torch\n\nclass Mine(torch.nn.Module):\n    def forward(self, fake):\n        pass\n\n"
        ).replace("discriminator, generator)", "Mine(), generator)"),
        "discriminator is an object of Mine, a network: give its method, Mine().forward",
    ),
    "given": (
        loss(discriminator="(d_real, d_fake, *, step: int = 0)"),
        "line 3: discriminator has a parameter 'step', which is given: put it before the '*'",
    ),
    "unannotated": (
        loss(discriminator="(d_real, d_fake, *, penalty=10.0)"),
        "line 3: discriminator's parameter 'penalty' has no annotation, write for example penalty: float",
    ),
    "default": (
        loss(discriminator="(d_real, d_fake, *, penalty: float = 'x')"),
        "line 3: discriminator's parameter 'penalty': its default must be a number, not 'x'",
    ),
    "infinite": (
        loss(discriminator="(d_real, d_fake, *, penalty: float = float('inf'))"),
        "line 3: discriminator's parameter 'penalty': its default inf cannot be written in a suite",
    ),
    "unsayable": (
        loss(discriminator="(d_real, d_fake, *, hook: type(len) = len)"),
        "line 3: discriminator's parameter 'hook': a suite cannot give a <class 'builtin_function_or_method'>",
    ),
    "unreadable": (
        loss(discriminator="(d_real, d_fake, *, x: 'Nothing' = 1)"),
        "line 3: discriminator's parameter 'x': a suite cannot give a Nothing",
    ),
    "reserved": (
        loss(discriminator="(d_real, d_fake, *, name: str = 'x')"),
        "line 3: discriminator has a parameter 'name', a word that suites use themselves: rename it",
    ),
    "disagree": (
        GOOD.replace("(d_fake, *, penalty: float = 10)", "(d_fake, *, penalty: float = 1)"),
        "line 15: discriminator and generator disagree on the parameter 'penalty': its default is 10.0 in "
        "discriminator and 1.0 in generator; give both the same one, or the two parameters two names",
    ),
    "columns": (
        "from ganbench import Metric, hookimpl\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('m', lambda samples: {}, ())\n",
        "metric 'm': columns must be a tuple of Column",
    ),
    "requires no function": (
        "from ganbench import Column, Metric, hookimpl\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('m', lambda samples: {}, (Column('m', 'doc'),), requires='torch')\n",
        "metric 'm': requires must be a function, not 'torch'",
    ),
    "speed and more": (
        "from ganbench import Column, Metric, hookimpl\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('m', lambda speed, samples: {}, (Column('m', 'doc'),))\n",
        "metric 'm': 'speed' belongs to the cell, not to a seed: name it alone",
    ),
    "modes without their total": (
        "from ganbench import Column, Metric, hookimpl\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('m', lambda samples: {}, (Column('x', 'doc', role='covered'),))\n",
        "metric 'm': the column 'x' counts the modes covered: add a column of the role 'total' for it, or no verdict "
        "can use it",
    ),
    "no role": (
        "from ganbench import Column, Metric, hookimpl\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('m', lambda cost: {}, (Column('x', 'doc', '', 'lower', 'same'),))\n",
        "metric 'm': the column 'x' is of the cell and has a better side: say role='count' or role='clock', or nothing "
        "will compare it",
    ),
    "reserved column": (
        "from ganbench import Column, Metric, hookimpl\n@hookimpl\ndef ganbench_metrics():\n"
        "    yield Metric('m', lambda samples: {}, (Column('status', 'doc'),))\n",
        "metric 'm': the column 'status' would be filled twice in a table: rename the metric's column",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_listed_with_its_cause_and_the_others_still_load(case, tmp_path):
    source, cause = BROKEN[case]
    registry = Registry.load(
        [write(tmp_path, a_good=GOOD, **{case: source}, z_good=DATASET.format(parameters="n: int = 1"))]
    )
    assert [(broken.source, broken.cause) for broken in registry.broken] == [(tmp_path / f"{case}.py", cause)]
    assert registry.names("loss") == ["good"]
    assert registry.names("dataset") == ["points"]


def test_bytes_that_are_no_python_are_one_line(tmp_path):
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00\x01 ganbench")
    (broken,) = Registry.load([tmp_path]).broken
    assert "\n" not in broken.cause
    assert broken.cause.startswith(("syntax error", "ValueError", "line"))


def test_ctrl_c_is_not_contained(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        Registry.load([write(tmp_path, stop="import signal\nsignal.raise_signal(signal.SIGINT)\n" + HOOKED)])


def test_every_value_that_is_wrong_in_a_file_is_told(tmp_path):
    source = loss("a b") + "    yield Loss('c d', discriminator, generator)\n    yield 5\n"
    assert len(Registry.load([write(tmp_path, wrong=source)]).broken) == 3


def test_folders_are_read_recursively_and_hidden_names_skipped(tmp_path):
    write(tmp_path / "losses" / "mine", found=loss("found"))
    write(tmp_path / "_private", skipped=loss("skipped"))
    write(tmp_path, _helper="raise RuntimeError", **{".hidden": "raise RuntimeError"})
    registry = Registry.load([tmp_path, tmp_path / "missing"])
    assert registry.names("loss") == ["found"]
    assert registry.broken == ()


def test_reading_a_plugin_leaves_no_files_behind(tmp_path):
    Registry.load([write(tmp_path, good=GOOD)])
    assert [path.name for path in tmp_path.iterdir()] == ["good.py"]


def test_an_edited_plugin_is_read_anew(tmp_path):
    assert Registry.load([write(tmp_path, a=loss("one"))]).names("loss") == ["one"]
    assert Registry.load([write(tmp_path, a=loss("two"))]).names("loss") == ["two"]


def test_the_extra_folder_must_exist_and_may_be_one_file(tmp_path):
    registry = Registry.load(extra=tmp_path / "nowhere")
    assert [broken.cause for broken in registry.broken] == ["no such folder"]
    with pytest.raises(
        UnknownNameError, match=r"unknown loss 'x'; there are none \(.*nowhere could not be loaded: no such"
    ):
        registry.get("loss", "x")
    write(tmp_path, good=GOOD)
    assert Registry.load(extra=tmp_path / "good.py").get("loss", "good").origin == "--plugins"


def test_the_same_file_or_content_reached_twice_is_one_plugin(tmp_path):
    first = write(tmp_path / "a", good=GOOD)
    write(tmp_path / "b", copy=GOOD)
    (tmp_path / "link").symlink_to(first)
    registry = Registry.load([first, tmp_path / "link", tmp_path / "b", first], extra=first)
    assert registry.get("loss", "good").source == first / "good.py"
    assert len(registry.entries) == 1


def test_two_plugins_of_one_name_are_both_listed_and_neither_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a", first=loss("same"), other=loss("other"))
    write(tmp_path / "b", second="# different\n" + loss("same"))
    registry = Registry.load([tmp_path / "a", tmp_path / "b"])
    clash = "loss 'same' is defined by a/first.py and b/second.py: rename or remove all but one"
    with pytest.raises(UnknownNameError) as caught:
        registry.get("loss", "same")
    assert str(caught.value) == clash
    assert [row["broken"] for row in rows(registry)] == [None, clash, clash]
    assert registry.get("loss", "other").name == "other"


def test_unknown_names_get_a_suggestion_or_the_list(tmp_path):
    registry = Registry.load([write(tmp_path, a=loss("minimax"), b=loss("hinge"))])
    for name, message in {
        "minmax": "unknown loss 'minmax', did you mean 'minimax'?",
        "Hinge": "unknown loss 'Hinge': write 'hinge'",
        "zzz": "unknown loss 'zzz'; known: hinge, minimax",
    }.items():
        with pytest.raises(UnknownNameError) as caught:
            registry.get("loss", name)
        assert str(caught.value) == message
        assert (caught.value.kind, caught.value.name) == ("loss", name)


@pytest.mark.parametrize(
    ("stem", "source"),
    [
        ("my_gan", "import nothing_such\n" + HOOKED),
        ("other", "oops(\nLoss('my-gan')" + HOOKED),
        ("made_up", "1/0\n" + HOOKED),
    ],
)
def test_an_unknown_name_points_at_the_broken_file_that_was_to_define_it(stem, source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "plugins", **{stem: source})
    with pytest.raises(
        UnknownNameError, match=rf"unknown loss 'my-gan'.* \(plugins/{stem}.py could not be loaded: line 1: .*\)"
    ):
        Registry.load([tmp_path / "plugins"]).get("loss", "my-gan")


def test_installed_packages_are_found_by_entry_point(tmp_path, monkeypatch):
    info = tmp_path / "vendor-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vendor\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ganbench]\ngood = vendor_good\nbad = vendor_bad\ngone = vendor_gone\n")
    write(tmp_path, vendor_good=GOOD, vendor_bad="1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry.load([tmp_path])
    assert registry.get("loss", "good").origin == "package vendor"
    assert registry.get("loss", "good").doc.startswith("Good loss")
    assert sorted(broken.cause for broken in registry.broken if broken.origin == "package vendor") == [
        "vendor_bad: ZeroDivisionError: division by zero",
        "vendor_gone: ModuleNotFoundError: No module named 'vendor_gone': install vendor_gone in this Python, "
        "or put vendor_gone.py beside the file, or leave the import out",
    ]
    sys.modules.pop("vendor_good")


@pytest.mark.parametrize(
    ("parameters", "given", "message"),
    [
        ("lr: Annotated[float, Field(gt=0)] = 1", "abc", "must be a number above 0, not 'abc'"),
        ("lr: Annotated[float, Field(gt=0)] = 1", 0, "must be a number above 0, not 0"),
        ("lr: Annotated[float, Field(ge=0, lt=1)] = 0", 1, "must be a number of at least 0 and below 1, not 1"),
        ("lr: float = 1", True, "must be a number, not true"),
        ("lr: float = 1", None, "must be a number, not null: leave the key out to have the default"),
        ("lr: float = 1", float("nan"), "nan cannot be written in a suite"),
        ("lr: int = 1", True, "must be a whole number, not true"),
        ("lr: int = 1", 1.0, "must be a whole number, not 1.0: write 1"),
        ("lr: int | None = 1", "x", "must be a whole number or null, not 'x'"),
        ("lr: bool = True", "yes", "must be true or false, not 'yes': write true"),
        ("lr: str = 'x'", 5, "must be text, not 5"),
        ("lr: Literal['a', 'b'] = 'a'", "c", "must be one of 'a', 'b', not 'c'"),
        ("lr: tuple[float, float] = (0, 1)", [1], "must be a list of 2 numbers, not [1]"),
        ("lr: tuple[float, ...] = ()", 1, "must be a list of numbers, not 1"),
        ("lr: list[list[float]] = []", [[1], ["x"]], "must be a list of lists of numbers, not [[1], ['x']]"),
        (
            "lr: Annotated[list[int], Field(min_length=1)] = [1]",
            [],
            "must be a list of at least 1 item, each a whole number, not []",
        ),
        ("lr: dict[str, float] = {}", 5, "must be a mapping, not 5"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(parameters, given, message, tmp_path):
    entry = only(Registry.load([write(tmp_path, points=DATASET.format(parameters=parameters))]))
    assert entry.check_parameters({"lr": given}) == [("lr", message)]
    with pytest.raises(ValueError, match="lr: "):
        entry.resolve({"lr": given})


def test_all_mistakes_in_parameters_are_told_at_once(tmp_path):
    entry = only(Registry.load([write(tmp_path, points=DATASET.format(parameters="n: int, std: float = 1"))]))
    assert entry.check_parameters({"sdt": 1, "std": "x"}) == [
        ("sdt", "unknown parameter 'sdt' of dataset 'points', did you mean 'std'?"),
        ("std", "must be a number, not 'x'"),
        ("n", "dataset 'points' needs the parameter 'n'"),
    ]


def test_resolving_fills_every_parameter_in_its_own_type(tmp_path):
    source = DATASET.format(
        parameters="n: int, std: float = 1, betas: tuple[float, float] = (0, 1), w: list[int] | None = None"
    )
    entry = only(Registry.load([write(tmp_path, points=source)]))
    assert repr(entry.resolve({"n": 3, "betas": [1, 0.5]})) == "{'n': 3, 'std': 1.0, 'betas': (1.0, 0.5), 'w': None}"


def test_annotations_for_type_checkers_alone_do_no_harm(tmp_path):
    before = "from __future__ import annotations\n"
    source = loss(discriminator="(d_real: Tensor, d_fake: Tensor, *, p: float = 1) -> Tensor", before=before)
    assert only(Registry.load([write(tmp_path, a=source)]), "loss", "mine").parameters[0].annotation is float


def test_building_gives_what_is_named_and_leaves_the_random_state_alone(tmp_path):
    torch = pytest.importorskip("torch")
    source = (
        "import torch\nfrom ganbench import Architecture, hookimpl\n\n"
        "def build(shape, *, width: int = 3):\n    return shape, width, torch.rand(width)\n\n"
        "@hookimpl\ndef ganbench_architectures():\n    yield Architecture('net', build)\n"
    )
    entry = only(Registry.load([write(tmp_path, a=source)]), "architecture", "net")
    before = torch.get_rng_state()
    shape, width, noise = entry.build({"width": 4}, shape=(2,), unused=1)
    assert (shape, width, len(noise)) == ((2,), 4, 4)
    assert torch.equal(torch.get_rng_state(), before)


def test_shipped_plugins_load_and_cite(monkeypatch):
    monkeypatch.undo()
    state = random.getstate()
    registry = Registry.load()
    assert registry.broken == ()
    assert {"minimax", "nonsaturating", "wgan-gp"} <= set(registry.names("loss"))
    assert all(row["citation"] and row["broken"] is None and row["origin"] == "shipped" for row in rows(registry))
    assert random.getstate() == state


#: What is drawn while a file is executed, in a file that is a plugin.
DRAWN = """'''A test's plugin.'''
import random, secrets, tempfile, uuid
import numpy as np
import torch
from ganbench import Loss, hookimpl

W = {drawn}

@hookimpl
def ganbench_losses():
    yield Loss("drawn", lambda d_real: W, lambda d_fake: W)
"""


@pytest.mark.parametrize("drawn", ["np.random.randn(3).tolist()", "random.random()", "torch.randn(3).tolist()"])
def test_what_a_file_draws_when_it_is_executed_is_the_same_in_every_run(drawn, tmp_path):
    path, before = tmp_path / "drawn.py", global_states()
    found = []
    for seed in (0, 1):
        with isolated(seed, "any"):
            (entry,) = load_file(path, "a test's", DRAWN.format(drawn=drawn).encode())
            found.append(entry.value.discriminator(None))
    assert found[0] == found[1]
    assert drawn_since(before) == ()


@pytest.mark.parametrize("drawn", ["np.random.default_rng()", "secrets.token_hex()", "uuid.uuid4()"])
def test_a_file_that_draws_what_no_seed_decides_is_broken_with_the_line_and_the_cure(drawn, tmp_path):
    (broken,) = load_file(tmp_path / "drawn.py", "a test's", DRAWN.format(drawn=drawn).encode())
    assert broken.cause.startswith("line 7: draws random numbers without a seed, ")
    assert broken.cause.endswith("give the generator a fixed seed")
