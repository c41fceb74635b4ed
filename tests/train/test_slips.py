"""Slips in a user's loss that fail nowhere are said before training: a column against a row, a misplaced detach."""

from __future__ import annotations

import pytest

from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train import slips
from ganbench.train.trainer import Trainer

SUITE = """
suite: it
seeds: 1
budget: {{steps: 10, batch: 8}}
datasets: {{data: {data}}}
defaults: {{loss: minimax, architecture: {{name: mlp, width: 4, depth: 1}}}}
variants: {{it: {variant}}}
references: []
"""
SHIPPED = [(kind, name) for kind in ("loss", "penalty") for name in Registry.load().names(kind)]
HEAD = """'''A test's plugin.'''
import torch
from torch.nn import functional as F
from torch.nn.functional import softplus
from ganbench import Loss, Penalty, hookimpl

def generator(d_fake):
    return softplus(-d_fake).mean()

@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator)

"""


@pytest.fixture
def note(foreign, cell, cpu):
    """The note on a cell whose D minimises the function that is given."""

    def build(names, *lines, variant="{loss: foreign}"):
        code = f"{HEAD}def discriminator({names}):\n" + "".join(f"    {line}\n" for line in lines)
        return Trainer([cell(variant, seeds=2, registry=foreign(code), batch=16)], cpu, "eager").note

    return build


PLAIN = "return softplus(-d_real).mean() + softplus(d_fake).mean()"


@pytest.mark.parametrize(
    ("names", "line"),
    [
        ("d_real, d_fake", "return (d_real - torch.ones(16, 1)).square().mean() + d_fake.square().mean()"),
        ("d_real, d_fake", "return (0.9 * d_real.new_ones(16, 1) - d_real).abs().mean() + d_fake.square().mean()"),
        ("d_real, d_fake, random", "return (d_real * random.uniform(16, 1)).mean() + d_fake.square().mean()"),
        ("d_real, d_fake, real", "return (d_real - F.linear(real, torch.ones(1, 2))).mean() + d_fake.square().mean()"),
        ("D, real, d_fake", "return (D(real).squeeze() - torch.ones(16, 1)).square().mean() + d_fake.square().mean()"),
    ],
)
def test_a_column_against_a_row_is_said_with_its_line_and_the_cure(note, names, line):
    said = note(names, "pass", line)
    place = f"foreign.py:{HEAD.count(chr(10)) + 3}: "
    assert f"{place}numbers of the shapes (16,) and (16, 1) give (16, 16), one for each pair of samples" in said
    assert "as torch.ones_like(d_real) or .flatten() does" in said
    assert said.count("(16, 16)") == 1


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


@pytest.mark.parametrize(("kind", "name"), SHIPPED)
def test_no_shipped_loss_or_penalty_slips(kind, name, shipped, cpu, monkeypatch):
    """Each as if it were the user's own; of one number a sample the data are a column, too."""

    class LookedError(Exception):
        """What was found; the rest of the probe is not needed."""

    def looked(*given):
        raise LookedError(slips.slips(*given))

    monkeypatch.setattr(slips, "_own_line", lambda: "mine.py:1")
    monkeypatch.setattr("ganbench.train.probe.slips", looked)
    text = SUITE.format(data="gaussian-1d", variant=f"{{{kind}: {name}}}")
    with pytest.raises(LookedError) as found:
        Trainer([next(cell for cell in plan(parse(text, shipped)) if cell.trained)], cpu, "eager")
    assert found.value.args == ([],)
