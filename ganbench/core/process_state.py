"""What a plugin can change for everybody while its file is executed or it is called: read before, put back afterwards.

Habits that do no harm once they are undone, such as seeding or ``torch.set_num_threads``, are put back without a word.
What the plugin itself may count on, such as another default type, is put back too, and the file is refused. After a
call all is put back without a word: the next call finds the same.
"""

from __future__ import annotations

import gc
import locale
import logging
import multiprocessing
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

#: Where torch computes in less than float32, as torch.backends.cuda.matmul.fp32_precision.
_PRECISIONS = (
    ("generic", "all"),
    *((backend, operation) for operation in ("all", "matmul", "conv", "rnn") for backend in ("cuda", "mkldnn")),
)
_REDUCED = (
    "allow_fp16_accumulation",
    "allow_fp16_reduced_precision_reduction",
    "allow_bf16_reduced_precision_reduction",
)


#: Asking for them takes longer than reading them.
_SIGNALS = tuple(signal.valid_signals())


class Change(NamedTuple):
    """What a plugin must not change, and what to do instead; ``sign``: a pattern for its line."""

    sign: str
    message: str


@dataclass(frozen=True)
class Setting:
    """One thing that is of the whole process.

    ``refused``: where no plugin may count on its change. ``names``: what code calls to change it, separated by ``|``,
    where a step that does so is to know that it is put back.
    """

    read: Callable[[], Any]
    write: Callable[[Any], Any]
    refused: Change | None = None
    names: str = ""


class ProcessState:
    """The settings as they are now; ``chance``: the global generators, too."""

    def __init__(self, *, chance: bool = True) -> None:
        self._settings = [*_of_python(), *_of_torch(), *_of_numpy()]
        self._before = [_reading(setting) for setting in self._settings]
        # Always written back: to compare them is no quicker.
        self._chance = _chance() if chance else []
        #: Of what was put back: what code calls to change it.
        self.names: list[str] = []

    def put_back(self) -> list[Change]:
        """Put back what has changed since; returns what must not be changed."""
        refused = []
        for setting, before in zip(self._settings, self._before, strict=True):
            if _reading(setting) != before:
                with suppress(Exception):  # such as a working folder that is gone
                    setting.write(before)
                refused += [setting.refused] if setting.refused else []
                self.names += [setting.names] if setting.names else []
        for write, state in self._chance:
            write(state)
        return refused


@contextmanager
def process_kept() -> Iterator[None]:
    """Put back, after a call of a plugin's function, what it has changed; the global generators are ``isolated``'s."""
    state = ProcessState(chance=False)
    try:
        yield
    finally:
        state.put_back()


def _reading(setting: Setting) -> Any:
    """Its value, or the error's text: torch, for one, gives no precision that was set in two ways."""
    try:
        return setting.read()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _of_python() -> list[Setting]:
    def environment(before: dict[str, str]) -> None:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)

    def umask() -> int:
        now = os.umask(0o077)
        os.umask(now)
        return now

    def handlers(before: dict[int, Any]) -> None:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)

    def filters(before: list[Any]) -> None:
        warnings.filters[:] = before  # type: ignore[index]
        warnings._filters_mutated() if hasattr(warnings, "_filters_mutated") else None

    log = logging.getLogger()
    return [
        Setting(
            _working_folder,
            os.chdir,
            Change(
                "chdir", "changes the working folder of everybody: open its files as Path(__file__).parent / 'NAME'"
            ),
        ),
        Setting(
            lambda: locale.setlocale(locale.LC_ALL),
            lambda before: locale.setlocale(locale.LC_ALL, before),
            Change("setlocale", "sets the locale of everybody: leave that out"),
        ),
        Setting(lambda: dict(os.environ), environment),
        Setting(lambda: list(sys.path), lambda before: sys.path.__setitem__(slice(None), before)),
        Setting(lambda: list(sys.meta_path), lambda before: sys.meta_path.__setitem__(slice(None), before)),
        *(_attribute(sys, name) for name in ("argv", "stdin", "stdout", "stderr", "__stdout__", "__stderr__")),
        *(_attribute(sys, name) for name in ("excepthook", "displayhook", "unraisablehook")),
        _attribute(threading, "excepthook"),
        Setting(lambda: {number: signal.getsignal(number) for number in _SIGNALS}, handlers),
        Setting(lambda: list(warnings.filters), filters, names="simplefilter|filterwarnings|resetwarnings"),
        Setting(lambda: warnings.showwarning, lambda before: setattr(warnings, "showwarning", before)),
        Setting(umask, lambda before: os.umask(before)),
        Setting(sys.getrecursionlimit, sys.setrecursionlimit, names="setrecursionlimit"),
        Setting(sys.gettrace, sys.settrace),
        Setting(sys.getprofile, sys.setprofile),
        Setting(gc.isenabled, lambda before: gc.enable() if before else gc.disable()),
        Setting(lambda: list(log.handlers), lambda before: log.handlers.__setitem__(slice(None), before)),
        Setting(lambda: log.level, log.setLevel),
        Setting(lambda: logging.root.manager.disable, logging.disable),
        Setting(
            lambda: multiprocessing.get_start_method(allow_none=True),
            lambda before: multiprocessing.set_start_method(before, force=True),
        ),
    ]


def _of_torch() -> list[Setting]:
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    hooks = sys.modules["torch.nn.modules.module"]
    named = [name for name in vars(hooks) if name.startswith("_global_") and isinstance(getattr(hooks, name), dict)]

    def put_hooks(before: list[dict[Any, Any]]) -> None:
        for name, own in zip(named, before, strict=True):
            getattr(hooks, name).clear()
            getattr(hooks, name).update(own)

    def device() -> Any:
        context = getattr(getattr(torch, "_GLOBAL_DEVICE_CONTEXT", None), "device_context", None)
        return context and context.device

    return [
        Setting(
            torch.get_default_dtype,
            torch.set_default_dtype,
            Change(
                "set_default_dtype", "sets torch's default dtype for everybody: give dtype= where it makes a tensor"
            ),
        ),
        Setting(
            device,
            torch.set_default_device,
            Change(
                "set_default_device",
                "sets torch's default device for everybody: leave that out, ganbench moves networks and data",
            ),
        ),
        Setting(
            torch.is_grad_enabled,
            lambda before: torch.set_grad_enabled(before),
            Change(
                "set_grad_enabled",
                "turns gradients off for everybody: write 'with torch.no_grad():' around what needs none",
            ),
        ),
        Setting(
            lambda: [dict(getattr(hooks, name)) for name in named],
            put_hooks,
            Change("register_module", "registers a hook on every module of everybody: register it on its own modules"),
        ),
        Setting(
            lambda: (
                torch.are_deterministic_algorithms_enabled(),
                torch.is_deterministic_algorithms_warn_only_enabled(),
            ),
            lambda before: torch.use_deterministic_algorithms(before[0], warn_only=before[1]),
            names="use_deterministic_algorithms",
        ),
        Setting(torch.get_num_threads, torch.set_num_threads, names="set_num_threads"),
        Setting(
            torch.get_float32_matmul_precision,
            torch.set_float32_matmul_precision,
            names="set_float32_matmul_precision",
        ),
        Setting(
            torch.is_anomaly_enabled,
            lambda before: torch.autograd.set_detect_anomaly(before),
            names="set_detect_anomaly",
        ),
        Setting(
            lambda: bool(torch.tensor([1e-310], dtype=torch.float64, device="cpu").mul(1.0) == 0),
            lambda before: torch.set_flush_denormal(before),
            names="set_flush_denormal",
        ),
        *(_attribute(torch.backends.cudnn, name) for name in ("benchmark", "deterministic", "enabled", "allow_tf32")),
        *(_attribute(torch.backends.mkldnn, name) for name in ("enabled", "allow_tf32")),
        *(_attribute(torch.backends.cuda.matmul, name) for name in _REDUCED),
        _attribute(torch.utils.deterministic, "fill_uninitialized_memory"),
        # After the older settings, which set these too; what others inherit goes first.
        *(_precision(torch, backend, operation) for backend, operation in _PRECISIONS),
    ]


def _of_numpy() -> list[Setting]:
    numpy = sys.modules.get("numpy")
    return [] if numpy is None else [Setting(numpy.geterr, lambda before: numpy.seterr(**before), names="seterr")]


def _chance() -> list[tuple[Callable[[Any], Any], Any]]:
    found: list[tuple[Callable[[Any], Any], Any]] = [(random.setstate, random.getstate())]
    if (numpy := sys.modules.get("numpy")) is not None:
        found.append((numpy.random.set_state, numpy.random.get_state()))
    if (torch := sys.modules.get("torch")) is not None:
        found.append((torch.default_generator.set_state, torch.default_generator.get_state()))
        if torch.cuda.is_initialized():
            found.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    return found


def _precision(torch: Any, backend: str, operation: str) -> Setting:
    # torch.backends.mkldnn.fp32_precision reads one setting and writes another.
    read, write = torch._C._get_fp32_precision_getter, torch._C._set_fp32_precision_setter
    return Setting(
        lambda: read(backend, operation), lambda before: write(backend, operation, before), names="fp32_precision"
    )


def _attribute(owner: Any, name: str) -> Setting:
    return Setting(lambda: getattr(owner, name, None), lambda before: setattr(owner, name, before), names=name)


def _working_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None
