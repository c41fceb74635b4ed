"""The command line as its user meets it: what is printed where, and the exit code."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch

import ganbench
from ganbench import cli
from ganbench.plugin.kinds import KINDS, plural
from ganbench.record.folder import RunFolder

SUITE = """
suite: tiny
seeds: 2
budget: {steps: 30, batch: 16}
evaluate: {every: 10, samples: 300}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 8, depth: 1}}
variants: {one: {loss: LOSS}, two: {loss: nonsaturating}}
metrics: [jsd, modes]
references: []
"""
#: Losses that a run is caught at: while a file `hold` stands in the working folder, `held` waits after 20 steps.
PLUGIN = '''"""Losses for tests."""
import time
from pathlib import Path
from torch.nn.functional import softplus
from ganbench import Loss, hookimpl

def plain(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()

def held(d_real, d_fake, step):
    while step > 20 and Path("hold").exists():
        Path("held").touch()
        time.sleep(0.01)
    return plain(d_real, d_fake)

def raises(d_real, d_fake):
    raise RuntimeError("the plugin's own words")

@hookimpl
def ganbench_losses():
    for f in (held, raises):
        yield Loss(f.__name__, f, generator)
'''
COMMAND = [sys.executable, "-m", "ganbench"]
#: The same, and heeds Ctrl-C even where the tests themselves were told not to, as a shell does in the background.
HEEDING = [
    sys.executable,
    "-c",
    "import signal, ganbench.cli\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nganbench.cli.main()",
]
PATIENCE = 300


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder with a suite in it, on one thread: tensors as small as these are slower on more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(Path(ganbench.__file__).parents[1]))
    write("tiny.yaml", SUITE.replace("LOSS", "minimax"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The suite, run once for all tests that only look at a finished run: its working folder, and what it printed."""
    home = tmp_path_factory.mktemp("finished")
    (home / "tiny.yaml").write_text(SUITE.replace("LOSS", "minimax"))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        patch.chdir(home)
        patch.delenv("COLUMNS", raising=False)
        patch.setattr(sys, "argv", ["ganbench", "run", "tiny.yaml"])
        with pytest.raises(SystemExit) as stop:
            cli.main()
    assert (stop.value.code or 0, err.getvalue()) == (0, "")
    return home, out.getvalue()


@pytest.fixture
def ran(finished, folder):
    """A copy of that run in the working folder, to be looked at or damaged: its folder, as it is printed."""
    shutil.copytree(finished[0] / "results", "results")
    return runs()[0].parent


def write(name, text):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text)


def refused(answer, line):
    """The user's mistake: exit code 2, one line on standard error, nothing on standard output."""
    assert answer == (2, "", line + "\n")


def runs(out="results"):
    return sorted(Path(out).glob("tiny/*/run.json"))


# Running


def test_a_run_ends_with_its_table_and_the_path_to_it(finished, ran):
    lines = finished[1].splitlines()
    assert [line.split()[:3] for line in lines[:3]] == [
        ["ring8", "oracle", "jsd"],
        ["ring8", "one", "10/30"],
        ["ring8", "one", "20/30"],
    ]
    assert Path(lines[-1]) == runs()[0].parent / "table.csv"
    assert Path(lines[-1]).is_file()
    assert "\x1b" not in finished[1]


def test_json_is_the_last_line_and_alone_on_standard_output(gb):
    code, out, err = gb("run", "tiny.yaml", "--json", "--seeds", "1", "--out", "elsewhere")
    assert code == 0
    (line,) = out.splitlines()
    answer = json.loads(line)
    assert [row["variant"] for row in answer["table"]] == ["oracle", "one", "two"]
    assert [row["seeds"] for row in answer["table"]] == [1, 1, 1]
    assert Path(answer["run"]) == runs("elsewhere")[0].parent
    assert "ring8 one" in err
    assert not Path("results").exists()
    assert json.loads(gb("show", "--json", answer["run"])[1]) == answer


def test_a_failed_cell_is_exit_code_3_and_the_others_are_measured(gb):
    write("plugins/mine.py", PLUGIN)
    write("tiny.yaml", SUITE.replace("LOSS", "raises"))
    code, out, err = gb("run", "tiny.yaml", "--json")
    assert code == 3
    assert [row["failed"] for row in json.loads(out)["table"]] == [0, 2, 0]
    assert "ring8 one     2 seeds error: RuntimeError: the plugin's own words (mine.py:" in err


def test_a_diverged_seed_is_a_result_and_exit_code_0(gb):
    write("tiny.yaml", SUITE.replace("LOSS", "minimax, optimizer: {name: sgd, lr: 1e30}"))
    code, out, _ = gb("run", "tiny.yaml", "--json")
    assert code == 0
    assert [row["diverged"] for row in json.loads(out)["table"]] == [0, 2, 0]


def test_references_are_rows_that_come_first(gb):
    """A suite that says nothing of them has five."""
    write("tiny.yaml", SUITE.replace("LOSS", "minimax").replace("references: []\n", ""))
    code, out, _ = gb("run", "tiny.yaml", "--seeds", "1", "--json")
    assert code == 0
    rows = [(row["variant"], row["reference"]) for row in json.loads(out)["table"]]
    references = ["oracle", "memoriser", "one-mode", "em", "kde"]
    assert rows == [(name, True) for name in references] + [("one", False), ("two", False)]
    code, out, _ = gb("plan", "tiny.yaml")
    assert [line.split()[1] for line in out.splitlines()[1:8]] == [*references, "one", "two"]
    assert "7 cells, about " in out


def test_samples_are_kept_where_that_is_asked_for_and_pictures_unless_that_is(gb):
    assert gb("run", "tiny.yaml", "--out", "without", "--no-pictures", "--seeds", "1")[0] == 0
    assert gb("run", "tiny.yaml", "--save-samples")[0] == 0
    kept = [path.relative_to(runs()[0].parent).as_posix() for path in sorted(Path("results").rglob("*.npz"))]
    variants = ("one", "oracle", "two")
    assert [name for name in kept if name.startswith("pictures/data")] == ["pictures/data/ring8.npz"]
    assert {name.split("/")[3] for name in kept if name.startswith("pictures/cells")} == {*variants}
    samples = [name for name in kept if not name.startswith("pictures/")]
    assert samples == [f"samples/ring8/{variant}/{seed}.npz" for variant in variants for seed in (0, 1)]
    assert not list(Path("without").rglob("*.npz"))


def test_an_engine_can_be_asked_for(gb):
    code, out, _ = gb("run", "tiny.yaml", "--engine", "serial", "--json")
    assert code == 0
    assert [row["engine"] for row in json.loads(out)["table"]] == ["", "serial", "serial"]


@pytest.mark.parametrize("where", [("plugins/mine.py",), ("other/mine.py", "--plugins", "other")])
def test_a_plugin_is_picked_up_from_beside_or_from_a_named_folder(where, gb):
    write(where[0], PLUGIN)
    write("tiny.yaml", SUITE.replace("LOSS", "held").replace(", two: {loss: nonsaturating}", ""))
    assert gb("run", "tiny.yaml", *where[1:], "--seeds", "1")[0] == 0


# Mistakes


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_malformed_suite_gives_all_its_mistakes_a_line_each(command, gb):
    text = SUITE.replace("LOSS", "minmax").replace("width: 8", "width: wide").replace("seeds: 2", "sedes: 2")
    write("tiny.yaml", text)
    code, out, err = gb(command, "tiny.yaml")
    assert (code, out) == (2, "")
    lines = err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("tiny.yaml:") for line in lines)
    assert lines[2] == "tiny.yaml:8:24 variants.one.loss: unknown loss 'minmax', did you mean 'minimax'?"
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["run", "smok"], "smok: unknown suite, did you mean 'smoke'?"),
        (["run", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["run", "."], ".: is a folder, not a suite file"),
        (["run", "tiny.yaml", "--plugins", "nowhere"], "--plugins nowhere: there is no such folder"),
        (["plan", "tiny.yaml", "--plugins", "tiny.yaml"], "--plugins tiny.yaml: there is no such folder"),
        (["list", "--plugins", "nowhere"], "--plugins nowhere: there is no such folder"),
        (
            ["run", "tiny.yaml", "--device", "nonsense"],
            "--device: unknown device 'nonsense': choose auto, cpu, cuda or cuda:N",
        ),
        (
            ["plan", "tiny.yaml", "--device", "meta"],
            "--device: device 'meta' is not supported: choose auto, cpu, cuda or cuda:N",
        ),
        (["show", "nowhere"], "nowhere: there is no such run; there are none"),
        (["show", "."], ". is not a run: it has no readable run.json beside a journal.jsonl"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, line, gb):
    refused(gb(*arguments), line)
    assert not Path("results").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_missing_cuda_is_one_line(command, gb):
    line = "--device: device 'cuda': torch sees no CUDA device here; choose cpu or auto"
    refused(gb(command, "tiny.yaml", "--device", "cuda"), line)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "tiny.yaml", "--seeds", "0"],
        ["run", "tiny.yaml", "--seeds", "many"],
        ["run", "tiny.yaml", "--engine", "diesel"],
        ["run", "tiny.yaml", "--out", "tiny.yaml"],
        ["run", "tiny.yaml", "--nonsense"],
        ["list", "lozzes"],
        ["nonsense"],
    ],
)
def test_a_wrong_option_is_exit_code_2_and_explained(arguments, gb):
    code, out, err = gb(*arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[0].startswith("Usage: ganbench ")
    assert err.splitlines()[-1].startswith("Error: ")


def test_an_output_folder_that_cannot_be_is_one_line(gb):
    code, out, err = gb("run", "tiny.yaml", "--out", "tiny.yaml/below")
    assert (code, out) == (2, "")
    assert err == "tiny.yaml: is a file, not a folder; keep runs in another folder with --out DIR\n"


def test_a_disk_without_locks_is_one_line_that_names_them(gb, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    code, out, err = gb("run", "tiny.yaml")
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("results/tiny: has no file locks (Function not implemented)")
    assert line.endswith("with --out DIR")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_working_folder_is_one_line_and_out_of_it_all_is_well(gb, tmp_path_factory, folder):
    folder.chmod(0o555)
    try:
        code, _, err = gb("run", "tiny.yaml")
        assert (code, err.count("\n")) == (2, 1)
        assert gb("run", "tiny.yaml", "--out", str(tmp_path_factory.mktemp("out")))[0] == 0
    finally:
        folder.chmod(0o755)


# Looking


def test_a_run_can_be_shown_again(gb, ran, finished):
    code, again, err = gb("show", str(ran))
    assert (code, err) == (0, "")
    assert finished[1].endswith(again)


def test_an_unfinished_run_shows_what_is_missing_as_lost(gb, ran):
    journal = RunFolder(ran).journal
    lines = journal.read_text().splitlines(keepends=True)
    # Of 13 events, the first 5: the oracle's three, the first variant's start and its first evaluation.
    journal.write_text("".join(lines[:5]) + '{"event":"evalu')
    code, out, err = gb("show", str(journal.parent))
    assert code == 0
    assert "4 without a result so far: ring8 one, ring8 two" in out
    assert err == f"{journal.parent} has not finished: what is not measured yet counts as lost\n"
    code, out, _ = gb("show", "--json", str(journal.parent))
    assert [row["failed"] for row in json.loads(out)["table"]] == [0, 2, 2]


@pytest.mark.parametrize(
    "line", ["garbage", "[]", "{", '{"event":"start"}', '{"event":[]}', '{"event":"end","cell":"x","seeds":[]}']
)
def test_a_damaged_journal_is_one_line(line, gb, ran):
    text = (ran / "journal.jsonl").read_text()
    (ran / "journal.jsonl").write_text(line + "\n" + text)
    code, out, err = gb("show", str(ran))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(str(ran))


def test_a_damaged_run_json_is_one_line(gb, ran):
    for text in ("", "[]", "{}", '{"run":"x","columns":[{}],"cells":[]}', '{"run":"x","columns":[],"cells":[]}'):
        (ran / "run.json").write_text(text)
        code, out, err = gb("show", str(ran))
        assert (code, out, err.count("\n")) == (2, "", 1), text
        assert err.startswith(str(ran))


def test_a_plan_trains_nothing_and_writes_nothing(gb, folder):
    before = sorted(folder.rglob("*"))
    code, out, err = gb("plan", "tiny.yaml", "--seeds", "5")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[:4] for line in lines[1:4]] == [
        ["ring8", "oracle", "5", "0"],
        ["ring8", "one", "5", "30"],
        ["ring8", "two", "5", "30"],
    ]
    assert lines[4].startswith("3 cells, about ")
    assert sorted(folder.rglob("*")) == before


def test_a_plan_says_which_cells_will_fail(gb):
    write("plugins/mine.py", PLUGIN + "\ndef raises(d_real, d_fake):\n    import sys\n    sys.exit(0)\n")
    write("tiny.yaml", SUITE.replace("LOSS", "raises"))
    code, out, _ = gb("plan", "tiny.yaml")
    assert code == 0
    assert "ring8 one: SystemExit: 0 (mine.py:" in out


def test_the_list_shows_every_kind_with_citations_and_a_kind_with_parameters(gb):
    code, out, err = gb("list")
    assert (code, err) == (0, "")
    for kind in KINDS:
        assert re.search(rf"^{plural(kind)} \(\d+\)$", out, re.MULTILINE)
    assert "arXiv:1704.00028" in out
    code, out, _ = gb("list", "loss")
    assert code == 0
    assert "\n      penalty=10.0\n" in out
    assert "datasets (" not in out


def test_a_broken_plugin_is_listed_with_its_cause_and_harms_nobody(gb):
    write("plugins/broken.py", "from ganbench import hookimpl, nonsense\n")
    write("plugins/whole.py", PLUGIN)
    code, out, _ = gb("list")
    assert code == 0
    assert "plugins/broken.py: line 1: ImportError: cannot import name 'nonsense'" in out
    assert "from plugins/whole.py" in out
    rows = json.loads(gb("list", "loss", "--json")[1])
    assert {row["name"] for row in rows if not row["broken"]} >= {"held", "raises", "minimax"}
    assert [row["source"] for row in rows if row["broken"]] == ["plugins/broken.py"]
    assert gb("run", "tiny.yaml")[0] == 0


@pytest.mark.parametrize("columns", ["40", "1", "500"])
def test_any_width_will_do(columns, gb, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    write("tiny.yaml", SUITE.replace("LOSS", "minimax").replace("steps: 30", "steps: 10"))
    assert gb("run", "tiny.yaml", "--seeds", "1")[0] == 0
    code, out, _ = gb("show", str(runs()[0].parent))
    assert code == 0
    # A path is never broken, so that it can be copied.
    assert out.splitlines()[-1] == str(runs()[0].parent / "table.csv")
    assert gb("plan", "tiny.yaml")[0] == 0
    assert gb("list")[0] == 0


def test_help_and_version_answer_everywhere(gb):
    for arguments in (["--help"], ["-h"], *([name, "--help"] for name in cli.cli.commands)):
        code, out, err = gb(*arguments)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: ganbench ")
    assert gb("--version")[1].split()[-1] == ganbench.__version__


def test_help_waits_for_no_library():
    """Neither torch nor pandas, nor anything that would bring them, is loaded to print a help text."""
    code = (
        "import sys\n"
        "from ganbench.cli import main\n"
        "for arguments in (['--help'], ['list', '--help'], ['run', '--help']):\n"
        "    sys.argv = ['ganbench', *arguments]\n"
        "    try: main()\n"
        "    except SystemExit as stop: assert not stop.code\n"
        "slow = {'torch', 'pandas', 'numpy', 'scipy', 'rich', 'pydantic', 'yaml'} & set(sys.modules)\n"
        "sys.exit(f'loaded {slow}' if slow else 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert (result.returncode, result.stderr) == (0, "")


# Being interrupted


@pytest.mark.parametrize("arguments", [["list"], ["plan", "tiny.yaml"], ["run", "tiny.yaml"], ["show", "x"]])
def test_ctrl_c_while_anything_loads_is_no_traceback(arguments, gb, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ganbench.plugin.registry.Registry.load", interrupted)
    monkeypatch.setattr("ganbench.plugin.registry.Registry.guests", interrupted)
    monkeypatch.setattr("ganbench.record.folder.RunFolder.open", interrupted)
    Path("x").mkdir()
    code, out, err = gb(*arguments)
    assert (code, out, err.strip()) == (130, "", "stopped")


def test_a_run_can_be_shared_by_nobody_stopped_and_gone_on_with(gb):
    """Held in the middle of training: this process is refused, Ctrl-C stops that one, and the same command ends it."""
    write("plugins/mine.py", PLUGIN)
    write("tiny.yaml", SUITE.replace("LOSS", "held").replace("every: 10", "every: 5"))
    assert gb("run", "tiny.yaml", "--out", "whole")[0] == 0
    write("hold", "")
    first = subprocess.Popen([*HEEDING, "run", "tiny.yaml"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        end = time.monotonic() + PATIENCE
        while not Path("held").exists():
            assert first.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        holder = f"{runs()[0].parent} is being run by process {first.pid}"
        refused(gb("run", "tiny.yaml"), f"{holder}; wait for it or choose another --out")
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=PATIENCE)
    finally:
        first.kill()
    assert first.returncode == 130
    assert err == "stopped; the same command goes on from here\n"
    assert "ring8 one     10/30" in out
    assert not (runs()[0].parent / "table.csv").exists()
    Path("hold").unlink()
    code, out, err = gb("run", "tiny.yaml")
    assert (code, err) == (0, "")
    assert out.startswith("going on: 1 of 3 cells have ended already\n")
    # What was measured before it was stopped is not measured again.
    assert "ring8 one     10/30" not in out
    assert len(runs()) == 1
    for name in ("table.csv", "seeds.csv", "curves.csv", "differences.csv", "profiles.csv"):
        assert (runs()[0].parent / name).read_bytes() == (runs("whole")[0].parent / name).read_bytes()


def test_a_reader_that_goes_away_is_no_traceback_and_no_result(gb):
    """``ganbench run ... | head -1`` stops the run; the same command then ends it, with every seed done."""
    line = " ".join(COMMAND) + " run tiny.yaml"
    piped = subprocess.run(["sh", "-c", f"{line} | head -1"], capture_output=True, text=True, timeout=PATIENCE)
    assert piped.stderr == ""
    assert piped.stdout.startswith("ring8 oracle")
    assert not RunFolder(runs()[0].parent).finished
    code, out, _ = gb("run", "tiny.yaml", "--json")
    assert code == 0
    assert [row["done"] for row in json.loads(out)["table"]] == [2, 2, 2]
    assert len(runs()) == 1


def test_a_kind_may_be_named_in_the_plural(gb):
    assert gb("list", "metric") == gb("list", "metrics")
    code, _, err = gb("list", "metricz")
    assert code == 2
    assert "'metricz' is not one of 'loss'" in err


ELSEWHERE = """
import os, sys, warnings
warnings.simplefilter("ignore")
for module in ("fcntl", "pwd", "grp", "termios", "resource"):
    sys.modules[module] = None
for name in ("killpg", "setsid", "pread", "pwrite", "sched_getaffinity", "O_CLOEXEC"):
    if hasattr(os, name):
        delattr(os, name)
opened = os.open
def no_folders(path, *flags, **more):
    if isinstance(path, (str, os.PathLike)) and os.path.isdir(path):
        raise PermissionError(13, "Permission denied", str(path))
    return opened(path, *flags, **more)
os.open = no_folders
from ganbench import cli
cli.main()
"""


@pytest.mark.slow
def test_a_run_needs_nothing_that_only_some_systems_have(tmp_path):
    """As on Windows, as far as a Linux machine can tell: without a home or a name as well."""
    (tmp_path / "tiny.yaml").write_text(SUITE.replace("LOSS", "minimax"))
    environment = {key: value for key, value in os.environ.items() if key not in ("HOME", "USER", "LOGNAME")}
    environment |= {"PYTHONPATH": str(Path(ganbench.__file__).parents[1]), "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-c", ELSEWHERE, "run", "tiny.yaml", "--engine", "eager"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="cp1252")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert (tmp_path / done.stdout.splitlines()[-1]).name == "table.csv"
