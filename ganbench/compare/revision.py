"""Files as a git revision has them: read, never checked out."""

from __future__ import annotations

import os
import subprocess


def commit_of(revision: str) -> str | None:
    """The commit that a revision means in the repository around the working folder; None where it means none."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return None if found is None else found.decode().strip()


def content(commit: str, path: str) -> bytes | None:
    """A file as it was: its path is relative to the working folder or, where nothing is there, to the repository's top.

    None where the commit has no such file.
    """
    near = path if path.startswith(("./", "../")) else f"./{path}"
    for place in dict.fromkeys((near, path)):
        # Of a folder, git would show what is in it.
        if _git("cat-file", "-t", f"{commit}:{place}") == b"blob\n":
            return _git("cat-file", "blob", f"{commit}:{place}")
    return None


def files(commit: str, end: str) -> list[str]:
    """The paths, from the repository's top, of the commit's files whose names end so."""
    listed = _git("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit) or b""
    return [path for path in listed.decode(errors="replace").split("\0") if path.endswith(end)]


def names() -> list[str]:
    """The branches and tags of the repository around the working folder; none without one."""
    listed = _git("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags") or b""
    return listed.decode(errors="replace").split()


def _git(*command: str) -> bytes | None:
    """What git prints; None where it is not there, fails or hangs."""
    # GIT_DIR and its like, set while git runs a hook, would answer for another repository than the folder's.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    try:
        return subprocess.run(["git", *command], capture_output=True, timeout=60, env=environment, check=True).stdout
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
