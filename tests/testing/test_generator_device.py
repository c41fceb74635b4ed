"""A dataset that draws on the CPU, whatever its generator's device, is told on a machine without a GPU."""

from __future__ import annotations

import pytest

from ganbench.testing import check

DATASET = '''"""A dataset (no citation)."""
import torch
from ganbench import Dataset, hookimpl

class Own:
    shape = (2,)
    points = torch.arange(20.0).reshape(10, 2)

    def sample(self, n, generator):
        {}

@hookimpl
def ganbench_datasets():
    yield Dataset("own", Own)
'''
THERE = "generator=generator, device=generator.device"
CURE = "draws on another device than its generator's: write generator=generator, device=generator.device (own.py:10)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("return torch.randn(n, 2, generator=generator)", f"torch.randn(n, 2, generator=generator) {CURE}"),
        ("return torch.empty(n, 2).normal_(generator=generator)", CURE),
        ("return torch.normal(torch.zeros(n, 2), 1.0, generator=generator)", CURE),
        ("return torch.multinomial(torch.ones(9), 2 * n, True, generator=generator).view(n, 2) * 1.0", CURE),
        (f"return self.points[torch.randint(10, (n,), {THERE})]", "mixes tensors of two devices: write self."),
        (f"return torch.randn(n, 2, {THERE}) + torch.ones(n, 2)", "mixes tensors of two devices: make new tensors"),
        ("return torch.ones(n, 2)", "its samples are on the CPU: return them with .to(generator.device)"),
    ],
)
def test_what_is_drawn_on_the_cpu_is_told_with_its_line(line, said, tmp_path, shipped, only):
    only("on the generator's device")
    (tmp_path / "own.py").write_text(DATASET.format(line))
    (result,) = check(tmp_path / "own.py", shipped)
    assert result.status == "fail"
    assert result.reason.startswith("on a GPU ")
    assert said in result.reason


@pytest.mark.parametrize(
    "line",
    [
        f"return torch.randn(n, 2, {THERE})",
        f"return torch.randn((n, 2), {THERE}).mul_(2) + torch.tensor(1.0)",
        f"return self.points.to(generator.device)[torch.randint(10, (n,), {THERE})]",
        "return torch.empty(n, 2, device=generator.device).uniform_(generator=generator)",
    ],
)
def test_what_is_drawn_there_passes(line, tmp_path, shipped, only):
    only("on the generator's device")
    (tmp_path / "own.py").write_text(DATASET.format(line))
    (result,) = check(tmp_path / "own.py", shipped)
    assert (result.status, result.reason) == ("pass", "")


def test_a_dataset_that_needs_its_numbers_is_not_known(tmp_path, shipped, only):
    only("on the generator's device")
    line = f"x = torch.randn(2 * n, 2, {THERE}); return x[x[:, 0] > 0][:n]"
    (tmp_path / "own.py").write_text(DATASET.format(line))
    (result,) = check(tmp_path / "own.py", shipped)
    assert result.status == "n/a"
    assert result.reason.startswith("a GPU is waited for in each draw: x[x[:, 0] > 0] has a size")
