"""The folder of data sets that come as files, and how a missing one is downloaded.

The folder is that of ``--data DIR``, else of the environment variable ``GANBENCH_DATA``, else ``ganbench`` in the
user's cache. Inside it files have the paths that torchvision uses, so that torchvision's folders work unchanged.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ganbench.core.cache_folder import cache_folder
from ganbench.core.disk import make_folder

#: The environment variable; ``--data`` sets it, so that the processes that a command starts inherit it.
VARIABLE = "GANBENCH_DATA"


def data_folder() -> Path:
    """The folder that holds data sets. Raises ValueError, one line, for a user without a home."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    try:
        return cache_folder()
    except RuntimeError:
        raise ValueError(f"no home folder to keep data sets in: give one with --data DIR or {VARIABLE}") from None


def located(folder: Path, places: Iterable[str]) -> Path | None:
    """The first of some paths inside a folder that exists, packed (.gz) or not; None where none does."""
    for place in places:
        for path in (folder / place, folder / f"{place}.gz"):
            if path.is_file():
                return path
    return None


class MissingDataError(ValueError):
    """The files of a data set are missing; the message, one line, tells the user how to get them."""

    @classmethod
    def of(cls, what: str, folder: Path, place: str) -> MissingDataError:
        """The error of a data set whose file is missing.

        Args:
            what: The data set, as users call it.
            folder: Where it was looked for.
            place: The file's place in that folder.

        Returns:
            The error.
        """
        return cls(
            f"{what} is not there: no {folder / place}; "
            "give its folder with --data DIR, or set the data set's parameter 'download: true'"
        )


def download(name: str, folder: Path) -> None:
    """Download torchvision's data set of this name into a folder, with torchvision.

    A data set that is in the folder already stays as it is. Raises MissingDataError, one line, where torchvision or the
    network does not work.
    """
    try:
        from torchvision import datasets  # type: ignore[import-untyped]  # late: slow, and not in every environment
    except Exception as error:  # a torchvision that does not match torch fails in many ways
        raise MissingDataError(f"download: needs torchvision, which cannot be imported: {_line(error)}") from None
    try:
        make_folder(folder)
        getattr(datasets, name)(str(folder), download=True)
    except (OSError, RuntimeError) as error:
        raise MissingDataError(f"download: {name} could not be put into {folder}: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
