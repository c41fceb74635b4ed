"""Another revision of a repository, laid out in a temporary folder; the repository itself is left as it is."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ganbench

#: The folder that this ganbench is in: a checkout of its repository, or site-packages.
HOME = Path(ganbench.__file__).resolve().parent.parent


@dataclass(frozen=True)
class Checkout:
    """``folder`` holds what the repository at ``top`` held at ``commit``, which the user called ``revision``."""

    revision: str
    commit: str
    top: Path
    folder: Path

    @property
    def label(self) -> str:
        """The revision as the user named it, with its commit where that says more."""
        short = self.commit[:9]
        return self.revision if self.commit.startswith(self.revision) else f"{self.revision} ({short})"

    @property
    def source(self) -> Path | None:
        """The folder to import ganbench from, if the revision holds ganbench itself."""
        return self.folder if (self.folder / "ganbench" / "__init__.py").is_file() else None

    def at(self, path: Path) -> Path | None:
        """Where a path of the working tree is in the checkout, there or not; None for one outside of the repository."""
        path = path.resolve()
        return self.folder / path.relative_to(self.top) if path.is_relative_to(self.top) else None


@contextmanager
def checkout(revision: str, around: Path | None = None) -> Iterator[Checkout]:
    """A revision of the repository around a folder, until the end of the ``with``.

    Without ``around``: around the working folder, or else around ganbench's own code. It is taken from git's archive,
    so nothing is left behind in the repository, whatever happens; files that ``.gitattributes`` keeps out of archives
    are missing. Raises ValueError, in one line, where there is no such repository or revision.
    """
    top, commit = _find(revision, [Path.cwd(), HOME] if around is None else [around])
    with tempfile.TemporaryDirectory(prefix="ganbench-", ignore_cleanup_errors=True) as folder:
        _lay_out(top, commit, Path(folder))
        yield Checkout(revision, commit, top, Path(folder).resolve())


def _find(revision: str, folders: list[Path]) -> tuple[Path, str]:
    """The first repository around one of these folders that knows the revision, and the commit."""
    tops: dict[Path, None] = {}
    for folder in folders:
        if found := _said("-C", str(folder), "rev-parse", "--show-toplevel"):
            tops[Path(found).resolve()] = None
    for top in tops:
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if commit := _said("-C", str(top), *asked):
            return top, commit
    if not tops:
        raise ValueError(f"{revision}: there is no git repository around {folders[0]}")
    shallow = any(_said("-C", str(top), "rev-parse", "--is-shallow-repository") == "true" for top in tops)
    hint = "; it is a shallow clone, which git fetch --unshallow completes" if shallow else ""
    raise ValueError(f"{revision}: no such revision in {' or '.join(map(str, tops))}{hint}")


def _lay_out(top: Path, commit: str, folder: Path) -> None:
    command = ["git", "-C", str(top), "archive", "--format=tar", commit]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment()
    ) as git:
        assert git.stdout is not None
        assert git.stderr is not None
        try:
            with tarfile.open(fileobj=git.stdout, mode="r|") as archive:
                archive.extractall(folder, filter="tar")
        except (tarfile.TarError, OSError) as error:
            git.kill()
            said = git.stderr.read().decode(errors="replace").strip().splitlines()
            raise ValueError(f"{commit[:9]} cannot be laid out: {said[0] if said else error}") from None
        if git.wait():
            raise ValueError(f"{commit[:9]} cannot be laid out: {git.stderr.read().decode(errors='replace').strip()}")


def _said(*arguments: str) -> str | None:
    """What git prints, stripped; None where it is not there or fails."""
    try:
        result = subprocess.run(
            ["git", *arguments], capture_output=True, text=True, timeout=60, env=_environment(), check=True
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return result.stdout.strip() or None


def _environment() -> dict[str, str]:
    # GIT_DIR and its like, set while git runs a hook, would answer for another repository than the folder's.
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
