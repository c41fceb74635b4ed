"""A comparison for machines and for people elsewhere: job summaries, annotations, test reports, JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from ganbench.compare.verdicts.finding import Comparison
from ganbench.report.formats.github import as_github
from ganbench.report.formats.html import as_html
from ganbench.report.formats.json_object import as_json
from ganbench.report.formats.junit import as_junit
from ganbench.report.formats.markdown import as_markdown


class Format(Protocol):
    """One format of a comparison: a text that ends with a line's end.

    ``strict``: an unsure finding towards worse counts as a failure. ``suite_file``: the suite's file, where there is
    one.
    """

    def __call__(self, comparison: Comparison, *, strict: bool = False, suite_file: str | Path | None = None) -> str:
        """The comparison as text."""
        ...


#: What ``--format`` takes.
FORMATS: Mapping[str, Format] = {
    "markdown": as_markdown,
    "json": as_json,
    "junit": as_junit,
    "github": as_github,
    "html": as_html,
}
