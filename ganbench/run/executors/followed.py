"""A task of a run as its journal tells it, whoever trains it and wherever."""

from __future__ import annotations

from collections.abc import Mapping
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
    _sizes: Mapping[RunFolder, int] = field(default_factory=dict, init=False)
    _told: int = field(default=0, init=False)

    def news(self, *, closely: bool = False) -> list[CellEvent]:
        """What it has written since the last call. Raises ValueError where its journal is damaged.

        A journal is read only where one has grown, for this is asked of each task again and again. ``closely``: it is
        read in any case: a disk of the network tells the size of a file as it was a minute ago, but not what is in it.
        """
        if self.finished or ((sizes := self.tasks.sizes(self.shard)) == self._sizes and not closely):
            return []
        self._sizes = sizes
        # There are several where a worker has begun anew, as on another kind of machine. Which is the newest is not
        # known where clocks differ: any of them may be the one that goes on and finishes.
        if len(sizes) > 1 or self.folder is None:
            found = self.tasks.folder(self.shard)
            if found != self.folder:
                self.folder, self._told = found, 0
        if self.folder is None:
            return []
        events = journal.read(self.folder.journal)
        new, self._told = events[self._told :], len(events)
        self.finished = RunFinished() in new
        return [event for event in new if not isinstance(event, RunFinished)]
