"""Names of suites, data sets, variants and folders: such as files of each system can have, and no two of one file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ganbench.core import names
from ganbench.core.names import lost_on_windows, same_file
from ganbench.plugin.scaffold import NotNewError, new_plugin
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError

SUITE = """suite: t
datasets: {r: ring, s: ring}
variants: {a: {loss: minimax}, b: {loss: minimax}}
"""


def mistake(registry, old, new):
    """The one mistake of the suite with one part of it written anew."""
    assert old in SUITE
    with pytest.raises(SuiteError) as error:
        parse(SUITE.replace(old, new), registry, "t.yaml")
    (line,) = str(error.value).splitlines()
    return line


@pytest.mark.parametrize("name", ["CONIN$", "conout$", "conout$.csv"])
def test_the_consoles_two_ends_are_devices_too(name):
    assert "is a device on Windows" in lost_on_windows(name)


@pytest.mark.parametrize("name", ["con", "NUL", "aux.yaml", "com1", "Lpt9.tar.gz", "prn."])
def test_what_is_a_device_on_windows_is_refused_at_its_line(shipped, name):
    for old, new, place in (
        ("suite: t", "suite: {}", "1:8 suite"),
        ("{r: ", "{{{}: ", f"2:12 datasets.{name}"),
        ("{a: ", "{{{}: ", f"3:12 variants.{name}"),
    ):
        line = mistake(shipped, old, new.format(name))
        assert line == f"t.yaml:{place}: {name!r} is a device on Windows, where no file can be called so: " + (
            "choose another name"
        )
    with pytest.raises(NotNewError, match="is a device on Windows"):
        new_plugin("loss", "con")


@pytest.mark.parametrize("name", ["console", "auxiliary", "nul1", "com", "lpt10", "a.con", "con-1"])
def test_a_name_that_is_only_like_a_devices_is_none(shipped, name):
    assert parse(SUITE.replace("{a: ", f"{{{name}: "), shipped).variants.keys() == {name, "b"}


def test_a_dot_at_the_end_which_windows_drops_is_refused(shipped):
    line = mistake(shipped, "{a: ", "{a.: ")
    assert line == "t.yaml:3:12 variants.a.: 'a.' ends in a dot, which Windows drops: choose another name"
    assert lost_on_windows("a ")
    assert not lost_on_windows("a.b")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("s: ring", "R: ring", "2:21 datasets.R: 'R' and 'r'"),
        ("b: {", "A: {", "3:32 variants.A: 'A' and 'a'"),
        ("b: {", "Oracle: {", "3:32 variants.Oracle: 'Oracle' and 'oracle'"),
    ],
)
def test_names_that_differ_in_case_alone_are_one_file_on_windows_and_macos(shipped, old, new, line):
    """A seed's samples are files named after the data set and the row, which may be a reference's."""
    assert mistake(shipped, old, new) == f"t.yaml:{line} are one file on Windows and macOS: choose another name"


def test_a_data_set_and_a_variant_may_have_one_name(shipped):
    parse(SUITE.replace("{a: ", "{R: "), shipped)
    assert same_file("a", ["a", "b"]) == ""


@pytest.mark.parametrize("path", ["nul", "deep/CON", "aux.yaml"])
def test_on_windows_a_device_is_never_opened_nor_written_to(gb, tmp_path, monkeypatch, path):
    """Simulated: the system says that it is Windows. There the device would be read without an end."""
    monkeypatch.setattr(names, "WINDOWS", True)
    monkeypatch.chdir(tmp_path)
    what = f"{Path(path).name!r} is a device on Windows, where no file can be called so: choose another name\n"
    Path("t.yaml").write_text(SUITE)
    code, out, err = gb("run", "t.yaml", "--out", path)
    assert (code, out) == (2, "")
    assert f"{path}/t: {what[:-1]}" in err
    Path(path).parent.mkdir(exist_ok=True)
    Path(path).write_text(SUITE)
    assert gb("plan", path) == (2, "", f"{path}: {what}")
    np.save(tmp_path / "nul.npy", np.zeros((4, 2), np.float32))
    code, out, err = gb("score", "nul.npy", "--dataset", "ring")
    assert (code, out) == (2, "")
    assert "'nul.npy' is a device on Windows" in err
