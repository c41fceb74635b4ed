"""The suite language: what a right suite means."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from ganbench.plugin import shipped
from ganbench.plugin.registry import Registry
from ganbench.suite import document
from ganbench.suite.average import Average
from ganbench.suite.load import find, load, parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.plan import plan
from ganbench.suite.schema import schema

HEAD = "suite: demo\ndatasets: {r: ring}\nvariants: {a: {loss: minimax}}\n"
SMALL = Path(__file__).with_name("small_plugins.py")
RICH = Path(__file__).with_name("rich.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The small plugins and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "folder", lambda name: tmp_path_factory.mktemp("none"))
        loaded = Registry.load(extra=SMALL)
    assert loaded.broken == ()
    return loaded


def chosen(choice):
    """The plugin's name and its parameters."""
    return choice.name, choice.parameters


def layered(key, defaults, choice):
    """A suite whose defaults and whose variant give these of a key; where that is empty, they leave the key out."""
    text = HEAD.replace("minimax}", f"minimax, {key}: {choice}}}") if choice else HEAD
    return text + (f"defaults: {{{key}: {defaults}}}\n" if defaults else "")


def test_what_is_not_given_has_a_default(registry):
    suite = parse(HEAD, registry)
    assert (suite.name, suite.description, suite.seeds) == ("demo", None, tuple(range(16)))
    assert (suite.steps, suite.batch, suite.every, suite.samples) == (10_000, 256, 1000, 10_000)
    assert list(suite.datasets) == ["r"]
    assert chosen(suite.datasets["r"]) == ("ring", {"modes": 8, "radius": 2.0, "std": 0.02})
    variant = suite.variants["a"]
    assert chosen(variant.loss) == ("minimax", {})
    assert chosen(variant.architecture) == ("mlp", {"width": 128, "depth": 2})
    assert chosen(variant.update) == ("alternating", {"discriminator_steps": 1})
    assert chosen(variant.generator_optimizer) == ("adam", {"lr": 0.001, "betas": (0.5, 0.999)})
    assert variant.discriminator_optimizer == variant.generator_optimizer
    assert (suite.precision, suite.sweeps, suite.settings) == ("float32", {}, 1)
    assert [choice.name for choice in suite.metrics] == ["jsd", "likelihood", "modes", "discriminator", "throughput"]
    assert [choice.name for choice in suite.references] == ["oracle", "memoriser", "one-mode", "em", "kde"]
    assert parse(HEAD + "budget: {steps: 7}\n", registry).every == 1
    assert parse(HEAD + "seeds: [3, 1]\n", registry).seeds == (3, 1)


@pytest.mark.parametrize(
    ("defaults", "choice", "expected"),
    [
        ("{width: 64}", "mlp", {"width": 64, "depth": 2}),
        ("{name: mlp, width: 64}", "{depth: 3}", {"width": 64, "depth": 3}),
        ("{width: 64}", "{name: mlp, width: 32}", {"width": 32, "depth": 2}),
        ("{width: 64}", "", {"width": 64, "depth": 2}),
        ("", "{depth: 3}", {"width": 128, "depth": 3}),
    ],
)
def test_a_choice_is_laid_over_the_default_of_its_name(defaults, choice, expected, registry):
    text = layered("architecture", defaults, choice)
    assert chosen(parse(text, registry).variants["a"].architecture) == ("mlp", expected)


def test_another_name_replaces_the_default(registry):
    text = HEAD + "  b: {}\ndefaults: {loss: {name: wgan-gp, penalty: 5}}\n"
    text = text.replace("variants: {a: {loss: minimax}}\n", "variants:\n  a: {loss: minimax}\n")
    suite = parse(text, registry)
    assert chosen(suite.variants["a"].loss) == ("minimax", {})
    assert chosen(suite.variants["b"].loss) == ("wgan-gp", {"penalty": 5.0})


ADAM = {"lr": 0.001, "betas": (0.5, 0.999)}
OPTIMIZERS = [
    # defaults, variant, generator, discriminator
    ("{lr: 1e-4}", "", ("adam", ADAM | {"lr": 1e-4}), ("adam", ADAM | {"lr": 1e-4})),
    ("", "{generator: {lr: 1e-4}}", ("adam", ADAM | {"lr": 1e-4}), ("adam", ADAM)),
    ("{generator: {lr: 1e-4}}", "{lr: 1}", ("adam", ADAM | {"lr": 1e-4}), ("adam", ADAM | {"lr": 1.0})),
    ("{generator: {lr: 1e-4}}", "{generator: {lr: 1}}", ("adam", ADAM | {"lr": 1.0}), ("adam", ADAM)),
    (
        "{generator: {lr: 1}}",
        "{name: sgd, lr: 2}",
        ("sgd", {"lr": 2.0, "momentum": 0.0}),
    )
    * 1
    + (("sgd", {"lr": 2.0, "momentum": 0.0}),),
    ("", "{discriminator: {name: sgd, lr: 2}}", ("adam", ADAM), ("sgd", {"lr": 2.0, "momentum": 0.0})),
    (
        "{name: sgd, lr: 1, discriminator: {momentum: 0.5}}",
        "",
        ("sgd", {"lr": 1.0, "momentum": 0.0}),
        ("sgd", {"lr": 1.0, "momentum": 0.5}),
    ),
    (
        "{name: sgd, generator: {lr: 1}, discriminator: {lr: 2}}",
        "",
        ("sgd", {"lr": 1.0, "momentum": 0.0}),
        ("sgd", {"lr": 2.0, "momentum": 0.0}),
    ),
]


@pytest.mark.parametrize(("defaults", "choice", "generator", "discriminator"), OPTIMIZERS)
def test_each_player_has_its_optimizer_laid_over_the_common_one(defaults, choice, generator, discriminator, registry):
    text = layered("optimizer", defaults, choice)
    suite = parse(text, registry)
    assert chosen(suite.variants["a"].generator_optimizer) == generator
    assert chosen(suite.variants["a"].discriminator_optimizer) == discriminator
    assert parse(suite.to_yaml(), registry) == suite


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("[]", ["oracle"]),
        ("[kde, em]", ["oracle", "kde", "em"]),
        ("[em, oracle, kde]", ["oracle", "em", "kde"]),
        ("[{name: oracle}]", ["oracle"]),
    ],
)
def test_the_oracle_is_always_there_and_first(written, names, registry):
    """Other references stand as written, with every parameter; a name that is no row is free for a variant."""
    suite = parse(HEAD.replace("{a:", "{memoriser:") + f"references: {written}\n", registry)
    assert [choice.name for choice in suite.references] == names
    assert parse(suite.to_yaml(), registry) == suite
    given = parse(HEAD + "references: [{name: memoriser, points: 64}]\n", registry)
    assert chosen(given.references[1]) == ("memoriser", {"points": 64})
    assert given.resolved()["references"] == [{"name": "oracle"}, {"name": "memoriser", "points": 64}]


def test_a_resolved_suite_loads_as_the_same_suite(registry):
    suite = parse(RICH, registry)
    assert list(suite.variants) == ["a", "b", "2020-01-01", "yes", "on"]
    again = parse(suite.to_yaml(), registry)
    assert again == suite
    assert again.to_yaml() == suite.to_yaml()
    assert json.loads(json.dumps(suite.resolved())) == suite.resolved()
    jsonschema.validate(suite.resolved(), schema())


def test_a_suite_says_that_it_records_no_pictures_and_nothing_where_it_does(registry):
    plain, without = parse(HEAD, registry), parse(HEAD + "pictures: false\n", registry)
    assert (plain.pictures, without.pictures) == (True, False)
    assert "pictures" not in plain.resolved()
    assert parse(without.to_yaml(), registry) == without


def test_a_resolved_suite_does_not_follow_changed_defaults(registry):
    resolved = parse(HEAD, registry).resolved()
    assert resolved["variants"]["a"]["optimizer"] == {"name": "adam", "lr": 0.001, "betas": [0.5, 0.999]}
    assert resolved["datasets"]["r"] == {"name": "ring", "modes": 8, "radius": 2.0, "std": 0.02}


def test_a_suite_is_frozen_and_takes_another_number_of_seeds(registry):
    suite = parse(RICH, registry)
    assert suite.with_seeds(2).seeds == (0, 1)
    assert suite.seeds == (5, 3)
    with pytest.raises(ValueError, match="at least 1 seed"):
        suite.with_seeds(0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        suite.steps = 3


def test_a_byte_order_mark_does_no_harm(tmp_path, registry):
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert load(path, registry) == parse(HEAD, registry)


def test_a_suite_is_found_by_path_or_by_a_shipped_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours = tmp_path / "shipped"
    ours.mkdir()
    (ours / "mog.yaml").touch()
    (tmp_path / "own.yaml").touch()
    (tmp_path / "mog").mkdir()
    monkeypatch.setattr(shipped, "folder", lambda name: ours)
    assert find("mog") == ours / "mog.yaml"
    assert find("own.yaml") == Path("own.yaml")
    for name, message in {
        "mgo": "mgo: unknown suite, did you mean 'mog'?",
        "zebra": "zebra: unknown suite; known: mog",
        "suites/mog.yaml": "suites/mog.yaml: no such file; the shipped suite is called 'mog'",
        "else.yaml": "else.yaml: no such file",
        "shipped": "shipped: is a folder, not a suite file",
    }.items():
        with pytest.raises(SuiteError) as caught:
            find(name)
        assert str(caught.value) == message


def test_the_published_schema_is_current():
    """If this fails: python -m ganbench.suite.schema > suites/suite.schema.json."""
    published = shipped.folder("suites") / "suite.schema.json"
    assert json.loads(published.read_text()) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


#: Metrics of one kind of data, or of conditional GANs, or that say if two others suffice.
OF_ONE_DATA = ("classes", "dirac", "fidelity", "label-accuracy", "learned", "moments")


def test_the_rulers_are_all_measures_and_all_references():
    """But for what one kind of data has alone, and for models, which have no fault that is known beforehand."""
    registry = Registry.load()
    suite = load(find("rulers"), registry)
    assert sorted(choice.name for choice in suite.metrics) == [
        name for name in registry.names("metric") if name not in OF_ONE_DATA
    ]
    known = [
        entry.name for entry in registry.entries if entry.kind == "reference" and entry.source.parent.name != "models"
    ]
    assert sorted(choice.name for choice in suite.references) == sorted(known)


@cache
def _registry_of(folder):
    """All plugins that a suite in this folder finds: the shipped ones, and those beside it."""
    return Registry.load([folder / "plugins"])


def test_shipped_suites_load_and_fit_the_schema():
    for path in shipped.folder("suites").rglob("*.yaml"):
        registry = _registry_of(path.parent)
        jsonschema.validate(document.read(path).value, schema())
        suite = load(path, registry)
        assert suite.name == path.stem
        assert parse(suite.to_yaml(), registry) == suite
        assert path.read_text().startswith("#"), f"{path}: a header says what it shows and what it costs"


def test_penalties_and_the_average_of_the_defaults_hold_unless_a_variant_says_otherwise(registry):
    suite = parse(
        "suite: s\ndatasets: {r: ring}\ndefaults: {loss: minimax, penalty: slope, average: 0.9}\n"
        "variants: {a: {}, b: {penalty: [], average: null}, c: {penalty: {name: slope, every: 4}, average: 0.5}}\n",
        registry,
    )
    assert [variant.average for variant in suite.variants.values()] == [Average(decay=0.9), None, Average(decay=0.5)]
    assert [[choice.parameters for choice in variant.penalties] for variant in suite.variants.values()] == [
        [{"weight": 1}],
        [],
        [{"weight": 1, "every": 4}],
    ]


def test_a_penalty_keeps_what_the_defaults_say_of_the_one_of_its_name(registry):
    """As any other part does; nothing is at a plugin's own default that a layer below gives."""
    low = "suite: s\ndatasets: {r: ring}\ndefaults: {loss: minimax, penalty: {name: slope, weight: 3}}\nvariants:\n"
    for written, expected in {
        "{name: slope, every: 4}": {"weight": 3, "every": 4},
        "slope": {"weight": 3, "every": 1},
        "[slope]": {"weight": 3, "every": 1},
        "{every: 2}": {"weight": 3, "every": 2},
        "[{name: slope, weight: 1}]": {"weight": 1, "every": 1},
    }.items():
        (penalty,) = parse(low + f"  a: {{penalty: {written}}}\n", registry).variants["a"].penalties
        assert {"every": 1, **penalty.parameters} == expected


def test_null_takes_away_what_the_layers_below_say(registry):
    suite = parse(
        "suite: s\ndatasets: {r: ring}\nsweep: {optimizer.lr: [0.1]}\n"
        "defaults: {loss: minimax, optimizer: {lr: 1.0, generator: {lr: 2.0}}}\n"
        "variants: {a: {optimizer: {generator: null}, sweep: null}}\n",
        registry,
    )
    assert suite.variants["a"].generator_optimizer.parameters["lr"] == 1.0
    assert suite.sweeps == {}


def test_an_average_is_a_decay_or_a_width_and_a_decay_is_resolved_as_the_number_alone(registry):
    """A variant with ``average: 0.9`` has the cell that it always had, however the decay is written."""
    written = ("0.9", "{decay: 0.9}", "{width: 0.05}")
    suites = [parse(HEAD.replace("minimax", f"minimax, average: {text}"), registry) for text in written]
    assert [suite.variants["a"].average for suite in suites] == [Average(0.9), Average(0.9), Average(width=0.05)]
    assert [suite.resolved()["variants"]["a"]["average"] for suite in suites] == [0.9, 0.9, {"width": 0.05}]
    first, second, third = (plan(suite)[-1].id for suite in suites)
    assert first == second != third


def test_the_zoo_has_every_loss_every_update_rule_and_every_f_divergence():
    shipped_plugins = Registry.load()
    variants = load(find("zoo"), shipped_plugins).variants.values()
    assert {variant.loss.name for variant in variants} == {*shipped_plugins.names("loss")}
    assert {variant.update.name for variant in variants} == {*shipped_plugins.names("update")}
    (divergence, *_) = shipped_plugins.get("loss", "fgan").parameters
    assert {variant.loss.parameters.get("divergence") for variant in variants} >= {*divergence.json_schema["enum"]}
