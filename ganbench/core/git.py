"""Reads the git repository of a folder: commits, files as a commit has them, branches and tags.

Nothing here changes a repository. Where git is missing, fails or hangs, the result is None or empty.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

_SECONDS = 60


def environment() -> dict[str, str]:
    """The environment without ``GIT_DIR`` and the like: a git hook sets them, and they name another repository."""
    return {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}


def ask(*command: str, around: Path | None = None) -> bytes | None:
    """The output of a git command in the folder ``around``, by default the working folder; None where git fails."""
    where = () if around is None else ("-C", str(around))
    try:
        result = subprocess.run(
            ["git", *where, *command], capture_output=True, timeout=_SECONDS, env=environment(), check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return result.stdout


def line(*command: str, around: Path | None = None) -> str | None:
    """The output of a git command as stripped text; None where git fails or its output is not text."""
    printed = ask(*command, around=around)
    try:
        return None if printed is None else printed.decode().strip()
    except UnicodeDecodeError:
        return None


def commit_of_file(file: Path) -> dict[str, Any] | None:
    """The commit that ``file`` is part of, and whether its repository differs from it.

    None without git, outside a repository, and for a file that the repository around it does not track: the
    commits of somebody's project do not describe a package that is installed inside it.
    """
    folder = file.resolve().parent
    if ask("ls-files", "--error-unmatch", "--", file.name, around=folder) is None:
        return None
    return state(folder)


def state(around: Path) -> dict[str, Any] | None:
    """The commit that is checked out in the repository around a folder, and whether anything differs from it.

    None without git, and outside a repository.
    """
    folder = around.resolve()
    commit = line("rev-parse", "HEAD", around=folder)
    changes = line("--no-optional-locks", "status", "--porcelain", around=folder)
    return None if commit is None else {"commit": commit, "dirty": changes != ""}


def top(around: Path) -> Path | None:
    """The top folder of the repository around a folder; None outside a repository."""
    found = line("rev-parse", "--show-toplevel", around=around)
    return Path(found).resolve() if found else None


def is_shallow(around: Path) -> bool:
    """Whether the repository around a folder is a shallow clone, which lacks older commits."""
    return line("rev-parse", "--is-shallow-repository", around=around) == "true"


def missing(revision: str, around: Path | None = None) -> str:
    """The end of a message about a revision that is not found: why that may be, and the command that brings it.

    Empty where nothing is known. Every command is one that works as it stands: a shallow clone has usually one branch,
    so that ``--unshallow`` alone would not bring the others.
    """
    where = Path.cwd() if around is None else around
    try:
        asked = subprocess.run(
            ["git", "-C", str(where), "remote"], capture_output=True, timeout=_SECONDS, env=environment(), check=False
        )
    except OSError:
        return "; git is not installed here"
    except subprocess.SubprocessError:
        return ""
    if b"dubious ownership" in asked.stderr:
        return (
            "; git does not read a repository of another user: git config --global --add safe.directory '*' allows it"
        )
    remotes = asked.stdout.decode(errors="replace").split()
    remote = next((one for one in remotes if revision.startswith(f"{one}/")), "")
    if is_shallow(where):
        every = remote or (remotes or ["origin"])[0]
        command = f'git fetch --unshallow --tags {every} "+refs/heads/*:refs/remotes/{every}/*"'
        return f"; this clone is shallow: {command} brings the rest (in actions/checkout: fetch-depth: 0)"
    if remote:
        branch = revision.removeprefix(f"{remote}/")
        command = f'git fetch {remote} "+refs/heads/{branch}:refs/remotes/{revision}"'
        return f"; where {remote} has that branch, {command} brings it"
    return ""


def commit_of(revision: str, around: Path | None = None) -> str | None:
    """The commit of a revision in the repository around a folder; None where there is no such revision."""
    command = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return line(*command, around=around) or None


def content(commit: str, path: str) -> bytes | None:
    """The content of a file at a commit; None where the commit has no such file.

    The path is relative to the working folder or, where the commit has no such file there, to the repository's top.
    """
    near = path if path.startswith(("./", "../")) else f"./{path}"
    for place in dict.fromkeys((near, path)):
        # For a folder git would print the list of its files.
        if ask("cat-file", "-t", f"{commit}:{place}") == b"blob\n":
            return ask("cat-file", "blob", f"{commit}:{place}")
    return None


def files(commit: str, end: str) -> list[str]:
    """The paths, from the repository's top, of the commit's files whose names have this ``end``."""
    listed = ask("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit) or b""
    return [path for path in listed.decode(errors="replace").split("\0") if path.endswith(end)]


def names() -> list[str]:
    """The branches and tags of the repository around the working folder; none without a repository."""
    listed = ask("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags") or b""
    return listed.decode(errors="replace").split()


def versions(file: Path, folder: Path) -> list[str]:
    """The commits that touched a file, newest first; ``file`` is relative to ``folder``."""
    return (ask("log", "--format=%H", "--", str(file), around=folder) or b"").decode().split()


def lay_out(top: Path, commit: str, folder: Path) -> None:
    """Write the files of a commit into a folder, from ``git archive``.

    Files that ``.gitattributes`` keeps out of archives are missing.

    Args:
        top: the top folder of the repository.
        commit: the commit whose files are written.
        folder: the folder that gets them.

    Raises:
        ValueError: git or the extraction failed; the message is one line.
    """
    command = ["git", "-C", str(top), "archive", "--format=tar", commit]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as git:
        assert git.stdout is not None
        assert git.stderr is not None
        try:
            with tarfile.open(fileobj=git.stdout, mode="r|") as archive:
                archive.extractall(folder, filter="tar")
        except (tarfile.TarError, OSError) as error:
            git.kill()
            lines = git.stderr.read().decode(errors="replace").strip().splitlines()
            raise ValueError(f"{commit[:9]} cannot be extracted: {lines[0] if lines else error}") from None
        if git.wait():
            raise ValueError(f"{commit[:9]} cannot be extracted: {git.stderr.read().decode(errors='replace').strip()}")
