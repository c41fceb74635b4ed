"""Errors of plugins, and how one is shown: in one line, with the plugin's file and line."""

from __future__ import annotations

import dis
import signal
import sys
from types import TracebackType

from ganbench.core.installed import foreign
from ganbench.core.place import place

#: On a CPU torch raises a plain RuntimeError. Its message has the first text; in compiled code it has the second, the
#: name of the call that got no memory.
_SIGNS = ("can't allocate memory", "aoti_torch_empty_strided")


def out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out: the error itself, or any error that caused it, is one of out of memory.

    That is not an error of the plugin: wherever a plugin's code is tried, it is handled apart.
    """
    torch = sys.modules.get("torch")  # what does without torch must not load it to look at an error
    kinds = (MemoryError, torch.OutOfMemoryError) if torch else (MemoryError,)
    while error is not None:
        if isinstance(error, kinds) or any(sign in message_of(error) for sign in _SIGNS):
            return True
        error = error.__cause__
    return False


def raise_if_stopped(error: BaseException) -> None:
    """Raise ``error`` again where it is not of the code that it was raised in: Ctrl-C, or a signal handler's.

    A plugin may raise anything: ``asyncio.CancelledError``, ``GeneratorExit``, ``SystemExit``, a class of its own that
    is no ``Exception``. Who calls it catches ``BaseException``, gives it to this function first, and reports the rest.
    """
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append((trace.tb_frame.f_code, trace.tb_lasti))
        trace = trace.tb_next
    handlers = {getattr(signal.getsignal(number), "__code__", None) for number in signal.valid_signals()}
    by_handler = any(code in handlers for code, _ in frames)
    # Python raises the KeyboardInterrupt of Ctrl-C between two instructions; one by a ``raise`` is the code's own.
    code, at = frames[-1] if frames else (None, 0)
    raised = code is not None and dis.opname[code.co_code[at]] == "RAISE_VARARGS"
    if by_handler or (isinstance(error, KeyboardInterrupt) and not raised):
        raise error


class PluginError(Exception):
    """A plugin's code failed; the message, one line, names the plugin and the cause."""


class NotApplicableError(ValueError):
    """A metric has no value for such data or so few samples; the message, one line, gives the reason.

    The metric's columns are then empty, and the seed's message has the reason; all else is measured.
    """


def message_of(error: BaseException) -> str:
    """The text of an exception; empty where its own ``__str__`` fails."""
    try:
        return str(error)
    except BaseException as second:
        raise_if_stopped(second)
        return ""


def error_line(error: BaseException) -> str:
    """An exception as one line: its type, the first line of its message, and where in a plugin it was raised."""
    if isinstance(error, PluginError):
        return str(error)
    lines = [line.strip() for line in message_of(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frame = plugin_frame(error)
    return f"{text} ({place_of(frame)})" if frame else text


def plugin_frame(error: BaseException) -> TracebackType | None:
    """Where an error was raised: the innermost call in a user's plugin.

    A shipped plugin's line only where the error was raised in that line itself: it is no place to look for what a
    user's network or loss, called from there, did wrong.
    """
    last = _last(error)
    shipped = last is not None and _module(last).startswith("ganbench_plugin_shipped_")
    return own_frame(error) or (last if shipped else None)


def own_frame(error: BaseException) -> TracebackType | None:
    """The innermost call in a user's own plugin, if an error went through one."""
    trace, own = error.__traceback__, None
    while trace is not None:
        name = _module(trace)
        if name.startswith("ganbench_plugin_") and not name.startswith("ganbench_plugin_shipped_"):
            own = trace
        trace = trace.tb_next
    return own


def by_library(error: BaseException) -> bool:
    """Whether an error was raised in a library's code: its words are not the plugin's, nor ganbench's."""
    last = _last(error)
    name = "" if last is None else _module(last)
    return last is not None and not name.startswith("ganbench") and foreign(name)


def _last(error: BaseException) -> TracebackType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _module(trace: TracebackType) -> str:
    return str(trace.tb_frame.f_globals.get("__name__", ""))


def place_of(trace: TracebackType) -> str:
    """The file and line of a call in a traceback, ``my_gan.py:12``."""
    return place(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
