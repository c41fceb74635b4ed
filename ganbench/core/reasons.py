"""Why a step cannot be batched, or fails: torch's messages in the words of who wrote the plugin, with its place."""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

from torch import nn

from ganbench.core.errors import PluginError, error_line, message_of, place_of, plugin_frame
from ganbench.core.place import place

#: The most characters of a message of torch's that are kept, in whole sentences where it has any.
LONGEST = 300
#: The most characters of the code that is quoted.
QUOTED = 60


@dataclass(frozen=True)
class Reason:
    """``does``: what the code at fault does. ``cures``: for parts of the code, what to write; the last for any code."""

    does: str
    cures: tuple[tuple[str, str], ...]

    def text(self, code: str, layer: str) -> str:
        """The reason, for this code of the plugin, which is quoted, and for the layer of torch's that it called."""
        quoted = code if len(code) <= QUOTED else f"{code[: QUOTED - 4].rstrip()} ..."
        subject = f"{quoted}, in its {layer}," if quoted and layer else quoted or layer
        cure = next(cure for part, cure in self.cures if re.search(part, code))
        return f"{subject} {self.does}: {cure}".lstrip()


def _same(does: str, cure: str) -> Reason:
    return Reason(does, (("", cure),))


NUMBER = Reason(
    "reads a number out of a tensor (.item(), float(), or a Python if on it)",
    (
        (r"one_hot\(", "write (k[:, None] == torch.arange(n, device=k.device)).float()"),
        (r"numpy|\bnp\.", "use torch's functions, which keep it a tensor"),
        (r"^assert\b", "leave it out, a seed whose numbers are not finite is counted out"),
        (r"print\(|^f[\"']|\.format\(", "leave it out, or run with --engine serial to look"),
        (r"[<>=]=|[<>]", "write torch.where(condition, a, b)"),
        (r"\bmath\.", "use torch's function, as torch.exp"),
        (r"\w\[\w+\]$", "write x.index_select(0, i.view(1)) for x[i]"),
        (r"\b(max|min)\(", "write x.clamp(min=..., max=...)"),
        ("", "keep it a tensor; for an if write torch.where(condition, a, b)"),
    ),
)
TAPE = Reason(
    "uses the autograd tape (torch.autograd.grad, requires_grad_, backward)",
    (
        (r"\bgame\.|\.theta\b|(generator|discriminator)_loss\(", "use game.gradient('generator', function, theta)"),
        (r"backward\(|step\(", "return the loss, and the engine takes its gradient"),
        ("", "use input_gradient(D, x)"),
    ),
)
MASK = Reason(
    "has a size that depends on values",
    (
        (r"unique|bincount|histc", "sum over a comparison, as (x[:, None] == values).sum(0)"),
        (r"\] = \.\.\.$", "write x = torch.where(mask, value, x) for x[mask] = value"),
        (r"\] [-+*/]= \.\.\.$", "write x = torch.where(mask, x + 1, x) for x[mask] += 1"),
        ("", "write torch.where(mask, x, 0), or multiply by the mask"),
    ),
)
OLD_FUNCTION = _same(
    "is an autograd.Function that torch cannot batch",
    "give it forward(x) and setup_context(ctx, inputs, output), and set generate_vmap_rule = True",
)
CHECKPOINT = _same("uses torch.utils.checkpoint, which cannot be batched", "call the layers without it")
CLIP = _same(
    "is torch's clipping of gradients, which cannot be batched",
    "leave it out, and write clip: 1.0 in the suite's optimizer, the same of the norm; of each number it is "
    "gradient.clamp(-c, c) in an optimizer's update()",
)
HOOK = _same("runs a hook of gradients, which cannot be batched", "remove it, the engine takes each gradient itself")
TENSOR_HOOK = Reason(
    "sets a hook of gradients where there is none: samples are made, and networks tried, without a gradient, too",
    (
        (r"(\w+)\.register_hook", "write if h.requires_grad: before h.register_hook(...)"),
        ("", "write if h.requires_grad: before it"),
    ),
)
IN_PLACE = _same(
    "changes a tensor in place (an input, a weight, a buffer)", "write x * 2 for x.mul_(2); buffers are held fixed"
)
FIXED = Reason(
    "sets a part of what stays as it is",
    (
        (r"\bplayers\b|\.theta$", "write players = players._replace(D=players.D._replace(theta=...)), or game.move()"),
        (r"\bstate\b", "return the new tensors: (theta, (m,))"),
        ("", "compute what is new in a variable of its own"),
    ),
)
SHARED = Reason(
    "writes into a tensor that all seeds share",
    (
        (
            r"(normal|uniform|bernoulli|exponential)_\(",
            "write torch.randn_like(x) for normal_(), rand_like(x) for uniform_()",
        ),
        ("", "build it with torch.cat or torch.stack, or start from torch.zeros_like(x)"),
    ),
)
GPU = _same("asks for a GPU, and there is none", "leave .cuda() out, and make new tensors with device=x.device")
DEVICE = Reason(
    "mixes tensors of two devices",
    (
        (r"\.(cuda|cpu|to)\(", "leave .cuda(), .cpu() and .to() out, and make new tensors with device=x.device"),
        (
            r"\bself\.",
            "write self.register_buffer(name, w) for a tensor that a network keeps, else self.w.to(x.device)",
        ),
        ("", "make new tensors with device=x.device, or as x.new_zeros(n)"),
    ),
)
AWAY = _same("copies a tensor to the CPU", "leave .cpu() and .numpy() out, and use torch's functions")
ARRAY = _same(
    "gives numpy a tensor, and numpy cannot read a GPU's",
    "in a step use torch's functions, which keep it a tensor; in a metric write x.cpu().numpy()",
)
KIND = _same(
    "mixes types of numbers",
    "training is in float32: leave .double() and .half() out, write torch.tensor(x, dtype=torch.float32) of numpy's x",
)
TWICE = _same(
    "has no second derivative in torch, and a gradient penalty takes one", "use another layer there, or no such penalty"
)
WRAPPED = _same("is a module that torch.jit or a parallel wrapper wraps", "give the module itself")
SHAPES = _same(
    "compares numbers of two shapes, of which logits, (n,), may be one",
    "make labels with torch.ones_like(d_real), not torch.ones(n, 1), a column (n,) by .flatten(), and leave "
    "keepdim=True out",
)
BACKWARD = _same(
    "takes the loss's gradient itself, by backward()", "return the loss, and the engine takes its gradient"
)
IN_PLACE_LATER = _same(
    "changes in place a tensor that a gradient still needs", "make a new one, as torch.zeros_like(x) for x.fill_(0)"
)
FREED = _same(
    "takes a gradient by torch.autograd.grad without create_graph=True, so its graph is gone when the engine needs it",
    "write create_graph=True, or use input_gradient(D, x)",
)
UNUSED = _same(
    "takes a gradient with respect to what is not in its graph, as weights by name, which are made anew for "
    "each call of a player",
    "take it with respect to a tensor that the loss was computed from, as fake; of D at x use input_gradient(D, x)",
)
PROBABILITIES = _same(
    "takes probabilities, and d_real and d_fake are logits",
    "write F.binary_cross_entropy_with_logits(d_real, torch.ones_like(d_real))",
)
DISTRIBUTION = _same(
    "draws from a distribution whose numbers torch cannot draw for all seeds at once",
    "leave it so, or draw from torch.distributions' Uniform, Normal, Bernoulli or Categorical, or Kumaraswamy for Beta",
)
FLAGS = _same(
    "sets requires_grad", "leave it out, each gradient is taken with respect to one player's parameters alone"
)
STORAGE = Reason(
    "reads a tensor's memory",
    (("copy", "leave the copy out, no step changes a tensor in place; x.clone() copies one"), ("", "write .detach()")),
)
OPTIMIZER = _same("makes an optimizer", "leave it out, a suite names it: optimizer: {name: adam, lr: 0.001}")
AXIS = _same(
    "asks for an axis that numbers of the shape (n,) do not have",
    "logits are (n,) here, not (n, 1): leave .squeeze(1), [:, 0] and dim=1 out",
)
FORWARD = _same(
    "calls a network with what its forward() does not take",
    "name an architecture whose networks take it, as def forward(self, x, features=False), or leave it out",
)
MOVE = _same(
    "gives game.move() the gradients without the players' names",
    "write game.move(players, discriminator=gradient, generator=gradient)",
)
GENERATOR = _same(
    "draws from a generator of its own", "leave generator= out, torch.rand and torch.randn are each seed's own"
)
DRAWN = _same("draws on another device than its generator's", "write generator=generator, device=generator.device")
#: What is added where a number for each sample meets samples of more dimensions: plugins are tried with images, too.
_BETWEEN = (
    ": samples may be images, (n, 3, 8, 8), and a number for each of them then has the shape (n, 1, 1, 1): write "
    "x.view(-1, *[1] * (real.dim() - 1)), or between(real, fake, random)"
)
#: The files of torch's whose name says more than their messages.
_TELLING = (
    "utils/checkpoint.py",
    "utils/clip_grad.py",
    "utils/hooks.py",
    "distributions/beta.py",
    "distributions/dirichlet.py",
)
#: Parts of torch's messages, or of the names of the files that raised them, and what the plugin's code does.
_REASONS: tuple[tuple[str, Reason], ...] = (
    (r"utils/checkpoint\.py|saved tensor hooks|use_reentrant", CHECKPOINT),
    (r"utils/clip_grad\.py", CLIP),
    (r"utils/hooks\.py.*setup_context", HOOK),
    (r"distributions/\w+\.py", DISTRIBUTION),
    (r"all elements of (input|target) should be between 0 and 1", PROBABILITIES),
    (r"appears to not have been used in the graph|One of the differentiated", UNUSED),
    (r"setup_context|generate_vmap_rule|have vmap support", OLD_FUNCTION),
    (r"a second time", BACKWARD),
    (r"Target size|target size|match the broadcast shape", SHAPES),
    (r"change requires_grad flags", FLAGS),
    (r"non-leaf Tensor", OPTIMIZER),
    (r"register a hook", TENSOR_HOOK),
    (r"grad hooks cannot be registered", HOOK),
    (r"requires_grad_|does not require grad", TAPE),
    (r"Cannot access storage of|accessing `data`", STORAGE),
    (
        r"data-dependent control flow|calling \.item\(\)|Cannot access data pointer|\.numpy\(\) on|Can't call numpy",
        NUMBER,
    ),
    (r"converted to a (NumPy|Python)|tolist\(\)", NUMBER),
    (r"dynamic shape|boolean mask|nonzero", MASK),
    (r"tensor that all seeds share|inplace arithmetic|because there exists a Tensor", SHARED),
    (r"can't set attribute|has no setter|cannot assign to field|does not support item assignment", FIXED),
    (r"in-place operation|modified inplace|is used in an in-place|Leaf Variable|leaf Variable", IN_PLACE),
    (r"not compiled with CUDA|NVIDIA driver|Cannot initialize CUDA|No CUDA GPUs", GPU),
    (r"from a generator on another device|device type for generator but found", DRAWN),
    (r"from the GPU to the CPU", AWAY),
    (r"device type tensor to numpy", ARRAY),
    (r"on the same device|expected device|is on cpu, different", DEVICE),
    (r"same dtype|expected scalar type|dtype .* does not match", KIND),
    (r"derivative for .* is not implemented|double backward|twice differentiable|doesn't support double", TWICE),
    (r"stateless API|process group", WRAPPED),
    (r"randomness error mode", GENERATOR),
    (r"in range of \[-1, 0\]|too many indices for tensor of dimension 1", AXIS),
    (r"forward\(\) got an unexpected keyword", FORWARD),
    (r"\bmove\(\) takes 2 positional", MOVE),
)


def plain_words(error: BaseException) -> str:
    """What a plugin's code does that torch cannot do with it, and the cure; any other error is shortened."""
    if isinstance(error, PluginError):
        return str(error)
    frame = plugin_frame(error)
    where = f" ({place_of(frame)})" if frame else ""
    files = {trace.tb_frame.f_code.co_filename.replace("\\", "/") for trace in _traces(error)}
    message = " ".join([*(file for file in files if file.endswith(_TELLING)), message_of(error)])
    reason = next((reason for part, reason in _REASONS if re.search(part, message, re.DOTALL)), None)
    if reason is not None:
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
