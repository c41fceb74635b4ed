"""A task of a run as its journal tells it, whoever trains it and wherever."""

from __future__ import annotations

from dataclasses import dataclass, field

from ganbench.core.shard import Shard
from ganbench.record import journal
from ganbench.record.events import CellEvent, RunFinished
from ganbench.record.folder import RunFolder
from ganbench.record.tasks import Tasks


@dataclass
class FollowedTask:
    """A task, followed: ``name`` for messages; ``folder``: the run of it, once it has begun."""

    tasks: Tasks
    shard: Shard
    name: str
    folder: RunFolder | None = None
    finished: bool = False
    _runs: list[str] = field(default_factory=list, init=False)
    _size: int = field(default=-1, init=False)
    _told: int = field(default=0, init=False)

    def news(self) -> list[CellEvent]:
        """What it has written since the last call. Raises ValueError where its journal is damaged."""
        if self.finished:
            return []
        # A journal is read only where it has grown, and run.json only where a worker has begun anew, as on another kind
        # of machine: this is asked of each task again and again.
        if (runs := sorted(path.name for path in self.tasks.home(self.shard).glob("[!.]*/"))) != self._runs:
            self._runs, found = runs, self.tasks.folder(self.shard)
            if found != self.folder:
                self.folder, self._size, self._told = found, -1, 0
        if self.folder is None or (size := self.folder.journal.stat().st_size) == self._size:
            return []
        events = journal.read(self.folder.journal)
        new, self._size, self._told = events[self._told :], size, len(events)
        self.finished = RunFinished() in new
        return [event for event in new if not isinstance(event, RunFinished)]
