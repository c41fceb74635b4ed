"""How often a comparison raises a false alarm, and how often it sees what it should: ``python tests/compare/rates.py``.

Many seeds are really trained once; each comparison then draws some of them for either side, so they are not independent
of each other. Of the null comparisons both sides are the same seeds, trained by two engines whose rounding differs:
they start alike, and are apart after some hundred steps, as by a library's new version. Some ten minutes on two cores;
writes results/measured/rates.csv.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ganbench.compare.sides.compared_run import Case, ComparedRun, Name
from ganbench.compare.sides.load import load
from ganbench.compare.verdicts.finding import Outcome
from ganbench.compare.verdicts.judge import compare
from ganbench.plugin.registry import Registry
from ganbench.run.observer import RunObserver
from ganbench.run.run import run
from ganbench.suite.load import parse

SEEDS, POOL, TRIES = 16, 160, 300
#: Of a learning rate's comparisons, which have more seeds.
LARGER_POOL = 256
#: Smoke's cells, and as many on another ring.
SUITE = """
suite: rates
seeds: {pool}
budget: {{steps: 400, batch: 64}}
evaluate: {{every: 200, samples: 2000}}
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


#: A game that a doubled learning rate makes worse: WGAN-GP with a strong penalty.
RATE = """
suite: rate
seeds: {pool}
budget: {{steps: 1500, batch: 128}}
evaluate: {{every: 1500, samples: 4000}}
datasets: {{ring3: {{name: ring, modes: 3, radius: 1.0, std: 0.3}}}}
references: []
defaults: {{architecture: {{name: mlp, width: 32}}, optimizer: {{name: adam, lr: {lr}, betas: [0.5, 0.999]}}}}
variants: {{wgan-gp: {{loss: {{name: wgan-gp, penalty: 1.0}}, update: {{name: alternating, discriminator_steps: 2}}}}}}
metrics: [jsd]
"""


def trained(home: Path, text: str, engine: str) -> ComparedRun:
    """The suite with all seeds of the pool."""
    registry = Registry.load()
    with tempfile.TemporaryDirectory(dir=home) as out:
        result = run(
            parse(text, registry),
            out=Path(out),
            device=torch.device("cpu"),
            engine=engine,
            command=["rates"],
            observer=RunObserver(),
        )
        return load(str(result.folder.path))


def elsewhere(home: Path, text: str) -> ComparedRun:
    """The suite trained as on another machine: without the processor's vector instructions, 32 seeds at a time."""
    (home / "suite.yaml").write_text(text)
    parts = []
    for begin in range(0, POOL, 32):
        (home / "suite.yaml").write_text(text.replace(f"seeds: {POOL}", f"seeds: {[*range(begin, begin + 32)]}"))
        command = [sys.executable, "-m", "ganbench", "run", str(home / "suite.yaml"), "--engine", "eager"]
        out = home / f"elsewhere-{begin}"
        environment = os.environ | {"ATEN_CPU_CAPABILITY": "default"}
        subprocess.run([*command, "--out", str(out)], env=environment, check=True, stdout=subprocess.DEVNULL)
        parts.append(load(str(out / "rates")))
    seeds = {
        name: {seed: one for part in parts for seed, one in part.cases[name].seeds.items()} for name in parts[0].cases
    }
    return replace(parts[0], cases={name: replace(case, seeds=seeds[name]) for name, case in parts[0].cases.items()})


def some(side: ComparedRun, seeds: np.ndarray) -> ComparedRun:
    """The side with these seeds only."""
    return changed(side, lambda case: replace(case, seeds={int(seed): case.seeds[int(seed)] for seed in seeds}))


def changed(side: ComparedRun, change: Callable[[Case], Case]) -> ComparedRun:
    return replace(side, cases={name: change(case) for name, case in side.cases.items()})


def covering(side: ComparedRun, place: Name, which: Sequence[bool]) -> ComparedRun:
    """The side of whose seeds these cover all modes in one case; nothing else of it changes."""
    case = side.cases[place]
    seeds = {
        seed: replace(one, values={**one.values, "all_modes": bool(covers)})
        for (seed, one), covers in zip(case.seeds.items(), which, strict=True)
    }
    return replace(side, cases={**side.cases, place: replace(case, seeds=seeds)})


def higher(side: ComparedRun) -> ComparedRun:
    """The side whose seeds have a JSD 0.05 nats higher."""

    def change(case: Case) -> Case:
        seeds = case.seeds.items()
        return replace(
            case,
            seeds={seed: replace(one, values={**one.values, "jsd": one.values["jsd"] + 0.05}) for seed, one in seeds},
        )

    return changed(side, change)


def alarm(base: ComparedRun, new: ComparedRun, place: Name | None = None) -> bool:
    """Whether a comparison says worse, anywhere or of one case."""
    worse = [finding for finding in compare(base, new).findings if finding.outcome is Outcome.WORSE]
    return any(place in (None, (finding.dataset, finding.variant)) for finding in worse)


def rate(what: str, wanted: str, trial: Callable[[np.ndarray], bool], pool: int = POOL) -> dict[str, object]:
    """One row: of so many comparisons, each of another order of the pool's seeds, how many raised an alarm."""
    random = np.random.default_rng(0)
    alarms = sum(trial(random.permutation(pool)) for _ in range(TRIES))
    return {"what": what, "wanted": wanted, "alarms": alarms, "comparisons": TRIES, "rate": alarms / TRIES}


def rows(one: ComparedRun, other: ComparedRun, far: ComparedRun) -> Iterator[dict[str, object]]:
    """The rates of smoke's cells: what was done, how often it should be seen, and how often it was."""
    random = np.random.default_rng(1)
    place = ("ring3", "nonsaturating")

    def fallen(drawn: np.ndarray, kept: Callable[[], Sequence[bool]], scattering: int | None = None) -> bool:
        base, new = some(one, drawn[:SEEDS]), some(other, drawn[:SEEDS])
        others = [name for name in base.cases if name != place][:scattering]
        if scattering is not None:
            for name in others:
                base, new = (covering(side, name, random.random(SEEDS) < 0.6) for side in (base, new))
            base, new = (
                replace(side, cases={name: side.cases[name] for name in (place, *others)}) for side in (base, new)
            )
        return alarm(covering(base, place, [True] * SEEDS), covering(new, place, kept()), place)

    def half() -> Sequence[bool]:
        return list(random.permutation(SEEDS) < SEEDS // 2)

    yield rate(
        "nothing: the same 16 seeds, rounded otherwise",
        "<= 1 %",
        lambda drawn: alarm(some(one, drawn[:SEEDS]), some(other, drawn[:SEEDS])),
    )
    yield rate(
        "nothing: the same 16 seeds, other instructions of the processor, other seeds beside them",
        "<= 1 %",
        lambda drawn: alarm(some(one, drawn[:SEEDS]), some(far, drawn[:SEEDS])),
    )
    yield rate(
        "nothing: 16 other seeds",
        "<= 1 %",
        lambda drawn: alarm(some(one, drawn[:SEEDS]), some(other, drawn[SEEDS : 2 * SEEDS])),
    )
    yield rate("all modes in 16 of 16 seeds, now in 8", ">= 95 %", lambda drawn: fallen(drawn, half))
    for count in (2, 5):
        yield rate(
            f"the same, beside {count} cases that cover them in 60 % of seeds",
            "",
            lambda drawn, count=count: fallen(drawn, half, count),
        )
    yield rate(
        "all modes in 16 of 16 seeds, now in each with probability 1/2",
        "",
        lambda drawn: fallen(drawn, lambda: list(random.random(SEEDS) < 0.5)),
    )


def rows_of_rate(once: ComparedRun, twice: ComparedRun) -> Iterator[dict[str, object]]:
    """The rates of a doubled learning rate, with more and more seeds."""
    (place,) = once.cases
    medians = (np.median([seed.values["jsd"] for seed in side.cases[place].seeds.values()]) for side in (once, twice))
    what = "twice the learning rate, JSD {:.3f} to {:.3f}".format(*medians)
    for seeds in (16, 32, 48, 64):
        yield rate(
            f"{what}, {seeds} seeds",
            ">= 95 %" if seeds == 48 else "",
            lambda drawn, seeds=seeds: alarm(some(once, drawn[:seeds]), some(twice, drawn[:seeds])),
            LARGER_POOL,
        )
    for seeds in (16, 32, 48, 64):
        yield rate(
            f"0.05 nats added to the JSD of {seeds} other seeds",
            ">= 95 %" if seeds == 48 else "",
            lambda drawn, seeds=seeds: alarm(some(once, drawn[:seeds]), higher(some(once, drawn[seeds : 2 * seeds]))),
            LARGER_POOL,
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        smoke = SUITE.format(pool=POOL, lr=2e-3, lr_of_d=1e-2)
        found = [*rows(trained(home, smoke, "compiled"), trained(home, smoke, "eager"), elsewhere(home, smoke))]
        rates = [RATE.format(pool=LARGER_POOL, lr=lr) for lr in (6e-4, 1.2e-3)]
        found += rows_of_rate(*(trained(home, text, "compiled") for text in rates))
    table = pd.DataFrame(found)
    table.to_csv("results/measured/rates.csv", index=False, float_format="%.4f", lineterminator="\n")
    print(table.to_string(index=False))
