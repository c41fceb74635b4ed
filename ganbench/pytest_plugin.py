"""``pytest suites/smoke.yaml``: a test for each case of a suite, which fails where its seeds do, or where it got worse.

Only a suite that is named on the command line, or that the ini option ``ganbench_suites`` matches, is collected. Heavy
modules are imported when a suite is collected, so this plugin does not slow down other tests.

A suite is trained once in a session, however its cases are shared out: to the workers of pytest-xdist, to child
processes, again and again. All of them know one folder, in which the first to come leaves where the run is.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ganbench.cli.session_run import JudgedRun, SessionRun
    from ganbench.suite.suite import Suite

_SUITE_KEY = re.compile(r"""^(suite|"suite"|'suite')\s*:""", re.MULTILINE)
_SHARED = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
#: The name of that folder in what pytest-xdist gives a worker.
_WORKER = "ganbench_shared"


class CaseFailedError(Exception):
    """A case that is worse than its base, or whose seeds failed; its text has a line for each reason."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of suites."""
    group = parser.getgroup("ganbench", "suites of GANs (pytest suites/smoke.yaml)")
    group.addoption("--ganbench-out", metavar="DIR", default="results", help="Where runs are kept: DIR/<suite>/<run>/.")
    group.addoption("--ganbench-seeds", metavar="N", type=_count, help="Train seeds 0 to N-1 in place of the suite's.")
    group.addoption(
        "--ganbench-against",
        metavar="BASE",
        help="Judge against this run, baseline or git revision; results/baselines/<suite>.csv where that is there.",
    )
    group.addoption(
        "--ganbench-strict",
        action="store_true",
        help="Fail also where something is unsure and towards worse, gone or not comparable.",
    )
    parser.addini("ganbench_suites", "suites to collect without being named: patterns of paths", type="args")


def pytest_configure(config: pytest.Config) -> None:
    """Let the summary be told."""
    config.pluginmanager.register(Summary(), "ganbench-summary")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder that all processes know."""
    if (shared := config.stash.get(_SHARED, None)) is not None:
        shared.cleanup()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist the folder that all know."""
    node.workerinput[_WORKER] = str(_shared(node.config))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The suite in a YAML file, if it is named or matched."""
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    if not parent.session.isinitpath(file_path) and not _listed(file_path, parent.config):
        return None
    try:
        is_suite = _SUITE_KEY.search(file_path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        return None
    return SuiteItems.from_parent(parent, path=file_path) if is_suite else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Read the base of ``--ganbench-against`` before any training, so that a missing base is reported at once."""
    for suite in dict.fromkeys(item.parent for item in items if isinstance(item, CaseItem)):
        if isinstance(suite, SuiteItems) and suite.config.getoption("--ganbench-against"):
            suite.check_base()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give a case's report, which reaches the process with the terminal, the line of the summary."""
    report = yield
    if isinstance(item, CaseItem):
        report.__dict__["ganbench"] = item.told
    return report


class Summary:
    """Where the runs are and what they were judged against, from the reports of all processes."""

    def __init__(self) -> None:
        self._lines: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the line of a case."""
        if line := getattr(report, "ganbench", ""):
            self._lines[line] = None

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the lines, each once."""
        if self._lines:
            terminalreporter.section("ganbench")
            for line in self._lines:
                terminalreporter.write_line(line)


class SuiteItems(pytest.File):
    """A suite's file; its selected cases are trained together, when the first of them is run."""

    _run: SessionRun
    _result: JudgedRun | Exception | None = None

    def collect(self) -> Iterator[CaseItem]:
        """An item for each trained row of each data set, in the suite's order."""
        from ganbench.cli.session_run import SessionRun
        from ganbench.plugin.registry import Registry
        from ganbench.suite.load import load
        from ganbench.suite.mistake import SuiteError
        from ganbench.suite.plan import plan

        file = _near(self.path)
        try:
            suite = load(file, Registry.load([self.path.parent / "plugins", Path("plugins")]))
        except SuiteError as error:
            raise self.CollectError(str(error)) from None
        seeds = self.config.getoption("--ganbench-seeds")
        self._run = SessionRun(
            self.path,
            suite if seeds is None else suite.with_seeds(seeds),
            out=Path(self.config.getoption("--ganbench-out")),
            against=str(self.config.getoption("--ganbench-against") or ""),
            homes=[*dict.fromkeys((Path("results"), self.config.rootpath / "results"))],
            shared=_shared(self.config),  # before any process is forked for a test
            command=["pytest", *map(str, self.config.invocation_params.args)],
        )
        lines = _lines(file)
        for cell in plan(self._run.suite):
            if cell.trained is not None:
                name = f"{cell.dataset}/{cell.variant}"
                yield CaseItem.from_parent(
                    self,
                    name=name,
                    dataset=cell.dataset,
                    variant=cell.variant,
                    family=cell.family,
                    line=lines.get(cell.family, 1),
                )

    def result(self) -> JudgedRun:
        """The run and what it was judged against; trained once, then returned (or raised) each time."""
        if self._result is None:
            from ganbench.core.fresh_process import DeviceLostError
            from ganbench.record.folder import RunLockedError
            from ganbench.train.device import NoDeviceError

            try:
                self._result = self._run.judged(self._selected())
            except (RunLockedError, DeviceLostError, NoDeviceError, OSError, ValueError) as error:
                self._result = CaseFailedError(str(error))
            except Exception as error:
                self._result = error
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def check_base(self) -> None:
        """Read the base. Raises UsageError, or in a worker, where nobody would read that, lets each case say it."""
        try:
            self._run.base()
        except (OSError, ValueError) as error:
            message = f"--ganbench-against: {error}"
            if not hasattr(self.config, "workerinput"):
                raise pytest.UsageError(message) from None
            self._result = CaseFailedError(message)

    def _selected(self) -> Suite:
        """The suite with no more datasets and variants than the selected items need."""
        from ganbench.suite.plan import plan

        suite = self._run.suite
        items = [item for item in self.session.items if isinstance(item, CaseItem) and item.parent is self]
        datasets, families = {item.dataset for item in items}, {item.family for item in items}
        some = replace(
            suite,
            datasets={name: one for name, one in suite.datasets.items() if name in datasets},
            variants={name: one for name, one in suite.variants.items() if name in families},
            sweeps={name: one for name, one in suite.sweeps.items() if name in families},
            guard={name: one for name, one in suite.guard.items() if name in {"", *families}},
            expect={
                name: {dataset: word for dataset, word in one.items() if dataset in datasets}
                for name, one in suite.expect.items()
                if name in families
            },
            published=None,
        )
        there = {(cell.dataset, cell.variant) for cell in plan(some)}
        return replace(some, published=suite.published and suite.published.of(there))


class CaseItem(pytest.Item):
    """One case: a data set and a trained row. ``line``: the line of its variant in the suite."""

    def __init__(self, *, dataset: str, variant: str, family: str, line: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset, self.variant, self.family, self.line = dataset, variant, family, line
        #: Where the run is and what it was judged against; empty until then.
        self.told = ""

    def runtest(self) -> None:
        """Raise CaseFailedError where the case failed or got worse; skip it where it cannot be compared."""
        assert isinstance(self.parent, SuiteItems)
        judged, name = self.parent.result(), (self.dataset, self.variant)
        self.told = judged.line
        self.user_properties[:] = [("ganbench_run", judged.folder)]
        if reasons := judged.reasons(name, strict=bool(self.config.getoption("--ganbench-strict"))):
            raise CaseFailedError("\n".join(reasons))
        if why := judged.not_comparable(name):
            pytest.skip(why)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The reasons why the case failed, without a traceback; other errors have one."""
        if isinstance(excinfo.value, CaseFailedError):
            return "\n".join(f"{_near(self.path)}:{self.line}: {line}" for line in str(excinfo.value).splitlines())
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The place of the variant in the suite."""
        return self.path, self.line - 1, self.name


def _shared(config: pytest.Config) -> Path:
    """The folder that all processes of this session know."""
    given: Mapping[str, Any] = getattr(config, "workerinput", {})
    if _WORKER in given:
        folder = Path(given[_WORKER])
        folder.mkdir(parents=True, exist_ok=True)  # a worker may be on another machine
        return folder
    if _SHARED not in config.stash:
        config.stash[_SHARED] = tempfile.TemporaryDirectory(prefix="ganbench-", ignore_cleanup_errors=True)
    return Path(config.stash[_SHARED].name)


def _lines(file: Path) -> dict[str, int]:
    """The line of each variant in the suite."""
    from ganbench.suite import document

    keys = document.read(file).keys
    return {str(place[1]): line for place, (line, _) in keys.items() if len(place) == 2 and place[0] == "variants"}


def _listed(path: Path, config: pytest.Config) -> bool:
    patterns: Iterable[str] = config.getini("ganbench_suites")
    if not path.is_relative_to(config.rootpath):
        return False
    return any(fnmatch(path.relative_to(config.rootpath).as_posix(), pattern) for pattern in patterns)


def _near(path: Path) -> Path:
    """The path relative to the working folder, if it is inside it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 100000, not {text!r}")
    return int(text)
