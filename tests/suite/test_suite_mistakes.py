"""Every mistake in a suite is one line at its place, and nothing but SuiteError is ever raised."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganbench.plugin import shipped
from ganbench.plugin.registry import Registry
from ganbench.suite import document
from ganbench.suite.load import load, parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.schema import schema

HEAD = "suite: demo\ndatasets: {r: ring}\nvariants: {a: {loss: minimax}}\n"
SMALL = Path(__file__).with_name("small_plugins.py")
RICH = Path(__file__).with_name("rich.yaml").read_text(encoding="utf-8")


#: A suite with one mistake, and its one line after the file's name.
MALFORMED = {
    # shape
    "no_suite": ("datasets: {r: ring}\nvariants: {a: {loss: minimax}}\n", "1:1: missing key 'suite'"),
    "no_datasets": ("suite: demo\nvariants: {a: {loss: minimax}}\n", "1:1: missing key 'datasets'"),
    "no_variants": ("suite: demo\ndatasets: {r: ring}\n", "1:1: missing key 'variants'"),
    "name_number": (
        HEAD.replace("demo", "5"),
        "1:8 suite: must be a name of letters, digits and . _ + - (a letter or digit first), not 5",
    ),
    "name_spaces": (
        HEAD.replace("demo", "my suite"),
        "1:8 suite: 'my suite' is not a name of letters, digits and . _ + - (a letter or digit first): write my-suite",
    ),
    "unknown_key": (HEAD + "metric: [jsd]\n", "4:1 metric: unknown key 'metric', did you mean 'metrics'?"),
    "unknown_key_far": (
        HEAD + "zzz: 1\n",
        "4:1 zzz: unknown key 'zzz'; known: budget, datasets, "
        "defaults, description, evaluate, guard, metrics, observers, pictures, precision, published, references, "
        "relative_to, seeds, suite, sweep, variants",
    ),
    "key_in_wrong_place": (HEAD + "steps: 100\n", "4:1 steps: unknown key 'steps', it belongs in 'budget'"),
    "description": (HEAD + "description: [a]\n", "4:14 description: must be text, not ['a']"),
    "seeds_zero": (
        HEAD + "seeds: 0\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not 0",
    ),
    "seeds_text": (
        HEAD + "seeds: many\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not 'many'",
    ),
    "seeds_float": (
        HEAD + "seeds: 1.5\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not 1.5",
    ),
    "seeds_true": (
        HEAD + "seeds: true\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not true",
    ),
    "seeds_empty": (
        HEAD + "seeds: []\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not []",
    ),
    "seeds_negative": (HEAD + "seeds: [0, -1]\n", "4:12 seeds[1]: must be a whole number of at least 0, not -1"),
    "seeds_twice": (HEAD + "seeds: [0, 1, 0]\n", "4:15 seeds[2]: seed 0 is there already"),
    "seeds_null": (
        HEAD + "seeds:\n",
        "4:7 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not null",
    ),
    "budget_number": (
        HEAD + "budget: 100\n",
        "4:9 budget: must be a mapping with the keys steps, batch, minutes, not 100: write {steps: 100}",
    ),
    "budget_steps_zero": (
        HEAD + "budget: {steps: 0}\n",
        "4:17 budget.steps: must be a whole number of at least 1, not 0",
    ),
    "budget_steps_float": (
        HEAD + "budget: {steps: 1.5e0}\n",
        "4:17 budget.steps: must be a whole number of at least 1, not 1.5",
    ),
    "budget_steps_quoted": (
        HEAD + "budget: {steps: '100'}\n",
        "4:17 budget.steps: must be a whole number of at least 1, not '100': write 100",
    ),
    "budget_batch": (HEAD + "budget: {batch: -5}\n", "4:17 budget.batch: must be a whole number of at least 1, not -5"),
    "budget_unknown": (HEAD + "budget: {stesp: 10}\n", "4:10 budget.stesp: unknown key 'stesp', did you mean 'steps'?"),
    "evaluate_too_late": (
        HEAD + "budget: {steps: 100}\nevaluate:\n  every: 101\n",
        "6:10 evaluate.every: must be at most the budget's 100 steps, not 101",
    ),
    "evaluate_samples": (
        HEAD + "evaluate: {samples: lots}\n",
        "4:21 evaluate.samples: must be a whole number of at least 1, not 'lots'",
    ),
    "evaluate_unknown": (
        HEAD + "evaluate: {sample: 5}\n",
        "4:12 evaluate.sample: unknown key 'sample', did you mean 'samples'?",
    ),
    "datasets_list": (
        HEAD.replace("{r: ring}", "[ring]"),
        "2:11 datasets: must be a mapping of names to datasets, at least one, not ['ring']: write names to choices, as "
        "{ring: ring}",
    ),
    "datasets_empty": (
        HEAD.replace("{r: ring}", "{}"),
        "2:11 datasets: must be a mapping of names to datasets, at least one, not {}",
    ),
    "dataset_number": (
        HEAD.replace("{r: ring}", "{r: 8}"),
        "2:15 datasets.r: must be a plugin's name, or a mapping of its name and parameters, not 8",
    ),
    "dataset_null": (
        HEAD.replace("{r: ring}", "{r: }"),
        "2:14 datasets.r: must be a plugin's name, or a mapping of its name and parameters, not null",
    ),
    "dataset_key": (
        HEAD.replace("{r: ring}", "{'ring of 8': ring}"),
        "2:12 datasets.ring of 8: 'ring of 8' is not a name of letters, digits and . _ + - (a letter or digit first): "
        "write ring-of-8",
    ),
    "dataset_nameless": (HEAD.replace("{r: ring}", "{r: {modes: 8}}"), "2:15 datasets.r: needs a name: which dataset?"),
    "dataset_unknown": (
        HEAD.replace("{r: ring}", "{r: rnig}"),
        "2:15 datasets.r: unknown dataset 'rnig', did you mean 'ring'?",
    ),
    "dataset_parameter": (
        HEAD.replace("{r: ring}", "{r: {name: ring, mode: 8}}"),
        "2:28 datasets.r.mode: unknown parameter 'mode' of dataset 'ring', did you mean 'modes'?",
    ),
    "dataset_value": (
        HEAD.replace("{r: ring}", "{r: {name: ring, modes: eight}}"),
        "2:35 datasets.r.modes: must be a whole number above 0, not 'eight'",
    ),
    "dataset_missing": (
        HEAD.replace("{r: ring}", "{r: {name: points, std: 1}}"),
        "2:15 datasets.r: dataset 'points' needs the parameter 'means'",
    ),
    "dataset_refuses": (
        HEAD.replace("{r: ring}", "{r: {name: points, means: [0, 1], std: [1, 1, 1]}}"),
        "2:50 datasets.r.std: std must be one for each of the 2 modes, not 3",
    ),
    "dataset_crashes": (
        HEAD.replace("{r: ring}", "{r: {name: ring, modes: 13}}"),
        "2:15 datasets.r: KeyError: 'thirteen' (small_plugins.py:38)",
    ),
    "dataset_is_none": (
        HEAD.replace("{r: ring}", "{r: {name: ring, modes: 99}}"),
        "2:15 datasets.r: dataset 'ring' built nothing, which is no Distribution: is its return missing?",
    ),
    "references_text": (
        HEAD + "references: em\n",
        "4:13 references: must be a list of references, not 'em': write [em]",
    ),
    "reference_number": (
        HEAD + "references: [em, 3]\n",
        "4:18 references[1]: must be a plugin's name, or a mapping of its name and parameters, not 3",
    ),
    "reference_nameless": (HEAD + "references: [{}]\n", "4:14 references[0]: needs a name: which reference?"),
    "reference_unknown": (
        HEAD + "references: [em, memorizer]\n",
        "4:18 references[1]: unknown reference 'memorizer', did you mean 'memoriser'?",
    ),
    "reference_is_a_loss": (
        HEAD + "references: [minimax]\n",
        "4:14 references[0]: unknown reference 'minimax': it is a loss, not a reference",
    ),
    "reference_twice": (
        HEAD + "references: [em, kde, {name: em}]\n",
        "4:30 references[2].name: reference 'em' is there already",
    ),
    "reference_oracle_twice": (
        HEAD + "references: [oracle, oracle]\n",
        "4:22 references[1]: reference 'oracle' is there already",
    ),
    "reference_parameter": (
        HEAD + "references: [{name: memoriser, point: 3}]\n",
        "4:32 references[0].point: unknown parameter 'point' of reference 'memoriser', did you mean 'points'?",
    ),
    "reference_value": (
        HEAD + "references: [{name: memoriser, points: 0}]\n",
        "4:40 references[0].points: must be a whole number above 0, not 0",
    ),
    "reference_oracle_parameter": (
        HEAD + "references: [{name: oracle, points: 5}]\n",
        "4:29 references[0].points: unknown parameter 'points' of reference 'oracle'; it has none",
    ),
    "variant_reference": (
        HEAD.replace("{a:", "{em:") + "references: [em]\n",
        "3:12 variants.em: 'em' is a reference's row in the table: choose another",
    ),
    "variant_default_reference": (
        HEAD.replace("{a:", "{memoriser:"),
        "3:12 variants.memoriser: 'memoriser' is a reference's row in the table: choose another",
    ),
    "variants_text": (
        HEAD.replace("{a: {loss: minimax}}", "minimax"),
        "3:11 variants: must be a mapping of names to variants, or {} for none, not 'minimax': write names to choices, "
        "as {minimax: {loss: minimax}}",
    ),
    "variant_text": (
        HEAD.replace("{loss: minimax}", "minimax"),
        "3:15 variants.a: must be a mapping with the keys loss, architecture, update, optimizer, penalty, average, "
        "sweep, guard, expect, not 'minimax': write {loss: minimax}",
    ),
    "variant_null": (
        HEAD.replace("{loss: minimax}", ""),
        "3:14 variants.a: must be a mapping with the keys loss, architecture, update, optimizer, penalty, average, "
        "sweep, guard, expect, not null: write {} for the defaults alone, or its loss, as {loss: minimax}",
    ),
    "variant_oracle": (
        HEAD.replace("{a:", "{oracle:"),
        "3:12 variants.oracle: 'oracle' is the name of the data's own row in every table: choose another",
    ),
    "variant_key": (
        HEAD.replace("{a:", "{-a:"),
        "3:12 variants.-a: '-a' is not a name of letters, digits and . _ + - (a letter or digit first)",
    ),
    "variant_unknown_key": (
        HEAD.replace("loss: minimax", "loss: minimax, optimiser: sgd"),
        "3:31 variants.a.optimiser: unknown key 'optimiser', did you mean 'optimizer'?",
    ),
    "variant_no_loss": (
        HEAD.replace("loss: minimax", "update: alternating"),
        "3:15 variants.a: needs a loss, here or in the defaults",
    ),
    "loss_unknown": (
        HEAD.replace("loss: minimax", "loss: minmax"),
        "3:22 variants.a.loss: unknown loss 'minmax', did you mean 'minimax'?",
    ),
    "loss_unknown_in_mapping": (
        HEAD.replace("loss: minimax", "loss: {name: minmax}"),
        "3:29 variants.a.loss.name: unknown loss 'minmax', did you mean 'minimax'?",
    ),
    "loss_list": (
        HEAD.replace("loss: minimax", "loss: [minimax]"),
        "3:22 variants.a.loss: must be a plugin's name, or a mapping of its name and parameters, not ['minimax']: "
        "write minimax without the brackets",
    ),
    "loss_name_list": (
        HEAD.replace("loss: minimax", "loss: {name: [minimax]}"),
        "3:29 variants.a.loss.name: must be a plugin's name, not ['minimax']: write minimax without the brackets",
    ),
    "loss_nameless": (
        HEAD.replace("loss: minimax", "loss: {penalty: 1}"),
        "3:22 variants.a.loss: needs a name: which loss?",
    ),
    "loss_parameter": (
        HEAD.replace("loss: minimax", "loss: {name: minimax, penalty: 1}"),
        "3:38 variants.a.loss.penalty: unknown parameter 'penalty' of loss 'minimax'; it has none",
    ),
    "loss_value": (
        HEAD.replace("loss: minimax", "loss: {name: wgan-gp, penalty: -1}"),
        "3:47 variants.a.loss.penalty: must be a number of at least 0, not -1",
    ),
    "loss_value_quoted": (
        HEAD.replace("loss: minimax", "loss: {name: wgan-gp, penalty: '1'}"),
        "3:47 variants.a.loss.penalty: must be a number of at least 0, not '1': write 1",
    ),
    "architecture_unknown": (
        HEAD.replace("minimax}", "minimax, architecture: mpl}"),
        "3:45 variants.a.architecture: unknown architecture 'mpl', did you mean 'mlp'?",
    ),
    "architecture_value": (
        HEAD.replace("minimax}", "minimax, architecture: {width: 1.5}}"),
        "3:53 variants.a.architecture.width: must be a whole number above 0, not 1.5",
    ),
    "architecture_refuses": (
        HEAD.replace("minimax}", "minimax, architecture: {width: 13}}"),
        "3:53 variants.a.architecture.width: for dataset 'r': width must not be 13",
    ),
    "update_value": (
        HEAD.replace("minimax}", "minimax, update: {discriminator_steps: 0}}"),
        "3:61 variants.a.update.discriminator_steps: must be a whole number above 0, not 0",
    ),
    "optimizer_unknown": (
        HEAD.replace("minimax}", "minimax, optimizer: adm}"),
        "3:42 variants.a.optimizer: unknown optimizer 'adm', did you mean 'adam'?",
    ),
    "optimizer_value": (
        HEAD.replace("minimax}", "minimax, optimizer: {lr: 1e-3x}}"),
        "3:47 variants.a.optimizer.lr: must be a number above 0, not '1e-3x'",
    ),
    "optimizer_player_value": (
        HEAD.replace("minimax}", "minimax, optimizer: {generator: {lr: -1}}}"),
        "3:59 variants.a.optimizer.generator.lr: must be a number above 0, not -1",
    ),
    "optimizer_player_parameter": (
        HEAD.replace("minimax}", "minimax, optimizer: {discriminator: {name: sgd, lr: 1, betas: 1}}}"),
        "3:77 variants.a.optimizer.discriminator.betas: unknown parameter 'betas' "
        "of optimizer 'sgd'; known: clip, lr, momentum, schedule",
    ),
    "optimizer_player_unknown": (
        HEAD.replace("minimax}", "minimax, optimizer: {generator: sdg}}"),
        "3:54 variants.a.optimizer.generator: unknown optimizer 'sdg', did you mean 'sgd'?",
    ),
    "optimizer_player_number": (
        HEAD.replace("minimax}", "minimax, optimizer: {generator: 5}}"),
        "3:54 variants.a.optimizer.generator: must be a plugin's name, or a mapping of its name and parameters, not 5: "
        "write {lr: 5}",
    ),
    "defaults_unknown_key": (
        HEAD + "defaults: {losses: minimax}\n",
        "4:12 defaults.losses: unknown key 'losses': write loss: NAME; each loss is a variant of its own: "
        "variants: {hinge: {loss: hinge}, wgan: {loss: wgan}}",
    ),
    "defaults_unused": (
        HEAD + "defaults: {loss: minmax}\n",
        "4:18 defaults.loss: unknown loss 'minmax', did you mean 'minimax'?",
    ),
    "defaults_shared": (
        HEAD.replace("{a: {loss: minimax}}", "{a: {}, b: {}}") + "defaults: {loss: minmax}\n",
        "4:18 defaults.loss: unknown loss 'minmax', did you mean 'minimax'?",
    ),
    "defaults_missing": (
        HEAD.replace("{a: {loss: minimax}}", "{a: {}, b: {}}") + "defaults: {loss: {name: lsgan}}\n",
        "4:18 defaults.loss: loss 'lsgan' needs the parameter 'target'",
    ),
    "defaults_value": (
        HEAD + "defaults:\n  architecture:\n    name: mlp\n    width: wide\n",
        "7:12 defaults.architecture.width: must be a whole number above 0, not 'wide'",
    ),
    "metrics_text": (
        HEAD + "metrics: jsd\n",
        "4:10 metrics: must be a list of metrics, at least one, not 'jsd': write [jsd]",
    ),
    "metrics_empty": (
        HEAD + "metrics: []\n",
        "4:10 metrics: must be a list of metrics, at least one, not []: leave the key out for the default",
    ),
    "metrics_unknown": (
        HEAD + "metrics: [jsd, mode]\n",
        "4:16 metrics[1]: unknown metric 'mode', did you mean 'modes'?",
    ),
    "metrics_twice": (HEAD + "metrics: [jsd, modes, jsd]\n", "4:23 metrics[2]: metric 'jsd' is there already"),
    "metrics_clash": (
        HEAD + "metrics: [jsd, jsd2]\n",
        "4:16 metrics[1]: metric 'jsd2' has a column 'jsd', as metric 'jsd' has: drop one of them",
    ),
    "metrics_nameless": (HEAD + "metrics: [{}]\n", "4:11 metrics[0]: needs a name: which metric?"),
    # YAML
    "empty": ("", "1:1: the file is empty"),
    "only_a_comment": ("# nothing\n", "1:1: the file is empty"),
    "list": (
        "- a\n",
        "1:1: must be a mapping with the keys suite, description, seeds, budget, precision, evaluate, "
        "datasets, relative_to, references, defaults, variants, sweep, guard, metrics, pictures, observers, "
        "published, not ['a']",
    ),
    "text": (
        "mog\n",
        "1:1: must be a mapping with the keys suite, description, seeds, budget, precision, evaluate, "
        "datasets, relative_to, references, defaults, variants, sweep, guard, metrics, pictures, observers, "
        "published, not 'mog'",
    ),
    "duplicate_top": (HEAD + "suite: demo\n", "4:1 suite: duplicate key 'suite', first on line 1"),
    "duplicate_inner": (
        HEAD.replace("{r: ring}", "{r: ring, q: ring, r: points}"),
        "2:30 datasets.r: duplicate key 'r', first on line 2",
    ),
    "key_list": (HEAD + "? [a]\n: 1\n", "4:3: a key must be a word, not a list or a mapping"),
    "infinite": (HEAD + "budget: {steps: .inf}\n", "4:17 budget.steps: .inf is not a finite number"),
    "not_a_number": (
        HEAD.replace("loss: minimax", "loss: {name: wgan-gp, penalty: .nan}"),
        "3:47 variants.a.loss.penalty: .nan is not a finite number",
    ),
    "too_large": (HEAD + "budget: {steps: 1e400}\n", "4:17 budget.steps: 1e400 is too large a number"),
    "too_long": (HEAD + "seeds: " + "9" * 5000 + "\n", "4:8 seeds: 99999999999999999999... is too large a number"),
    "alias": (HEAD + "defaults: *x\n", "4:11: aliases (*) are not part of a suite: write the value out"),
    "anchor": (HEAD + "defaults: &x {}\n", "4:11: anchors (&) are not part of a suite: write the value out"),
    "guard_list": (
        HEAD + "guard: [jsd]\n",
        "4:8 guard: must be a mapping of measures, such as jsd, to the smallest change that matters, not ['jsd']",
    ),
    "guard_negative": (
        HEAD + "guard: {diverged: -1}\n",
        "4:19 guard.diverged: must be a number of at least 0, or false, which leaves it out, not -1",
    ),
    "guard_true": (
        HEAD + "guard: {diverged: true}\n",
        "4:19 guard.diverged: must be a number of at least 0, or false, which leaves it out, not true",
    ),
    "guard_name": (
        HEAD + "guard: {divergd: 0.1}\n",
        "4:9 guard.divergd: nothing called 'divergd' can be judged, did you mean 'diverged'?",
    ),
    "guard_name_of_variant": (
        HEAD.replace("loss: minimax", "loss: minimax, guard: {sped: 0.1}"),
        "3:39 variants.a.guard.sped: nothing called 'sped' can be judged, did you mean 'speed'?",
    ),
    "merge": (
        HEAD.replace("loss: minimax", "<<: {loss: minimax}, loss: minimax"),
        "3:16 variants.a.<<: unknown key '<<': merge keys are not part of a suite: write the keys out",
    ),
    "tag": (HEAD + "seeds: !!int '3'\n", "4:8: tags (!) are not part of a suite: write the value out"),
    "python_tag": (
        HEAD + "seeds: !!python/object/apply:os.system [ls]\n",
        "4:8: tags (!) are not part of a suite: write the value out",
    ),
    "two_documents": (HEAD + "---\n" + HEAD, "4:1: a suite is one document: remove the '---' between"),
    "tab": (HEAD + "budget:\n\tsteps: 5\n", "5:1: a tab cannot indent YAML: use spaces"),
    "unclosed": (
        HEAD + "seeds: [1, 2\n",
        "5:1: not valid YAML: while parsing a flow sequence, "
        "expected ',' or ']', but got '<stream end>' (begun on line 4): "
        "a comma or a bracket is missing, or a text with , : { } or # needs quotes",
    ),
    "indent": (
        HEAD + "budget:\n    steps: 1\n  batch: 2\n",
        "6:3: not valid YAML: while parsing a block mapping, "
        "expected <block end>, but found '<block mapping start>' (begun on line 1)",
    ),
    "colon": (
        HEAD + "description: a: b\n",
        "4:15: not valid YAML: mapping values are not allowed here: a text with ': ' in it needs quotes; else look at "
        "the indentation",
    ),
    "penalty_unknown": (
        HEAD.replace("minimax", "minimax, penalty: slop"),
        "3:40 variants.a.penalty: unknown penalty 'slop', did you mean 'slope'?",
    ),
    "penalty_twice": (
        HEAD.replace("minimax", "minimax, penalty: [slope, {name: slope, weight: 2}]"),
        "3:55 variants.a.penalty[1].name: penalty 'slope' is there already: write it once, with one weight",
    ),
    "penalty_every": (
        HEAD.replace("minimax", "minimax, penalty: {name: slope, every: 0}"),
        "3:61 variants.a.penalty.every: must be a whole number above 0, not 0",
    ),
    "penalty_number": (
        HEAD.replace("minimax", "minimax, penalty: 5"),
        "3:40 variants.a.penalty: must be a penalty's name, a mapping of its name and parameters, or a list of such, "
        "not 5: it is a parameter, write it at its plugin: loss: {name: wgan-gp, penalty: 5}, or penalty: {name: r1, "
        "weight: 5}",
    ),
    "penalty_no_name": (
        HEAD.replace("minimax", "minimax, penalty: {weight: 1}"),
        "3:40 variants.a.penalty: needs a name: which penalty?",
    ),
    "penalty_of_the_defaults": (
        HEAD.replace("{a: {loss: minimax}}", "{a: {loss: minimax}, b: {loss: minimax}}")
        + "defaults: {penalty: slop}\n",
        "4:21 defaults.penalty: unknown penalty 'slop', did you mean 'slope'?",
    ),
    "average": (
        HEAD.replace("minimax", "minimax, average: 1.0"),
        "3:40 variants.a.average: must be a number above 0 and below 1, or a mapping of a width, as {width: 0.05}, "
        "not 1.0",
    ),
    "average_text": (
        HEAD.replace("minimax", "minimax, average: '0.999'"),
        "3:40 variants.a.average: must be a number above 0 and below 1, or a mapping of a width, as {width: 0.05}, "
        "not '0.999': write 0.999",
    ),
    "average_list": (
        HEAD.replace("minimax", "minimax, average: [0.99, 0.999]"),
        "3:40 variants.a.average: must be a number above 0 and below 1, or a mapping of a width, as {width: 0.05}, "
        "not [0.99, 0.999]: write one, and the others in a sweep of average.decay",
    ),
    "average_width": (
        HEAD.replace("minimax", "minimax, average: {width: 0.3}"),
        "3:48 variants.a.average.width: must be a number above 0 and of at most 0.28, not 0.3",
    ),
    "average_unknown": (
        HEAD.replace("minimax", "minimax, average: {widht: 0.05}"),
        "3:41 variants.a.average.widht: unknown key 'widht', did you mean 'width'?",
    ),
    "average_of_both": (
        HEAD.replace("minimax", "minimax, average: {width: 0.05, decay: 0.9}"),
        "3:40 variants.a.average: needs a decay or a width, one of the two, as {width: 0.05}",
    ),
    "average_of_neither": (
        HEAD + "defaults: {average: {}}\n",
        "4:21 defaults.average: needs a decay or a width, one of the two, as {width: 0.05}",
    ),
    "average_null": (
        HEAD.replace("minimax", "minimax, average: {width: null}"),
        "3:48 variants.a.average.width: must be a number above 0 and of at most 0.28, not null",
    ),
    "clip": (
        HEAD.replace("minimax", "minimax, optimizer: {clip: 0}"),
        "3:49 variants.a.optimizer.clip: must be a number above 0 or null, not 0",
    ),
    "sweep_without_variants": (
        HEAD.replace("{a: {loss: minimax}}", "{}") + "sweep: {loss.penlty: [1, 2]}\n",
        "4:1 sweep: has nothing to sweep, as 'variants' is {}: leave it out",
    ),
    "sweep_of_a_penalty_that_is_not_there": (
        HEAD.replace("minimax", "minimax, sweep: {penalty.slope.weight: [1.0]}"),
        "3:39 variants.a.sweep.penalty.slope.weight: no penalty 'slope': write penalty: slope in defaults or a variant",
    ),
    "quote": (
        HEAD + "description: 'a\n",
        "5:1: not valid YAML: while scanning a quoted scalar, found unexpected end of stream (begun on line 4)",
    ),
    "control": (HEAD + "description: \x07\n", "4:14: the character U+0007 may not stand in YAML"),
    "escape": (HEAD + 'description: "\\Uffffffff"\n', "4:17: not valid YAML: a character that does not exist"),
    "surrogate": (HEAD + 'description: "\\ud800"\n', "4:14 description: half a character (a lone surrogate)"),
    "deep": (HEAD + "description: " + "[" * 3000 + "\n", "4:64: nested too deeply"),
    "octal": (
        HEAD + "seeds: 0o17\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not '0o17'",
    ),
    "underscore": (
        HEAD + "seeds: 1_000\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not '1_000'",
    ),
    "time": (
        HEAD + "seeds: 1:30\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not '1:30'",
    ),
    "yes": (
        HEAD + "seeds: yes\n",
        "4:8 seeds: must be the number of seeds (1 to 100000), or a list of them (each at least 0), not 'yes'",
    ),
}


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """The small plugins and no others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipped, "folder", lambda name: tmp_path_factory.mktemp("none"))
        loaded = Registry.load(extra=SMALL)
    assert loaded.broken == ()
    return loaded


def mistakes(text: str, registry: Registry) -> list[str]:
    with pytest.raises(SuiteError) as caught:
        parse(text, registry, "f")
    lines = str(caught.value).splitlines()
    assert lines == [str(mistake) for mistake in caught.value.mistakes]
    return lines


@pytest.mark.parametrize("case", MALFORMED)
def test_a_mistake_is_one_line_at_its_place(case, registry):
    text, expected = MALFORMED[case]
    assert mistakes(text, registry) == [f"f:{expected}"]


def test_all_mistakes_come_at_once_in_the_order_of_the_file(registry):
    text = """\
suite: my demo
seeds: [0, x]
budget: {steps: 1e-4, bacth: 1}
datasets:
  r: {name: rnig}
  r: ring
  p: {name: points, means: [0, 1], std: [1, 1, 1]}
defaults: {optimizer: {lr: fast}}
variants:
  a: {loss: minmax, architecture: {width: .inf, deep: 1}}
  b: {loss: {name: wgan-gp, penalty: -1}, updates: alternating}
  oracle: {}
metrics: [jsd, mode]
"""
    assert mistakes(text, registry) == [
        "f:1:8 suite: 'my demo' is not a name of letters, digits and . _ + - (a letter or digit first): write my-demo",
        "f:2:12 seeds[1]: must be a whole number of at least 0, not 'x'",
        "f:3:17 budget.steps: must be a whole number of at least 1, not 0.0001",
        "f:3:23 budget.bacth: unknown key 'bacth', did you mean 'batch'?",
        "f:5:13 datasets.r.name: unknown dataset 'rnig', did you mean 'ring'?",
        "f:6:3 datasets.r: duplicate key 'r', first on line 5",
        "f:7:41 datasets.p.std: std must be one for each of the 2 modes, not 3",
        "f:8:28 defaults.optimizer.lr: must be a number above 0, not 'fast'",
        "f:10:13 variants.a.loss: unknown loss 'minmax', did you mean 'minimax'?",
        "f:10:43 variants.a.architecture.width: .inf is not a finite number",
        "f:10:49 variants.a.architecture.deep: unknown parameter 'deep' of architecture 'mlp'; known: depth, width",
        "f:11:38 variants.b.loss.penalty: must be a number of at least 0, not -1",
        "f:11:43 variants.b.updates: unknown key 'updates', did you mean 'update'?",
        "f:12:3 variants.oracle: 'oracle' is the name of the data's own row in every table: choose another",
        "f:12:11 variants.oracle: needs a loss, here or in the defaults",
        "f:13:16 metrics[1]: unknown metric 'mode', did you mean 'modes'?",
    ]


def test_a_broken_plugin_is_told_where_the_suite_names_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_gan.py").write_text("import nothing_such\n\ndef ganbench_losses(): ...")
    (tmp_path / "small.py").write_text(SMALL.read_text())
    (tmp_path / "none").mkdir()
    monkeypatch.setattr(shipped, "folder", lambda name: tmp_path / "none")
    registry = Registry.load([tmp_path])
    parse(HEAD, registry)
    assert mistakes(HEAD.replace("minimax", "my-gan"), registry) == [
        "f:3:22 variants.a.loss: unknown loss 'my-gan' (my_gan.py could not be loaded: "
        "line 1: ModuleNotFoundError: No module named 'nothing_such': install nothing_such in this Python, "
        "or put nothing_such.py beside the file, or leave the import out)"
    ]


@settings(max_examples=200)
@given(st.text())
def test_no_text_raises_anything_but_a_suite_error(registry, text):
    with pytest.raises(SuiteError):
        parse(text, registry)


@settings(max_examples=200)
@given(
    st.integers(0, len(RICH)),
    st.integers(0, 6),
    st.text(alphabet="{}[]:,-\n\t '\"#&*!|>%@`\\x0.e\x85\u2028\ufeff\0", max_size=4),
)
def test_no_slip_of_the_hand_raises_anything_but_a_suite_error(registry, at, cut, put):
    try:
        suite = parse(RICH[:at] + put + RICH[at + cut :], registry)
    except SuiteError as error:
        lines = [str(mistake) for mistake in error.mistakes]
        told = str(error).splitlines()
    else:
        lines = told = ["no mistake"]
        assert parse(suite.to_yaml(), registry) == suite
    assert lines
    assert told == lines


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


SHAPES = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(schema()["properties"], DATA)
    | {
        "variants": st.dictionaries(
            st.text(max_size=3), st.dictionaries(st.sampled_from(list(schema()["properties"])), DATA)
        ),
        "defaults": st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("loss", "architecture", "update", "optimizer"), DATA)
        ),
    },
)


@settings(max_examples=200)
@given(SHAPES)
def test_no_shape_raises_anything_but_a_suite_error(registry, data):
    with pytest.raises(SuiteError):
        parse(document.dump(data), registry)


def test_what_cannot_be_read_is_one_line(tmp_path, registry):
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(HEAD.encode() + b"# caf\xe9\n")
    for path, message in {
        tmp_path / "none.yaml": f"{tmp_path}/none.yaml: no such file",
        tmp_path: f"{tmp_path}: is a folder, not a suite file",
        latin: f"{latin}:4:6: is not UTF-8 text (byte 0xe9): save it as UTF-8",
    }.items():
        with pytest.raises(SuiteError) as caught:
            load(path, registry)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    "case",
    ["unknown_key", "seeds_zero", "seeds_twice", "dataset_key", "variant_oracle", "loss_list"]
    + [case for case in MALFORMED if case.startswith("average")],
)
def test_the_published_schema_refuses_wrong_shapes(case):
    data = document.parse(MALFORMED[case][0]).value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema())


def test_what_a_loss_makes_its_networks_of_is_tried_too(tmp_path):
    """A method that cannot use a variant's architecture says so at the loss, before anything is trained."""
    (tmp_path / "refusing.py").write_text('''"""Refuses."""
from ganbench import Loss, hookimpl

def players(build, shape, data, *, width: int = 4):
    build((5,)), data(3)
    raise ValueError(f"width must not be {width}")

@hookimpl
def ganbench_losses():
    yield Loss("refusing", lambda d_real: d_real.mean(), lambda d_fake: d_fake.mean(), players=players)
''')
    text = "suite: s\ndatasets: {r: ring}\nvariants: {a: {loss: {name: refusing, width: 3}}}\n"
    with pytest.raises(SuiteError) as error:
        parse(text, Registry.load(extra=tmp_path), "f")
    assert str(error.value) == "f:3:46 variants.a.loss.width: for dataset 'r': width must not be 3"
