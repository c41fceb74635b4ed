"""The kit's own behaviour: what is checked, how it is said, and that all shipped plugins pass."""

from __future__ import annotations

import json
import re

import pytest

from ganbench.plugin.registry import Registry
from ganbench.testing import CheckResult, assert_conforms, check
from ganbench.testing import conformance as kit

SHIPPED = [(entry.kind, entry.name) for entry in Registry.load().entries]
HINGE = '''"""Hinge loss (Lim & Ye 2017, arXiv:1705.02894)."""
from torch.nn.functional import relu
from ganbench import Loss, hookimpl

def discriminator(d_real, d_fake):
    return relu(1 - d_real).mean() + relu(1 + d_fake).mean()

def generator(d_fake):
    return {sign}d_fake.mean()

@hookimpl
def ganbench_losses():
    yield Loss("{name}", discriminator, generator)
'''


@pytest.fixture
def hinge(tmp_path):
    def write(name="my-hinge", sign="-"):
        path = tmp_path / "my_hinge.py"
        path.write_text(HINGE.format(name=name, sign=sign))
        return path

    return write


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), SHIPPED, ids=[f"{kind}-{name}" for kind, name in SHIPPED])
def test_what_is_shipped_conforms(kind, name, shipped):
    failed = [each for each in check(name, shipped, kind=kind) if each.status == "fail"]
    assert not failed, failed


def test_results_are_by_property_with_a_reason(hinge, shipped):
    results = check(hinge(), shipped)
    assert {each.status for each in results} == {"pass", "n/a"}
    assert all(isinstance(each, CheckResult) and each.reason for each in results if each.status == "n/a")
    assert len({each.property for each in results}) == len(results)
    by_name = {each.property: each for each in results}
    assert by_name["Dirac-GAN: as theory says"].reason.startswith("orbits: eigenvalues 0 ± 1i")


def test_a_file_stands_in_for_the_shipped_plugin_of_its_name(hinge, shipped, only):
    only("Dirac-GAN: the players oppose")
    assert [each.status for each in check("hinge", shipped)] == ["pass"]
    assert [each.status for each in check(hinge("hinge", sign=""), shipped)] == ["fail"]


def test_what_fails_is_said_in_an_assertion(hinge, shipped, only):
    only("Dirac-GAN: the players oppose")
    assert_conforms(str(hinge()), shipped)
    with pytest.raises(AssertionError, match="my-hinge: Dirac-GAN: the players oppose: both players move"):
        assert_conforms(hinge(sign=""), shipped)


def test_the_nameless_and_the_broken_are_told(tmp_path, shipped):
    with pytest.raises(LookupError, match="no such file"):
        check(tmp_path / "none.py", shipped)
    with pytest.raises(LookupError, match="did you mean 'hinge'"):
        check("hinje", shipped)
    (tmp_path / "bad.py").write_text("1 +")
    with pytest.raises(ValueError, match="syntax error"):
        check(tmp_path / "bad.py", shipped)


def test_each_choice_of_a_parameter_is_checked(tmp_path, shipped, only):
    """What is wrong at one setting alone is found, and the setting is named."""
    only("a batch repeated")
    code = HINGE.format(name="odd", sign="-")
    for sound, odd in (
        ("from ganbench", "from typing import Literal\nForm = Literal['mean', 'sum']\nfrom ganbench"),
        ("discriminator(d_real, d_fake):", "discriminator(d_real, d_fake, *, form: Form = 'mean'):"),
        ("return relu(1 - d_real).mean()", "return getattr(relu(1 - d_real), form)()"),
    ):
        assert sound in code
        code = code.replace(sound, odd, 1)
    (tmp_path / "odd.py").write_text(code)
    (result,) = check(tmp_path / "odd.py", shipped)
    assert result.status == "fail"
    assert result.reason.endswith("(with form: 'sum')")


def test_the_command_line(hinge, gb, only):
    only("Dirac-GAN: the players oppose", "the order of the batch")
    path = hinge()
    code, out, _ = gb("check", path)
    assert code == 0
    assert out.splitlines()[0] == "loss my-hinge  2 pass"
    assert "pass the order of the batch" in out
    code, out, _ = gb("check", hinge(sign=""), "hinge")
    assert code == 1
    assert "fail Dirac-GAN: the players oppose: both players move the same way" in out
    code, out, _ = gb("check", "hinge", "--json")
    assert code == 0
    assert [row["status"] for row in json.loads(out)] == ["pass", "pass"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give the plugins' files or names, or --all"),
        (("hinge", "--all"), "give the plugins' files or names, or --all"),
        (("hinje",), "unknown loss 'hinje', did you mean 'hinge'?"),
        (("nowhere.py",), "nowhere.py: there is no such file"),
        (("hinge", "--kind", "dataset"), "unknown dataset 'hinge'"),
    ],
)
def test_mistakes_are_one_line(arguments, message, gb):
    code, _, err = gb("check", *arguments)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_every_kind_has_properties_of_its_own_names():
    for kind in ("loss", "penalty", "architecture", "dataset", "metric", "update", "optimizer", "reference"):
        names = [each.name for each in kit.of_kind(kind)]
        assert len(names) == len(set(names)) >= 5


def test_one_cause_is_said_once_and_by_every_row_in_json(hinge, gb):
    path = hinge()
    path.write_text(path.read_text().replace("d_fake).mean()", "d_fake).meen()", 1))
    code, out, _ = gb("check", path)
    assert code == 1
    assert out.count("has no attribute 'meen'") == 1
    failed = [line for line in out.splitlines() if line.startswith("  fail")]
    assert failed[0].startswith("  fail a finite scalar: AttributeError: ")
    assert re.match(
        r"  fail \d+ more for the same reason: .*finite where D is sure; the order of the batch; ", failed[1]
    )
    rows = [row for row in json.loads(gb("check", path, "--json")[1]) if row["status"] == "fail"]
    assert f"fail {len(rows) - 1} more" in failed[1]
    assert all("meen" in row["reason"] for row in rows)
    with pytest.raises(AssertionError) as raised:
        assert_conforms(path)
    assert str(raised.value).count("has no attribute 'meen'") == 1
    out = gb("check", path, "hinge")[1]
    assert out.splitlines()[2] == f"  fail {len(rows) - 1} more for the same reason"


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("torch.autograd.grad(D(real).sum(), real)[0].sum()", "use input_gradient(D, x)"),
        ("torch.autograd.grad(D(real.requires_grad_()).sum(), real)[0].sum()", "use input_gradient(D, x)"),
        ("d_real.mean().item()", "reads a number out of a tensor (.item(), float(), or a Python if on it)"),
        ("float(d_real.detach().numpy().std())", "reads a number out of a tensor"),
    ],
)
def test_what_torch_cannot_do_is_said_in_plain_words(term, said, hinge, shipped, only):
    only("Dirac-GAN: as theory says")
    path = hinge()
    code = path.read_text().replace("from ganbench", "import torch\nfrom ganbench", 1)
    code = code.replace("def discriminator(d_real, d_fake", "def discriminator(d_real, d_fake, D, real")
    path.write_text(code.replace("+ relu(1 + d_fake).mean()", f"+ relu(1 + d_fake).mean() + {term}"))
    (result,) = check(path, shipped)
    assert result.status == "fail"
    assert said in result.reason
    assert "(my_hinge.py:7)" in result.reason
    assert "RuntimeError" not in result.reason


def test_a_file_that_cannot_be_loaded_stops_no_other(hinge, tmp_path, gb, only):
    only("Dirac-GAN: the players oppose")
    bad = tmp_path / "bad.py"
    bad.write_text("1 +")
    code, out, err = gb("check", bad, hinge(), "hinje")
    assert code == 2
    assert "loss my-hinge  1 pass" in out
    assert [line.partition(": ")[0] for line in err.splitlines()] == [
        str(bad),
        "unknown loss 'hinje', did you mean 'hinge'?",
    ]
    code, out, err = gb("check", bad, hinge(), "--json")
    assert (code, len(err.splitlines())) == (2, 1)
    assert [row["name"] for row in json.loads(out)] == ["my-hinge"]


def test_a_name_that_is_taken_is_told(hinge, gb, only):
    only("Dirac-GAN: the players oppose")
    code, out, err = gb("check", hinge("hinge"))
    assert code == 0
    assert "loss hinge  1 pass" in out
    assert err.startswith("a suite that names the loss 'hinge' will be refused: two plugins have that name, ")
    assert len(err.splitlines()) == 1
    assert gb("check", hinge())[2] == gb("check", "hinge")[2] == ""


def test_ctrl_c_says_how_far_it_came(hinge, gb, monkeypatch, only):
    only("Dirac-GAN: the players oppose")
    whole, calls = kit.results, []

    def results(*given, **named):
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return whole(*given, **named)

    monkeypatch.setattr(kit, "results", results)
    code, _, err = gb("check", "hinge", hinge(sign=""), "minimax", "wgan")
    assert (code, err) == (130, "stopped after 2 of 4, 1 failed\n")
    calls[1:] = []
    code, _, err = gb("check", "hinge", "minimax", "wgan")
    assert (code, err) == (130, "stopped after 1 of 3, none failed\n")


METRIC = '''"""A metric (no citation)."""
from ganbench import Column, Metric, hookimpl

def measure(samples, real):
    return {{"odd": {value}}}

@hookimpl
def ganbench_metrics():
    yield Metric("odd", measure, (Column("odd", "an odd one", unit="1", better="lower"),))
'''


def test_a_metric_that_always_says_the_same_has_no_direction(tmp_path, shipped, only):
    only("direction")
    path = tmp_path / "odd.py"
    path.write_text(METRIC.format(value="0.25"))
    (result,) = check(path, shipped)
    assert (result.status, result.reason) == ("fail", "odd is always 0.25, whatever the samples")


def test_a_metric_without_a_number_is_told_in_one_sentence(tmp_path, shipped):
    path = tmp_path / "odd.py"
    for value, said in (
        ("float('nan')", "odd is nan for the data: return None where"),
        ("float('inf')", "odd is always inf"),
    ):
        path.write_text(METRIC.format(value=value))
        reasons = {each.reason for each in check(path, shipped) if each.status == "fail"}
        assert len(reasons) == 1
        assert reasons.pop().startswith(said)


def test_a_discriminator_that_gives_probabilities_is_told(tmp_path, shipped, only):
    only("D gives logits")
    path = tmp_path / "net.py"
    for last, status in ("nn.Sigmoid()", "fail"), ("nn.Tanh()", "pass"), ("nn.Identity()", "pass"):
        path.write_text(
            '"""A net (no citation)."""\nfrom math import prod\nfrom torch import nn\n'
            "from ganbench import Architecture, Networks, hookimpl\n\ndef net(shape):\n    size = prod(shape)\n"
            "    G = nn.Sequential(nn.Linear(2, size), nn.Unflatten(1, shape))\n"
            f"    D = nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.ReLU(), nn.Linear(8, 1), {last})\n"
            "    return Networks(G, D, latent=(2,))\n\n"
            '@hookimpl\ndef ganbench_architectures():\n    yield Architecture("net", net)\n'
        )
        (result,) = check(path, shipped)
        assert result.status == status, last
        assert ("gives probabilities: a loss takes logits" in result.reason) == (status == "fail")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("theta", "does not move theta"),
        ("theta + 0.1 * gradient", "goes up: a wrong sign?"),
        ("theta - 3.0 * gradient", "overshoots: is its step too long?"),
    ],
)
def test_an_optimizer_is_told_what_it_does(line, said, tmp_path, shipped, only):
    only("downhill")
    path = tmp_path / "opt.py"
    path.write_text(
        '"""An optimizer (no citation)."""\nfrom ganbench import Optimizer, hookimpl\n\n'
        "def start(theta):\n    return ()\n\n"
        f"def update(theta, gradient):\n    return {line}, ()\n\n"
        '@hookimpl\ndef ganbench_optimizers():\n    yield Optimizer("opt", start, update)\n'
    )
    (result,) = check(path, shipped)
    assert result.status == "fail"
    assert said in result.reason


def test_an_update_that_does_nothing_has_no_wrong_sign(tmp_path, shipped, only):
    only("down their own losses", "both players move")
    path = tmp_path / "still.py"
    path.write_text(
        '"""Still (no citation)."""\nfrom ganbench import Update, hookimpl\n\ndef still(game, players):\n'
        "    batch = game.draw()\n    game.discriminator_gradient(players, batch)\n"
        "    game.generator_gradient(players, batch)\n    return players\n\n"
        '@hookimpl\ndef ganbench_updates():\n    yield Update("still", still)\n'
    )
    assert {each.reason for each in check(path, shipped)} == {"the discriminator does not move"}


SEQUENCES = '''"""Networks for sequences."""
import torch
from torch import nn
from ganbench import Architecture, Dataset, Networks, hookimpl

def build(shape):
    {check}
    size = shape[0] * shape[1]
    G = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, size), nn.Unflatten(1, shape))
    return Networks(G, nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.Tanh(), nn.Linear(8, 1)), (2,))

class Days:
    shape = (24, 2)
    def sample(self, n, generator):
        return torch.rand(n, 24, 2, generator=generator)

@hookimpl
def ganbench_architectures():
    yield Architecture("sequences", build)
'''
OWN_DATA = """
def days():
    return Days()

@hookimpl
def ganbench_datasets():
    yield Dataset("days", days)
"""


@pytest.mark.parametrize(
    "code",
    [
        SEQUENCES.format(check="assert len(shape) == 2, 'sequences only'"),
        SEQUENCES.format(check="steps, width = shape"),
        SEQUENCES.format(check="pass").replace("Unflatten(1, shape)", "Unflatten(1, (shape[0], shape[1]))"),
        SEQUENCES.format(check="hours, width = shape; assert hours == 24") + OWN_DATA,
    ],
)
def test_networks_for_sequences_are_checked_with_sequences(code, tmp_path, shipped):
    """Or with data of the shape of their own file's dataset."""
    path = tmp_path / "sequences.py"
    path.write_text(code)
    found = check(path, shipped, kind="architecture")
    assert {each.status for each in found} == {"pass"}, found
