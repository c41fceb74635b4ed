"""What people write in PyTorch by habit, in networks and in losses, trains alike with every engine."""

from __future__ import annotations

import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.train.step.draws import DrawRecorder
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from ganbench import Architecture, Loss, Networks, Penalty, hookimpl, input_gradient

def bce(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()

def generator(d_fake):
    return F.softplus(-d_fake).mean()

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 8), nn.Linear(8, 1)

    def forward(self, x, features=False):
        h = torch.relu(self.first(x))
        return (self.last(h), h) if features else self.last(h)
"""
TAIL = """
def build(shape):
    return Networks(nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 2)), D(), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator)
"""
LOSS = """
def discriminator(d_real, d_fake):
    return bce(d_real, d_fake)
"""
#: Every layer is called in one forward: attention with and without weights, recurrent layers, norms, chance, ...
MANY = """
class Many(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = parametrizations.weight_norm(nn.Linear(1, 8))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True, dropout=0.1)
        self.transformer = nn.TransformerEncoderLayer(8, 2, 8, batch_first=True)
        self.gru, self.lstm = nn.GRU(8, 8, batch_first=True), nn.LSTM(8, 8, batch_first=True)
        self.norms = nn.Sequential(nn.LayerNorm(8), nn.GroupNorm(2, 8), nn.BatchNorm1d(8, track_running_stats=False))
        self.orthogonal = parametrizations.orthogonal(nn.Linear(8, 8))
        self.chance = nn.Sequential(nn.Dropout(0.1), nn.AlphaDropout(0.1), nn.Dropout1d(0.1), nn.RReLU())
        self.kinds = nn.Embedding(2, 8)
        self.image = nn.Sequential(
            nn.Unflatten(1, (2, 2, 2)), nn.ConvTranspose2d(2, 4, 2), nn.Dropout2d(0.1), nn.InstanceNorm2d(4),
            nn.PixelShuffle(2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )
        self.last = nn.Linear(8 + 4 + 1, 1)

    def forward(self, x):
        h = self.enter(x[..., None])
        h = h + self.attention(h, h, h, need_weights=False)[0] + self.attention(h, h, h)[0] + self.transformer(h)
        h = h + self.gru(h)[0] + self.lstm(h)[0]
        h = h + F.scaled_dot_product_attention(h, h, h, is_causal=True)
        h = self.chance(self.orthogonal(self.norms(h.mean(1)))) + self.kinds((x[:, 0].detach() > 0).long())
        h = h + 0.1 * torch.normal(0.0, 1.0, h.shape) + 0.1 * torch.empty(len(h), 8).uniform_(-1, 1)
        h = h + F.gumbel_softmax(h, hard=True) + 0.1 * h[torch.randperm(len(h))]
        spread = h.std(0).mean().expand(len(h), 1)
        self.kept = h
        return self.last(torch.cat([h, self.image(h), spread], 1))[:, :, None, None]

D = Many
"""


@pytest.fixture
def train(foreign, cell, cpu):
    """The state after some steps of a cell whose plugins are given as code."""

    def run(
        code,
        engine="eager",
        variant="{loss: foreign, architecture: foreign, optimizer: {name: sgd, lr: 0.01}}",
        steps=5,
    ):
        registry = foreign(HEAD + code + TAIL)
        trainer = Trainer([cell(variant, seeds=2, registry=registry)], cpu, engine)
        assert (trainer.engine, trainer.note) == (engine, "")
        return trainer.advance(trainer.start, 0, steps)

    return run


def test_torchs_layers_train_alike_batched_and_alone_also_with_a_second_derivative(train, apart):
    """No warning of torch's reaches who runs it: here it would be an error."""
    variant = "{loss: foreign, architecture: foreign, penalty: r1, optimizer: {name: sgd, lr: 0.01}}"
    one, other = (train(LOSS + MANY, engine, variant) for engine in ("eager", "serial"))
    assert (one.survived == 5).all()
    assert apart(one, other) < 1e-5
    assert apart(one, one, among=[1, 0]) > 1e-2


#: A term on D's weights, as people write it, in place of the reference's own.
WEIGHTS = {
    "named_parameters": "sum(p.square().sum() for n, p in D.named_parameters() if 'weight' in n)",
    "modules": "sum(m.weight.square().sum() for m in D.modules() if isinstance(m, nn.Linear))",
    "children": "sum(m.weight.square().sum() for m in D.children())",
    "by name": "D.first.weight.square().sum() + D.last.weight.square().sum()",
    "parameters": "torch.nn.utils.parameters_to_vector(p for p in D.parameters() if p.dim() == 2).square().sum()",
    "get_parameter": "D.get_parameter('first.weight').norm() ** 2 + D.get_submodule('last').weight.norm() ** 2",
}
TERM = """
D = Plain

def discriminator(D, d_real, d_fake, real):
    return bce(d_real, d_fake) + 0.1 * ({}) + 0 * D(real).mean()
"""


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_term_on_ds_weights_pulls_them(name, train, apart):
    """However they are asked for, the gradient is that of the weights of this step and seed."""
    plain, first, own = (train(TERM.format(term)) for term in ("0.0", WEIGHTS["named_parameters"], WEIGHTS[name]))
    assert apart(first, own) < 1e-6
    assert apart(first, plain) > 1e-3
    if name == "modules":
        assert apart(own, train(TERM.format(WEIGHTS[name]), "serial")) < 1e-6


FEATURES = """
D = Plain

def discriminator(D, real, fake):
    (a, h), (b, k) = D(real, features=True), D(fake, features=True)
    assert a.shape == b.shape == (32,)
    return bce(a, b) + {} * (h.mean(0) - k.mean(0)).square().sum()
"""


def test_features_beside_logits_are_matched(train, apart):
    matched, serial, not_matched = (
        train(FEATURES.format(weight), engine) for weight, engine in ((1.0, "eager"), (1.0, "serial"), (0.0, "eager"))
    )
    assert apart(matched, serial) < 1e-6
    assert apart(matched, not_matched) > 1e-4
    assert apart(not_matched, train(LOSS + "\nD = Plain")) < 1e-6


MISTAKES = {
    "D.eval()": ("D.eval(); return bce(d_real, d_fake)", r"\.eval\(\) of a player: training is in train\(\) mode"),
    "D.zero_grad()": ("D.zero_grad(); return bce(d_real, d_fake)", "leave it out, each step begins without gradients"),
    "hook": (
        "[p.register_hook(lambda g: 0 * g) for p in D.parameters()]; return bce(d_real, d_fake)",
        r"sets a hook on a player's weight 'first.weight' \(foreign.py:\d+\), and no step calls it",
    ),
    "hook by name": (
        "D.first.weight.register_hook(lambda g: 0 * g); return bce(d_real, d_fake)",
        r"sets a hook on a player's weight 'first.weight' \(foreign.py:\d+\)",
    ),
    "clamp": (
        "[p.data.clamp_(-0.01, 0.01) for p in D.parameters()]; return bce(d_real, d_fake)",
        r"changes the discriminator's weights in place, .*: write Loss\(project=...\)",
    ),
    "labels (n, 1)": (
        "return F.mse_loss(d_real, torch.ones(len(d_real), 1)) + d_fake.mean()",
        r"compares numbers of two shapes, .* may be one: make labels with torch.ones_like\(d_real\), .* keepdim",
    ),
    "a column against numbers (n,)": (
        "return bce(d_real, d_fake) + F.mse_loss(d_real[:, None], real[:, 0])",
        r"compares numbers of two shapes, .* a column \(n,\) by .flatten\(\), and leave keepdim.* \(foreign.py",
    ),
    "clamp by name": (
        "with torch.no_grad(): [p.clamp_(-0.01, 0.01) for _, p in D.named_parameters()]\n    return d_fake.mean()",
        r"changes the discriminator's weights in place, .*: write Loss\(project=...\)",
    ),
    "labels filled again": (
        "label = torch.full_like(d_real, 0.9); a = F.binary_cross_entropy_with_logits(d_real, label); label.fill_(0); "
        "return a + F.binary_cross_entropy_with_logits(d_fake, label)",
        r"^\.fill_\(\) changes in place a tensor that a gradient still needs: make a new one, .* \(foreign.py:\d+\)$",
    ),
    "backward": (
        "loss = bce(d_real, d_fake); loss.backward(); return loss",
        r"return the loss, and the engine takes its gradient \(foreign.py:\d+\)$",
    ),
    "no create_graph": (
        "real.requires_grad_(True); d = D(real); g = torch.autograd.grad(d.sum(), real)[0]\n    "
        "return bce(d, d_fake) + g.pow(2).mean()",
        r"without create_graph=True, .*: write create_graph=True, or use input_gradient\(D, x\) \(foreign.py:\d+\)$",
    ),
    "weights by name": (
        "w = [*D.parameters()][0]; return bce(d_real, d_fake) + torch.autograd.grad(d_real.sum(), w)[0].sum()",
        r"weights by name, which are made anew for each call of a player: take it .* \(foreign.py:\d+\)$",
    ),
    "probabilities": (
        "return F.binary_cross_entropy(d_real, torch.ones_like(d_real)) + d_fake.mean()",
        r"^F.binary_cross_entropy\(d_real, .* takes probabilities, and d_real and d_fake are logits: write F.binary",
    ),
    "a copy of D": (
        "import copy; copy.deepcopy(D); return d_real.mean()",
        "of D's weights there is none; steps ahead of",
    ),
    "nothing": ("bce(d_real, d_fake)", "must return a scalar tensor, not NoneType: is its return missing?"),
    "two": ("return d_real.mean(), d_fake.mean()", "not tuple: add its terms"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_a_loss_must_not_do_has_one_line_with_the_cure(name, train):
    body, message = MISTAKES[name]
    with pytest.raises(PluginError, match=message) as raised:
        train(f"D = Plain\n\ndef discriminator(D, d_real, d_fake, real, fake):\n    {body}\n")
    assert "\n" not in str(raised.value)
    assert "aten" not in str(raised.value)


MASKED = """
class Masked(Plain):
    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.arange(16).view(8, 2) % 2.0)

    def forward(self, x):
        w = self.first.weight
        return self.last(torch.relu(F.linear(x, {}, self.first.bias)))

D = Masked
"""


def test_what_is_told_for_a_hook_that_masks_a_gradient_holds_a_part_of_a_weight(train):
    weight = "w * self.mask + w.detach() * (1 - self.mask)"
    plain, masked = (train(LOSS + MASKED.format(code)).players.D.theta[0, :16].view(8, 2) for code in ("w", weight))
    begin = train(LOSS + MASKED.format("w"), steps=0).players.D.theta[0, :16].view(8, 2)
    assert torch.equal(masked[:, 0], begin[:, 0])
    assert (plain != begin).any(0).all()
    assert (masked != begin).any(0).tolist() == [False, True]


@pytest.mark.parametrize(
    "line",
    [
        "torch.nn.utils.clip_grad_norm_(D.parameters(), 1e-3)",
        "[p.grad.clamp_(-0.1, 0.1) for p in D.parameters() if p.grad is not None]",
    ],
)
@pytest.mark.parametrize("engine", ["serial", "eager"])
def test_gradients_that_are_not_there_yet_are_said_to_be_clipped_in_vain(line, engine, cell, foreign, cpu):
    code = f"D = Plain\n\ndef discriminator(D, d_real, d_fake):\n    {line}\n    return bce(d_real, d_fake)\n"
    registry = foreign(HEAD + code + TAIL)
    note = Trainer([cell("{loss: foreign, architecture: foreign}", seeds=2, registry=registry)], cpu, engine).note
    at = (HEAD + code).splitlines().index(f"    {line}") + 1
    assert note.startswith(f"a step reads .grad, which is None there (foreign.py:{at}), so this changes nothing: ")
    assert note.endswith("to clip them write clip: 1.0 in the suite's optimizer")


def test_gradients_that_are_set_first_and_those_of_no_player_are_read_without_a_word(cell, foreign, cpu):
    code = """
D, other = Plain, nn.Linear(1, 1)

def discriminator(d_real, d_fake):
    other.zero_grad()
    weight = d_real.detach().clone()
    weight.grad = d_fake.detach()
    assert weight.grad is not None
    return bce(d_real, d_fake)
"""
    registry = foreign(HEAD + code + TAIL)
    assert not Trainer([cell("{loss: foreign, architecture: foreign}", seeds=2, registry=registry)], cpu, "eager").note


def test_a_network_that_is_called_again_when_its_weights_are_gone_is_refused_at_its_line(train):
    code = """
from torch.utils.checkpoint import checkpoint

class Again(Plain):
    def forward(self, x):
        return self.last(checkpoint(self.first, x, use_reentrant=False))

D = Again
"""
    with pytest.raises(
        PluginError, match=r"uses torch.utils.checkpoint, .*: call the layers without it \(foreign.py:\d+"
    ):
        train(LOSS + code)


def test_a_penalty_on_the_tape_at_the_batch_itself_trains_seed_by_seed(train, apart):
    """As R1 is written nearly everywhere: torch notices only when the step is made from given numbers."""
    code = """
D = Plain

def discriminator(D, real, d_real, d_fake):
    real.requires_grad = True
    g, = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    return bce(d_real, d_fake) + g.square().sum(1).mean() / 2
"""
    own = "def discriminator(d_real, d_fake, D, real):\n    return bce(d_real, d_fake) + "
    own += "input_gradient(D, real).square().sum(1).mean() / 2\n\nD = Plain\n"
    assert apart(train(code, "serial"), train(own, "serial")) < 1e-6


def test_weights_that_forward_clamps_are_refused_also_with_a_penalty(train):
    """There torch notices itself in the first attempt, in which they have been clamped already."""
    code = """
class Clamped(Plain):
    def forward(self, x):
        self.first.weight.data.clamp_(-0.1, 0.1)
        return super().forward(x)

D = Clamped
"""
    with pytest.raises(PluginError, match="changes the discriminator's weights in place"):
        train(LOSS + code, variant="{loss: foreign, architecture: foreign, penalty: r1}")


def test_more_draws_than_before_training_are_refused():
    """Such as those of a loop that ends by chance."""
    recorder = DrawRecorder((torch.rand(2),))
    recorder.uniform(2)
    with pytest.raises(PluginError, match="draws more random numbers than the one before training"):
        recorder.uniform(2)


def test_a_buffer_that_forward_replaces_is_refused(train):
    """The next step would not know of it."""
    code = """
class Averaging(Plain):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(8))

    def forward(self, x):
        h = self.first(x)
        self.mean = 0.9 * self.mean + 0.1 * h.mean(0).detach()
        return self.last(h - self.mean)

D = Averaging
"""
    with pytest.raises(PluginError, match="forward sets its buffer 'mean' to another tensor"):
        train(LOSS + code)
