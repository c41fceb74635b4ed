"""Labels reach both networks of a conditional GAN, each with its own sample, in every engine and in evaluation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from ganbench.core.errors import PluginError
from ganbench.data.labels import class_shares, draw_labels
from ganbench.data.mixture import Mixture
from ganbench.suite.choice import Choice
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError
from ganbench.train.step.draws import DrawSpec, RandomBlocks
from ganbench.train.trainer import Trainer

RING = Mixture([[math.cos(a), math.sin(a)] for a in (0.0, 2.0, 4.0)], 0.01, [1, 2, 1])
#: G makes the mode that it is asked for, and D's logit is the squared distance from there: 0 where labels are right.
KNOWING = '''"""Networks that know where the modes of the ring are."""
import math
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, hookimpl

ANGLES = torch.arange(8) * math.pi / 4
MODES = 2 * torch.stack([ANGLES.cos(), ANGLES.sin()], 1)

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("modes", MODES.clone())
    def forward(self, z, label):
        return self.scale * (self.modes[label] + 0 * z)

class D(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.register_buffer("modes", MODES.clone())
    def forward(self, x, label):
        return self.scale * (x - self.modes[label]).square().sum(1)

@hookimpl
def ganbench_architectures():
    yield Architecture("knowing", lambda shape, classes: Networks(G(), D(), (2,), classes=classes))
    yield Architecture("silent", lambda shape, classes: Networks(G(), D(), (2,)))
    yield Architecture("of-four", lambda shape: Networks(G(), D(), (2,), classes=4))

def wrong(D, real, fake):
    return D(torch.cat([real, fake])).mean()

def shifted(D, real, label):
    return D(real, (label + 1) % 8).mean()

@hookimpl
def ganbench_losses():
    yield Loss("joined", wrong, lambda d_fake: d_fake.mean())
    yield Loss("shifted", shifted, lambda d_fake: d_fake.mean())
'''
CONDITIONAL = "architecture: {name: conditional-mlp, width: 8, depth: 1}"
SUITE = """
suite: labels
budget: {{steps: 10, batch: 8}}
datasets:
  data: {data}
variants:
  it: {variant}
"""


def mistake(shipped, data, variant):
    with pytest.raises(SuiteError) as caught:
        parse(SUITE.format(data=data, variant=variant), shipped)
    (one,) = caught.value.mistakes
    return f"{one.line}: {one.message}"


def test_the_samples_with_labels_are_those_without_and_a_label_is_its_samples_own(cpu):
    """So a conditional variant trains on what the others train on, step by step."""
    with_labels = DrawSpec("real.0", "labelled", (2**12, 3), classes=3)
    without = DrawSpec("real.0", "real", (2**12, 2))
    assert with_labels.block_steps == without.block_steps == 32
    for step in (0, 40):
        both, alone = (RandomBlocks([each], RING, [3], cpu, 100).at(step)[0][0] for each in (with_labels, without))
        assert torch.equal(both[:, :2], alone)
        nearest = torch.cdist(alone, torch.tensor(RING.means).float()).argmin(1)
        assert torch.equal(both[:, 2].long(), nearest)


def test_labels_are_drawn_as_often_as_the_data_have_them():
    drawn = draw_labels(class_shares(RING), 40_000, torch.Generator().manual_seed(0))
    assert torch.bincount(drawn).div(40_000).tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.01)


def test_real_samples_generated_ones_and_latents_come_with_their_own_labels(cell, foreign, cpu):
    """Known networks: all logits are 0, up to the data's own spread."""
    one = cell("{loss: wgan-gp, architecture: knowing}", registry=foreign(KNOWING), seeds=2)
    trainer = Trainer([one], cpu, "eager")
    names = frozenset({"samples", "real", "d_real", "d_fake"})
    found = trainer.metric_inputs(trainer.start, 0, 1, names, final=True)
    assert found["d_fake"].abs().max() == 0
    assert found["d_real"].max() < 0.5  # 0.1 std: a neighbouring mode would be at 2.3
    assert torch.equal(found["label"], torch.cdist(found["samples"], trainer.rules.generator.module.modes).argmin(1))


def test_a_loss_may_name_labels_and_give_others(cell, foreign, cpu):
    one = cell("{loss: shifted, architecture: knowing}", registry=foreign(KNOWING), seeds=1)
    trainer = Trainer([one], cpu, "eager")
    assert trainer.rules.conditional
    assert trainer.advance(trainer.start, 0, 1).players.D.theta.item() != 1
    plain = cell("{loss: shifted, architecture: {name: mlp, width: 4}}", registry=foreign(KNOWING), seeds=1)
    with pytest.raises(PluginError, match="positional argument"):
        Trainer([plain], cpu, "eager")


def test_a_loss_that_joins_batches_is_told_to_give_the_labels(cell, foreign, cpu):
    one = cell("{loss: joined, architecture: knowing}", registry=foreign(KNOWING), seeds=1)
    with pytest.raises(PluginError, match=r"D is called with 64 inputs, and the batch has 32 labels.*D\(x, label\)"):
        Trainer([one], cpu, "eager")


def test_a_seed_alone_and_one_by_one_is_the_same_seed_in_a_batch(trained, apart):
    """With a penalty between samples, another at them, and an average."""
    variant = f"{{loss: wgan-gp, penalty: [r1], average: 0.5, {CONDITIONAL}}}"
    together = trained(variant, seeds=3, steps=20)
    for engine in ("eager", "serial"):
        assert apart(together, trained(variant, engine, seeds=[1], steps=20), among=[1]) < 1e-5


@pytest.mark.slow
def test_compiled_is_eager(trained, apart):
    variant = "{loss: wgan-gp, architecture: {name: conditional-mlp, width: 8, discriminator: projection}}"
    assert apart(*(trained(variant, engine) for engine in ("eager", "compiled"))) < 1e-5


@pytest.mark.parametrize(
    ("data", "variant", "line"),
    [
        (
            "moons",
            f"{{loss: minimax, {CONDITIONAL}}}",
            "7: for dataset 'data': architecture 'conditional-mlp' needs labels, and these ",
        ),
        (
            "ring",
            f"{{loss: pacgan, {CONDITIONAL}}}",
            "7: loss 'pacgan' makes its own networks, and gives them no labels",
        ),
    ],
)
def test_what_has_no_labels_to_give_is_one_line_at_its_place(data, variant, line, shipped):
    assert mistake(shipped, data, variant).startswith(line)


@pytest.mark.parametrize(
    ("name", "line"),
    [("silent", "return Networks(..., classes=classes)"), ("of-four", "takes 4 classes, and the data have 8")],
)
def test_networks_that_do_not_fit_the_classes_are_one_line(name, line, foreign):
    registry = foreign(KNOWING.replace("def forward(self, z, label)", "def forward(self, z, label=0)"))
    text = SUITE.format(data="ring", variant=f"{{architecture: {name}}}")
    with pytest.raises(SuiteError, match=line.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")):
        parse(text, registry)


def test_a_loss_that_names_labels_of_data_without_is_one_line(cell, foreign, cpu):
    registry = foreign(KNOWING)
    one = cell("{loss: shifted, architecture: {name: mlp, width: 4}}", registry=registry, seeds=1)
    one = replace(one, data=Choice.of(registry.get("dataset", "moons"), {}))
    with pytest.raises(PluginError, match="names label: it needs labels, and these data have none"):
        Trainer([one], cpu, "eager")
