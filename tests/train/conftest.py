"""What the tests of training share: small cells trained, how far two states are apart, chunks of a given size."""

from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_map

from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.suite.plan import plan
from ganbench.train.engine import chunks as of_engines
from ganbench.train.engine.chunks import Chunks
from ganbench.train.trainer import Trainer

SWEPT = """
suite: swept
seeds: {seeds}
budget: {{steps: 100, batch: 32}}
precision: {precision}
evaluate: {{samples: 500}}
datasets: {{ring8: {{name: ring, std: 0.1}}}}
defaults: {{architecture: {{name: mlp, width: 8, depth: 1}}}}
variants: {{it: {variant}}}
sweep: {sweep}
references: []
"""


@pytest.fixture(autouse=True)
def _one_thread():
    """Tensors as small as these are slower on more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def trained(cell, shipped, cpu):
    """The state after some steps of a small cell with an engine: ``trained("{loss: minimax}", "compiled")``."""

    def build(variant, engine="eager", seeds=3, steps=100, registry=shipped):
        one = cell(variant, seeds=seeds, registry=registry)
        trainer = Trainer([one], cpu, engine)
        trainer.prepare()
        assert trainer.engine == engine, trainer.note
        return trainer.advance(trainer.start, 0, steps)

    return build


@pytest.fixture
def apart():
    """The largest difference between two states' parameters; ``among``: of some replicas of the first."""

    def measure(one, other, among=None):
        if among is not None:
            one = tree_map(lambda tensor: tensor[among], one)
        pairs = [(a.theta, b.theta) for a, b in zip(one.players, other.players, strict=True)]
        return max(float((a - b).abs().max()) for a, b in pairs)

    return measure


@pytest.fixture
def chunked(monkeypatch):
    """Have all engines but the serial one run so many replicas at once, so many chunks of them side by side."""

    def force(size, workers=1):
        def chunks(replicas, *_):
            return Chunks(replicas, min(size, replicas) if workers == 1 else size, workers)

        for name in ("in_cache", "in_memory"):
            monkeypatch.setattr(of_engines, name, chunks)

    return force


@pytest.fixture
def foreign(tmp_path):
    """A registry with a plugin file of the given code beside the shipped ones."""

    def load(code, name="foreign"):
        (tmp_path / f"{name}.py").write_text(code)
        registry = Registry.load(extra=tmp_path)
        assert not registry.broken
        return registry

    return load


@pytest.fixture
def settings(shipped):
    """The cells of all settings of a variant: ``settings("{loss: minimax}", "{optimizer.lr: [1e-3, 1e-4]}")``."""

    def build(variant, sweep, seeds=2, precision="float32", registry=shipped):
        suite = parse(SWEPT.format(variant=variant, sweep=sweep, seeds=seeds, precision=precision), registry)
        return [cell for cell in plan(suite) if cell.trained]

    return build
