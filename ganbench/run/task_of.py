"""The run that a worker trains a task of: what the worker must have in common with it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.record.folder import RunFolder
from ganbench.record.identity import plan_differences
from ganbench.record.tasks import Tasks

#: Why the clocks of a cell measure nothing true.
BESIDE = "trained beside other tasks of the run, perhaps on one machine"


class OtherPlanError(ValueError):
    """A worker would train something else than the run that it works for; the message, one line, says what differs."""


@dataclass(frozen=True)
class TaskOf:
    """A run, seen by a worker that trains a task of it; ``alone``: whether nothing else uses the worker's machine."""

    run: RunFolder
    alone: bool

    @property
    def disturbed(self) -> str:
        """Why clocks measure nothing true here; empty where they do."""
        return "" if self.alone else BESIDE

    @property
    def command(self) -> list[str]:
        """The command line that began the run."""
        return [str(word) for word in self.run.describe()["command"]]

    def joins(self, about: Mapping[str, Any], suite_yaml: str) -> int:
        """Check that what a worker is about to train is a part of the run.

        Args:
            about: The content of the shard's run.json.
            suite_yaml: The resolved suite.

        Returns:
            What a chunk of replicas may take in all tasks of the run.

        Raises:
            OtherPlanError: The suite, a plugin, the data or a version is another.
        """
        then = self.run.describe()
        then["plan"] = [cell["id"] for cell in then["cells"]]
        text = self.run.suite.read_text(encoding="utf-8")
        if found := plan_differences(then, text, about, suite_yaml):
            other = f"{platform.node()} would train something else than {self.run.path}"
            raise OtherPlanError(f"{other}: {'; '.join(found)}")
        return Tasks(self.run).most_bytes(about["most_bytes"])
