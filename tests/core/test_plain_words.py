"""What torch cannot do with a plugin's code is said in the plugin's own words: its code, its line, and the cure."""

from __future__ import annotations

import importlib.util
import sys

import pytest
import torch
from torch import nn

from ganbench.core.errors import PluginError
from ganbench.core.plain_words import LONGEST, global_draw, plain_words, shortened
from ganbench.core.torch_warnings import hidden
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.step.global_rng import GlobalRngOverride

HEAD = """import math
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

class Old(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g * 2

hooked = nn.Linear(2, 2)
hooked.register_full_backward_hook(lambda module, gi, go: None)
layer = nn.Linear(2, 2)
far = torch.zeros(2, device="meta")
shared = torch.zeros(3)

def network(x, y):
"""
LINE = len(HEAD.splitlines()) + 1


@pytest.fixture
def failed(tmp_path):
    """The error of a plugin's code, ``network(x, y)`` with this body, for a batch of seeds and with its gradient."""

    def run(body, name="ganbench_plugin_0_my_gan", function=None):
        path = tmp_path / "my_gan.py"
        path.write_text(HEAD + f"    {body}\n")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
        call = (lambda x, y: function(x)) if function else module.network
        gradient = torch.func.vmap(lambda y: torch.func.grad(lambda x: call(x, y).sum())(y))
        with pytest.raises(Exception) as caught, hidden(), GlobalRngOverride(DrawRecorder()):  # noqa: PT011
            gradient(torch.ones(4, 3, 2))
        return caught.value

    return run


#: The body of ``network``, the code of it that is at fault, and the cure.
CODE = {
    "one_hot": (
        "return x[:, :1] * F.one_hot(x[:, 0].detach().long(), 4)",
        "F.one_hot(x[:, 0].detach().long(), 4)",
        "write (k[:, None] == torch.arange(n, device=k.device)).float()",
    ),
    "if": ("return x * 2 if x.mean() > 0 else x", "x.mean() > 0", "write torch.where(condition, a, b)"),
    "assert": ("assert torch.isfinite(x).all(); return x", "assert torch.isfinite(x).all()", "leave it out"),
    "max": ("return x * max(0.5, x.mean())", "max(0.5, x.mean())", "write x.clamp(min=..., max=...)"),
    "item": ("return x * x.mean().item()", "x.mean().item()", "keep it a tensor"),
    "float": ("return x * float(x.mean())", "float(x.mean())", "keep it a tensor"),
    "math": ("return x * math.exp(x.mean())", "math.exp(x.mean())", "use torch's function, as torch.exp"),
    "numpy": ("return x * x.detach().numpy().std()", "x.detach().numpy()", "use torch's functions"),
    "unique": ("return x * len(torch.unique(x))", "torch.unique(x)", "sum over a comparison"),
    "mask": ("return x[x > 0]", "x[x > 0]", "write torch.where(mask, x, 0), or multiply by the mask"),
    "assigned": (
        "y = x * 1; y[x > 0] = 0; return y",
        "y[x > 0] = ...",
        "write x = torch.where(mask, value, x) for x[mask] = value",
    ),
    "added": (
        "y = x * 1; y[x > 0] += 1; return y",
        "y[x > 0] += ...",
        "write x = torch.where(mask, x + 1, x) for x[mask] += 1",
    ),
    "nonzero": ("return x * len((x > 0).nonzero())", "(x > 0).nonzero()", "write torch.where(mask, x, 0)"),
    "shared": ("z = torch.zeros(3); z[:3] = y[:, 0]; return x * z.sum()", "z[:3]", "start from torch.zeros_like(x)"),
    "scatter": (
        "return x * torch.zeros(3, 2).scatter_(1, y.long(), y)",
        "torch.zeros(3, 2).scatter_(1, y.long(), y)",
        "start from torch.zeros_like(x)",
    ),
    "generator": (
        "return x * torch.rand(2, generator=torch.Generator())",
        "torch.rand(2, generator=torch.Generator())",
        "leave generator= out",
    ),
    "optimizer": ("torch.optim.Adam([x * 2]); return x", "torch.optim.Adam([x * 2])", "a suite names it"),
    "labels": (
        "return F.binary_cross_entropy_with_logits(x[:, 0], torch.ones(3, 1))",
        "F.binary_cross_entropy_with_logits(x[:, 0], torch.ones(3 ...",
        "make labels with torch.ones_like(d_real)",
    ),
    "old Function": (
        "return Old.apply(x)",
        "Old.apply(x)",
        "setup_context(ctx, inputs, output), and set generate_vmap",
    ),
    "checkpoint": ("return checkpoint(layer, x, use_reentrant=False)", "checkpoint(", "call the layers without it"),
    "clip": (
        "p = x * 1; p.grad = x; torch.nn.utils.clip_grad_norm_([p], 0.1); return p.grad",
        "torch.nn.utils.clip_grad_norm_([p], 0.1)",
        "write clip: 1.0 in the suite's optimizer",
    ),
    "backward hook": ("return hooked(x)", "hooked(x), in its layer Linear, runs a hook of gradients", "remove it"),
    "tape": (
        "z = torch.ones(2); return torch.autograd.grad(z.sum(), z)",
        "torch.autograd.grad(z.sum(), z)",
        "use input_gradient(D, x)",
    ),
    "requires_grad_": ("return x.requires_grad_()", "x.requires_grad_()", "use input_gradient(D, x)"),
    "data": ("return x * y.data", "y.data", "write .detach()"),
    "kinds": ("return layer(x.double())", "layer(x.double())", "leave .double() and .half() out"),
    "device": ("return x + far", "x + far", "make new tensors with device=x.device"),
}


@pytest.mark.parametrize("name", CODE)
def test_code_that_torch_cannot_batch_is_quoted_with_its_line_and_the_cure(name, failed):
    body, quoted, cure = CODE[name]
    reason = plain_words(failed(body))
    assert reason.startswith(quoted)
    assert cure in reason
    assert reason.endswith(f" (my_gan.py:{LINE})")
    assert not any(word in reason for word in ("aten", "vmap:", "functorch", "http", "Error"))


@pytest.mark.parametrize(
    ("body", "cure"),
    [
        ("real = torch.ones(16, 3, 8, 8); return torch.ones(16, 1) * real", "or between(real, fake, random)"),
        ("i = x.argmax(); return x[i]", "write x.index_select(0, i.view(1)) for x[i]"),
        (
            "return torch.ones(3).squeeze(1)",
            "logits are (n,) here, not (n, 1): leave .squeeze(1), [:, 0]",
        ),
        ("return torch.ones(3)[:, 0]", "logits are (n,) here, not (n, 1): leave .squeeze(1), [:, 0]"),
        ("return torch.nn.Sequential()(torch.ones(3), features=True)", "name an architecture whose networks take it"),
        ("return layer(x.double())", "torch.tensor(x, dtype=torch.float32) of numpy's x"),
    ],
)
def test_what_networks_and_shapes_of_other_code_have_is_told_with_the_cure(body, cure, failed):
    assert cure in plain_words(failed(body))


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_gpu_that_is_not_there(failed):
    assert "leave .cuda() out, and make new tensors with device=x.device" in plain_words(failed("return x.cuda()"))


def test_an_assertion_of_the_device_is_told_where_to_look():
    told = plain_words(RuntimeError("CUDA error: device-side assert triggered\nSearch for `cudaErrorAssert' in ..."))
    assert told.startswith("meets an assertion of the device that failed")
    assert told.endswith("give --device cpu, which says what and where")


def test_a_shipped_file_is_no_place_for_what_a_network_does(failed):
    """The network's layers are torch's own, and what called them is shipped: the layer is named instead."""
    network = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Identity(), nn.Linear(2, 2).double()))
    error = failed("return network_of_user(x)", "ganbench_plugin_shipped_0_my_gan", network)
    reason = plain_words(error)
    assert reason.startswith("layer '1.1' (Linear) mixes types of numbers: ")
    assert "my_gan.py" not in reason


def test_a_message_is_cut_between_sentences_and_has_no_inner_names():
    long = "The operator aten::foo_bar.Tensor failed. " + "So it is here. " * 30
    said = shortened(f"{long}For more details, please see https://pytorch.org/notes (Triggered internally at /a/b.cpp)")
    assert said.startswith("The operator foo_bar failed. So it is here.")
    assert said.endswith("here.")
    assert len(said) <= LONGEST
    assert shortened("word " * 100).endswith("word...")


def test_a_plugins_own_words_are_kept():
    assert plain_words(PluginError("its words")) == "its words"
    assert plain_words(ValueError("weight must be below 3")) == "ValueError: weight must be below 3"


def test_a_weight_of_another_shape_than_the_logits_is_told_the_cure():
    error = RuntimeError("output with shape [32] doesn't match the broadcast shape [32, 32]")
    assert plain_words(error).endswith("not torch.ones(n, 1), a column (n,) by .flatten(), and leave keepdim=True out")


def test_a_draw_that_is_no_seeds_names_the_layer_or_the_call():
    said = []
    with torch.random.fork_rng(devices=[]):
        lstm = nn.LSTM(2, 2, 2, dropout=0.5)
        for code in (
            lambda: torch.poisson(torch.ones(2)),
            lambda: nn.Linear(2, 2)(torch.ones(2)),
            lambda: lstm(torch.ones(1, 1, 2)),
        ):
            state = lambda: torch.get_rng_state().numpy().tobytes()  # noqa: E731
            with GlobalRngOverride(DrawRecorder(), state, lambda call: said.append(global_draw(call))):
                code()
    assert said[0].startswith("torch.poisson draws from torch's global random generator: draw with torch.rand")
    assert said[1].startswith("makes a layer Linear anew in each step, with other weights, and no optimizer moves it: ")
    assert "LSTM draws from torch's global random generator: set its dropout to 0" in said[-1]
