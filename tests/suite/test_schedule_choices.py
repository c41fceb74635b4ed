"""Schedules in a suite: how they are layered, swept and written back, and each mistake at its place."""

from __future__ import annotations

import jsonschema
import pytest

from ganbench.plugin.registry import Registry
from ganbench.suite import document
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.plan import batches, plan
from ganbench.suite.schema import schema

HEAD = "suite: demo\nbudget: {steps: 1000}\ndatasets: {r: ring}\nreferences: []\n"
COSINE = {"name": "cosine", "warmup": 100.0, "final": 0.0}
LINEAR = {"name": "linear", "warmup": 0.0, "hold": 0.0, "final": 0.0}


def variant(optimizer, defaults="{}", registry=None, penalty="[]"):
    text = HEAD + f"defaults: {{loss: minimax, optimizer: {defaults}}}\n"
    return parse(text + f"variants: {{a: {{optimizer: {optimizer}, penalty: {penalty}}}}}\n", registry).variants["a"]


#: What stands in the defaults and in a variant, and the schedules of G and of D that it makes.
LAYERS = {
    "none": ("{}", "{}", None, None),
    "of both": ("{}", "{schedule: {name: cosine, warmup: 100}}", COSINE, COSINE),
    "by its name": ("{}", "{schedule: linear}", LINEAR, LINEAR),
    "of one": ("{}", "{generator: {schedule: linear}}", LINEAR, None),
    "of the defaults": ("{schedule: {name: cosine, warmup: 100}}", "{lr: 0.1}", COSINE, COSINE),
    "a parameter over the defaults": (
        "{schedule: {name: cosine, warmup: 100}}",
        "{schedule: {final: 0.5}}",
        COSINE | {"final": 0.5},
        COSINE | {"final": 0.5},
    ),
    "a parameter of one player": (
        "{schedule: {name: cosine, warmup: 100}}",
        "{discriminator: {schedule: {final: 0.5}}}",
        COSINE,
        COSINE | {"final": 0.5},
    ),
    "another": ("{schedule: {name: cosine, warmup: 100}}", "{schedule: linear}", LINEAR, LINEAR),
    "null": ("{schedule: linear}", "{schedule: null}", None, None),
    "null of one": ("{schedule: linear}", "{generator: {schedule: null}}", None, LINEAR),
    "null over one": ("{generator: {schedule: linear}}", "{generator: {schedule: null}}", None, None),
    "constant": ("{schedule: linear}", "{schedule: constant}", {"name": "constant"}, {"name": "constant"}),
    "the same optimizer": ("{schedule: linear}", "{name: adam, lr: 0.1}", LINEAR, LINEAR),
    "another optimizer": ("{schedule: linear}", "{name: sgd, lr: 0.1}", None, None),
}


@pytest.mark.parametrize("case", LAYERS)
def test_a_schedule_is_layered_as_parameters_are(case, shipped):
    defaults, own, generator, discriminator = LAYERS[case]
    found = variant(own, defaults, shipped)
    players = (found.generator_optimizer, found.discriminator_optimizer)
    assert [one.schedule and one.schedule.plain() for one in players] == [generator, discriminator]


def test_a_penalty_has_a_schedule(shipped):
    found = variant("{}", registry=shipped, penalty="[r2, {name: r1, weight: 2, schedule: linear}]")
    assert [one.schedule and one.schedule.plain() for one in found.penalties] == [None, LINEAR]
    assert {part: choice.name for part, choice in found.parts().items() if "penalty" in part} == {
        "penalty.r2": "r2",
        "penalty.r1": "r1",
        "penalty.r1/schedule": "linear",
    }


RICH = """
defaults: {loss: minimax, optimizer: {schedule: {name: cosine, warmup: 50}}}
variants:
  a: {penalty: {name: instance-noise, schedule: linear}, optimizer: {discriminator: {schedule: null}}}
  b: {optimizer: {schedule: {name: step, milestones: [0.5]}}}
"""


def test_a_suite_with_schedules_is_written_back_and_read_as_the_same(shipped):
    suite = parse(HEAD + RICH, shipped)
    assert parse(suite.to_yaml(), shipped) == suite
    jsonschema.validate(document.parse(suite.to_yaml()).value, schema())
    jsonschema.validate(document.parse(HEAD + RICH).value, schema())
    assert suite.variants["b"].plain()["optimizer"]["schedule"] == {
        "name": "step",
        "warmup": 0.0,
        "milestones": [0.5],
        "gamma": 0.1,
    }
    named = [(entry.kind, entry.name) for entry in suite.entries if entry.kind == "schedule"]
    assert named == [("schedule", "cosine"), ("schedule", "linear"), ("schedule", "step")]


def test_a_variant_without_a_schedule_says_nothing_of_one(shipped):
    """What a run is known by is what it was before there were schedules."""
    assert variant("{lr: 0.1}", registry=shipped).plain() == {
        "loss": {"name": "minimax"},
        "architecture": variant("{}", registry=shipped).architecture.plain(),
        "update": {"name": "alternating", "discriminator_steps": 1},
        "optimizer": {"name": "adam", "lr": 0.1, "betas": [0.5, 0.999], "eps": 1e-08, "weight_decay": 0.0},
    }


SCHEDULED = (
    "variants:\n  a: {loss: minimax, penalty: {name: r1, schedule: linear}, optimizer: {schedule: {name: cosine}}}\n"
)


@pytest.mark.parametrize(
    ("key", "values", "parts"),
    [
        ("optimizer.schedule.final", "[0.01, 0.1]", ("generator_optimizer", "discriminator_optimizer")),
        ("optimizer.generator.schedule.warmup", "[10, 100, 500]", ("generator_optimizer",)),
        ("penalty.r1.schedule.final", "[0.01, 0.1]", ("penalty.r1",)),
    ],
)
def test_the_parameters_of_a_schedule_are_swept_in_one_batch(key, values, parts, shipped):
    """The values land in that schedule alone; the row is named by the last word."""
    cells = [cell for cell in plan(parse(HEAD + SCHEDULED + f"sweep: {{{key}: {values}}}\n", shipped)) if cell.trained]
    assert batches(cells) == (tuple(cells),)
    name = key.rpartition(".")[2]
    for cell, value in zip(cells, document.parse(values).value, strict=True):
        assert cell.variant == f"a {name}={value}"
        assert cell.setting == ((key, float(value)),)
        for part, choice in cell.trained.parts().items():
            if part.endswith("/schedule"):
                changed = part.removesuffix("/schedule") in parts
                assert choice.parameters[name] == (float(value) if changed else 0.0)


def test_one_players_key_goes_before_that_of_both(shipped):
    swept = "sweep: {optimizer.generator.schedule.final: [0.5], optimizer.schedule.final: [0.1]}\n"
    (cell,) = (cell for cell in plan(parse(HEAD + SCHEDULED + swept, shipped)) if cell.trained)
    finals = {
        part: choice.parameters["final"]
        for part, choice in cell.trained.parts().items()
        if "opt" in part and "/" in part
    }
    assert finals == {"generator_optimizer/schedule": 0.5, "discriminator_optimizer/schedule": 0.1}


#: What an optimizer says (the part of the line after ``optimizer: ``), and the mistake.
MISTAKES = {
    "{schedul: cosine}": "5:43 variants.a.optimizer.schedul: unknown parameter 'schedul' of optimizer 'adam', "
    "did you mean 'schedule'?",
    "{schedule: cosin}": "5:53 variants.a.optimizer.schedule: unknown schedule 'cosin', did you mean 'cosine'?",
    "{schedule: {name: cosin}}": "5:60 variants.a.optimizer.schedule.name: unknown schedule 'cosin', "
    "did you mean 'cosine'?",
    "{schedule: {name: cosine, finl: 0.1}}": "5:68 variants.a.optimizer.schedule.finl: unknown parameter 'finl' "
    "of schedule 'cosine', did you mean 'final'?",
    "{schedule: {name: cosine, final: -1}}": "5:75 variants.a.optimizer.schedule.final: must be a number of "
    "at least 0, not -1",
    "{schedule: {name: cosine, warmup: 0.1}}": "5:76 variants.a.optimizer.schedule.warmup: must be a number "
    "of at least 0 and divisible by 1, not 0.1",
    "{schedule: {name: cosine, warmup: 1000}}": "5:76 variants.a.optimizer.schedule.warmup: warmup must end before the "
    "budget's 1000 steps, not at 1000",
    "{schedule: warmup}": "5:53 variants.a.optimizer.schedule: warmup must end before the "
    "budget's 1000 steps, not at 2000",
    "{schedule: {final: 0.1}}": "5:53 variants.a.optimizer.schedule: needs a name: which schedule?",
    "{schedule: 0.1}": "5:53 variants.a.optimizer.schedule: must be a plugin's name, or a mapping of its name and "
    "parameters, not 0.1",
    "{schedule: [cosine]}": "5:53 variants.a.optimizer.schedule: must be a plugin's name, or a mapping of its name and "
    "parameters, not ['cosine']: write cosine without the brackets",
    "{generator: {schedule: {name: cosine, finl: 0.1}}}": "5:80 variants.a.optimizer.generator.schedule.finl: unknown "
    "parameter 'finl' of schedule 'cosine', did you mean 'final'?",
    "{generator: {schedule: true}}": "5:65 variants.a.optimizer.generator.schedule: must be a plugin's name, or a "
    "mapping of its name and parameters, not true",
    "{schedule: adam}": "5:53 variants.a.optimizer.schedule: unknown schedule 'adam': it is an "
    "optimizer, not a schedule",
}


@pytest.mark.parametrize("optimizer", MISTAKES)
def test_each_mistake_in_a_schedule_is_one_line_at_its_place(optimizer, shipped):
    with pytest.raises(SuiteError) as raised:
        parse(HEAD + f"variants: {{a: {{loss: minimax, optimizer: {optimizer}}}}}\n", shipped)
    assert str(raised.value) == f"<text>:{MISTAKES[optimizer]}"


PLUGIN = """
from ganbench import Optimizer, Penalty, hookimpl

def start(theta):
    return ()

def rateless(theta, gradient, state, t, *, rate: float = 0.1):
    return theta - rate * gradient, state

def sometimes(theta, gradient, state, t, *, lr: float | None = None):
    return theta - (lr or 0.1) * gradient, state

@hookimpl
def ganbench_optimizers():
    yield Optimizer("rateless", start, rateless)
    yield Optimizer("rated", start, rateless, scheduled="rate")
    yield Optimizer("sometimes", start, sometimes)
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(PLUGIN)
    return Registry.load(extra=folder)


def test_a_plugin_says_what_its_schedule_scales(own):
    assert variant("{name: rated, schedule: linear}", registry=own).generator_optimizer.entry.scheduled == "rate"
    with pytest.raises(SuiteError) as raised:
        variant("{name: rateless, schedule: linear}", registry=own)
    assert str(raised.value) == (
        "<text>:6:44 variants.a.optimizer.schedule: optimizer 'rateless' has no parameter 'lr' to scale: "
        "name another in its file, Optimizer(..., scheduled=NAME), or leave this out"
    )
    with pytest.raises(SuiteError) as raised:
        variant("{name: sometimes, schedule: linear}", registry=own)
    assert str(raised.value) == (
        "<text>:6:45 variants.a.optimizer.schedule: would scale 'lr', which is null here, and no number"
    )
    variant("{name: sometimes, lr: 1, schedule: linear}", registry=own)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (
            'Optimizer("o", start, rateless, scheduled="rat")',
            "optimizer 'o': scheduled names 'rat', which is no parameter of it",
        ),
        (
            'Schedule("s", factor, in_steps=("warm",))',
            "schedule 's': in_steps names 'warm', which is no parameter of it",
        ),
        ('Schedule("s", factor, in_steps="warmup")', "schedule 's': in_steps must be a tuple of names, not 'warmup'"),
        ('Schedule("s", wrong)', "line 7: wrong names 't', which is not given to a schedule (given: step, steps)"),
    ],
)
def test_a_plugin_that_names_no_parameter_of_its_own_is_broken(value, cause, tmp_path):
    kind = value.partition("(")[0]
    (tmp_path / "mine.py").write_text(
        f"from ganbench import {kind}, hookimpl\n"
        "def start(theta): return ()\n"
        "def rateless(theta, gradient, state, t, *, rate: float = 0.1): return theta, state\n"
        "def factor(step, steps, *, warmup: float = 0.1): return 1.0\n"
        "\n\n"
        "def wrong(step, t): return 1.0\n"
        f"@hookimpl\ndef ganbench_{kind.lower()}s():\n    yield {value}\n"
    )
    (broken,) = Registry.load(extra=tmp_path).broken
    assert broken.cause.startswith(cause)


#: A sweep, and the mistake in it; variant a has a cosine of both players and a linear of r1, variant b no schedule.
SWEEP_MISTAKES = {
    "{optimizer.schedule.final: [0.1]}": "5:9 sweep.optimizer.schedule.final: optimizer 'adam' has no schedule "
    "(of 'b': give it a sweep without it)",
    "{optimizer.generator.schedule.final: [0.1]}": "5:9 sweep.optimizer.generator.schedule.final: optimizer 'adam' has "
    "no schedule (of 'b': give it a sweep without it)",
    "{penalty.r1.schedule.final: [0.1]}": "5:9 sweep.penalty.r1.schedule.final: no penalty 'r1': write penalty: r1 in "
    "defaults or a variant (of 'b': give it a sweep without it)",
}
OF_ONE = {
    "{optimizer.schedule: [cosine, linear]}": "5:9 sweep.optimizer.schedule: is a plugin: to compare plugins, make "
    "variants of them",
    "{penalty.r1.schedule: [cosine, linear]}": "5:9 sweep.penalty.r1.schedule: is a plugin: to compare plugins, make "
    "variants of them",
    "{optimizer.schedule.name: [cosine, linear]}": "5:9 sweep.optimizer.schedule.name: is a plugin: to compare "
    "plugins, make variants of them",
    "{optimizer.schedule.finl: [0.1]}": "5:9 sweep.optimizer.schedule.finl: unknown parameter 'finl' of schedule "
    "'cosine', did you mean 'final'?",
    "{optimizer.final: [0.1]}": "5:9 sweep.optimizer.final: it is the schedule's, write optimizer.schedule.final",
    "{optimizer.schedule.final: [-1]}": "5:36 sweep.optimizer.schedule.final[0]: must be a number of at least "
    "0, not -1",
    "{optimizer.schedule.warmup: [10, 5000]}": "5:41 sweep.optimizer.schedule.warmup[1]: warmup must end before the "
    "budget's 1000 steps, not at 5000",
}


@pytest.mark.parametrize("swept", [*SWEEP_MISTAKES, *OF_ONE])
def test_each_mistake_in_a_sweep_of_a_schedule_is_one_line(swept, shipped):
    scheduled = SCHEDULED.partition("a: ")[2].strip()
    others = ", b: {loss: minimax}" if swept in SWEEP_MISTAKES else ""
    with pytest.raises(SuiteError) as raised:
        parse(HEAD + f"sweep: {swept}\nvariants: {{a: {scheduled}{others}}}\n", shipped)
    assert str(raised.value) == f"<text>:{(SWEEP_MISTAKES | OF_ONE)[swept]}"


def test_players_with_different_schedules_are_not_made_equal(shipped):
    one = "{loss: minimax, optimizer: {schedule: cosine, generator: {schedule: {final: 0.5}}}}"
    with pytest.raises(
        SuiteError, match=r"different values of .final.: sweep optimizer\.generator\.schedule\.final or "
    ):
        parse(HEAD + f"sweep: {{optimizer.schedule.final: [0.1]}}\nvariants: {{a: {one}}}\n", shipped)
