"""What a plugin's code does that torch cannot do, by torch's messages, and what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
ASSERTION = _same(
    "meets an assertion of the device that failed, there or in code before it, as for an index out of range",
    "give --device cpu, which says what and where",
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
    (r"device-side assert", ASSERTION),
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


def reason_of(message: str) -> Reason | None:
    """The reason that a message of torch's, after the names of the files that raised it, gives; None for any other."""
    return next((reason for part, reason in _REASONS if re.search(part, message, re.DOTALL)), None)
