"""``pytest suites/smoke.yaml``: a test for each case of a suite, which fails where its seeds do, or where it got worse.

Only a suite that is named on the command line, or that the ini option ``ganbench_suites`` matches, is collected. Heavy
modules are imported when a suite is collected, so this plugin does not slow down other tests.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ganbench.compare.sides.compared_run import ComparedRun
    from ganbench.compare.verdicts.finding import Comparison, Finding
    from ganbench.suite.suite import Suite

_SUITE_KEY = re.compile(r"""^(suite|"suite"|'suite')\s*:""", re.MULTILINE)
_SUMMARY = pytest.StashKey[list[str]]()


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
            try:
                suite.base()
            except (OSError, ValueError) as error:
                raise pytest.UsageError(f"--ganbench-against: {error}") from None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print where the runs are and what they were judged against."""
    if lines := config.stash.get(_SUMMARY, []):
        terminalreporter.section("ganbench")
        for line in lines:
            terminalreporter.write_line(line)


class SuiteItems(pytest.File):
    """A suite's file; its selected cases are trained together, when the first of them is run."""

    _suite: Suite
    _known: tuple[str, ComparedRun | None] | None = None
    _result: tuple[ComparedRun, Comparison | None, str] | Exception | None = None

    def collect(self) -> Iterator[CaseItem]:
        """An item for each trained row of each data set, in the suite's order."""
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
        self._suite = suite if seeds is None else suite.with_seeds(seeds)
        lines = _lines(file)
        for cell in plan(self._suite):
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

    def result(self) -> tuple[ComparedRun, Comparison | None, str]:
        """The measured run, its comparison, and its folder; trained once, then returned (or raised) each time."""
        if self._result is None:
            from ganbench.record.folder import RunLockedError

            try:
                self._result = self._train()
            except (RunLockedError, OSError, ValueError) as error:
                self._result = CaseFailedError(str(error))
            except Exception as error:
                self._result = error
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def _train(self) -> tuple[ComparedRun, Comparison | None, str]:
        from ganbench.compare.sides.load import load
        from ganbench.compare.verdicts.judge import compare
        from ganbench.run.observer import Observer
        from ganbench.run.run import run
        from ganbench.train.device import choose

        out = Path(self.config.getoption("--ganbench-out"))
        # Before training, so that a damaged base is reported at once.
        base, known = self.base()
        suite = self._selected()
        # A run of a part of the suite goes to another folder: it must not be taken for the suite's newest run.
        result = run(
            suite,
            out=out if suite == self._suite else out / "partial",
            device=choose("auto"),
            engine="auto",
            command=["pytest", *map(str, self.config.invocation_params.args)],
            observer=Observer(),
        )
        folder = str(result.folder.path)
        now = load(folder)
        summary = self.config.stash.setdefault(_SUMMARY, [])
        summary.append(f"{folder}, judged {f'against {base}' if base else 'by itself: there is no baseline'}")
        return now, None if known is None else compare(known, now), folder

    def base(self) -> tuple[str, ComparedRun | None]:
        """The base's name, and the base; ("", None) where there is none to judge against. Raises ValueError."""
        if self._known is None:
            from ganbench.compare.sides.load import load

            name = self._base()
            self._known = name, load(name, suite=self._suite.name) if name else None
        return self._known

    def _base(self) -> str:
        if given := self.config.getoption("--ganbench-against"):
            return str(given)
        out = Path(self.config.getoption("--ganbench-out"))
        homes = dict.fromkeys((Path("results"), self.config.rootpath / "results", out))
        usual = (home / "baselines" / f"{self._suite.name}.csv" for home in homes)
        return next((str(path) for path in usual if path.is_file()), "")

    def _selected(self) -> Suite:
        """The suite with no more datasets and variants than the selected items need."""
        items = [item for item in self.session.items if isinstance(item, CaseItem) and item.parent is self]
        datasets, families = {item.dataset for item in items}, {item.family for item in items}
        return replace(
            self._suite,
            datasets={name: one for name, one in self._suite.datasets.items() if name in datasets},
            variants={name: one for name, one in self._suite.variants.items() if name in families},
            sweeps={name: one for name, one in self._suite.sweeps.items() if name in families},
            guard={name: one for name, one in self._suite.guard.items() if name in {"", *families}},
        )


class CaseItem(pytest.Item):
    """One case: a data set and a trained row. ``line``: the line of its variant in the suite."""

    def __init__(self, *, dataset: str, variant: str, family: str, line: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dataset, self.variant, self.family, self.line = dataset, variant, family, line

    def runtest(self) -> None:
        """Raise CaseFailedError where the case failed or got worse; skip it where it cannot be compared."""
        from ganbench.report.finding import line

        assert isinstance(self.parent, SuiteItems)
        measured, comparison, folder = self.parent.result()
        self.user_properties.append(("ganbench_run", folder))
        reasons = list(_failures(measured, (self.dataset, self.variant)))
        mine = [] if comparison is None else _of(comparison, self)
        reasons += [line(finding) for finding in mine if self._is_wrong(finding)]
        if reasons:
            raise CaseFailedError("\n".join(reasons))
        for finding in mine:
            if finding.kind == "case" and finding.outcome == "not comparable":
                pytest.skip(line(finding))

    def _is_wrong(self, finding: Finding) -> bool:
        return finding.outcome == "worse" or (bool(self.config.getoption("--ganbench-strict")) and finding.unsettled)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The reasons why the case failed, without a traceback; other errors have one."""
        if isinstance(excinfo.value, CaseFailedError):
            return "\n".join(f"{_near(self.path)}:{self.line}: {line}" for line in str(excinfo.value).splitlines())
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The place of the variant in the suite."""
        return self.path, self.line - 1, self.name


def _of(comparison: Comparison, item: CaseItem) -> list[Finding]:
    """The findings on a case, except failed seeds: those are reported by ``_failures``, compared or not."""
    return [
        finding
        for finding in comparison.counted()
        if (finding.dataset, finding.variant) == (item.dataset, item.variant) and finding.outcome != "failed"
    ]


def _failures(measured: ComparedRun, name: tuple[str, str]) -> Iterator[str]:
    """A line for each way in which seeds of a case ended without a result."""
    seeds = measured.cases[name].seeds.values()
    for status in dict.fromkeys(seed.status for seed in seeds if not seed.status.measured):
        messages = [seed.message for seed in seeds if seed.status is status]
        why = next((f": {message}" for message in messages if message), "")
        yield f"failed: {len(messages)} of {len(seeds)} seeds {status}{why}"


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
