"""Modules beside plugin files, loaded again in the same process: the same while nobody edits them, and read as new."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ganbench.plugin import shipped
from ganbench.plugin.registry import Registry

LOSS = (
    "from ganbench import Loss, hookimpl\n"
    "def discriminator(d_real, d_fake):\n    return d_fake.mean() - d_real.mean()\n"
    "def generator(d_fake):\n    return -d_fake.mean()\n"
    "@hookimpl\ndef ganbench_losses():\n    yield Loss({name}, discriminator, generator)\n"
)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """``load(a=source)``: the plugins of these files beside those that were there; nothing shipped."""
    monkeypatch.setattr(shipped, "folder", lambda name: tmp_path / "nothing")
    before = {*sys.modules}

    def build(**files: str) -> Registry:
        for name, source in files.items():
            path = tmp_path / "plugins" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return Registry.load([tmp_path / "plugins"])

    yield build
    for name in {*sys.modules} - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def plugin(name: str, head: str) -> str:
    return f"{head}\n{LOSS.format(name=name)}"


def causes(registry: Registry) -> dict[str, str]:
    return {Path(broken.source).stem: broken.cause for broken in registry.broken}


def test_what_nobody_has_edited_stays_the_same_module_and_what_was_edited_is_read_again(load):
    files = {"mine": plugin("f'mine{SCALE}'", "from first_helper import SCALE"), "second_helper": "SCALE = 1\n"}
    load(**files, first_helper="from second_helper import SCALE\n")
    once = [sys.modules[name] for name in ("first_helper", "second_helper")]
    assert load().names("loss") == ["mine1"]
    assert [sys.modules[name] for name in ("first_helper", "second_helper")] == once
    assert load(second_helper="SCALE = 2\n").names("loss") == ["mine2"], "a module that holds the old value stays"
    assert sys.modules["first_helper"] is not once[0]


@pytest.mark.usefixtures("load")
def test_plugins_that_are_installed_find_what_is_beside_them_and_not_what_is_beside_a_copy(tmp_path):
    """As those of a shipped suite that is run by its name from an installation."""
    files = {"x": plugin("f'x{SCALE}'", "from level_helper import SCALE\nfrom level_pack.inner import X")}
    files |= {"level_helper": "SCALE = 1\n", "level_pack/__init__": "", "level_pack/inner": "X = 1\n"}
    uses = []
    for home, scale in (("site-packages/suite/plugins", 1), ("copy/plugins", 2)):
        for name, source in {**files, "level_helper": f"SCALE = {scale}\n"}.items():
            path = tmp_path / home / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        registry = Registry.load([tmp_path / home])
        assert registry.names("loss") == [f"x{scale}"], causes(registry)
        uses.append([name for name, _ in registry.get("loss", f"x{scale}").uses])
    assert uses == [["level_helper.py", "level_pack.py", "level_pack/inner.py"]] * 2, "one of them has no digest"


def test_the_files_that_a_plugin_uses_are_the_same_when_it_is_loaded_again(load):
    head = "import importlib\nimportlib.import_module('dynamic_helper')\nfrom helper_pack.inner import X"
    files = {"helper_pack/__init__": "", "helper_pack/inner": "X = 1\n", "dynamic_helper": ""}
    uses = [load(mine=plugin("'mine'", head), **files).get("loss", "mine").uses for _ in range(2)]
    assert [name for name, _ in uses[0]] == ["dynamic_helper.py", "helper_pack.py", "helper_pack/inner.py"]
    assert uses[1] == uses[0]


def test_what_is_drawn_while_a_file_is_executed_does_not_depend_on_who_imported_its_neighbour_before(load):
    head = "import random\nfrom drawing_helper import W\nV = random.random()"
    files = {name: plugin(f"f'{name}-{{V}}-{{W}}'", head) for name in ("a", "b")}
    first = load(drawing_helper="import random\nW = random.random()\n", **files)
    again = load()
    assert not first.broken
    assert again.names("loss") == first.names("loss")
    one, other = first.names("loss")
    assert one[1:] == other[1:]


#: What a neighbour does when it is imported, and the cause of which every plugin that imports it is broken.
REFUSED = {
    "import torch\ntorch.set_default_dtype(torch.float64)\n": "sets torch's default dtype for everybody",
    "import torch\ntorch.randn = torch.rand\n": "replaces torch.randn for everybody",
    "import numpy\nRNG = numpy.random.default_rng()\n": (
        "line 1: ImportError: bad_helper.py:2 draws random numbers without a seed"
    ),
}


@pytest.mark.parametrize("source", REFUSED)
def test_a_neighbour_that_must_not_be_is_refused_to_each_plugin_each_time(source, load):
    files = {name: plugin(f"'{name}'", "from bad_helper import *") for name in ("a", "b")}
    for registry in (load(bad_helper=source, **files), load()):
        assert registry.names("loss") == []
        assert {name: REFUSED[source] in cause for name, cause in causes(registry).items()} == {"a": True, "b": True}


def test_a_neighbour_that_replaces_a_function_when_it_is_asked_to_is_found_each_time(load):
    patching = "import torch\ndef patch():\n    torch.Tensor.__pos__ = lambda self: self\n"
    files = {name: plugin(f"'{name}'", "import patching_helper\npatching_helper.patch()") for name in ("a", "b")}
    for registry in (load(patching_helper=patching, **files), load()):
        assert [*causes(registry)] == ["a", "b"]
