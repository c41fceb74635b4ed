"""What all tests share: the shipped plugins, cells small enough to train in a test, and whole runs of small suites."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from ganbench import cli

if TYPE_CHECKING:
    import torch

    from ganbench.plugin.registry import Registry
    from ganbench.run.observer import RunObserver
    from ganbench.run.run import RunResult
    from ganbench.suite.plan import Cell

# What imports torch is imported where it is used: the process that gives xdist's workers their tests needs none of it,
# and they start when it is done.

# The same examples on every machine and in every run, however slow: a test that fails, fails for everybody.
settings.register_profile("ganbench", derandomize=True, deadline=None)
settings.load_profile("ganbench")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """No workers, each of which takes seconds to import torch, for one file, nor to time with."""
    one = len(config.args) == 1 and ("::" in config.args[0] or Path(config.args[0]).is_file())
    return 0 if one or config.getoption("benchmark_enable") else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """Share out the cores: workers, and what they start, would wait for each other's threads."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores // len(specs))))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Where only marked tests are asked for, a file that marks none need not be imported to know that."""
    if collection_path.suffix != ".py" or config.option.markexpr not in ("slow", "calibration", "slow or calibration"):
        return None
    text = collection_path.read_text(encoding="utf-8")
    return None if any(f"mark.{mark}" in text for mark in config.option.markexpr.split(" or ")) else True


#: A suite of one variant; ``{}`` is the variant's mapping.
SMALL = """
suite: small
seeds: {seeds}
budget: {{steps: {steps}, batch: {batch}}}
evaluate: {{every: {every}, samples: 500}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 16, depth: 1}}}}
variants: {{it: {variant}}}
metrics: [jsd, modes]
"""


@pytest.fixture(autouse=True)
def _same_draws() -> None:
    """A test that draws from torch's own generator draws the same numbers whichever tests its worker had before."""
    # Where no test has imported torch yet, its generator still has its first seed.
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    """On a busy machine anything may take seconds: what is only said then must not be among what a test compares."""
    from ganbench.core import patience

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patience, "PATIENCE", 3600.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_reports() -> Iterator[None]:
    """A page takes seconds to make, and a thousand tests run something."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANBENCH_NO_REPORT", "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def _interruptible() -> Iterator[None]:
    """A shell starts what it puts in the background deaf to Ctrl-C, and tests that interrupt would wait for ever."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module", autouse=True)
def _libraries_are_no_garbage() -> None:
    """Each cell of a run collects garbage, for which all that was imported until now would be looked through again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _shipped_files_run_once() -> Iterator[None]:
    """A command loads all plugins, in a third of a second, and hundreds of tests give commands; these files stay."""
    from ganbench.plugin import registry as registries

    read, known = registries.load_file, {}

    def once(path: Path, origin: str, source: bytes) -> Any:
        if origin != "shipped":
            return read(path, origin, source)
        if (path, source) not in known:
            known[path, source] = read(path, origin, source)
        return known[path, source]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registries, "load_file", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _kept_rows_of_the_tests_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What `ganbench list` keeps is not kept in the cache of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ganbench.plugin.kept_rows.cache_folder", lambda: tmp_path_factory.getbasetemp() / "cache")
        yield


@pytest.fixture(scope="session")
def shipped() -> Registry:
    """The shipped plugins."""
    from ganbench.plugin.registry import Registry

    return Registry.load()


@pytest.fixture(scope="session")
def cell(shipped: Registry):
    """A small cell: ``cell("{loss: minimax}", seeds=4, steps=100)``."""
    from ganbench.suite.load import parse
    from ganbench.suite.plan import plan

    def build(
        variant: str,
        seeds: int | list[int] = 4,
        steps: int = 100,
        every: int = 50,
        registry: Registry = shipped,
        batch: int = 32,
    ) -> Cell:
        suite = parse(SMALL.format(variant=variant, seeds=seeds, steps=steps, every=every, batch=batch), registry)
        return next(cell for cell in plan(suite) if cell.trained)

    return build


@pytest.fixture(scope="session")
def cpu() -> torch.device:
    import torch

    return torch.device("cpu")


@pytest.fixture(scope="module")
def one_thread():
    """Tensors as small as a test's are slower on more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def plugins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one file, foreign.py: what the test's module calls ``PLUGIN``."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "foreign.py").write_text(request.module.PLUGIN)
    return folder


@pytest.fixture(scope="module")
def run_text(plugins: Path, tmp_path_factory: pytest.TempPathFactory, cpu: torch.device):
    """Run a suite, given as text, with these plugins: ``run_text("suite: ...", out=folder)``."""
    from ganbench.plugin.registry import Registry
    from ganbench.run.observer import RunObserver
    from ganbench.run.run import run
    from ganbench.suite.load import parse

    def build(
        text: str,
        *,
        out: Path | None = None,
        engine: str = "auto",
        observer: RunObserver | None = None,
        pictures: bool = False,
        **saves: bool,
    ) -> RunResult:
        # Loaded afresh, as by a new process.
        registry = Registry.load(extra=plugins)
        assert not registry.broken
        return run(
            replace(parse(text, registry), pictures=pictures),
            out=out or tmp_path_factory.mktemp("results"),
            device=cpu,
            engine=engine,
            command=["ganbench"],
            observer=observer or RunObserver(),
            **saves,
        )

    return build


@pytest.fixture(scope="session")
def room_for():
    """Let a function be called so often and then fail: ``with room_for(5, Journal, "append", KeyboardInterrupt):``."""

    @contextmanager
    def within(calls: int, owner: object, name: str, error: Callable[[], BaseException]) -> Iterator[None]:
        function, room = getattr(owner, name), calls

        def until_full(*args: Any, **named: Any) -> Any:
            nonlocal room
            room -= 1
            if room < 0:
                raise error()
            return function(*args, **named)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, until_full)
            yield

    return within


@pytest.fixture
def gb(monkeypatch, capsys):
    """``code, out, err = gb("run", "smoke")``: the command line, in this process."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["ganbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return stop.value.code or 0, out, err

    return call
