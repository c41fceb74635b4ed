"""What a metric costs at 10,000 samples of a ring: ``OMP_NUM_THREADS=1 pytest tests/benchmarks --benchmark-enable``.

``said_ms`` (extra info) is what its docstring says, measured alone on a quiet machine. Without ``--benchmark-enable``
each metric runs once, so that none of this rots.
"""

from __future__ import annotations

import ast
import inspect
import re
import runpy
from pathlib import Path

import pytest
import torch

from ganbench import Mixture

FOLDER = Path(__file__).parents[2] / "plugins" / "metrics"
FILES = ["likelihood", "mass", "memorisation", "mmd", "modes", "parzen", "prdc", "shape", "sliced_wasserstein"]
N = 10_000


@pytest.mark.parametrize("file", FILES)
def test_metric(benchmark, file):
    path = FOLDER / f"{file}.py"
    (metric,) = runpy.run_path(str(path))["ganbench_metrics"]()
    said = float(re.search(r"^Cost: ([\d.]+) ms", ast.get_docstring(ast.parse(path.read_text())), re.MULTILINE)[1])
    angle = torch.arange(8) * torch.pi / 4
    ring = Mixture((2 * torch.stack([angle.cos(), angle.sin()], dim=1)).numpy(), 0.02)
    scope = {
        "samples": ring.sample(N, torch.Generator().manual_seed(0)),
        "real": ring.sample(N, torch.Generator().manual_seed(1)),
        "training": ring.sample(512, torch.Generator().manual_seed(2)),
        "dataset": ring,
        "model": ring,
    }
    named = [p.name for p in inspect.signature(metric.measure).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    benchmark.group = "metrics, 10,000 samples"
    benchmark.pedantic(metric.measure, [scope[name] for name in named], warmup_rounds=1, rounds=5)
    benchmark.extra_info["said_ms"] = said
