"""What the field calls things: a word that is no name here is answered with what to write."""

from __future__ import annotations

import inspect
import re
from itertools import chain

import pytest

from ganbench.plugin import words
from ganbench.plugin.kinds import KINDS
from ganbench.plugin.parameters import _hint
from ganbench.plugin.registry import Registry, UnknownNameError

FILE = """from ganbench import Loss, hookimpl

def loss(d_real, d_fake): ...

@hookimpl
def ganbench_losses():
    yield Loss("mine", loss, loss, aliases={aliases})
"""

METRIC = """from ganbench import Column, Metric, hookimpl

def measure(samples): ...

@hookimpl
def ganbench_metrics():
    yield Metric("mine", measure, (Column({name!r}, "doc"),))
"""


@pytest.mark.parametrize(
    ("kind", "word", "message"),
    [
        ("loss", "lsgan", "unknown loss 'lsgan': it is called 'least-squares' here"),
        ("loss", "WGAN_GP", "unknown loss 'WGAN_GP': write 'wgan-gp'"),
        ("loss", "r1", "unknown loss 'r1': it is a penalty, not a loss"),
        ("penalty", "wgan-gp", "unknown penalty 'wgan-gp': it is called 'gp' here"),
        ("update", "adam", "unknown update 'adam': it is an optimizer, not an update"),
        ("optimizer", "AdamW", "unknown optimizer 'AdamW': write 'adamw'"),
        ("architecture", "MLP", "unknown architecture 'MLP': write 'mlp'"),
        ("architecture", "fc", "unknown architecture 'fc': it is called 'mlp' here"),
        ("metric", "modes_covered", "unknown metric 'modes_covered': it is a column of the metric 'modes', name that"),
        ("metric", "precision", "unknown metric 'precision': it is a column of the metric 'prdc', name that"),
        ("metric", "FID", "unknown metric 'FID': it is called 'fidelity' here"),
        ("metric", "kid", "unknown metric 'kid': it is called 'fidelity' here"),
        (
            "metric",
            "frechet_inception_distance",
            "unknown metric 'frechet_inception_distance': it is called 'fidelity' here",
        ),
        ("dataset", "cifar-10", "unknown dataset 'cifar-10': write 'cifar10'"),
        ("schedule", "CosineAnnealingLR", "unknown schedule 'CosineAnnealingLR': it is called 'cosine' here"),
        ("schedule", "StepLR", "unknown schedule 'StepLR': it is called 'step' here"),
        ("loss", "minmax", "unknown loss 'minmax', did you mean 'minimax'?"),
        ("metric", "fid50k", "unknown metric 'fid50k': it is called 'fidelity' here"),
    ],
)
def test_a_word_of_the_field_is_answered_with_the_name_here(shipped, kind, word, message):
    with pytest.raises(UnknownNameError) as problem:
        shipped.get(kind, word)
    assert str(problem.value) == message


@pytest.mark.parametrize(
    ("kind", "word", "written"),
    [
        ("loss", "bce", "nonsaturating"), ("loss", "vanilla", "minimax"), ("loss", "sn-gan", "sndcgan"),
        ("optimizer", "momentum", "{name: sgd, momentum: 0.9}"), ("metric", "inception", "sliced-wasserstein"),
        ("metric", "clean-fid", "fidelity"), ("metric", "is", "pretrained"), ("dataset", "8gaussians", "ring"),
        ("dataset", "celeba", "write {name: images, folder: FOLDER, size: 64}"),
        ("schedule", "OneCycleLR", "warmup: 1000"), ("schedule", "ReduceLROnPlateau", "no score"),
        ("schedule", "none", "null"),
        ("optimizer", "radam", "ganbench new optimizer NAME"),
        ("dataset", "my/x.npy", "{name: points, file: my/x.npy}"),
        ("dataset", "x.csv.gz", "{name: points, file: x.csv.gz}"), ("dataset", "ImageFolder", "{name: images, folder"),
        ("reference", "none", "references: []"), ("update", "ttur", "discriminator: {lr"),
        ("penalty", "spectral_norm", "sndcgan"),
    ],
)  # fmt: skip
def test_a_word_for_no_one_plugin_is_answered_with_what_to_write(shipped, kind, word, written):
    with pytest.raises(UnknownNameError) as problem:
        shipped.get(kind, word)
    assert str(problem.value).startswith(f"unknown {kind} {word!r}: ")
    assert written in str(problem.value)
    assert "did you mean" not in str(problem.value)


@pytest.mark.parametrize("name", ["infogan", "ebgan", "began", "pix2pix", "wgan-qc"])
def test_what_is_not_here_is_not_taken_for_something_else(shipped, name):
    with pytest.raises(UnknownNameError, match=r"; known: ali, |: it is not here"):
        shipped.get("loss", name)


@pytest.mark.parametrize(
    ("kind", "name", "parameter", "cure"),
    [
        ("optimizer", "adam", "learning_rate", ": it is called 'lr' here"),
        ("optimizer", "adam", "LR", ": it is called 'lr' here"),
        ("optimizer", "adam", "beta1", ": write both in a list, betas: [..., ...]"),
        ("loss", "wgan-gp", "lambda_gp", ": it is called 'penalty' here"),
        ("penalty", "r1", "gamma", ": it is called 'weight' here"),
        ("loss", "wgan", "clip_value", ": it is called 'clip' here"),
        ("architecture", "mlp", "z_dim", ": it is called 'latent' here"),
        ("architecture", "mlp", "hidden_dim", ": it is called 'width' here"),
        ("update", "alternating", "n_critic", ": it is called 'discriminator_steps' here"),
        ("dataset", "ring", "sigma", ": it is called 'std' here"),
        ("dataset", "ring", "mode", ", did you mean 'modes'?"),
        ("optimizer", "adam", "lr_scheduler", ": it is called 'schedule' here"),
        ("optimizer", "adam", "schedul", ", did you mean 'schedule'?"),
        (
            "penalty",
            "r1",
            "warmup_steps",
            ": a schedule has it, write schedule: {name: cosine, warmup: ...}",
        ),
        ("schedule", "cosine", "num_warmup_steps", ": it is called 'warmup' here"),
        ("dataset", "ring", "noise", ": it is called 'std' here"),
        ("dataset", "ring", "scale", ": it is called 'radius' here"),
        ("dataset", "points", "path", ": it is called 'file' here"),
        ("dataset", "points", "normalize", ": it is called 'standardised' here"),
        ("dataset", "points", "test_size", ": it is called 'held_out' here"),
        ("dataset", "images", "image_size", ": it is called 'size' here"),
        ("dataset", "images", "path", ": it is called 'folder' or 'file' here"),
        ("loss", "least-squares", "real_label", ": it is called 'b' here"),
        ("optimizer", "adam", "clip_grad_norm", ": write clip, the greatest norm of a gradient"),
        (
            "optimizer",
            "adam",
            "amsgrad",
            ": AMSGrad is not here; for an optimizer of your own, begin with: ganbench new optimizer NAME",
        ),
        ("architecture", "mlp", "batch_norm", ": write norm: batch (or layer)"),
        ("schedule", "cosine", "T_max", ": leave it out, a schedule runs over the whole budget"),
        ("schedule", "exponential", "gamma", ": write final, the factor at the end, as gamma ** steps is"),
        ("schedule", "cosine", "eta_min", ": write final, a factor: eta_min / lr"),
    ],
)
def test_a_parameter_under_another_name(shipped, kind, name, parameter, cure):
    entry = shipped.get(kind, name)
    assert entry.unknown_parameter(parameter) == f"unknown parameter {parameter!r} of {kind} {name!r}{cure}"


def test_each_word_leads_to_one_plugin_that_there_is(shipped):
    known = {**words._words()}
    assert known.keys() == KINDS.keys() | {words.PARAMETERS, words.GIVEN, "key", "published", "average"}
    given = set().union(*(each for one in KINDS.values() for each in one.given.values()))
    assert words.called(words.GIVEN).keys() <= given
    known.pop(words.GIVEN)
    for section in ("key", "published", "average"):
        keys = [words.same(word) for said in known.pop(section) for word in said["of"]]
        assert len(keys) == len(set(keys)), [word for word in keys if keys.count(word) > 1]
    # A schedule is a key of optimizers and penalties, and no parameter.
    parameters = {parameter.name for entry in shipped.entries for parameter in entry.parameters} | {"schedule"}
    for kind, section in known.items():
        names = set(shipped.names(kind)) if kind in KINDS else parameters
        called = words.called(kind)
        assert called.keys() <= names
        meant = [
            words.same(word) for word in chain(*called.values(), section.get("about", ()) if kind in KINDS else ())
        ]
        if kind in KINDS:  # a parameter's word may lead to several: each plugin has its own
            assert not set(meant) & {words.same(name) for name in names}
            assert len(meant) == len(set(meant)), [word for word in meant if meant.count(word) > 1]


def test_a_number_to_write_is_the_users_own_or_an_example():
    """Who writes what a hint says, to the letter, does not train with a number that is not theirs."""
    for entry in words._words()["key"]:
        written = entry["write"]
        assert "VALUE" in written or "such as" in written or not re.search(r": \[?\d", written), written


@pytest.mark.parametrize(
    ("kind", "argument", "cure"),
    [
        ("metric", "fake", "; it is called 'samples' here"),
        ("loss", "noise", "; it is called 'z' here"),
        ("schedule", "epoch", "; it is called 'step' here"),
        ("optimizer", "grads", "; it is called 'gradient' here"),
        ("update", "step", "; an update rule keeps no count: it does in each step all that a step does"),
    ],
)
def test_what_a_function_is_given_under_another_name(kind, argument, cure):
    """Told to make it a parameter, a user would give the suite a constant where a step's number is meant."""
    given = KINDS[kind].given[next(iter(KINDS[kind].given))]
    parameter = inspect.Parameter(argument, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    assert _hint(KINDS[kind], parameter, given).startswith(cure)


def test_a_plugin_names_its_own_aliases(tmp_path, shipped):
    (tmp_path / "mine.py").write_text(FILE.format(aliases=("ours-v1", "lsgan", "hinge")))
    registry = Registry(shipped.entries + Registry.load(extra=tmp_path).entries[-1:])
    with pytest.raises(UnknownNameError, match="'ours_v1': it is called 'mine' here"):
        registry.get("loss", "ours_v1")
    with pytest.raises(UnknownNameError, match="'lsgan': it is called 'least-squares' or 'mine' here"):
        registry.get("loss", "lsgan")
    assert registry.get("loss", "hinge").name == "hinge"


@pytest.mark.parametrize("aliases", ['["ours"]', '"ours"', "(1,)", "None"])
def test_aliases_that_are_none(tmp_path, aliases):
    (tmp_path / "mine.py").write_text(FILE.format(aliases=aliases))
    assert [one.cause for one in Registry.load(extra=tmp_path).broken] == [
        f"loss 'mine': aliases must be a tuple of names, not {'null' if aliases == 'None' else repr(eval(aliases))}"
    ]


def test_list_shows_aliases_and_knows_them(gb):
    code, out, _ = gb("list", "LSGAN")
    assert code == 0
    assert "least-squares" in out
    assert "also called lsgan, ls" in out


@pytest.mark.parametrize("name", ["", " ", "1", "nan", "True", "a\nb", "a\x1b", 5, None])
def test_a_column_has_a_name_that_a_table_gives_back(tmp_path, name):
    (tmp_path / "mine.py").write_text(METRIC.format(name=name))
    (broken,) = Registry.load(extra=tmp_path).broken
    assert broken.cause.startswith("metric 'mine': the column ")


@pytest.mark.parametrize("name", ["1", "nan", "True", "1e5"])
def test_a_plugin_has_a_name_that_a_table_gives_back(tmp_path, name):
    (tmp_path / "mine.py").write_text(FILE.format(aliases=()).replace('"mine"', repr(name)))
    (broken,) = Registry.load(extra=tmp_path).broken
    assert "to what reads tables" in broken.cause
