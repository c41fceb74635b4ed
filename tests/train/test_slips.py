"""Slips in a user's loss that fail nowhere are said before training: a column against a row, a misplaced detach."""

from __future__ import annotations

import pytest

from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train import columns, probabilities, slips, sums
from ganbench.train.trainer import Trainer

SUITE = """
suite: it
seeds: 1
budget: {{steps: 10, batch: {batch}}}
datasets: {{data: {data}}}
defaults: {{loss: minimax, architecture: {{name: mlp, width: 4, depth: 1}}}}
variants: {{it: {variant}}}
references: []
"""
SHIPPED = [(kind, name) for kind in ("loss", "penalty") for name in Registry.load().names(kind)]
HEAD = """'''A test's plugin.'''
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import softplus
from ganbench import Loss, Penalty, gradient_norm, gradient_penalty, hookimpl

def generator(d_fake):
    return softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator)

"""


@pytest.fixture
def looked(cpu, monkeypatch):
    """What is said of a cell's slips; the rest of the probe is not needed."""

    class LookedError(BaseException):
        """What was found."""

    def look(*given):
        raise LookedError(slips.slips(*given))

    def found(cell):
        monkeypatch.setattr("ganbench.train.probe.slips", look)
        with pytest.raises(LookedError) as told:
            Trainer([cell], cpu, "eager")
        return "; ".join(told.value.args[0])

    return found


@pytest.fixture
def note(foreign, looked):
    """What is said of a cell whose D minimises the function that is given."""

    def build(names, *lines, variant="{loss: foreign}", data="ring", batch=16):
        code = f"{HEAD}def discriminator({names}):\n" + "".join(f"    {line}\n" for line in lines)
        text = SUITE.format(data=data, variant=variant, batch=batch)
        return looked(next(cell for cell in plan(parse(text, foreign(code))) if cell.trained))

    return build


PLAIN = "return softplus(-d_real).mean() + softplus(d_fake).mean()"


@pytest.mark.filterwarnings("ignore:Using a target size")  # a run hides torch's own warnings
@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("d_real, d_fake", "return (d_real - torch.ones(16, 1)).square().mean() + d_fake.square().mean()"),
        ("d_real, d_fake", "return (0.9 * d_real.new_ones(16, 1) - d_real).abs().mean() + d_fake.square().mean()"),
        ("d_real, d_fake, random", "return (d_real * random.uniform(16, 1)).mean() + d_fake.square().mean()"),
        ("d_real, d_fake, real", "return (d_real - F.linear(real, torch.ones(1, 2))).mean() + d_fake.square().mean()"),
        ("D, real, d_fake", "return (D(real).squeeze() - torch.ones(16, 1)).square().mean() + d_fake.square().mean()"),
        ("d_real, d_fake", "return F.hinge_embedding_loss(d_real, torch.ones(16, 1)) + d_fake.square().mean()"),
        ("d_real, d_fake, real", "return (d_real - real[:, :1]).square().mean() + d_fake.square().mean()"),
        (
            "d_real, d_fake, real",
            "return (real.norm(dim=1) * F.linear(real, torch.ones(1, 2)) * d_real).mean() + d_fake.mean()",
        ),
        ("d_real, d_fake, real", "return (d_real * torch.rand(16, 1, 1)).square().mean() + d_fake.square().mean()"),
        (
            "d_real, d_fake, real",
            "return (torch.log_softmax(real, 1).gather(1, real.argmax(1)[:, None]) * d_real).mean() + d_fake.mean()",
        ),
    ],
)
def test_a_column_against_a_row_is_said_with_its_line_and_the_cure(note, names, line):
    said = note(names, "pass", line)
    place = f"foreign.py:{HEAD.count(chr(10)) + 3}: "
    more = ", 1" if "1, 1)" in line else ""
    assert f"{place}numbers of the shapes (16,) and (16, 1{more}) give (16{more}, 16), one for each pair" in said
    assert "as torch.ones_like(d_real) or .flatten() does" in said
    assert said.count(" give ") == 1


@pytest.mark.parametrize(
    "labels",
    [
        "torch.cat([torch.ones(16, 1), torch.zeros(16, 1)])",
        "torch.stack([torch.ones(16), torch.zeros(16)]).view(2, 16, 1).flatten(0, 1)[:, :1]",
        "torch.vstack([torch.ones(16, 1), torch.zeros(16, 1)])",
    ],
)
def test_a_column_of_real_and_generated_samples_together_is_said(note, labels):
    said = note("d_real, d_fake", f"labels = {labels}", "return (torch.cat([d_real, d_fake]) - labels).square().mean()")
    assert "numbers of the shapes (32,) and (32, 1) give (32, 32), one for each pair of samples" in said


def test_a_row_that_was_squeezed_against_a_column_that_was_not_is_said(note):
    """One number a sample: where one of two columns is squeezed, their difference is one for each pair."""
    line = PLAIN + " + 1e-3 * (real - fake.squeeze(1)).square().mean()"
    said = note("d_real, d_fake, real, fake", line, data="gaussian-1d")
    assert "numbers of the shapes (16,) and (16, 1) give (16, 16)" in said


@pytest.mark.parametrize(
    ("line", "slips"), [("d_real * fake", True), ("random.uniform(2) * fake", True), ("fake - fake.mean(0)", False)]
)
def test_numbers_of_samples_that_meet_the_last_axis_of_as_many_are_said(note, line, slips):
    """A batch of two in two dimensions, as one of 32 of images of 32 x 32."""
    said = note("d_real, d_fake, fake, random", PLAIN + f" + 1e-3 * ({line}).square().mean()", batch=2)
    words = "numbers of the shape (2,) meet the last axis of (2, 2), not its samples: make them (2, 1), as .view(-1, 1)"
    assert (words in said) is slips


#: As people weigh samples: the mean over all pairs of a product is the product of the means.
WEIGHTS = {
    "of samples": [
        "w = real.norm(dim=1, keepdim=True)",
        "return (w * softplus(-d_real)).mean() + softplus(d_fake).mean()",
    ],
    "by a sum": [
        "w = torch.exp(-real.norm(dim=1, keepdim=True))",
        "return (w * softplus(-d_real)).sum() / w.sum() + softplus(d_fake).mean()",
    ],
    "of logits": [
        "w = torch.softmax(-d_real.unsqueeze(1), dim=0)",
        "return (w * softplus(-d_real)).sum() + softplus(d_fake).mean()",
    ],
    "against a column of logits": [
        "w = real.pow(2).sum(1, keepdim=True)",
        "return torch.mean(softplus(-d_real.unsqueeze(1)) * w.squeeze()) + softplus(d_fake).mean()",
    ],
    "of classes": [
        "w = torch.linspace(0.5, 1.5, 16)[torch.arange(16)].view(-1, 1)",
        "return (softplus(-d_real) * w).mean() + softplus(d_fake).mean()",
    ],
    "with a sign": [
        "w = real.norm(dim=1, keepdim=True)",
        "return -torch.mean(2 * w * F.logsigmoid(d_real)) + softplus(d_fake).mean()",
    ],
    "which are 0 or 1": [
        "w = real.norm(dim=1, keepdim=True) < 1",
        "return torch.where(w, softplus(-d_real), torch.zeros(16)).mean() + softplus(d_fake).mean()",
    ],
    "of a ratio": [
        "w = (real - real.flip(0)).norm(dim=1, keepdim=True)",
        f"{PLAIN} + 0.1 * ((fake - fake.flip(0)).norm(dim=1) / w).mean()",
    ],
    "as a margin": ["w = (real - fake).norm(dim=1, keepdim=True)", "return F.relu(w + d_fake - d_real).mean()"],
    "as a slope": [
        "w = real.norm(dim=1, keepdim=True)",
        f"{PLAIN} + 0.1 * (gradient_norm(D, real) - w).square().mean()",
    ],
}


@pytest.mark.parametrize("what", WEIGHTS)
def test_weights_of_samples_that_are_a_column_are_said_once_with_their_line(note, what):
    said = note("d_real, d_fake, real, fake, D", *WEIGHTS[what])
    place = f"foreign.py:{HEAD.count(chr(10)) + 3}: "
    assert said.startswith(
        f"{place}numbers of the shapes (16,) and (16, 1) give (16, 16), one for each pair of samples"
    )
    assert said.endswith("and leave keepdim=True out")
    assert said.count(" give ") == 1


@pytest.mark.parametrize(
    "line",
    [
        "apart = d_real[:, None] - d_fake",
        "apart = d_real.unsqueeze(1) - d_fake[None, :]",
        "apart = d_real.view(-1, 1) - d_fake.view(1, -1)",
        "apart = torch.ones(16, 1) @ d_real[None] - d_fake",
        "apart = torch.cdist(real, fake)",
        "apart = (real**2).sum(1, keepdim=True) + (fake**2).sum(1) - 2 * real @ fake.T",
        "apart = d_real - d_real.flatten()",
        "apart = (real - fake) * torch.rand(16, 1)",
        "apart = d_real - torch.ones(16, 1).flatten()",
        "apart = F.mse_loss(d_real, torch.ones_like(d_real))",
        "apart = (column := torch.rand(16, 1)) - column.squeeze(1)",
        "apart = torch.einsum('ij,k->ik', torch.rand(16, 1), d_real)",
        "apart = real.max(1, keepdim=True).values - fake.max(1).values",
        "apart = torch.cat([d_real[:, None], d_fake[:, None]]) - torch.cat([d_real, d_fake])",
        "apart = (real[:, None] - fake).norm(dim=2)",
        "apart = ((real**2).sum(1, keepdim=True) + (fake**2).sum(1) - 2 * real @ fake.T).mean()",
        "apart = torch.exp(-(real[:, :1] - fake[:, 0][None]).square()).mean()",
        "apart = softplus(d_real[:, None] - d_fake).mean()",
        "apart = (d_real[:, None] * d_fake).sum(1)",
        "apart = (real.norm(dim=1, keepdim=True) * real).mean()",
    ],
)
def test_all_pairs_on_purpose_and_columns_against_columns_are_not(note, line):
    assert note("d_real, d_fake, real, fake", line, PLAIN + " + 1e-3 * apart.square().mean()") == ""


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("return softplus(-d_real).mean() + softplus(d_fake.detach()).mean()", "d_fake"),
        ("return softplus(-d_real.detach()).mean() + softplus(d_fake).mean()", "d_real"),
    ],
)
@pytest.mark.parametrize("variant", ["{loss: foreign}", "{loss: foreign, penalty: r1}"])
def test_logits_that_give_d_no_gradient_are_said(note, line, name, variant):
    line_of = HEAD.count("\n") + 1
    assert note("d_real, d_fake", line, variant=variant) == (
        f"the loss's discriminator() (foreign.py:{line_of}) names {name}, and D gets no gradient from it: leave "
        ".detach() and torch.no_grad() out, G is not trained by D's loss"
    )


@pytest.mark.parametrize(
    "lines",
    [
        [f"{PLAIN} + 1e-3 * sum(v.pow(2).sum() for v in D.state_dict().values())"],
        [
            "x = real.clone().requires_grad_()",
            "g = torch.autograd.grad(D(x).sum(), x)[0]",
            f"{PLAIN} + 5 * g.square().mean()",
        ],
        ["loss = " + PLAIN[7:], "loss += 0.1 * d_real.detach().square().mean()", "return loss"],
        ["each = softplus(-d_real) + softplus(d_fake)", "return (each - d_real.detach() / 3).mean()"],
        ["with torch.no_grad():", "    slope = gradient_penalty(D, real, fake, random)", f"{PLAIN} + slope"],
    ],
)
def test_a_term_without_a_gradient_is_said_with_the_line_that_adds_it(note, lines):
    """Such a loss trains as if the term were not there, to the digit."""
    said = note("d_real, d_fake, D, real, fake, random", *lines)
    assert "a term depends on the discriminator and gives it no gradient, so it changes no step" in said
    # A function of ganbench's that is a sum itself is the line that adds.
    line = 2 if lines[0].startswith("with") else len(lines) - (lines[-1] == "return loss")
    assert said.startswith(f"foreign.py:{HEAD.count(chr(10)) + 1 + line}: ")


def test_a_penalty_and_a_term_of_g_without_a_gradient_are_said(foreign, looked):
    code = f"""{HEAD}def discriminator(d_real, d_fake):
    {PLAIN}

def own_generator(d_fake, fake):
    return softplus(-d_fake).mean() - fake.detach().std()

def still(d_real):
    return d_real.detach().square().max()

@hookimpl
def ganbench_penalties():
    yield Penalty("still", discriminator=still)
""".replace("discriminator, generator)", "discriminator, own_generator)")
    text = SUITE.format(data="ring", variant="{loss: foreign, penalty: still}", batch=8)
    said = looked(next(cell for cell in plan(parse(text, foreign(code))) if cell.trained))
    assert (
        "penalty still's still() (foreign.py:21): its value depends on the discriminator and gives it no gradient"
        in said
    )
    assert "a term depends on the generator and gives it no gradient" in said


@pytest.mark.parametrize(
    "line",
    [
        f"{PLAIN} + 0.5 + torch.tensor(2.0) + 0 * fake.square().mean()",
        f"{PLAIN} + (d_real - d_fake.detach().mean()).square().mean()",
        f"{PLAIN} + d_real.detach().abs().mean() * d_fake.square().mean()",
        f"{PLAIN} + gradient_penalty(D, real, fake, random) + sum(p.square().sum() for p in D.parameters())",
    ],
)
def test_other_terms_are_not(note, line):
    assert note("d_real, d_fake, D, real, fake, random", line) == ""


REAL, FAKE = "softplus(-D(real)).mean()", "softplus(D(fake)).mean()"


@pytest.mark.parametrize(
    ("lines", "logits"),
    [
        ([f"return {REAL} + softplus(D(fake).detach()).mean()"], "D(fake)"),
        ([f"return {FAKE} + softplus(-D(real).detach()).mean()"], "D(real)"),
        (["with torch.no_grad():", "    value = D(fake)", f"return {REAL} + softplus(value).mean()"], "D(fake)"),
        (["noisy = fake.detach() + 0.1 * torch.randn(16, 2)", f"return {REAL} + D(noisy).detach().mean()"], "D(fake)"),
        (
            [
                "slope = gradient_penalty(D, real, fake, random)",
                f"return {REAL} + D.forward(fake).detach().mean() + slope",
            ],
            "D(fake)",
        ),
    ],
)
def test_a_call_of_d_that_gives_no_gradient_is_said(note, lines, logits):
    assert f"calls {logits}, and D gets no gradient from it" in note("D, real, fake, random", *lines)


@pytest.mark.parametrize(
    "lines",
    [
        [f"return {REAL} + softplus(D(fake.detach())).mean()"],
        [
            "both = D(torch.cat([real, fake.detach()]))",
            "return softplus(-both[:16]).mean() + softplus(both[16:]).mean()",
        ],
        [f"return {REAL} + (D(fake).sigmoid().detach() * softplus(D(fake))).mean()"],
        [f"return {REAL} + {FAKE} + gradient_penalty(D, real, fake, random)"],
        ["apart = softplus(-(D(real) - D(fake))).mean()", "return apart * D(real).detach().square().mean()"],
    ],
)
def test_other_calls_of_d_are_not(note, lines):
    assert note("D, real, fake, random", *lines) == ""


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("d_real, d_fake", "return softplus(-d_real).mean() + (d_fake.sigmoid().detach() * softplus(d_fake)).mean()"),
        ("d_real, d_fake", "return F.relu(1 - d_real).mean() + F.relu(d_fake - 1e6).mean()"),
        ("d_real", "return d_real.square().mean()"),
        ("D, d_real, d_fake, fake", "return softplus(-d_real).mean() + softplus(D(fake) - d_fake.detach()).mean()"),
    ],
)
def test_other_uses_of_detach_are_not(note, names, line):
    assert note(names, line) == ""


@pytest.mark.parametrize(
    "line",
    [
        "return F.binary_cross_entropy_with_logits(torch.sigmoid(d_real), torch.ones(16)) + softplus(d_fake).mean()",
        "return F.binary_cross_entropy_with_logits(F.sigmoid(d_real), torch.ones(16)) + softplus(d_fake).mean()",
        "p = d_real.sigmoid().clamp(1e-6, 1 - 1e-6); return softplus(-p).mean() + softplus(d_fake).mean()",
        "return -F.logsigmoid(d_real.sigmoid()).mean() + softplus(d_fake).mean()",
        "return nn.BCEWithLogitsLoss()(torch.sigmoid(d_real), torch.ones(16)) + softplus(d_fake).mean()",
    ],
)
def test_probabilities_that_are_given_for_logits_are_said_with_their_line(note, line):
    place = f"foreign.py:{HEAD.count(chr(10)) + 2}: "
    said = note("d_real, d_fake", line)
    assert said.startswith(f"{place}")
    assert "takes logits, and is given probabilities, a sigmoid of them: leave sigmoid out there" in said


@pytest.mark.parametrize(
    "line",
    [
        "return F.binary_cross_entropy(torch.sigmoid(d_real), torch.ones(16)) + softplus(d_fake).mean()",
        "return F.binary_cross_entropy_with_logits(d_real, d_fake.sigmoid().detach()) + softplus(d_fake).mean()",
        "return (d_real.sigmoid().detach() * softplus(-d_real)).mean() + softplus(d_fake).mean()",
        "return -d_real.sigmoid().log().mean() + softplus(d_fake).mean()",
    ],
)
def test_probabilities_that_are_wanted_are_not(note, line):
    assert note("d_real, d_fake", line) == ""


@pytest.mark.parametrize(
    ("variant", "penalty"),
    [
        ("{loss: wgan-gp, penalty: gp}", "gp"),
        ("{loss: rpgan, penalty: [lecam, r2]}", "r2"),
        ("{loss: foreign, penalty: r1}", "r1"),
        ("{loss: {name: rpgan, r1: 0, r2: 0}, penalty: r1}", ""),
        ("{loss: wgan-gp, penalty: lecam}", ""),
        ("{loss: minimax, penalty: [r1, r2]}", ""),
    ],
)
def test_a_gradient_penalty_beside_that_of_the_loss_is_said(note, variant, penalty):
    line = PLAIN + " + gradient_penalty(D, real, fake, random)"
    said = note("d_real, d_fake, D, real, fake, random", line, variant=variant)
    words = f"has a gradient penalty of its own, and penalty {penalty} is one beside it: leave one of them out, if not"
    assert (words in said) if penalty else (said == "")


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_no_shipped_loss_or_penalty_slips(kind, name, shipped, looked, monkeypatch):
    """Each as if it were the user's own; of one number a sample the data are a column, too."""

    for module in (columns, probabilities, sums):
        monkeypatch.setattr(module, "own_line", lambda: "mine.py:1")
    text = SUITE.format(data="gaussian-1d", variant=f"{{{kind}: {name}}}", batch=8)
    assert looked(next(cell for cell in plan(parse(text, shipped)) if cell.trained)) == ""
