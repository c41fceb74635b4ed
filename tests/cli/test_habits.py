"""Commands and options of other tools, arguments that are none, and an output that ends before its time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ganbench


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["train", "mog"], "write: ganbench run"), (["eval", "x.npy"], "write: ganbench score"),
        (["ls"], "write: ganbench list"), (["diff"], "ganbench compare"),
        (["my.yaml"], "to run a suite: ganbench run my.yaml"),
        (["run", "mog", "--seed", "3"], "write --seeds N, for the seeds 0 to N-1; for one, seeds: [3]"),
        (["run", "mog", "--gpu", "0"], "write --device cuda"), (["run", "mog", "--output-dir", "x"], "write --out DIR"),
        (["run", "mog", "--epochs", "9"], "of the suite: an epoch of n samples is n / batch steps"),
        (["run", "mog", "--lr", "9"], "it is no option, but of the suite: it is the optimizer's"),
        (["run", "--config", "mog"], "the suite is an argument, without an option"),
        (["run", "mog", "--resume"], "give the same command again"),
        (["--seeds", "2", "run", "mog"], "'--seeds'; write it after the command, as in: ganbench run"),
        (["run", "mog", "--seeds", "2,3"], "a list of them stands in the suite, seeds: [3, 5, 8]"),
        (["run", "mog", "--steps", "10"], "'--steps'; the budget is of the suite: write budget: {steps"),
        (["run", "mog", "--gpu", "0"], "'--gpu'; write --device cuda"),
        (["list", "optim"], "did you mean 'optimizer'?"), (["new", "optim", "x"], "KIND must be one of loss, "),
        (["check", "plugins"], "plugins: is a folder: name the files in it, plugins/*.py"),
        (["check", "s.yaml"], "s.yaml: is a suite, and no plugin: ganbench plan s.yaml checks it"),
        (["check", "no-such"], "no plugin 'no-such', of any kind: ganbench list shows all"),
        (["check", "adm"], "unknown optimizer 'adm', did you mean 'adam'?"),
        (["check", "lsgan"], "unknown loss 'lsgan': it is called 'least-squares' here"),
        (["show", "s.yaml"], "s.yaml: is a suite: its runs are in results/s"),
        (["report", "s"], "s: is the name of a suite: its runs are in results/s"),
        (["sample", "hinge", "results/s", "-o", "x.npz"], "the run comes first, then the variant"),
        (["export", "results/s"], "Missing option '--format'. Choose from: pytest-benchmark, bencher, optuna"),
        (["score", "x.npy"], "--dataset NAME (ganbench list dataset), or --suite SUITE too"),
        (["score", "x.npy", "--dataset", "ring8"], "write ring, ring --param modes=8, or ring-wgan-gp"),
        (["score", "x.npy", "--dataset", "ring8"], "; for a data set as a suite defines it, add --suite SUITE"),
    ],
)  # fmt: skip
def test_a_word_of_another_tool_is_answered_with_what_to_write(gb, arguments, cure, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("plugins").mkdir()
    Path("results/s/run").mkdir(parents=True)
    for name in ("run.json", "journal.jsonl"):
        Path("results/s/run", name).write_text("{}")
    code, _, err = gb(*arguments)
    assert code == 2
    assert cure in err.splitlines()[-1]


def test_a_group_alone_shows_its_help_as_it_is(gb):
    _, out, err = gb("baseline")
    assert "Commands:\n" in out + err
    assert "\\n" not in out + err


@pytest.mark.parametrize("command", ["show", "score", "list", "check", "plan", "history"])
def test_no_argument_controls_the_terminal_or_a_ci_service(gb, command):
    code, out, err = gb(command, "x\n::error::y\x1b[31m")
    assert (code, out) == (2, "")
    assert err == "'x\\n::error::y\\x1b[31m': an argument cannot have control characters or newlines\n"


def test_what_a_plugin_says_of_itself_controls_nothing(gb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("plugins").mkdir()
    Path("plugins/mine.py").write_text(
        '"""Mine\\x1b[31m.\n\n::error::x\n"""\nfrom ganbench import Loss, hookimpl\ndef f(d_real, d_fake): ...\n'
        "@hookimpl\ndef ganbench_losses():\n    yield Loss('mine', f, f)\n"
    )
    Path("plugins/broken.py").write_text("raise ValueError('a\\x1b[31m\\r::error::b')\n")
    Path("plugins/odd\n::error::.py").write_text("raise ValueError\n")
    for arguments in ((), ("mine",), ("--bibtex",), ("--verbose",)):
        code, out, err = gb("list", *arguments)
        assert code == 0
        assert "\x1b" not in out + err
        assert not any(line.lstrip().startswith("::") for line in (out + err).splitlines())


def test_a_name_too_long_for_any_folder_is_one_line(gb):
    for arguments in (["list", "--plugins", "x" * 5000], ["show", "x" * 5000], ["plan", "x" * 5000]):
        code, _, err = gb(*arguments)
        assert code == 2
        assert len(err.splitlines()) == 1


def run(line: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(Path(ganbench.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    line = line.replace("ganbench", f"{sys.executable} -m ganbench")
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=environment)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a system without /dev/full")
def test_an_output_that_is_full_or_has_ended_is_one_line_and_no_verdict(tmp_path):
    full = run("ganbench run --help > /dev/full", tmp_path)
    assert (full.returncode, full.stderr) == (2, "the output: No space left on device\n")
    (tmp_path / "s.yaml").write_text(
        "suite: s\nseeds: 1\nbudget: {steps: 2, batch: 8}\ndatasets: {ring: ring}\nreferences: []\nmetrics: [modes]\n"
        "variants: {a: {loss: minimax}}\n"
    )
    for command in (
        "list -v",
        "--help",
        "run s.yaml --no-report",
    ):  # what is flushed at the end, at once, and line by line
        ended = run(f"ganbench {command} | :; exit ${{PIPESTATUS[0]}}", tmp_path)
        assert (ended.returncode, ended.stderr) == (141, ""), command
