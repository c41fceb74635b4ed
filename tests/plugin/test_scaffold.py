"""``ganbench new``: what it writes works as it stands, and it overwrites nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.plugin.citation import clause
from ganbench.plugin.kinds import KINDS
from ganbench.plugin.registry import Registry
from ganbench.plugin.scaffold import NotNewError, new_plugin
from ganbench.suite.load import parse

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Empty, and the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_a_plugin_of_that_kind_that_a_suite_can_use(kind):
    plugin = new_plugin(kind, "my-own")
    plugin.write()
    registry = Registry.load([Path("plugins")])
    assert registry.broken == ()
    assert registry.get(kind, "my-own").source == Path("plugins/my_own.py")
    # Whatever stands there is what the docstring says of it, in one line that `ganbench list` can show.
    assert 20 < len(clause(registry.get(kind, "my-own").doc)) <= 118
    if kind == "executor":
        assert plugin.use == "ganbench run SUITE --executor my-own"
        return
    suite = "suite: s\nseeds: 1\nbudget: {steps: 1}\ndatasets: {data: ring}\nvariants: {v: {loss: minimax}}\n"
    if kind in ("loss", "penalty", "architecture", "update", "optimizer", "schedule"):
        written = suite.replace(
            "{loss: minimax}", f"{{loss: minimax, {plugin.use}}}".replace("loss: minimax, loss", "loss")
        )
    else:
        written = suite.replace("datasets: {data: ring}\n", "") if kind == "dataset" else suite
        written += f"{plugin.use}\n"
    assert "my-own" in written
    parse(written, registry)


def test_what_is_written_is_formatted_and_says_nothing_that_is_left_to_do():
    for kind in KINDS:
        new_plugin(kind, f"my-{kind}").write()
    for source in (*Path("plugins").glob("*.py"), *Path("tests").glob("*.py")):
        assert "TODO" not in source.read_text()
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check"], ["format", "--check"]):
        call = [*ruff, *command, "--no-cache", "--config", str(ROOT / "pyproject.toml"), "--config"]
        call += (
            ['lint.isort.known-third-party = ["ganbench"]', "."] if command == ["check"] else ["line-length = 120", "."]
        )
        call += ["--ignore", "D103,I001"] if command == ["check"] else []
        result = subprocess.run(call, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_test_that_is_written_runs_the_kit_on_the_file_from_any_folder(monkeypatch, tmp_path):
    import ganbench.testing

    checked = []
    monkeypatch.setattr(ganbench.testing, "assert_conforms", checked.append)
    plugin = new_plugin("loss", "my-gan", Path("deep/plugins"))
    plugin.write()
    monkeypatch.chdir("deep")
    scope = {"__file__": str(tmp_path / plugin.test_path)}
    exec(plugin.test_source, scope)
    scope["test_my_gan_conforms"]()
    assert [path.resolve() for path in checked] == [tmp_path / "deep/plugins/my_gan.py"]


@pytest.mark.parametrize("written", ["my-gan", "my_gan", "My-GAN"])
def test_a_name_in_any_style_is_one_name_and_one_file(written, gb):
    code, out, err = gb("new", "loss", written)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "wrote plugins/my_gan.py and tests/test_my_gan.py"
    for line in ("  check  ganbench check plugins/my_gan.py", "  use    loss: my-gan, in a suite"):
        assert line in out.splitlines()
    assert 'Loss("my-gan", ' in Path("plugins/my_gan.py").read_text()


def test_nothing_is_overwritten_and_nothing_half_written(gb):
    Path("tests").mkdir()
    Path("tests/test_my_gan.py").write_text("mine")
    code, out, err = gb("new", "loss", "my-gan")
    line = "tests/test_my_gan.py is there already, and nothing is overwritten: choose another name\n"
    assert (code, out, err) == (2, "", line)
    assert not Path("plugins").exists()
    assert Path("tests/test_my_gan.py").read_text() == "mine"
    Path("tests/test_my_gan.py").unlink()
    assert gb("new", "loss", "my-gan")[0] == 0
    code, out, err = gb("new", "loss", "my-gan")
    assert (code, out) == (2, "")
    assert err == "loss 'my-gan' is there already, in plugins/my_gan.py: choose another name\n"


def test_a_name_that_is_taken_says_by_whom(gb):
    code, out, err = gb("new", "loss", "minimax")
    assert (code, out) == (2, "")
    assert err.startswith("loss 'minimax' is there already, in ")
    assert err.endswith("minimax.py: choose another name\n")
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize("name", ["", "a b", "../a", "1st", "-", "a--b", "é", "a.py", "class!", "a\n"])
def test_a_bad_name_is_one_line(name):
    with pytest.raises(NotNewError) as raised:
        new_plugin("loss", name)
    assert (
        str(raised.value)
        == f"{name!r} is no name for a plugin: letters and digits, a letter first, words joined by '-'"
    )


def test_a_metric_whose_column_every_table_has_is_not_written():
    with pytest.raises(
        NotNewError, match=r"^plugins/seed\.py would be broken: metric 'seed': the column 'seed' would be filled"
    ):
        new_plugin("metric", "seed")


def test_an_unknown_kind_and_a_folder_that_cannot_be_are_explained(gb):
    code, _, err = gb("new", "los", "a")
    assert code == 2
    assert "not 'los', did you mean 'loss'?" in err
    Path("file").write_text("")
    code, out, err = gb("new", "loss", "my-gan", "--dir", "file/plugins")
    assert (code, out) == (2, "")
    assert err == "file: is a file, not a folder\n"


def test_the_loss_is_the_one_that_the_readme_shows():
    readme = (ROOT / "README.md").read_text()
    assert f"<!-- a-variant: plugins/my_gan.py -->\n```python\n{new_plugin('loss', 'my-gan').source}```\n" in readme


def test_the_commands_that_are_printed_can_be_pasted(gb):
    code, out, _ = gb("new", "loss", "my-gan", "--dir", "odd dir/a")
    assert code == 0
    assert "  check  ganbench check 'odd dir/a/my_gan.py'" in out.splitlines()
    assert "  run    ganbench run SUITE --plugins 'odd dir/a'" in out.splitlines()


@pytest.mark.parametrize("name", ["import", "class", "Lambda", "torch", "numpy", "random", "ganbench", "yaml"])
def test_a_name_that_python_or_another_module_has_is_refused(name, gb):
    code, out, err = gb("new", "loss", name)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(f"{name.lower()!r} is ")
    assert err.endswith(f": choose another name, such as 'my-{name.lower()}'\n")
    assert list(Path.cwd().iterdir()) == []


def test_a_name_is_at_most_60_characters_long():
    new_plugin("loss", "a" * 60)
    with pytest.raises(NotNewError, match=r"^a name of 61 characters is too long: at most 60$"):
        new_plugin("loss", "a" * 61)
