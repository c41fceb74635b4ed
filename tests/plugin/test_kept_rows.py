"""What `ganbench list` keeps of the shipped plugins: never what is not so any more, and nothing that must be whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ganbench.plugin import kept_rows, shipped
from ganbench.plugin.kept_rows import shipped_rows

PLUGIN = '''"""A loss of these tests (Somebody 2020, arXiv:2001.00001)."""

from ganbench import Loss, hookimpl


def discriminator(d_real, d_fake, *, scale: float = 1.0):
    return d_fake - d_real


def generator(d_fake):
    return -d_fake


@hookimpl
def ganbench_losses():
    yield Loss("{name}", discriminator, generator)
'''
Places = namedtuple("Places", "plugins package library cache")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A package, its plugins, an installed library and a cache, small and of this test alone, unchanged for long."""
    found = Places(*(tmp_path / name for name in Places._fields))
    for folder in found[:3]:
        folder.mkdir()
    write(found.plugins / "one.py", PLUGIN.format(name="one"))
    write(found.package / "helper.py", "A = 1\n")
    monkeypatch.setattr(shipped, "folder", lambda name: found.plugins)
    monkeypatch.setattr(kept_rows, "_PACKAGE", found.package)
    monkeypatch.setattr(kept_rows, "cache_folder", lambda: found.cache)
    monkeypatch.setattr(sys, "path", [*sys.path, str(found.library)])
    return found


@pytest.fixture
def loaded(monkeypatch):
    """The plugin files that were executed, by name."""
    names, load = [], kept_rows.load_shipped

    def noted(sources):
        names.extend(path.name for path in sources)
        return load(sources)

    monkeypatch.setattr(kept_rows, "load_shipped", noted)
    return names


def write(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, (1e9, 1e9))


def names() -> list[str]:
    rows, broken = shipped_rows()
    return [row["name"] for row in rows] + [each.cause for each in broken]


def test_the_rows_that_are_kept_are_those_of_the_plugins(places, loaded):
    first = shipped_rows()
    assert [row["name"] for row in first[0]] == ["one"]
    assert first[0][0]["parameters"][0]["name"] == "scale"
    assert shipped_rows() == first
    assert loaded == ["one.py"]


CHANGES = {
    "a plugin is edited": lambda at, _: write(at.plugins / "one.py", PLUGIN.format(name="uno")),
    "a plugin is added": lambda at, _: write(at.plugins / "two.py", PLUGIN.format(name="two")),
    "a module of the package is edited, and is as long": lambda at, _: write(at.package / "helper.py", "A = 2\n"),
    "another name of a plugin is written": lambda at, _: write(at.plugins / "words.yaml", "loss: {one: [uno]}"),
    "a library is installed": lambda at, _: (at.library / "pydantic-99.0.dist-info").mkdir(),
    "a file hides a library": lambda at, _: write(at.library / "torch.py", ""),
    "another Python": lambda _, patch: patch.setattr(sys, "version", "9"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_they_follow_from_may_change(change, places, loaded, monkeypatch):
    names()
    CHANGES[change](places, monkeypatch)
    again = len(loaded)
    shipped_rows()
    assert len(loaded) > again
    again = len(loaded)
    shipped_rows()
    assert len(loaded) == again


def test_a_plugin_that_is_edited_is_listed_as_it_is_now(places):
    assert names() == ["one"]
    CHANGES["a plugin is edited"](places, None)
    assert names() == ["uno"]


def test_what_is_broken_is_executed_each_time(places, loaded):
    write(places.plugins / "bad.py", "import nothing_such\n")
    for _ in range(2):
        assert names()[1].startswith("line 1: ModuleNotFoundError")
    assert loaded.count("bad.py") == 2


def test_nothing_is_kept_of_files_that_were_just_changed(places, loaded):
    """This process may have loaded them as they were before."""
    os.utime(places.package / "helper.py")
    names()
    names()
    assert loaded.count("one.py") == 2


def test_a_file_that_is_changed_while_it_is_loaded_is_not_kept(places, loaded, monkeypatch):
    load = kept_rows.load_shipped

    def changed(sources):
        CHANGES["a plugin is edited"](places, None)
        return load(sources)

    monkeypatch.setattr(kept_rows, "load_shipped", changed)
    names()
    assert not places.cache.exists()


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"\xff\xfe", b"x y\n[]"])
def test_a_file_that_is_not_whole_is_made_again(spoilt, places, loaded):
    names()
    (kept,) = places.cache.iterdir()
    whole = kept.read_bytes()
    for text in (spoilt, whole[:-1], whole.replace(b"one", b"eno")):
        kept.write_bytes(text)
        assert names() == ["one"]
        assert kept.read_bytes() == whole


def test_without_a_cache_all_is_as_ever(places, loaded, monkeypatch):
    write(places.cache, "a file where the folder belongs")
    assert names() == names() == ["one"]

    def homeless():
        raise RuntimeError("no home")

    monkeypatch.setattr(kept_rows, "cache_folder", homeless)
    assert names() == ["one"]
    assert len(loaded) == 3


def test_many_at_once_find_it_whole_or_not_at_all(places):
    names()
    (kept,) = places.cache.iterdir()
    whole = kept.read_text()
    key, rows = whole.split()[0], shipped_rows()[0]
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(kept_rows._keep, kept, key, rows) for _ in range(100)]
        assert {kept.read_text() for _ in range(200)} == {whole}
        assert not [each for each in writing if each.result()]
    assert [*places.cache.iterdir()] == [kept]


def test_a_second_list_waits_for_no_torch(tmp_path):
    code = (
        "import sys\n"
        "from ganbench.cli import main\n"
        "from ganbench.plugin import kept_rows\n"
        "kept_rows.SETTLED = float('-inf')\n"
        "sys.argv = ['ganbench', 'list']\n"
        "try: main()\n"
        "finally: print({'torch', 'numpy', 'pandas'} & {*sys.modules}, file=sys.stderr)\n"
    )
    (tmp_path / "here").mkdir()
    ran = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path / "here",
            env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    ]
    assert ran[0].stdout == ran[1].stdout
    assert "wgan-gp" in ran[0].stdout
    assert "torch" in ran[0].stderr
    assert ran[1].stderr == "set()\n"
