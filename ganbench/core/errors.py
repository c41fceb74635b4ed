"""Errors of plugins, and how one is shown: in one line, with the plugin's file and line."""

from __future__ import annotations

import torch

#: Out of memory is not an error of the plugin: wherever a plugin's code is tried, these are handled apart.
OUT_OF_MEMORY = (torch.OutOfMemoryError, MemoryError)
#: On a CPU torch raises a plain RuntimeError. Its message has the first text; in compiled code it has the second, the
#: name of the call that got no memory.
_SIGNS = ("can't allocate memory", "aoti_torch_empty_strided")


def out_of_memory(error: BaseException | None) -> bool:
    """Whether memory ran out: the error itself, or any error that caused it, is one of out of memory."""
    while error is not None:
        if isinstance(error, OUT_OF_MEMORY) or any(sign in str(error) for sign in _SIGNS):
            return True
        error = error.__cause__
    return False


class PluginError(Exception):
    """A plugin's code failed; the message, one line, names the plugin and the cause."""


class NotApplicableError(ValueError):
    """A metric has no value for such data or so few samples; the message, one line, gives the reason.

    The metric's columns are then empty, and the seed's message has the reason; all else is measured.
    """


def error_line(error: BaseException) -> str:
    """An exception as one line: its type, the first line of its message, and where in a plugin it was raised."""
    if isinstance(error, PluginError):
        return str(error)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    trace, where = error.__traceback__, ""
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if str(trace.tb_frame.f_globals.get("__name__", "")).startswith("ganbench_plugin_"):
            where = f" ({filename.rsplit('/', 1)[-1]}:{trace.tb_lineno})"
        trace = trace.tb_next
    return text + where
