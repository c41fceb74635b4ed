"""A run as a page shows it: its record, its tables and what its run.json says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from ganbench.plugin.column import Column, find
from ganbench.record.cell_record import CellRecord
from ganbench.record.control import controls
from ganbench.record.folder import RunFolder
from ganbench.record.gaps import gap_lines
from ganbench.record.record import Record
from ganbench.record.tables.best_of_k import tries
from ganbench.record.tables.differences import differences
from ganbench.record.tables.profiles import profiles
from ganbench.record.tables.published import published
from ganbench.record.tables.tables import table
from ganbench.record.tables.values import sided


@dataclass(frozen=True)
class ShownRun:
    """A run and its tables, each made when it is first asked for.

    ``label``: what it is called where several runs are side by side.
    """

    label: str
    folder: RunFolder
    record: Record
    described: Mapping[str, Any]

    @classmethod
    def read(cls, folder: RunFolder, label: str = "") -> ShownRun:
        """The run in a folder, finished or not. Raises ValueError, in one line, where it cannot be read."""
        described = folder.describe()
        record = Record.read(folder)
        own = f"{described.get('suite', record.name)}, run {described.get('run', folder.path.name)}"
        return cls(label or own, folder, record, described)

    @property
    def suite(self) -> str:
        """The suite's name."""
        return str(self.described.get("suite", self.record.name))

    @property
    def datasets(self) -> list[str]:
        """The datasets, in the suite's order."""
        return list(dict.fromkeys(cell.dataset for cell in self.record.cells))

    @property
    def main(self) -> Column | None:
        """The column that tells best which of two variants is better; None where none does."""
        return find(self.record.columns, "primary") or next(iter(sided(self.record.columns)), None)

    def cells(self, dataset: str, *, reference: bool = False) -> list[CellRecord]:
        """The trained cells on a dataset, or those of references."""
        return [one for one in self.record.cells if one.dataset == dataset and one.reference == reference]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table, as table.csv has it."""
        return table(self.record)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Each variant minus the first one, as differences.csv has it."""
        return differences(self.record)

    @cached_property
    def profiles(self) -> pd.DataFrame:
        """The performance profiles, as profiles.csv has them."""
        return profiles(self.record)

    @cached_property
    def tries(self) -> pd.DataFrame | None:
        """The best of k settings of the main column; None where nothing is swept."""
        return tries(self.record, columns=1) if self.record.swept else None

    @cached_property
    def published(self) -> pd.DataFrame:
        """What a paper gives beside ours, as published.csv has it; empty where the suite says nothing of that."""
        return published(self.record)

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader has to know before any number: what is not there yet, what is void, what is damaged."""
        found = [*self.record.about, *(one.void for one in controls(self.record) if one.void)]
        found += [f"{line}: its numbers are not those of the run" for line in gap_lines(self.record)]
        if not self.record.finished:
            ended = sum(cell.ended for cell in self.record.cells)
            found.append(
                f"this run has not finished: {ended} of {len(self.record.cells)} cells have ended, and what is not "
                "measured yet counts as lost"
            )
        return tuple(found)
