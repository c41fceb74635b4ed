"""A plugin file is a guest: while it is executed it can do as it likes, and afterwards the process is as it was."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from ganbench.core import streams
from ganbench.core.exits import exits_refused
from ganbench.core.installed import file_of
from ganbench.core.patience import named_when_slow
from ganbench.core.process_state import Change, ProcessState
from ganbench.plugin import neighbours
from ganbench.plugin.replaced import Watched


class Host:
    """Where plugin files are executed one after another."""

    def __init__(self) -> None:
        self._watched: Watched | None = None

    @contextmanager
    def guest(self, path: Path | None, root: Path | None) -> Iterator[list[Change]]:
        """Execute a file inside the block.

        Args:
            path: the file; None for an installed module.
            root: the folder of plugins that it was found in.

        Yields:
            A list that holds, once the block has ended, what the file changed and must not, each with its cure.
        """
        if self._watched is None:
            self._watched = Watched()
        loaded = {*sys.modules}
        state = ProcessState()
        changes: list[Change] = []
        out = streams.StderrText()
        doing = named_when_slow(f"loading {path or 'an installed plugin'}")
        try:
            with doing, redirect_stdout(out), redirect_stderr(out), self._beside(path, root):
                sys.argv = [str(path or "ganbench")]
                if sys.stdin is None or not sys.stdin.isatty():
                    sys.stdin = io.StringIO()  # or input() would wait for ever
                yield changes
        finally:
            changes += state.put_back()
            if streams.mend():
                changes.append(
                    Change("close|dup2", "closes or moves a standard stream of everybody: leave it as it is")
                )
            new = {*sys.modules} - loaded
            code = {str(path), *neighbours.files(), *(file_of(sys.modules.get(name)) for name in new)}
            if replaced := self._watched.put_back(frozenset(code)):
                own = "give its own function a name of its own"
                changes.append(
                    Change(rf"\.{replaced[0].rpartition('.')[2]}\s*=", f"replaces {replaced[0]} for everybody: {own}")
                )
            if changes:  # whoever imports the same finds it the same, and not loaded already
                neighbours.forget(new)

    def _beside(self, path: Path | None, root: Path | None) -> AbstractContextManager[None]:
        return nullcontext() if path is None or root is None else neighbours.beside(path, root)


@contextmanager
def hosted() -> Iterator[Host]:
    """The host of the plugin files of one search; what they print goes to standard error."""
    neighbours.prepare()
    with exits_refused(), _descriptors_as_stderr(), streams.kept():
        yield Host()


@contextmanager
def _descriptors_as_stderr() -> Iterator[None]:
    """Send what other code writes to the standard output's number, such as a process that it starts, to stderr."""
    before = None
    with suppress(OSError, ValueError, AttributeError):
        sys.stdout.flush()
        before = os.dup(1)
        os.dup2(2, 1)
    try:
        yield
    finally:
        if before is not None:
            os.dup2(before, 1)
            os.close(before)
