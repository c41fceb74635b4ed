"""Another revision of a repository, written to a temporary folder; the repository itself is not changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ganbench
from ganbench.core import git

#: The folder that this ganbench is in: a checkout of its repository, or site-packages.
HOME = Path(ganbench.__file__).resolve().parent.parent


@dataclass(frozen=True)
class Checkout:
    """``folder`` holds the files of the repository at ``top`` as of ``commit``, which the user named ``revision``."""

    revision: str
    commit: str
    top: Path
    folder: Path

    @property
    def label(self) -> str:
        """The revision as the user named it, with its commit where that is another name."""
        short = self.commit[:9]
        return self.revision if self.commit.startswith(self.revision) else f"{self.revision} ({short})"

    @property
    def source(self) -> Path | None:
        """The folder to import ganbench from, if the revision holds ganbench itself."""
        return self.folder if (self.folder / "ganbench" / "__init__.py").is_file() else None

    def at(self, path: Path) -> Path | None:
        """The path in the checkout of a path in the working tree, existing or not; None outside of the repository."""
        path = path.resolve()
        return self.folder / path.relative_to(self.top) if path.is_relative_to(self.top) else None


@contextmanager
def checkout(revision: str, around: Path | None = None) -> Iterator[Checkout]:
    """A revision of the repository that contains the folder ``around``, until the end of the ``with``.

    Without ``around``: of the repository that contains the working folder or, where none does, of the one that contains
    ganbench's own code. It is never the second because the first lacks the revision: HEAD~3 means one of the first. The
    files come from ``git archive``, so nothing is left in the repository, whatever happens; files that
    ``.gitattributes`` excludes from archives are missing. Raises ValueError, in one line, where there is no such
    repository or revision.
    """
    top, commit = _find(revision, (Path.cwd(), HOME) if around is None else (around,))
    with tempfile.TemporaryDirectory(prefix="ganbench-", ignore_cleanup_errors=True) as folder:
        git.lay_out(top, commit, Path(folder))
        yield Checkout(revision, commit, top, Path(folder).resolve())


def _find(revision: str, folders: tuple[Path, ...]) -> tuple[Path, str]:
    """The repository around the first of these folders that is in one, and the commit that it has for the revision."""
    top = next((top for folder in folders if (top := git.top(folder))), None)
    if top is None:
        raise ValueError(
            f"{revision}: there is no git repository around {folders[0]}{git.missing(revision, folders[0])}"
        )
    if (commit := git.commit_of(revision, top)) is None:
        raise ValueError(f"{revision}: no such revision in {top}{git.missing(revision, top)}")
    return top, commit
