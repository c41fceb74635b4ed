"""The kit's own behaviour: what is checked, how it is said, and that all shipped plugins pass."""

from __future__ import annotations

import json

import pytest

from ganbench.registry import Registry
from ganbench.testing import Result, assert_conforms, check, kit

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
    assert all(isinstance(each, Result) and each.reason for each in results if each.status == "n/a")
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
