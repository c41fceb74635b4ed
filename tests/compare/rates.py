"""How often a comparison raises a false alarm, and how often it sees what it should: ``python tests/compare/rates.py``.

Many seeds are really trained once, in suites of a few cells; each comparison then draws 16 of them for either side. Of
the null comparisons both sides are the same seeds, trained by two engines whose rounding differs: they start alike, and
are apart after some hundred steps, as by a library's new version. Some six minutes on two cores; writes
results/rates.csv.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ganbench.compare.finding import Word
from ganbench.compare.judge import compare
from ganbench.compare.load import load
from ganbench.compare.side import Case, Side
from ganbench.registry import Registry
from ganbench.report.observer import Observer
from ganbench.run import run
from ganbench.statistics import share
from ganbench.suite import parse

SEEDS, POOL, TRIES = 16, 192, 400
#: Smoke's cells, and as many on another ring; at twice the learning rates, too.
SUITE = """
suite: rates
seeds: {pool}
budget: {{steps: 400, batch: 64}}
evaluate: {{every: 100, samples: 2000}}
datasets:
  ring8: {{name: ring, modes: 8, radius: 2.0, std: 0.1}}
  ring3: {{name: ring, modes: 3, radius: 1.0, std: 0.3}}
references: []
defaults:
  architecture: {{name: mlp, width: 32}}
  optimizer: {{name: adam, lr: {lr}, betas: [0.5, 0.999], discriminator: {{lr: {lr_of_d}}}}}
variants:
  minimax: {{loss: minimax}}
  nonsaturating: {{loss: nonsaturating}}
  wgan-gp: {{loss: {{name: wgan-gp, penalty: 0.1}}, update: {{name: alternating, discriminator_steps: 2}}}}
metrics: [jsd, modes]
"""


def trained(home: Path, engine: str, lr: float) -> Side:
    """The suite with all seeds of the pool."""
    registry = Registry.load()
    suite = parse(SUITE.format(pool=POOL, lr=lr, lr_of_d=5 * lr), registry)
    result = run(
        suite,
        registry,
        out=home / f"{engine}-{lr}",
        device=torch.device("cpu"),
        engine=engine,
        command=["rates"],
        observer=Observer(),
    )
    return load(str(result.folder.path))


def some(side: Side, seeds: np.ndarray) -> Side:
    """The side with these seeds only."""
    return changed(side, lambda case: replace(case, seeds={int(seed): case.seeds[int(seed)] for seed in seeds}))


def changed(side: Side, change: Callable[[Case], Case]) -> Side:
    return replace(side, cases={name: change(case) for name, case in side.cases.items()})


def forgetful(side: Side, place: tuple[str, str], lost: np.ndarray) -> Side:
    """The side whose seeds at these places lose a mode in one case: no coverage, and what a mode of 8 costs in JSD."""
    case = side.cases[place]
    seeds = {
        seed: replace(
            one,
            said={**one.said, "all_modes": False, "jsd": (one.said["jsd"] or 0.0) + 0.045} if at in lost else one.said,
        )
        for at, (seed, one) in enumerate(case.seeds.items())
    }
    return replace(side, cases={**side.cases, place: replace(case, seeds=seeds)})


def covering(side: Side, place: tuple[str, str]) -> Side:
    """The side whose seeds cover all modes in one case."""
    case = side.cases[place]
    seeds = {seed: replace(one, said={**one.said, "all_modes": True}) for seed, one in case.seeds.items()}
    return replace(side, cases={**side.cases, place: replace(case, seeds=seeds)})


def alarm(base: Side, new: Side, place: tuple[str, str] | None = None) -> bool:
    """Whether a comparison says worse, anywhere or of one case."""
    worse = [finding for finding in compare(base, new).findings if finding.word is Word.WORSE]
    return any(place in (None, (finding.dataset, finding.variant)) for finding in worse)


def rows(one: Side, other: Side, doubled: Side) -> Iterator[dict[str, object]]:
    """The rates: what was done, how often it should be seen, and how often it was."""
    random = np.random.default_rng(0)

    def rate(what: str, wanted: str, trial: Callable[[np.ndarray, np.ndarray], bool]) -> dict[str, object]:
        seen = 0
        for _ in range(TRIES):
            drawn = random.permutation(POOL)
            seen += trial(drawn[:SEEDS], drawn[SEEDS : 2 * SEEDS])
        value, low, high = share(seen, TRIES)
        return {"what": what, "wanted": wanted, "alarms": seen, "comparisons": TRIES, "rate": value} | {
            "low": low,
            "high": high,
        }

    yield rate(
        "nothing changed, same seeds, other rounding", "<= 1 %", lambda a, b: alarm(some(one, a), some(other, a))
    )
    yield rate("nothing changed, other seeds", "<= 1 %", lambda a, b: alarm(some(one, a), some(other, b)))
    place = ("ring3", "nonsaturating")

    def half(a: np.ndarray, lost: np.ndarray) -> bool:
        base, new = covering(some(one, a), place), covering(some(other, a), place)
        return alarm(base, forgetful(new, place, lost), place)

    yield rate(
        "coverage: 16 of 16 seeds to 8 of 16", ">= 95 %", lambda a, b: half(a, random.permutation(SEEDS)[: SEEDS // 2])
    )
    yield rate(
        "coverage: each of 16 seeds lost with probability 1/2",
        "",
        lambda a, b: half(a, np.flatnonzero(random.random(SEEDS) < 0.5)),
    )
    for name, case in one.cases.items():
        before, after = (
            np.median([seed.said["jsd"] for seed in side.cases[name].seeds.values()]) for side in (one, doubled)
        )
        yield rate(
            f"twice the learning rate, {'/'.join(name)}: JSD {before:.3f} to {after:.3f}",
            ">= 95 %" if after - before >= 0.05 else "",
            lambda a, b, name=name: alarm(some(one, a), some(doubled, a), name),
        )
        assert case.seeds


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        sides = [
            trained(Path(home), engine, lr) for engine, lr in (("compiled", 2e-3), ("eager", 2e-3), ("compiled", 4e-3))
        ]
    table = pd.DataFrame(rows(*sides))
    table.to_csv("results/rates.csv", index=False, float_format="%.4f", lineterminator="\n")
    print(table.to_string(index=False))
