"""Why a step cannot be batched, or fails: torch's messages in the words of who wrote the plugin, with its place."""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from torch import nn

from ganbench.core.errors import PluginError, error_line, message_of, place_of, plugin_frame
from ganbench.core.place import place
from ganbench.core.reasons import reason_of

#: The most characters of a message of torch's that are kept, in whole sentences where it has any.
LONGEST = 300
#: The files of torch's whose name says more than their messages.
_TELLING = (
    "utils/checkpoint.py",
    "utils/clip_grad.py",
    "utils/hooks.py",
    "distributions/beta.py",
    "distributions/dirichlet.py",
)
#: What is added where a number for each sample meets samples of more dimensions: plugins are tried with images, too.
_BETWEEN = (
    ": samples may be images, (n, 3, 8, 8), and a number for each of them then has the shape (n, 1, 1, 1): write "
    "x.view(-1, *[1] * (real.dim() - 1)), or between(real, fake, random)"
)


def plain_words(error: BaseException) -> str:
    """What a plugin's code does that torch cannot do with it, and the cure; any other error is shortened."""
    if isinstance(error, PluginError):
        return str(error)
    frame = plugin_frame(error)
    where = f" ({place_of(frame)})" if frame else ""
    files = {trace.tb_frame.f_code.co_filename.replace("\\", "/") for trace in _traces(error)}
    message = " ".join([*(file for file in files if file.endswith(_TELLING)), message_of(error)])
    if (reason := reason_of(message)) is not None:
        return reason.text(_quoted(frame) if frame else "", _layer(error)) + where
    cure = _BETWEEN if "must match the size of tensor" in message and {"real", "fake"} & {*_words_of(frame)} else ""
    return shortened(error_line(error).removesuffix(where)) + cure + where


def _words_of(frame: TracebackType | None) -> list[str]:
    """The words in the line of code that has failed."""
    if frame is None:
        return []
    linecache.checkcache(frame.tb_frame.f_code.co_filename)
    return re.findall(r"\w+", linecache.getline(frame.tb_frame.f_code.co_filename, frame.tb_lineno))


def shortened(message: str) -> str:
    """A message in whole sentences as far as they fit, without the addresses of pages and torch's inner names."""
    clean = re.sub(r"aten::(\w+)(\.\w+)?", r"\1", re.sub(r"\s*\(Triggered internally .*", "", message, flags=re.DOTALL))
    sentences = [each for each in re.split(r"(?<=[.!?])\s+", clean) if "http" not in each and "lease file" not in each]
    kept = ""
    for sentence in sentences or [clean]:
        if kept and len(kept) + len(sentence) >= LONGEST:
            break
        kept = f"{kept} {sentence}".strip()
    return kept if len(kept) <= LONGEST else kept[: LONGEST - 3].rsplit(" ", 1)[0] + "..."


def _quoted(trace: TracebackType) -> str:
    """The code of a call in a traceback, if it is on one line: ``F.one_hot(k, 4)``."""
    code = trace.tb_frame.f_code
    positions = [*code.co_positions()][trace.tb_lasti // 2]
    first, last, begin, end = positions
    if first is None or first != last or begin is None or end is None:
        return ""
    linecache.checkcache(code.co_filename)
    # Columns count bytes.
    line = linecache.getline(code.co_filename, first).encode()
    sets = re.match(r"\s*([-+*/]?=)(?!=)", line[end:].decode(errors="replace"))
    quoted = line[begin:end].decode(errors="replace")
    return f"{quoted} {sets[1]} ..." if sets and quoted.endswith("]") else quoted


def global_draw(call: str) -> str:
    """Why a step that is running now, at a ``call`` of torch's, cannot be batched: it draws numbers that are no seed's.

    The place and the layer are those on the stack.
    """
    frame: FrameType | None = sys._getframe(1)
    modules: list[Any] = []
    where = made = ""
    while frame is not None:
        own = frame.f_locals.get("self")
        if frame.f_code.co_name == "__init__" and isinstance(own, nn.Module):
            made = type(own).__name__
        modules.insert(0, frame.f_locals.get("self"))
        name = str(frame.f_globals.get("__name__", ""))
        if not where and name.startswith("ganbench_plugin_") and not name.startswith("ganbench_plugin_shipped_"):
            where = f" ({place(frame.f_code.co_filename, frame.f_lineno)})"
        frame = frame.f_back
    if made:
        return (
            f"makes a layer {made} anew in each step, with other weights, and no optimizer moves it: make it once, "
            f"as an attribute of the network, in its __init__{where}"
        )
    layer = _name(modules)
    cure = "draw with torch.rand or torch.randn, which are each seed's own"
    if call.endswith(")"):
        cure = "leave these out, and it is each seed's own"
    if re.search(r"\b(LSTM|GRU|RNN)\b", layer):
        cure = "set its dropout to 0, and put nn.Dropout between two such layers"
    return f"{layer or call} draws from torch's global random generator: {cure}{where}"


def _layer(error: BaseException) -> str:
    """The layer of torch's in which an error was raised."""
    return _name([trace.tb_frame.f_locals.get("self") for trace in _traces(error)])


def _name(selves: list[Any]) -> str:
    """The layer of torch's that is called innermost, by its name in the network: ``layer '2' (LSTM)``."""
    called = [module for module in selves if isinstance(module, nn.Module)]
    if not called or not type(called[-1]).__module__.startswith("torch.nn."):
        return ""
    names = (name for name, module in called[0].named_modules() if module is called[-1])
    name = next((name.removeprefix("main.") for name in names if name), "")
    kind = type(called[-1]).__name__
    return f"layer {name!r} ({kind})" if name else f"layer {kind}"


def _traces(error: BaseException) -> Iterator[TracebackType]:
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next
