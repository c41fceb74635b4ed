"""What people write from habit, in a suite: each is one line at its place, which says what to write."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganbench.core.spelling import as_list, as_number
from ganbench.suite import document
from ganbench.suite.load import load, parse
from ganbench.suite.mistake import SuiteError

SUITE = """suite: t
seeds: 4
budget: {steps: 200, batch: 64}
datasets: {r: ring}
defaults: {optimizer: {lr: 2e-3}}
variants: {a: {loss: minimax}}
metrics: [jsd, modes]
"""


def mistake(registry, old, new):
    """The one mistake of the suite with one part of it written anew."""
    assert old in SUITE
    with pytest.raises(SuiteError) as error:
        parse(SUITE.replace(old, new), registry, "t.yaml")
    (line,) = str(error.value).splitlines()
    assert re.match(r"t\.yaml:\d+:\d+", line)
    return line


@pytest.mark.parametrize(
    ("key", "cure"),
    [
        ("epochs: 100", "an epoch of n samples is n / batch steps: write budget: {steps: ...} at the top"),
        ("epochs: 100", "; or delete it: budget: {steps: 200} is there already"),
        ("n_seeds: 5", "write seeds: 5, the number of seeds; or delete it: seeds: 4 is there already"),
        ("steps: 10", "it belongs in 'budget'; or delete it: budget: {steps: 200} is there already"),
        ("title: x", "write suite: NAME at the top; a variant's name is its key; or delete it: suite: t is there"),
        ("device: cuda", "ganbench run SUITE --device cuda"), ("gpu: 0", "ganbench run SUITE --device cuda"),
        ("include: base.yaml", "a suite is one file"), ("extends: base.yaml", "a suite is one file"),
        ("iterations: 1000", "write budget: {steps: 1000}"), ("n_iter: 1000", "write budget: {steps: 1000}"),
        ("lr: 2e-3", "write optimizer: {lr: 0.002} in defaults or a variant"),
        ("batch_size: 64", "write budget: {batch: 64}"), ("BatchSize: 64", "write budget: {batch: 64}"),
        ("loss: minimax", "it belongs in 'defaults', or in a variant"), ("steps: 10", "it belongs in 'budget'"),
        ("num_seeds: 3", "write seeds: 3"), ("seed: 3", "write seeds: [3] for that one seed"),
        ("seed: [3, 4]", "write seeds: [3, 4]; or delete it"),
        ("metric: [jsd]", "did you mean 'metrics'?"), ("n_critic: 5", "discriminator_steps: 5"),
        ("z_dim: 3", "latent: 3"), ("engine: eager", "--engine eager"), ("out: x", "--out DIR"),
        ("resume: true", "the same command again"), ("workers: 4", "all seeds of a variant train at once"),
        ("grid: {}", "such as sweep: {optimizer.lr: [1e-4, 1e-3]}"), ("ema: 0.999", "write average: 0.999"),
        ("plugins: ./mine", "--plugins DIR"), ("models: {}", "write variants:"), ("dataset: ring", "write datasets:"),
    ],
)  # fmt: skip
def test_a_key_of_another_tool(shipped, key, cure):
    word = key.partition(":")[0]
    line = mistake(shipped, "suite: t\n", f"suite: t\n{key}\n")
    assert line.startswith(f"t.yaml:2:1 {word}: unknown key {word!r}")
    assert cure in line


@pytest.mark.parametrize(
    ("old", "new", "cure"),
    [
        # numbers, in a mapping of one line and on a line of its own
        ("lr: 2e-3", "lr: 0,0002", "5:28 defaults.optimizer.lr: a comma begins the next key: write lr: 0.0002"),
        ("{lr: 2e-3}}", "{lr: '0,0002'}}", "not '0,0002': write 0.0002"),
        ("lr: 2e-3", "lr: '1e-4'", "not '1e-4': write 1e-4"), ("lr: 2e-3", "lr: 1e\u22124", "write 1e-4"),
        ("lr: 2e-3", "lr: 1/1000", "write 0.001"), ("lr: 2e-3", "lr: 10**-4", "write 0.0001"),
        ("lr: 2e-3", "lr: ${LR}", "5:29: variables are not replaced in a suite: write the value"),
        ("lr: 2e-3", "lr: $LR", "variables are not replaced"), ("lr: 2e-3", "lr: {{ lr }}", "are not replaced"),
        ("lr: 2e-3", "lr: %(lr)s", "variables are not replaced"), ("lr: 2e-3", "lr: None", "leave the key out"),
        ("lr: 2e-3", "lr: ~", "leave the key out"), ("lr: 2e-3", "lr=2e-3", "write lr: 2e-3, with a colon and a space"),
        ("lr: 2e-3", "lr:2e-3", "write lr: 2e-3, with a colon and a space"), ("lr: 2e-3", "LR: 1e-3", "called 'lr'"),
        ("lr: 2e-3", "lr: [1e-3, 1e-4]", "write one value, as 0.001 (how many layers"),
        ("lr: 2e-3", "betas: (0.5, 0.999)", "a comma begins the next key: write a list, betas: [0.5, 0.999]"),
        ("lr: 2e-3", "betas: 0.5, 0.999", "write a list, betas: [0.5, 0.999]"),
        ("lr: 2e-3", "betas: '(0.5, 0.999)'", "write [0.5, 0.999]"), ("lr: 2e-3", "beta1: 0.5", "betas: [0.5, ...]"),
        ("lr: 2e-3", "nesterov: yes, name: sgd", "must be true or false, not 'yes': write true"),
        ("lr: 2e-3", "nesterov: Off, name: sgd", "write false"), ("lr: 2e-3", "clip: None", "write null"),
        ("steps: 200", "steps: 10k", "write 10000"), ("steps: 200", "steps: 10_000", "write 10000"),
        ("steps: 200", "steps: 10,000", "write steps: 10000, or 10.000 for a fraction"),
        ("steps: 200", "steps: 2*1000", "write 2000"), ("steps: 200", "steps: '100'", "write 100"),
        ("lr: 2e-3", "lr: 2*10^-4", "write 2e-4"), ("lr: 2e-3", "lr: 0.2%", "write 0.002"),
        ("steps: 200", "steps: 100 epochs", "an epoch of n samples is n / batch steps, write the number of steps"),
        ("steps: 200", "steps: 10k steps", "not '10k steps': write 10000, without 'steps'"),
        ("steps: 200", "steps: 1 million", "write 1000000"), ("steps: 200", "steps: 0x40", "write 64"),
        ("steps: 200", "steps: 2h", "it is no duration, write a number; `ganbench plan` says how long"),
        ("steps: 200", "steps: 1e3 iterations", "write 1e3, without 'iterations'"),
        ("steps: 200", "steps: 200.0", "must be a whole number of at least 1, not 200.0: write 200"),
        ("batch: 64", "batch: 64.0", "write 64"), ("batch: 64", "batch: 64 samples", "write 64, without 'samples'"),
        ("batch: 64", "batch: 64, epochs: 3", "; or delete it: budget: {steps: 200} is there already"),
        ("budget: {steps: 200, batch: 64}", "budget: 200", "write {steps: 200}"),
        ("budget: {steps: 200, batch: 64}", "evaluate: 50", "write {every: 50}"),
        ("loss: minimax", "loss: minimax, architecture: {width: 16.0}", "not 16.0: write 16"),
        ("loss: minimax", "loss: minimax, architecture: {width: 16 units}", "write 16, without 'units'"),
        ("loss: minimax", "loss: minimax, average: 99.9%", "write 0.999"),
        ("lr: 2e-3", "nesterov: 1, name: sgd", "write true"), ("lr: 2e-3", "clip: false", "write null"),
        # seeds
        ("seeds: 4", "seeds: range(10)", "write seeds: 10 for the seeds 0 to 9"),
        ("seeds: 4", "seeds: range(3, 6)", "write [3, 4, 5]"), ("seeds: 4", "seeds: 0-9", "write seeds: 10"),
        ("seeds: 4", "seeds: 0..9", "write seeds: 10"), ("seeds: 4", "seeds: '0:10'", "write seeds: 10"),
        ("seeds: 4", "seeds: 1,2,3", "write [1, 2, 3]"), ("seeds: 4", "seeds: '4'", "write 4"),
        ("seeds: 4", "seeds: [0-9]", "write seeds: 10"), ("seeds: 4", "seeds: 4.0", "write 4"),
        ("seeds: 4", "seeds: 5 seeds", "write 5, without 'seeds'"), ("seeds: 4", "seeds: {count: 5}", "write 5"),
        ("seeds: 4", "seeds: {start: 0, stop: 4}", "write seeds: 4 for the seeds 0 to 3"),
        ("seeds: 4", "seeds: {from: 2, to: 4}", "write [2, 3, 4]"), ("seeds: 4", "seeds: {n: 8}", "write 8"),
        ("seeds: 4", "seeds: ${SEEDS}", "variables are not replaced in a suite, write the value"),
        # choices
        ("[jsd, modes]", "fid", "write [fid]"), ("[jsd, modes]", "jsd, modes", "write [jsd, modes]"),
        ("[jsd, modes]", "{jsd: {}, modes: {share: 0.5}}", "write [jsd, {name: modes, share: 0.5}]"),
        ("{a: {loss: minimax}}", "[minimax]", "write names to choices, as {minimax: {loss: minimax}}"),
        ("{a: {loss: minimax}}", "{a: minimax}", "write {loss: minimax}"), ("{r: ring}", "ring", "as {ring: ring}"),
        ("{a: {loss: minimax}}", "[{loss: minimax}]", "write names to choices, as {minimax: {loss: minimax}}"),
        ("{a: {loss: minimax}}", "[{name: b, loss: minimax}]", "write names to choices, as {b: {loss: minimax}}"),
        ("{r: ring}", "[{name: ring, modes: 5}]", "write names to choices, as {ring: {name: ring, modes: 5}}"),
        ("{lr: 2e-3}}", "{lr_d: 1e-3}}", "write optimizer: {discriminator: {lr: 0.001}}"),
        ("{lr: 2e-3}}", "{G: {lr: 1e-3}}}", "such as optimizer: {discriminator: {lr: 4e-4}, generator: {lr: 1e-4}}"),
        ("loss: minimax", "loss: minimax, penalty: 10", "at its plugin: loss: {name: wgan-gp, penalty: 10}, or penal"),
        ("loss: minimax", "loss: minimax, clip: 1", "for D's weights, or optimizer: {clip: 1} for the norms of grad"),
        ("loss: minimax", "loss: minimax, weight_decay: 1e-4", "write optimizer: {weight_decay: 0.0001}"),
        ("loss: minimax", "loss: minimax, average: yes", "write 0.999, the decay at each step"),
        ("loss: minimax", "loss: minimax, average: off", "write null for none"),
        ("{a: {", "{A b: {", "'A b' is not a name of letters, digits and . _ + - (a letter or digit first): write A-b"),
        ("loss: minimax", "loss: [minimax]", "write minimax without the brackets"),
        ("loss: minimax", "loss: {minimax: {}}", "needs a name: write {name: minimax}"),
        ("loss: minimax", "loss: {type: wgan, clip: 0.1}", "needs a name: write {name: wgan, clip: 0.1}"),
        ("loss: minimax", "loss: {wgan-gp: 5}", "needs a name: write {name: wgan-gp}, and what 5 is"),
        ("loss: minimax", "loss: minimax, penalty: {r1: 0.5}", "needs a name: write {name: r1, weight: 0.5}"),
        (
            "loss: minimax", "loss: minimax, penalty: {r1: 0.5, gp: {weight: 3}}",
            "needs a name: write a list, [{name: r1, weight: 0.5}, {name: gp, weight: 3}]",
        ),
        ("loss: minimax", "loss: None", "write a name, or leave the key out for the default"),
        ("loss: minimax", "loss: minimax, seeds: 3", "it belongs at the top of the suite, the same for all variants"),
        ("loss: minimax", "loss: minimax, generator: {width: 3}", "both networks are one architecture"),
        ("loss: minimax", "loss: minimax, sweep: {optimizer.lr: 1e-3}", "write [0.001]"),
        ("loss: minimax", "loss: minimax, sweep: {optimizer: {lr: [1e-3]}}", "write {optimizer.lr: [0.001]}"),
        ("loss: minimax", "loss: minimax, sweep: {lr: [1e-3]}", "write for example optimizer.lr"),
        ("loss: minimax", "loss: minimax, sweep: {optimizer.lr: logspace(-4, -2)}", "nothing is computed in a suite"),
        ("loss: minimax", "loss: minimax, architecture: {activation: LeakyReLU}", "write leaky_relu"),
        # as in Python
        ("loss: minimax", "loss: minimax, optimizer: torch.optim.Adam", "write adam"),
        ("loss: minimax", "loss: minimax, optimizer: {name: optim.AdamW, lr: 1e-3}", "write adamw"),
        (
            "loss: minimax", "loss: minimax, optimizer: 'torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0, 0.9))'",
            "write {name: adam, lr: 0.001, betas: [0, 0.9]}",
        ),
        ("loss: minimax", "loss: minimax, architecture: mlp(width=16)", "write {name: mlp, width: 16}"),
        ("loss: minimax", "loss: minimax, architecture: MLP(16)", "write {name: mlp, PARAMETER: VALUE}, each"),
        ("loss: minimax", "loss: minimax, architecture: my.models.MLP()", "write mlp"),
        ("loss: minimax", "loss: minimax, penalty: r1(10)", "write {name: r1, weight: 10}"),
        ("loss: minimax", "loss: wgan-gp(lambda=10)", "write {name: wgan-gp, PARAMETER: VALUE}, each parameter by its"),
        ("loss: minimax", "loss: torch.nn.BCEWithLogitsLoss()", "binary cross-entropy is two losses here"),
        ("loss: minimax", "loss: my.thing", "unknown loss 'my.thing'; known: "),
        # what is another part's
        ("loss: minimax", "loss: {name: wgan, n_critic: 5}", "update: {name: alternating, discriminator_steps: 5}"),
        ("loss: minimax", "loss: {name: wgan, lr: 1e-3}", "it is the optimizer's, write optimizer: {lr: 0.001}"),
        ("loss: minimax", "loss: minimax, architecture: {batch_size: 64}", "write budget: {batch: 64}"),
        ("loss: minimax", "loss: minimax, architecture: {name: resnet, depth: 3}", "parameter 'depth' of arch"),
        # another tool's keys, each with the plugin that it names, and what follows the hint is that plugin
        ("loss: minimax", "loss: minimax, gradient_penalty: 10", "write penalty: {name: gp, weight: 10}"),
        ("loss: minimax", "loss: minimax, lambda_gp: 10", "write penalty: {name: gp, weight: 10}"),
        ("loss: minimax", "loss: minimax, gradient_penalty: true", "write penalty: {name: gp, weight: ...}"),
        ("loss: minimax", "loss: minimax, r1_gamma: 10", "write penalty: {name: r1, weight: 10}"),
        ("loss: minimax", "loss: minimax, instance_noise: 0.1", "write penalty: {name: instance-noise, std: 0.1}"),
        ("loss: minimax", "loss: minimax, spectral_norm: true", "{name: mlp, spectral_norm: true}"),
        ("loss: minimax", "loss: minimax, architecture: {name: dcgan, sn: true}", "of images sndcgan or resnet"),
        ("loss: minimax", "loss: minimax, label_smoothing: 0.1", "least-squares has its targets a, b and c"),
        ("loss: minimax", "loss: minimax, augment: ada", "augmentation is not here"),
        ("loss: minimax", "loss: minimax, average_decay: 0.9", "write average: 0.9, the decay at each step"),
        ("loss: minimax", "loss: minimax, lr: 2e-4", "write optimizer: {lr: 0.0002} in defaults or a variant"),
        ("loss: minimax", "loss: minimax, lr_d: 2e-4", "write optimizer: {discriminator: {lr: 0.0002}} in"),
        ("loss: minimax", "loss: minimax, beta1: 0", "write optimizer: {betas: [0, ...]} in defaults or a variant"),
        ("loss: minimax", "loss: minimax, hidden_dim: 32", "write architecture: {name: mlp, width: 32} in defaults"),
        ("loss: minimax", "loss: minimax, warmup: 10", "write optimizer: {schedule: {name: cosine, warmup: 10}} in"),
        ("loss: minimax", "loss: minimax, update: {name: alternating, g_steps: 2}", "a step is one update of G"),
        ("loss: minimax", "loss: minimax, update: {name: simultaneous, g_steps: 2}", "a step is one update of G"),
        ("loss: minimax", "loss: minimax, optimizer: {beta1: 0.0}", "write both in a list, betas: [0.0, ...]"),
        ("loss: minimax", "loss: minimax, optimizer: {lr_d: 2e-4}", "write optimizer: {discriminator: {lr: 0.0002}}"),
        ("loss: minimax", "loss: minimax, penalty: gp 10", "unknown penalty 'gp 10': write {name: gp, weight: 10}"),
        ("loss: minimax", "loss: minimax, schedule: cosine", "write optimizer: {schedule: 'cosine'}"),
        ("loss: minimax", "loss: minimax, architecture: {width: [64, 64]}", "write one value, as 64 (how many"),
        ("loss: minimax", "loss: minimax, architecture: {discriminator: {width: 9}}", "unless discriminator_width"),
        ("loss: minimax", "loss: minimax, penalty: [gp, gp]", "penalty 'gp' is there already: write it once"),
        ("loss: minimax", "loss: minimax, architecture: {norm: spectral}", "layer or batch; spectral_norm: true"),
        ("loss: minimax", "loss: {name: minimax, label_smoothing: 0.1}", "least-squares has its targets a, b and c"),
        ("{loss: minimax}", "", "write {} for the defaults alone, or its loss, as {loss: minimax}"),
        (
            "loss: minimax",
            "loss: minimax, optimizer: {schedule: {name: step, milestones: [10, 15]}}",
            "must be shares of the steps above 0 and below 1, such as [0.5, 0.75], not [10, 15]",
        ),
        (
            "seeds: 4",
            "sweep: {optimizer.lr: {min: 1e-4, max: 1e-2}}",
            "write each value in a list, as [0.0001, 0.01]",
        ),
        ("seeds: 4", "sweep: {optimizer.lr: {values: [1e-4, 1e-2]}}", ": write [0.0001, 0.01]"),
        ("loss: minimax", "loss: minimax, average: {name: ema, decay: 0.9}", "leave it out, an average has no name"),
        ("loss: minimax", "loss: minimax, average: {beta: 0.9}", "write decay, the share of the average that stays"),
        ("loss: minimax", "loss: minimax, optimizer: {generator: 1e-4}", "not 0.0001: write {lr: 0.0001}"),
        ("loss: minimax", "loss: minimax, optimizer: 1e-4", "not 0.0001: write {lr: 0.0001}"),
        ("loss: minimax", "loss: [hinge, wgan]", "write variants: {hinge: {loss: hinge}, wgan: {loss: wgan}}"),
        ("loss: minimax", "loss: hinge + r1", "unknown loss 'hinge + r1': write loss: hinge, penalty: r1"),
        ("seeds: 4", "losses: [hinge]", "each loss is a variant of its own"),
        # YAML
        ("loss: minimax", "&a loss: minimax", "anchors (&) are not part of a suite"),
        ("loss: minimax", "loss: !!str minimax", "tags (!) are not part of a suite"),
        ("{a: {loss: minimax}}", "\n\ta: {loss: minimax}", "a tab cannot indent YAML: use spaces"),
        ("{a: {loss: minimax}}", "{a: {loss: minimax}", "a comma or a bracket is missing"),
        ("suite: t\n", "suite: t\ndescription: a # b: c\nseeds 3\n", "a key needs a colon and a space after it"),
    ],
)  # fmt: skip
def test_a_value_from_habit(shipped, old, new, cure):
    assert cure in mistake(shipped, old, new)


#: Every key of a variant, and what it is where it is none: what a hint says to write, or nothing where it must be.
NONE = {
    "loss": "", "architecture": "", "update": "", "optimizer": "", "guard": "",
    "penalty": "[]", "average": "null", "sweep": "null", "expect": "null",
    "optimizer: {schedule": "null", "optimizer: {generator": "null", "optimizer: {clip": "null",
    "optimizer: {weight_decay": "0", "optimizer: {nesterov": "false", "loss: {name: wgan-gp, penalty": "0",
}  # fmt: skip
DEFAULTS = """
  loss: {name: wgan-gp, penalty: 3}
  penalty: {name: r1, weight: 3}
  average: 0.9
  architecture: {width: 16}
  optimizer:
    {name: sgd, lr: 0.1, weight_decay: 0.1, nesterov: true, momentum: 0.5, clip: 2.0, schedule: linear,
     generator: {lr: 1}}
"""


def of_nothing(registry, key, word, ask=mistake):
    end = "}" * key.count("{")
    old, new = (
        "{optimizer: {lr: 2e-3}}\nvariants: {a: {loss: minimax}}",
        f"{DEFAULTS}variants: {{a: {{{key}: {word}{end}}}}}",
    )
    return ask(registry, old, new)


@pytest.mark.parametrize("key", NONE)
def test_a_word_for_none_is_answered_with_what_is_none_under_the_defaults(shipped, key):
    """Following the hint takes away what the defaults say, and where there is no hint, null is a mistake as well."""
    for word in ("false", "none", "off", *(["null"] if NONE[key] == "" else [])):
        if NONE[key] == word:
            continue
        if NONE[key]:
            assert f": write {NONE[key]}" in of_nothing(shipped, key, word).replace("constant, or ", "")
        else:
            assert (
                re.search("write null for none|leave the key out for none|write \\[]", of_nothing(shipped, key, word))
                is None
            )
    if NONE[key]:
        suite = of_nothing(shipped, key, NONE[key], lambda registry, old, new: parse(SUITE.replace(old, new), registry))
        plain = {"sweep": None, "expect": None, **suite.variants["a"].plain(), **suite.resolved()["variants"]["a"]}
        said = {
            "penalty": not plain.get("penalty"), "average": not plain.get("average"), "sweep": not plain["sweep"],
            "expect": not plain["expect"], "optimizer: {generator": "generator" not in plain["optimizer"],
            "loss: {name: wgan-gp, penalty": plain["loss"]["penalty"] == 0,
        }  # fmt: skip
        player = plain["optimizer"].get("generator", plain["optimizer"])
        assert said.get(key, not player.get(key.rpartition("{")[2]))


@pytest.mark.parametrize("word", ["false", "none", "off", "null", "0"])
@pytest.mark.parametrize(("key", "cure"), [("references", "write [] for none"), ("observers", "write [] for none")])
def test_no_references_are_an_empty_list_and_no_default(shipped, key, cure, word):
    assert mistake(shipped, "metrics: [jsd, modes]", f"{key}: {word}").endswith(cure)


def test_no_pictures_are_false(shipped):
    assert mistake(shipped, "metrics: [jsd, modes]", "pictures: none").endswith("write false")


@pytest.mark.parametrize(
    "name",
    ["1", "001", "1e5", "1.5", "inf", "nan", "NA", "null", "None", "NULL", "true", "False", "Infinity", "0.1e-3"],
)
@pytest.mark.parametrize("old", ["{r: ", "{a: "])
def test_a_name_that_a_table_would_not_give_back_is_refused(shipped, old, name):
    line = mistake(shipped, old, f"{{{name}: ")
    assert "to what reads tables" in line


@pytest.mark.parametrize("steps", ["10%", "1/3", "'1.5'", "1.5f"])
def test_no_fraction_is_suggested_where_a_whole_number_is_wanted(shipped, steps):
    assert mistake(shipped, "steps: 200", f"steps: {steps}").endswith(f"not '{steps.strip(chr(39))}'")


def test_hints_are_right_where_they_are_followed(shipped):
    for written in ("0,0002", "1_000", "10k", "1e\u22124", "2*3", "(0.5, 0.999)", "0.5 0.9"):
        cure = as_number(written.replace("\u2212", "-")) or as_list(written)
        assert document.parse(f"x: {cure}").value["x"] is not None
    for lr in ("0.0002", "1e-4"):
        parse(SUITE.replace("2e-3", lr), shipped)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(2, 4))
def test_a_list_is_written_with_the_same_numbers(number, count):
    text = f"({', '.join([repr(number)] * count)})"
    assert document.parse(f"x: {as_list(text)}").value["x"] == [number] * count


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("utf-16", ":1:1: is UTF-16 text: save it as UTF-8"), ("utf-32", ":1:1: is UTF-32 text: save it as UTF-8"),
        ("utf-16-le", ":1:1: is UTF-16 text: save it as UTF-8"),
        ("latin-1", ":1:12: is not UTF-8 text (byte 0xe9): save it as UTF-8"),
    ],
)  # fmt: skip
def test_another_encoding_is_named(shipped, tmp_path, encoding, message):
    path = tmp_path / "t.yaml"
    path.write_bytes(SUITE.replace("suite: t", "suite: t # \u00e9").encode(encoding))
    with pytest.raises(SuiteError) as error:
        load(path, shipped)
    assert str(error.value) == f"{path}{message}"


def test_windows_and_json_are_read_as_they_are(shipped, tmp_path):
    path = tmp_path / "t.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SUITE.replace("\n", "\r\n").encode())
    assert load(path, shipped) == parse(SUITE, shipped)
    json = tmp_path / "t.json"
    json.write_text('{"suite": "t", "datasets": {"r": "ring"}, "variants": {"a": {"loss": "minimax"}}}')
    assert load(json, shipped).name == "t"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: os.mkfifo(path), "is a pipe, not a file: write the suite to a file first"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device, not a suite file"),
        (lambda path: path.symlink_to("/dev/null"), "is a device, not a suite file"),
        (lambda path: path.write_bytes(b"# \n" * 18_000_000), "has 54.0 MB; a suite has at most 1 MB"),
        (lambda path: path.write_text(f"seeds: {[*range(700_000)]}"), "has 5.5 MB; a suite has at most 1 MB"),
    ],
)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes in folders")
def test_a_file_without_end_or_too_large_is_not_read(shipped, tmp_path, make, message):
    path = tmp_path / "t.yaml"
    make(path)
    with pytest.raises(SuiteError) as error:
        load(path, shipped)
    assert str(error.value) == f"{path}: {message}"


@pytest.mark.parametrize("name", ["t.py", "t.toml", "t.ipynb"])
def test_a_file_of_another_language(shipped, tmp_path, name):
    path = tmp_path / name
    path.write_text(SUITE)
    with pytest.raises(SuiteError, match="file by its name, and a suite is YAML"):
        load(path, shipped)


def test_more_variants_than_anyone_compares_are_one_line(shipped):
    many = ", ".join(f"v{index}: {{loss: minimax}}" for index in range(2000))
    assert "variants: has 2000 entries; at most 1000" in mistake(shipped, "{a: {loss: minimax}}", f"{{{many}}}")
