"""``ganbench compare`` as a user, CI and git's bisection meet it: real runs in a small repository, and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_planted_bugs import BUGS, PLUGIN, SUITE

ROOT = Path(__file__).parents[2]
#: Runs in this repository, as one who has installed ganbench: its own code is not on the path by itself.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "COLUMNS": "100",
}
RIGHT, WRONG = BUGS["sign of the generator's loss"][0]
#: The plugin's file, the suite's, and the command, shorter.
MINE, PLANTED = Path("plugins/mine.py"), "planted.yaml"
BASE = "results/baselines/planted.csv"
pytestmark = pytest.mark.usefixtures("one_thread")


def call(folder: Path, *command: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    found = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert found.returncode == code, found.stdout + found.stderr
    return found


def ganbench(folder: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    return call(folder, sys.executable, "-m", "ganbench", *arguments, code=code)


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
    return call(folder, "git", *who, *arguments).stdout


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """A user's repository: a suite, its plugin, a baseline of what it does; made by processes of their own."""
    home = tmp_path_factory.mktemp("repository")
    (home / "plugins").mkdir()
    (home / MINE).write_text(PLUGIN)
    (home / PLANTED).write_text(SUITE)
    (home / ".gitignore").write_text("/results/*\n!/results/baselines/\n__pycache__/\n")
    git(home, "init", "--quiet")
    git(home, "add", ".")
    git(home, "commit", "--quiet", "-m", "right")
    ganbench(home, "run", PLANTED, "--engine", "eager")
    ganbench(home, "baseline", "save", "results/planted")
    git(home, "add", ".")
    git(home, "commit", "--quiet", "-m", "its baseline")
    return home


@pytest.fixture
def inside(gb, monkeypatch):
    """The same command in a folder, in this process, which has imported what others would wait for."""
    for name in os.environ.keys() - ENVIRONMENT.keys():
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)

    def answer(folder: Path, *arguments: str, code: int = 0) -> tuple[str, str]:
        monkeypatch.chdir(folder)
        found, out, err = gb(*arguments)
        assert found == code, out + err
        return out, err

    return answer


@pytest.fixture
def here(repository, inside):
    """The same in the repository."""
    return partial(inside, repository)


def test_an_unchanged_tree_is_green_and_identical(here):
    """To another process than the one that trained the baseline."""
    out, _ = here("compare", BASE, PLANTED, "--engine", "eager", "--strict")
    assert out.startswith("same: 1 case, of which 1 identical\n")


def test_a_planted_bug_is_red_in_every_format(repository, here, tmp_path):
    (repository / MINE).write_text(PLUGIN.replace(RIGHT, WRONG))
    try:
        text, _ = here("compare", BASE, PLANTED, "--engine", "eager", code=1)
    finally:
        git(repository, "checkout", "--quiet", str(MINE))
    assert text.startswith("worse: ring3/mine (")
    newest = str(max((repository / "results/planted").glob("[!.]*")).relative_to(repository))

    told = json.loads(here("compare", BASE, newest, "--format", "json", code=1)[0])
    assert told["exit_code"] == 1
    assert {one["measure"] for one in told["findings"] if one["outcome"] == "worse"} >= {
        "all_modes",
        "held_all_modes_step",
        "jsd",
    }
    assert "::error " in here("compare", BASE, newest, "--format", "github", code=1)[0]
    here("compare", BASE, newest, "--format", "junit", "--out", str(tmp_path / "found.xml"), code=1)
    assert ElementTree.parse(tmp_path / "found.xml").getroot().find(".//failure") is not None
    here("compare", BASE, newest, "--format", "markdown", "--out", str(tmp_path / "found.md"), code=1)
    assert "worse" in (tmp_path / "found.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["results/planted"], "give BASE and NEW; or SUITE alone, with --against REV or --python PATH"),
        (["a", "b", "--against", "HEAD"], "give BASE and NEW"),
        (["results/planed", "results/planted"], "results/planed: "),
        ([BASE, "planed.yaml"], "planed.yaml: no such file"),
        (["nosuchrevision", "results/planted"], "nosuchrevision"),
        (["--against", "nosuchrevision", PLANTED], "nosuchrevision"),
        (
            [BASE, "results/planted", "--format", "json", "--out", "no/such/folder.json"],
            "no/such/folder.json: No such file",
        ),
    ],
)
def test_a_mistake_is_one_line(arguments, message, here):
    _, said = here("compare", *arguments, code=2)
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_revision_has_its_own_baseline(repository, here):
    for base in ("HEAD", f"HEAD:{BASE}", "results/baselines", BASE.removesuffix(".csv")):
        first = min((repository / "results/planted").glob("[!.]*")).relative_to(repository)
        assert here("compare", base, str(first))[0].startswith("same: 1 case"), base


@pytest.mark.slow
def test_git_bisects_a_planted_regression_to_its_commit(repository, inside, tmp_path):
    """Of four commits the third has the wrong sign; the line is the one that the report gives."""
    call(tmp_path, "git", "clone", "--quiet", str(repository), "cloned")
    home = tmp_path / "cloned"
    commits = []
    for at in range(4):
        plugin = PLUGIN if at < 2 else PLUGIN.replace(RIGHT, WRONG)
        (home / MINE).write_text(f"{plugin}# commit {at}\n")
        git(home, "commit", "--quiet", "-am", f"commit {at}")
        commits.append(git(home, "rev-parse", "HEAD").strip())
    told, _ = inside(home, "compare", BASE, PLANTED, code=1)
    assert told.startswith("worse: ring3/mine")
    line = " ".join(told.split()).partition("to find the commit: ")[2]
    assert line.endswith(f":./{BASE} {PLANTED} --bisect ring3/mine")
    found = call(home, "sh", "-c", line.replace("ganbench compare", f"{sys.executable} -m ganbench compare")).stdout
    assert f"{commits[2]} is the first bad commit" in found


def test_a_commit_that_cannot_be_told_is_skipped(here):
    here("compare", BASE, "nosuch.yaml", "--bisect", "ring3/mine", code=125)
    _, said = here("compare", BASE, "results/planted", "--bisect", "ring3/mnie", code=128)
    assert said == "--bisect: the base has no case 'ring3/mnie', did you mean 'ring3/mine'?\n"


def test_a_crash_is_not_taken_for_worse(repository, tmp_path):
    """Python's own exit code, 1, would blame a commit that cannot be imported."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['ganbench.compare.verdicts.judge'] = None\n")
    crashing = {**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    for more, code in (([], 3), (["--bisect", "ring3/mine"], 125)):
        command = [sys.executable, "-m", "ganbench", "compare", BASE, "results/planted", *more]
        found = subprocess.run(command, cwd=repository, env=crashing, capture_output=True, text=True)
        assert (found.returncode, "Traceback" in found.stderr) == (code, True)


@pytest.mark.slow
def test_a_sleep_in_the_step_is_found_against_the_commit_before(repository, inside, tmp_path):
    """Beside steps of some ms, 5 ms more: slower in every round. The unchanged tree is not accused."""
    call(tmp_path, "git", "clone", "--quiet", str(repository), "cloned")
    home = tmp_path / "cloned"
    command = ("compare", "--against", "HEAD", PLANTED, "--engine", "eager", "--rounds", "5")
    same, _ = inside(home, *command)
    assert "same" in same
    (home / MINE).write_text(
        PLUGIN.replace("def update(game, players):", "def update(game, players):\n    time.sleep(0.005)")
    )
    found, _ = inside(home, *command, code=1)
    assert "worse: ring3/mine (speed" in found


def test_a_full_disk_is_not_taken_for_worse(repository, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import ganbench.compare.sides.load as l\n"
        "def full(*a, **k): raise OSError(28, 'No space left on device', 'results/x')\n"
        "l.load = full\n"
    )
    full = {**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-m", "ganbench", "compare", BASE, "results/planted"]
    found = subprocess.run(command, cwd=repository, env=full, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (3, "results/x: No space left on device\n")
