"""A shard: which of how many parts of a run, counted from 1, as ``2/3``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Shard:
    """Part ``index`` of ``of``, from 1 to ``of``."""

    index: int
    of: int

    def __str__(self) -> str:
        return f"shard {self.index} of {self.of}"

    @property
    def text(self) -> str:
        """As an option has it."""
        return f"{self.index}/{self.of}"

    @property
    def name(self) -> str:
        """As a folder is called."""
        return f"{self.index}-of-{self.of}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard that ``i/n`` means. Raises ValueError, in one line, for anything else."""
        found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text.strip())
        if not found:
            raise ValueError(f"{text!r} is no shard: write i/n, as 1/2 and 2/2 for two machines")
        index, of = map(int, found.groups())
        if not 1 <= index <= of:
            last = f"the shards of {of} are 1/{of} to {of}/{of}" if of else "write i/n, as 1/2 and 2/2 for two machines"
            raise ValueError(f"there is no shard {text}: they are counted from 1; {last}")
        return cls(index, of)

    @classmethod
    def of_run(cls, run: Mapping[str, Any]) -> Self | None:
        """The shard that a run.json is of; None where it is of a whole run. Raises ValueError where it is damaged."""
        return cls.parse(str(run["shard"])) if "shard" in run else None
