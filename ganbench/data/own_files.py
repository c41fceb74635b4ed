"""Files that a suite names: where they are looked for."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ganbench.core.names import no_path_here
from ganbench.data.data_folder import VARIABLE


@dataclass(frozen=True)
class OwnFiles:
    """Finds files and folders by their paths in a suite: ``find("points.csv")``.

    A path is relative to ``folder``, that of the suite's file. What is not there is looked for in ``--data DIR``.
    """

    folder: Path = Path()

    def __call__(self, path: str, parameter: str = "file") -> Path:
        """The file or folder of a parameter. Raises ValueError, in one line, where there is none."""
        message = no_path_here(Path(path))
        if not path.strip() or "\0" in path:
            message = "is no path"
        if message:
            raise ValueError(f"{parameter} {path!r}: {message}")
        given = os.environ.get(VARIABLE)
        places = [self.folder, *([Path(given)] if given else [])]
        for place in places:
            if (found := place / Path(path).expanduser()).exists():
                return found
        if "://" in path:
            raise ValueError(f"{parameter} {path}: nothing is downloaded: fetch it, and name the file")
        if any(sign in path for sign in "*?[") and not message:
            raise ValueError(
                f"{parameter} {path}: there is no file of this name, and no pattern is read: name one file"
            )
        if Path(path).expanduser().is_absolute():
            expanded = Path(path).expanduser()
            seen = "" if expanded == Path(path) else f", it is {expanded}"
            raise ValueError(f"{parameter} {path}: there is no such file{seen}")
        looked = " nor in ".join(str(place.absolute()) for place in places)
        more = "" if given else "; --data DIR names another folder"
        raise ValueError(f"{parameter} {path}: is not in {looked}{more}")
