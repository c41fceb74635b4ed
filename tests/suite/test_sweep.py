"""Sweeps: what a right one means, and how its rows are called."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.plugin import shipped
from ganbench.plugin.registry import Registry
from ganbench.suite import document
from ganbench.suite.average import Average
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.plan import plan
from ganbench.suite.schema import schema
from ganbench.suite.sweep import row_name, settings, split

HEAD = "suite: demo\ndatasets: {r: ring}\nreferences: []\n"
TWO = HEAD + "variants: {a: {loss: minimax}, b: {loss: wgan-gp}}\n"
SMALL = Path(__file__).with_name("small_plugins.py")
BOTH = ("generator_optimizer", "discriminator_optimizer")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The small plugins and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "folder", lambda name: tmp_path_factory.mktemp("none"))
        return Registry.load(extra=SMALL)


def test_each_variant_takes_every_combination_the_first_key_slowest(registry):
    suite = parse(TWO + "sweep: {optimizer.lr: [1e-4, 1], update.discriminator_steps: [1, 2, 3]}\n", registry)
    assert suite.settings == 6
    assert suite.sweeps["a"] == suite.sweeps["b"]
    made = [dict(setting) for setting in settings(suite.sweeps["a"])]
    assert [tuple(one.values()) for one in made] == [(lr, steps) for lr in (1e-4, 1.0) for steps in (1, 2, 3)]


@pytest.mark.parametrize(
    ("key", "value", "where", "parameter"),
    [
        ("loss.penalty", 0.5, ("loss",), "penalty"),
        ("architecture.width", 7, ("architecture",), "width"),
        ("update.discriminator_steps", 5, ("update",), "discriminator_steps"),
        ("optimizer.lr", 0.5, BOTH, "lr"),
        ("optimizer.generator.lr", 0.5, BOTH[:1], "lr"),
        ("optimizer.discriminator.betas", [0.5, 0.9], BOTH[1:], "betas"),
    ],
)
def test_a_value_is_laid_where_its_key_leads_and_nowhere_else(key, value, where, parameter, registry):
    suite = parse(HEAD + f"variants: {{b: {{loss: wgan-gp}}}}\nsweep: {{{key}: [{json.dumps(value)}]}}\n", registry)
    assert split(key) == (where, parameter)
    (setting,) = settings(suite.sweeps["b"])
    plain, laid = suite.variants["b"], suite.variants["b"].at(setting)
    for field in ("loss", "architecture", "update", *BOTH):
        parameters = dict(getattr(plain, field).parameters)
        if field in where:
            parameters[parameter] = tuple(value) if isinstance(value, list) else value
        assert getattr(laid, field) == replace(getattr(plain, field), parameters=parameters)


def test_one_players_key_goes_before_that_of_both_wherever_it_stands(registry):
    for text in ("optimizer.lr: [1], optimizer.generator.lr: [2]", "optimizer.generator.lr: [2], optimizer.lr: [1]"):
        suite = parse(TWO + f"sweep: {{{text}}}\n", registry)
        (setting,) = settings(suite.sweeps["a"])
        laid = suite.variants["a"].at(setting)
        assert [getattr(laid, field).parameters["lr"] for field in BOTH] == [2.0, 1.0]


def test_a_running_average_is_swept_as_it_is_written(registry):
    """Rows are named by the value alone; each is the variant with that average and nothing else changed."""
    text = HEAD + "variants: {a: {loss: minimax, average: {width: 0.05}}}\nsweep: {average.width: [0.1, 0.2]}\n"
    suite = parse(text, registry)
    rows = plan(suite)[-2:]
    assert [row.variant for row in rows] == ["a width=0.1", "a width=0.2"]
    assert [row.trained.average for row in rows] == [Average(width=0.1), Average(width=0.2)]
    assert rows[1].trained == replace(suite.variants["a"], average=Average(width=0.2))
    assert parse(suite.to_yaml(), registry) == suite
    jsonschema.validate(json.loads(json.dumps(suite.resolved())), schema())


def test_a_variants_own_sweep_replaces_the_suites(registry):
    own = "variants: {a: {loss: minimax}, b: {loss: wgan-gp, sweep: {loss.penalty: [0, 1]}}}\n"
    suite = parse(HEAD + own + "sweep: {optimizer.lr: [1e-4, 1e-3]}\n", registry)
    assert suite.sweeps == {"a": {"optimizer.lr": (1e-4, 1e-3)}, "b": {"loss.penalty": (0.0, 1.0)}}
    assert parse(suite.to_yaml(), registry) == suite


@pytest.mark.parametrize("written", ["", "sweep:\n", "sweep: {}\n"])
def test_without_a_sweep_nothing_changes(written, registry):
    suite = parse(TWO + written, registry)
    assert (suite.sweeps, suite.settings) == ({}, 1)
    assert suite == parse(TWO, registry)
    assert "sweep" not in suite.resolved()


@pytest.mark.parametrize(
    "sweep",
    [
        "{optimizer.lr: [1e-4, 3e-4, 1e-3]}",
        "{optimizer.betas: [[0.5, 0.9], [0, 1]], architecture.width: [1, 2]}",
        "{update.discriminator_steps: [1, 2], optimizer.discriminator.lr: [1e20, 1e-20]}",
    ],
)
def test_a_resolved_sweep_loads_as_the_same_and_keeps_the_variants_as_they_are(sweep, registry):
    suite = parse(TWO + f"sweep: {sweep}\nprecision: bfloat16\n", registry)
    assert list(suite.resolved()["variants"]) == ["a", "b"]
    assert suite.resolved()["precision"] == "bfloat16"
    again = parse(suite.to_yaml(), registry)
    assert again == suite
    assert again.to_yaml() == suite.to_yaml()
    jsonschema.validate(json.loads(json.dumps(suite.resolved())), schema())


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ([("optimizer.lr", 1e-4)], "a lr=0.0001"),
        ([("optimizer.lr", 1e-5), ("loss.penalty", 10.0)], "a lr=1e-05 penalty=10"),
        ([("optimizer.generator.lr", 0.5), ("optimizer.discriminator.lr", 1)], "a generator.lr=0.5 discriminator.lr=1"),
        ([("optimizer.generator.lr", 0.5), ("optimizer.lr", 1)], "a generator.lr=0.5 optimizer.lr=1"),
        ([("loss.gamma", 0.1 + 0.2)], "a gamma=0.30000000000000004"),
        ([("optimizer.betas", (0.0, 0.9))], "a betas=[0,0.9]"),
        ([("architecture.activation", "leaky/relu"), ("loss.clip", None)], "a activation=leaky_relu clip=null"),
        ([("loss.on", True)], "a on=true"),
        ([], "a"),
    ],
)
def test_a_row_is_called_by_what_is_special_about_it(setting, name):
    assert row_name("a", tuple(setting)) == name


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), unique=True))
def test_different_numbers_have_different_rows(values):
    assert len({row_name("a", (("optimizer.lr", value),)) for value in values}) == len({float(v) for v in values})


#: What is wrong, after two variants on line 4, and its one line after the file's name.
MISTAKES = {
    "empty": ("sweep: {optimizer.lr: []}", "5:23 sweep.optimizer.lr: must be a list of at least 1 item, not []"),
    "one_value": (
        "sweep: {optimizer.lr: 1}",
        "5:23 sweep.optimizer.lr: must be a list of at least 1 item, not 1: write [1]",
    ),
    "twice": ("sweep: {optimizer.lr: [1, 2, 1.0]}", "5:30 sweep.optimizer.lr[2]: 1.0 is there already"),
    "list": (
        "sweep: [optimizer.lr]",
        "5:8 sweep: must be a mapping of parameters, such as optimizer.lr, to lists of values, not ['optimizer.lr']",
    ),
    "no_part": (
        "sweep: {optimiser.lr: [1]}",
        "5:9 sweep.optimiser.lr: 'optimiser' is no part of a variant, did you mean 'optimizer'?",
    ),
    "budget": (
        "sweep: {budget.steps: [1]}",
        "5:9 sweep.budget.steps: 'budget' is no part of a variant; "
        "known: architecture, average, loss, optimizer, penalty, update",
    ),
    "plugin": ("sweep: {loss: [minimax]}", "5:9 sweep.loss: is a plugin: to compare plugins, make variants of them"),
    "plugin_name": (
        "sweep: {optimizer.generator.name: [adam, sgd]}",
        "5:9 sweep.optimizer.generator.name: is a plugin: to compare plugins, make variants of them",
    ),
    "player": (
        "sweep: {optimizer.generator: [1]}",
        "5:9 sweep.optimizer.generator: leads to no parameter: "
        "write for example optimizer.lr, optimizer.generator.lr or loss.penalty",
    ),
    "parameter": (
        "sweep: {optimizer.learning: [1]}",
        "5:9 sweep.optimizer.learning: unknown parameter 'learning' of optimizer 'adam'; known: betas, clip, lr",
    ),
    "not_this_variant": (
        "sweep: {loss.penalty: [1]}",
        "5:9 sweep.loss.penalty: unknown parameter 'penalty' of loss 'minimax'; it has none "
        "(of 'a': give it a sweep without it)",
    ),
    "average": (
        "sweep: {average: [0.9, 0.99]}",
        "5:9 sweep.average: leads to no parameter: write average.decay or average.width",
    ),
    "no_average": (
        "sweep: {average.width: [0.1, 0.05]}",
        "5:9 sweep.average.width: no average with a width: write average: {width: 0.05} in defaults or a variant",
    ),
    "average_of_another_sort": (
        "defaults: {average: 0.9}\nsweep: {average.width: [0.1, 0.05]}",
        "6:9 sweep.average.width: no average with a width: write average: {width: 0.05} in defaults or a variant",
    ),
    "average_value": (
        "defaults: {average: 0.9}\nsweep: {average.decay: [0.9, 1]}",
        "6:30 sweep.average.decay[1]: must be a number above 0 and below 1, not 1",
    ),
    "value": ("sweep: {optimizer.lr: [1, -1]}", "5:27 sweep.optimizer.lr[1]: must be a number above 0, not -1"),
    "value_refused": (
        "sweep: {architecture.width: [12, 13]}",
        "5:34 sweep.architecture.width[1]: for dataset 'r': width must not be 13",
    ),
    "not_finite": ("sweep: {optimizer.lr: [1, .inf]}", "5:27 sweep.optimizer.lr[1]: .inf is not a finite number"),
    "too_many": (
        f"sweep: {{optimizer.lr: {list(range(1, 16))}, architecture.width: {list(range(20, 40))}}}",
        "5:8 sweep: makes 300 settings of a variant; the maximum is 200",
    ),
    "no_effect": (
        "sweep: {optimizer.lr: [1, 2], optimizer.generator.lr: [1], optimizer.discriminator.lr: [1]}",
        "5:9 sweep.optimizer.lr: changes nothing: optimizer.generator.lr and optimizer.discriminator.lr are swept too",
    ),
    "precision": (
        "precision: fp16",
        "5:12 precision: must be one of 'float32', 'tf32', 'bfloat16', not 'fp16': "
        "write bfloat16, the only one of 16 bits",
    ),
    "defaults": (
        "defaults: {sweep: {optimizer.lr: [1]}}",
        "5:12 defaults.sweep: unknown key 'sweep', it belongs at the top of the suite, or in a variant",
    ),
}


def mistakes(text, registry):
    with pytest.raises(SuiteError) as caught:
        parse(text, registry, "f")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_at_its_place(case, registry):
    text, expected = MISTAKES[case]
    assert mistakes(TWO + text + "\n", registry) == [f"f:{expected}"]


@pytest.mark.parametrize(
    "case", ["empty", "one_value", "list", "no_part", "budget", "plugin", "precision", "defaults", "average"]
)
def test_the_published_schema_refuses_wrong_shapes(case):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document.parse(TWO + MISTAKES[case][0]).value, schema())


@pytest.mark.parametrize(
    ("b", "sweep", "expected"),
    [
        (
            "loss: wgan-gp, sweep: {loss.penalty: [1, 2, 3]}",
            "{optimizer.lr: [1, 2]}",
            "4:58 variants.b.sweep: 'b' has 3 settings, and 'a' 2",
        ),
        ("loss: wgan-gp, sweep: {}", "{optimizer.lr: [1, 2]}", "4:58 variants.b.sweep: 'b' has 1 setting, and 'a' 2"),
        ("loss: wgan-gp, sweep: {loss.penalty: [1, 2]}", "", "4:58 variants.b.sweep: 'b' has 2 settings, and 'a' 1"),
    ],
)
def test_every_variant_has_as_many_tries(b, sweep, expected, registry):
    text = HEAD + f"variants: {{a: {{loss: minimax}}, b: {{{b}}}}}\nsweep: {sweep}\n"
    assert mistakes(text, registry) == [f"f:{expected}: a fair comparison gives each variant as many tries"]


def test_players_that_differ_are_not_made_equal_unasked(registry):
    ttur = HEAD + "variants: {a: {loss: minimax, optimizer: {discriminator: {lr: 1}}}}\nsweep: "
    assert mistakes(ttur + "{optimizer.lr: [1, 2]}\n", registry) == [
        "f:5:9 sweep.optimizer.lr: 'a' gives its players different values of 'lr': "
        "sweep optimizer.generator.lr or optimizer.discriminator.lr"
    ]
    for right in ("optimizer.generator.lr: [1, 2]", "optimizer.lr: [1, 2], optimizer.discriminator.lr: [3]"):
        assert parse(ttur + f"{{{right}}}\n", registry).settings == 2


def test_a_parameter_that_only_one_players_optimizer_has_is_not_of_both(registry):
    mixed = HEAD + "variants: {a: {loss: minimax, optimizer: {discriminator: {name: sgd, lr: 1}}}}\nsweep: "
    (line,) = mistakes(mixed + "{optimizer.momentum: [0, 0.5]}\n", registry)
    assert "unknown parameter 'momentum' of optimizer 'adam'" in line
    assert parse(mixed + "{optimizer.discriminator.momentum: [0, 0.5]}\n", registry).settings == 2


def test_rows_whose_names_cannot_be_told_apart_are_a_mistake(tmp_path, monkeypatch):
    source = SMALL.read_text().replace("depth: int = 2", "depth: int = 2, kind: str = 'a'")
    (tmp_path / "small.py").write_text(source)
    (tmp_path / "none").mkdir()
    monkeypatch.setattr(shipped, "folder", lambda name: tmp_path / "none")
    registry = Registry.load(extra=tmp_path)
    text = HEAD + "variants: {v: {loss: minimax}}\nsweep: {architecture.kind: ["
    assert mistakes(text + "a/b, a:b]}\n", registry) == [
        "f:4:12 variants.v: two rows of the table would be called 'v kind=a_b'"
    ]
    (line,) = mistakes(text + f"{'x' * 250}]}}\n", registry)
    assert line.endswith("has a name of more than 200 characters")
