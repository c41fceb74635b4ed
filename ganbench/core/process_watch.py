"""What a step of a plugin changes for everybody: put back afterwards, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ganbench.core.errors import PluginError, out_of_memory
from ganbench.core.process_state import ProcessState


@contextmanager
def process_watched(who: str, place: Callable[[str], str] = lambda name: "") -> Iterator[list[str]]:
    """Put back, after calls of plugins' functions, what they have changed, and tell it.

    Args:
        who: what is called, for messages
        place: where the plugins' code names something: `` (mine.py:12)``; empty where it does not

    Yields:
        A list that holds after the block what was put back of which code is to know; of libraries nothing.

    Raises:
        PluginError: where no plugin may change what it has changed, with what to do instead
    """
    state = ProcessState(chance=False)
    told: list[str] = []
    error: Exception | None = None
    try:
        try:
            yield told
        except Exception as raised:
            error = raised
            raise
        finally:
            refused = state.put_back()
    finally:
        if refused and not out_of_memory(error):
            raise PluginError(f"{who} {refused[0].message}{place(refused[0].sign)}") from error
    for names in state.names:
        if found := next((f"{name}{where}" for name in names.split("|") if (where := place(name))), ""):
            told.append(f"{who} sets {found} for everybody: it is put back after training, leave it out")
