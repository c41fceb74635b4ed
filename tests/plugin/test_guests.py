"""Files in a folder of plugins are guests: which are executed at all, and that the process is as before afterwards."""

from __future__ import annotations

import gc
import json
import locale
import os
import random
import signal
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.core import patience, process_state
from ganbench.plugin import shipped
from ganbench.plugin.entry import Broken
from ganbench.plugin.loader import load_named
from ganbench.plugin.registry import Registry, UnknownNameError

LOSS = (
    "from ganbench import Loss, hookimpl\n"
    "def discriminator(d_real, d_fake):\n    return d_fake.mean() - d_real.mean()\n"
    "def generator(d_fake):\n    return -d_fake.mean()\n"
    "@hookimpl\ndef ganbench_losses():\n    yield Loss('mine', discriminator, generator)\n"
)


@pytest.fixture(autouse=True)
def nothing_shipped(tmp_path_factory, monkeypatch):
    """Only the plugins of the test at hand are found."""
    empty = tmp_path_factory.mktemp("shipped")
    monkeypatch.setattr(shipped, "folder", lambda name: empty)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """``load(a=source, **{"sub/b": source})``: the plugins of these files; the working folder is the one above."""
    monkeypatch.chdir(tmp_path)

    def build(**files: str) -> Registry:
        for name, source in files.items():
            path = tmp_path / "plugins" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return Registry.load([Path("plugins")])

    return build


def causes(registry: Registry) -> dict[str, str]:
    return {Path(broken.source).stem: broken.cause for broken in registry.broken}


# What is executed


def test_a_research_repository_is_looked_at_and_not_executed(load, tmp_path, capfd):
    script = "import argparse\nopen('I_RAN', 'w')\np = argparse.ArgumentParser()\np.add_argument('x', required=True)\n"
    registry = load(
        train=script,
        python2="print 'hello'\n",
        notes='"""About ganbench_losses and hookimpl, in words only."""\nopen("I_RAN", "w")\n',
        mine=LOSS,
        **{f"{name}/lib/x": LOSS.replace("mine", name) for name in ("venv", "node_modules", "build", "_old", ".git")},
        **{
            "env/pyvenv": "",
            "env/lib/site-packages/y": LOSS.replace("mine", "y"),
            "deep/er/z": LOSS.replace("mine", "z"),
        },
    )
    assert registry.names("loss") == ["mine", "z"]
    assert not (tmp_path / "I_RAN").exists()
    assert capfd.readouterr() == ("", "")
    assert {Path(each.source).name for each in registry.passed_over} == {"train.py", "python2.py", "pyvenv.py"}
    assert causes(registry) == {
        "notes": "has no hook: mark a function such as ganbench_losses with @hookimpl, or start the file's name with "
        "'_'"
    }
    (tmp_path / "plugins/env/pyvenv.cfg").write_text("")
    assert not [each for each in load().passed_over if "env" in str(each.source)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_file_is_never_opened(load, tmp_path):
    load(mine=LOSS)
    os.mkfifo(tmp_path / "plugins/pipe.py")
    (tmp_path / "plugins/zero.py").symlink_to("/dev/zero")
    (tmp_path / "plugins/gone.py").symlink_to("nowhere")
    with open(tmp_path / "plugins/huge.py", "wb") as file:
        file.truncate(2**33)
    registry = load()
    assert registry.names("loss") == ["mine"]
    assert {Path(each.source).stem: each.cause for each in registry.passed_over} == {
        "pipe": "is no regular file",
        "zero": "is no regular file",
        "gone": "cannot be read: No such file or directory",
        "huge": "has 8192 MB, and no plugin has",
    }
    assert registry.broken == ()


def test_a_file_that_is_named_and_no_plugin_is_told_what_makes_it_one(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("open('I_RAN', 'w')\n")
    (broken,) = load_named(path, "file")
    assert isinstance(broken, Broken)
    assert broken.cause == ("was not executed: it has no hook: mark a function such as ganbench_losses with @hookimpl")


def test_a_hook_without_an_end_and_one_that_takes_long_are_named(load, monkeypatch, capfd):
    monkeypatch.setattr(patience, "PATIENCE", 0.05)
    endless = LOSS.replace("    yield", "    while True:\n        yield")
    late = LOSS.replace("    yield", "    import time\n    time.sleep(0.3)\n    yield")
    registry = load(endless=endless, slow=LOSS + "import time\ntime.sleep(0.3)\n", late=late)
    assert causes(registry) == {"endless": "line 6: ganbench_losses yields more than 1000 values: does it end?"}
    said = capfd.readouterr().err
    assert "still loading plugins/slow.py ...\n" in said
    assert "still loading plugins/late.py ...\n" in said


# What is put back

HARMLESS = """
import gc, locale, logging, os, random, signal, sys, warnings
import numpy, torch
torch.default_generator.manual_seed(7); numpy.random.seed(7); random.seed(7)
torch.set_num_threads(7)
torch.use_deterministic_algorithms(True)
torch.backends.cudnn.benchmark = True
torch.set_float32_matmul_precision("medium")
torch.set_flush_denormal(True)
torch.autograd.set_detect_anomaly(True)
numpy.seterr(all="ignore")
os.environ["MINE"] = "1"
os.environ.pop("HOME", None)
sys.path.insert(0, "/nowhere")
sys.argv.append("--mine")
sys.setrecursionlimit(5000)
sys.stdout = sys.stderr = open(os.devnull, "w")
sys.excepthook = print
os.umask(0o077)
warnings.simplefilter("ignore")
logging.basicConfig(level=logging.DEBUG)
signal.signal(signal.SIGINT, signal.SIG_IGN)
gc.disable()
"""


def state() -> list[object]:
    return [
        torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate(), torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark, torch.is_anomaly_enabled(),
        torch.get_float32_matmul_precision(), torch.tensor(1e-310, dtype=torch.float64).mul(1).item(), np.geterr(),
        dict(os.environ), list(sys.path), list(sys.argv), sys.getrecursionlimit(), sys.stdout, sys.stderr,
        sys.excepthook, list(warnings.filters), signal.getsignal(signal.SIGINT), gc.isenabled(), os.getcwd(),
        torch.get_default_dtype(), torch.is_grad_enabled(), locale.setlocale(locale.LC_ALL), torch.randn,
        torch.nn.Linear.forward, "__call__" in vars(torch.nn.Linear), np.exp, random.random, torch.Tensor.mean,
        os.umask(os.umask(0o022)), os._exit, print,
    ]  # fmt: skip


def test_habits_that_do_no_harm_are_put_back_without_a_word(load):
    before = state()
    registry = load(mine=HARMLESS + LOSS)
    assert state() == before
    assert registry.broken == ()
    assert registry.names("loss") == ["mine"]


REFUSED = {
    "torch.set_default_dtype(torch.float64)": "sets torch's default dtype for everybody: give dtype= where it makes a "
    "tensor",
    "torch.set_default_device('meta')": "sets torch's default device for everybody: leave that out, ganbench moves "
    "networks and data",
    "torch.set_grad_enabled(False)": "turns gradients off for everybody: write 'with torch.no_grad():' around what "
    "needs none",
    "torch.nn.modules.module.register_module_forward_hook(print)": "registers a hook on every module of everybody: "
    "register it on its own modules",
    "os.chdir('/')": "changes the working folder of everybody: open its files as Path(__file__).parent / 'NAME'",
    "torch.randn = lambda *a, **k: torch.zeros(*a)": "replaces torch.randn for everybody: give its own function a name "
    "of its own",
    "torch.randn = torch.rand": "replaces torch.randn for everybody: give its own function a name of its own",
    "torch.nn.Linear.forward = lambda self, x: x": "replaces torch.nn.modules.linear.Linear.forward for everybody: "
    "give its own function a name of its own",
    "torch.nn.Linear.__call__ = lambda self, x: x": "replaces torch.nn.modules.linear.Linear.__call__ for everybody: "
    "give its own function a name of its own",
    "torch.Tensor.mean = lambda self: self.sum()": "replaces torch.Tensor.mean for everybody: give its own function a "
    "name of its own",
    "numpy.exp = numpy.log": "replaces numpy.exp for everybody: give its own function a name of its own",
    "random.random = lambda: 0.5": "replaces random.random for everybody: give its own function a name of its own",
    "torch.randn = __import__('functools').partial(torch.zeros)": "replaces torch.randn for everybody: give its own "
    "function a name of its own",
    "builtins.print = lambda *a: None": "replaces builtins.print for everybody: give its own function a name of its "
    "own",
    "os.close(1)": "closes or moves a standard stream of everybody: leave it as it is",
    "os.dup2(2, 0)": "closes or moves a standard stream of everybody: leave it as it is",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_a_plugin_may_count_on_is_put_back_and_its_file_refused(line, load):
    before = state()
    streams = [os.fstat(number) for number in range(3)]
    registry = load(bad=f"import builtins, os, random, numpy, torch\n{line}\n{LOSS}", good=LOSS.replace("mine", "good"))
    assert state() == before
    assert [os.fstat(number)[:3] for number in range(3)] == [one[:3] for one in streams]
    assert causes(registry) == {"bad": f"line 2: {REFUSED[line]}"}
    assert registry.names("loss") == ["good"]


ENDINGS = {
    "os._exit(0)": "ExitRefusedError: os._exit would end the whole program, and a plugin must not: "
    "raise an error instead",
    "__import__(os.name)._exit(0)": "ExitRefusedError: os._exit would end the whole program, and a plugin must not: "
    "raise an error instead",
    "os.execvp('true', ['true'])": "ExitRefusedError: os.execv would end the whole program, and a plugin must not: "
    "raise an error instead",
    "sys.exit(0)": "SystemExit: 0: put what a script does below if __name__ == '__main__':",
    "raise asyncio.CancelledError": "CancelledError",
    "raise GeneratorExit": "GeneratorExit",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "raise type('Own', (BaseException,), {'__str__': lambda self: 1 / 0})": "Own",
    "input('your name? ')": "EOFError: EOF when reading a line",
}


@pytest.mark.parametrize("line", ENDINGS)
@pytest.mark.parametrize("where", ["at import", "in a hook"])
def test_whatever_a_file_raises_is_its_own_fault_alone(where, line, load, monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO())
    source = f"import asyncio, os, sys\n{line}\n{LOSS}"
    if where == "in a hook":
        source = f"import asyncio, os, sys\n{LOSS}".replace("    yield", f"    {line}\n    yield")
    registry = load(bad=source, good=LOSS.replace("mine", "good"))
    assert causes(registry) == {"bad": f"line {2 if where == 'at import' else 9}: {ENDINGS[line]}"}
    assert registry.names("loss") == ["good"]
    with pytest.raises(UnknownNameError, match=r"unknown loss 'mine' \(plugins/bad.py could not be loaded: line"):
        registry.get("loss", "mine")


def test_what_a_file_prints_goes_to_standard_error_whichever_way(load, capfd):
    load(mine=f"import os, subprocess\nprint('one')\nos.write(1, b'two')\nsubprocess.run(['echo', 'three'])\n{LOSS}")
    out, err = capfd.readouterr()
    assert out == ""
    assert "one\n" in err
    assert "two" in err
    assert "three\n" in err


# What is found where its name is used


def test_a_broken_file_is_named_though_its_text_does_not_have_the_name(load):
    registry = load(dies=f"import sys\nNAME = 'b' + 'ad'\nsys.exit(1)\n{LOSS}")
    with pytest.raises(UnknownNameError) as caught:
        registry.get("loss", "bad")
    assert str(caught.value).startswith(
        "unknown loss 'bad'; there are none (plugins/dies.py could not be loaded: line 3"
    )


def test_a_name_that_a_broken_file_has_too_is_not_taken_from_another(load):
    registry = load(mine=LOSS, twin=f"1 / 0\n{LOSS}")
    with pytest.raises(UnknownNameError) as caught:
        registry.get("loss", "mine")
    assert str(caught.value) == (
        "loss 'mine' is in plugins/mine.py, and another is in a file that fails (plugins/twin.py could not be loaded: "
        "line 1: ZeroDivisionError: division by zero): mend or remove it"
    )


# Neighbours

HELPED = "from utils import SCALE\n" + LOSS.replace("'mine'", "f'mine{SCALE}'")


def test_neighbours_are_imported_each_folder_has_its_own_and_they_are_read_anew(load, tmp_path):
    files = {"a/one": HELPED, "a/utils": "SCALE = 1\n", "b/two": "# b\n" + HELPED, "b/utils": "SCALE = 2\n"}
    registry = load(
        **files, c="import json\n" + LOSS.replace("'mine'", "json.dumps('three')[1:6]"), json="raise ValueError\n"
    )
    assert registry.broken == ()
    assert registry.names("loss") == ["mine1", "mine2", "three"]
    one, two = (dict(registry.get("loss", name).uses) for name in ("mine1", "mine2"))
    assert [*one] == [*two] == ["utils.py"]
    assert one != two
    assert registry.get("loss", "three").uses == ()
    changed = load(**{"a/utils": "SCALE = 5\n"})
    assert changed.names("loss") == ["mine2", "mine5", "three"]
    assert not [*tmp_path.rglob("__pycache__")]


def test_a_neighbour_of_a_neighbour_and_one_that_is_imported_late_are_known(load):
    late = LOSS.replace("    return -d_fake.mean()", "    from late import SCALE\n    return SCALE")
    registry = load(
        mine="import importlib\nfrom pack.inner import X\nimportlib.import_module('dynamic')\n" + late,
        late="SCALE = 3\n", dynamic="", unused="",
        **{"pack/__init__": "", "pack/inner": "from . import deep\nX = 1\n", "pack/deep": "import top\n", "top": ""},
    )  # fmt: skip
    entry = registry.get("loss", "mine")
    assert [name for name, _ in entry.uses] == [
        "dynamic.py",
        "late.py",
        "pack.py",
        "pack/deep.py",
        "pack/inner.py",
        "top.py",
    ]
    assert entry.value.generator(None) == 3


def test_an_installation_among_plugins_finds_no_neighbour_for_what_it_lacks(load, tmp_path):
    """A package that tries an import which is not installed must fail, and not get the user's file of that name."""
    package = tmp_path / "plugins/libs/site-packages/package_of_test.py"
    package.parent.mkdir(parents=True)
    package.write_text("try:\n    import helpers\nexcept ImportError:\n    helpers = None\n")
    lib = f"import sys\nsys.path.insert(0, {str(package.parent)!r})\nimport package_of_test\n"
    check = "assert package_of_test.helpers is None, 'found'\nimport helpers\n"
    registry = load(mine=lib + check + LOSS, _unused="")
    assert causes(registry)["mine"].startswith("line 5: ModuleNotFoundError: No module named 'helpers'")
    (tmp_path / "plugins/helpers.py").write_text("SCALE = 2\n")
    sys.modules.pop("package_of_test")
    assert causes(load()) == {}
    sys.modules.pop("package_of_test")


def test_an_import_with_a_dot_is_told_what_to_write(load):
    registry = load(mine="from .utils import SCALE\n" + LOSS, utils="SCALE = 1\n")
    assert causes(registry)["mine"] == (
        "line 1: ImportError: attempted relative import with no known parent package: write 'from x import y', "
        "without the dot"
    )


def test_the_command_names_what_it_did_not_execute(load, gb):
    load(**{f"train{n}": f"x = {n}\n" for n in range(5)}, mine=LOSS)
    code, out, err = gb("list")
    assert (code, err) == (0, "")
    assert "not executed, since it has no hook or is no file to open: plugins/train0.py, plugins/train1.py" in out
    assert "train2.py and 2 more" in out
    assert [row["name"] for row in json.loads(gb("list", "--json")[1])] == ["mine"]


def test_a_setting_that_cannot_be_read_any_more_keeps_nothing_else_from_being_put_back(monkeypatch):
    """As torch's precision of products, once it was set in two ways."""
    settings = {"bad": 1, "good": 1}

    def read():
        if settings["bad"] == 2:
            raise RuntimeError("mix of the legacy and new APIs")
        return settings["bad"]

    both = [
        process_state.Setting(read, lambda before: settings.update(bad=before)),
        process_state.Setting(lambda: settings["good"], lambda before: settings.update(good=before)),
    ]
    monkeypatch.setattr(process_state, "_of_python", lambda: both)
    state = process_state.ProcessState()
    settings.update(bad=2, good=2)
    state.put_back()
    assert settings == {"bad": 1, "good": 1}


def test_a_clock_that_is_set_and_a_module_without_a_file_are_no_replaced_functions(load):
    """As what scikit-learn imports: time.tzname is another tuple afterwards."""
    source = "import sys, time, types\ntime.tzset()\nsys.modules['made'] = types.ModuleType('made')\n" + LOSS
    assert not causes(load(a=source))


def test_an_optimizer_of_torchs_that_a_file_makes_replaces_nothing(load):
    """The first of a class wraps the step of the class."""
    assert not hasattr(torch.optim.Rprop.step, "hooked")
    assert not causes(load(a="import torch\ntorch.optim.Rprop([torch.zeros(1)])\n" + LOSS))


def test_a_hook_may_be_written_by_several_functions(load):
    more = "@hookimpl(specname='ganbench_losses')\ndef more():\n    yield Loss('more', discriminator, generator)\n"
    assert load(a=LOSS + more).names("loss") == ["mine", "more"]


#: Where torch computes in less than float32, and what each of them is then.
SHORTCUTS = {
    "torch.backends.fp32_precision = 'tf32'": "tf32 everywhere",
    "torch.backends.cuda.matmul.fp32_precision = 'tf32'": "tf32 in products",
    "torch.backends.cudnn.conv.fp32_precision = 'tf32'": "tf32 in convolutions",
    "torch.backends.cudnn.fp32_precision = 'tf32'": "tf32 in cuDNN",
    "torch.backends.mkldnn.matmul.fp32_precision = 'bf16'": "bfloat16 in a CPU's products",
    "torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True": "the older names",
    "torch.set_float32_matmul_precision('medium')\ntorch.backends.cudnn.conv.fp32_precision = 'tf32'": "both",
    "torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False": "sums in bfloat16",
}


def precisions() -> list[object]:
    pairs = [(backend, kind) for backend in ("cuda", "mkldnn") for kind in ("all", "matmul", "conv", "rnn")]
    return [
        *(torch._C._get_fp32_precision_getter(*pair) for pair in (("generic", "all"), *pairs)),
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.get_float32_matmul_precision(),
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction,
    ]


@pytest.mark.parametrize("lines", SHORTCUTS, ids=SHORTCUTS.values())
def test_a_files_shortcuts_in_arithmetic_are_not_taken_for_everybody(lines, load):
    """Read without the older names' complaint of a mix of old and new, and what was inherited is so again."""
    before = precisions()
    try:
        assert not causes(load(mine=f"import torch\n{lines}\n{LOSS}"))
        assert precisions() == before
        torch.backends.fp32_precision = "ieee"
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    finally:
        torch.backends.fp32_precision = before[0]
