"""What a network computes in less than float32 by itself is said at its cells, and of no other."""

from __future__ import annotations

import pytest

from ganbench.record.record import Record

PLUGIN = '''"""Networks with torch's autocast inside, and without."""
import torch
from ganbench import Architecture, Networks, hookimpl

class G(torch.nn.Linear):
    def forward(self, z):
        with torch.autocast(z.device.type, dtype=torch.bfloat16):
            return super().forward(z)

@hookimpl
def ganbench_architectures():
    yield Architecture("cast", lambda shape: Networks(G(2, 2), torch.nn.Linear(2, 1), (2,)))
    yield Architecture("full", lambda shape: Networks(torch.nn.Linear(2, 2), torch.nn.Linear(2, 1), (2,)))
'''
SUITE = """
suite: t
seeds: 2
budget: {steps: 2, batch: 8}
evaluate: {every: 2, samples: 60}
datasets: {r: ring}
references: []
defaults: {loss: nonsaturating}
variants: {cast: {architecture: cast}, full: {architecture: full}}
metrics: [mass]
"""


@pytest.mark.parametrize("engine", ["eager", "serial"])
def test_autocast_inside_a_network_is_said(engine, run_text, one_thread):
    cells = Record.read(run_text(SUITE, engine=engine).folder).cells
    said = {cell.variant: "computes partly in bfloat16" in cell.note for cell in cells}
    assert said == {"oracle": False, "cast": True, "full": False}
