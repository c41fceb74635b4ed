"""The run that a worker trains a task of: what the worker must have in common with it."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.core.disk import link
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

    def joined(self, about: Mapping[str, Any], suite_yaml: str) -> dict[str, Any]:
        """Check that what a worker is about to train is a part of the run.

        Args:
            about: The content of the shard's run.json.
            suite_yaml: The resolved suite.

        Returns:
            The content of the task's run.json: of the plan, which is the run's, it has the number of rows, see
            ``share``. A chunk of replicas may take as much in all tasks of the run.

        Raises:
            OtherPlanError: The suite, a plugin, the data or a version is another.
        """
        then = self.run.describe()
        then["plan"] = [cell["id"] for cell in then["cells"]]
        text = self.run.suite.read_text(encoding="utf-8")
        if found := plan_differences(then, text, about, suite_yaml):
            other = f"{platform.node()} would train something else than {self.run.path}"
            raise OtherPlanError(f"{other}: {'; '.join(found)}")
        own = {name: value for name, value in about.items() if name != "plan"}
        return own | {"rows": len(about["plan"]), "most_bytes": Tasks(self.run).most_bytes(about["most_bytes"])}

    def share(self, task: RunFolder) -> None:
        """Let the task have the run's suite, not a copy: their size would grow as the square of the number of tasks."""
        if not task.suite.is_symlink():
            link(task.suite, self.run.suite)
