"""The table of the peers: a row a case, the goals beside, and the same as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from cases import Case
from interleaved import Rounds, Spread
from rich.console import Console
from rich.table import Table

from ganbench.record import provenance

PEERS = ("plain", "jax", "eager", "compiled", "limit", "best")
RATIOS = (("compiled", "plain"), ("compiled", "jax"))
#: Times the plain loop: on a device, at a size with 32 seeds of the non-saturating loss.
TIMES_PLAIN = {
    ("cpu", "128-512"): 1.9,
    ("cpu", "128-128"): 4.0,
    ("cpu", "32-64"): 25.0,
    ("cuda", "128-512"): 100.0,
}
NOTES = """\
Model-steps a second: the median over the rounds. limit: the matrix products of
a step and nothing else, at the shapes of a hidden layer; best: the same at the
machine's best shape. Times as fast: the median of the rounds' own ratios and,
in brackets, the lowest and the highest; ~: the goal lies between these."""


@dataclass(frozen=True)
class Row:
    """What was measured of one case: rates by peer and ratios by pair, each over the rounds."""

    case: Case
    device: str
    rates: dict[str, Spread]
    ratios: dict[tuple[str, str], Spread]

    @classmethod
    def of(cls, case: Case, device: str, rounds: Rounds) -> Row:
        pairs = [pair for pair in RATIOS if set(pair) <= set(rounds.rates)]
        return cls(
            case,
            device,
            {name: Spread.of(rates) for name, rates in rounds.rates.items()},
            {pair: rounds.ratio(*pair) for pair in pairs},
        )

    def goal(self, pair: tuple[str, str]) -> float | None:
        """How many times as fast the first of the pair has to be, if anything is asked of this case."""
        case = self.case
        if pair == ("compiled", "jax"):
            return 1.0 if self.device == "cuda" or case.seeds >= 8 else None
        asked = pair == ("compiled", "plain") and case.seeds == 32 and case.loss == "nonsaturating"
        return TIMES_PLAIN.get((self.device, case.size)) if asked else None

    def verdict(self, pair: tuple[str, str]) -> str:
        """``>=1.9 met`` or ``>=1.9 missed``, with ``~`` where the rounds do not agree; empty without a goal."""
        goal, found = self.goal(pair), self.ratios.get(pair)
        if goal is None or found is None:
            return ""
        said = f">={goal:g} {'met' if found.median >= goal else 'missed'}"
        return f"{said}~" if found.low < goal <= found.high else said

    def flat(self) -> dict[str, Any]:
        """The row as named numbers, rates and ratios to four digits."""
        case = self.case
        said = {"loss": case.loss, "width": case.width, "batch": case.batch, "z": case.latent, "seeds": case.seeds}
        found = {name: self.rates.get(name) for name in PEERS}
        found |= {"_per_".join(pair): self.ratios.get(pair) for pair in RATIOS}
        for name, spread in found.items():
            for end, value in zip(("", "_low", "_high"), spread or (None, None, None), strict=True):
                said[name + end] = None if value is None else float(f"{value:.4g}")
        return said | {f"goal_{other}": self.goal((one, other)) for one, other in RATIOS}


def machine(device: torch.device) -> dict[str, Any]:
    """What computed: the device's own name, the threads, the precision and the versions."""
    found = provenance.device(str(device))
    found["device"] = found.get("gpu") or found["cpu"]
    found["precision"] = "float32" + ("" if torch.get_float32_matmul_precision() == "highest" else " with TF32")
    found |= provenance.versions()
    for library in ("jax", "jaxlib", "optax"):
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def table(rows: Sequence[Row], width: int) -> str:
    """For each loss its rates and its ratios, in ``width`` columns: 80 are enough."""
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        for loss in dict.fromkeys(row.case.loss for row in rows):
            of_loss = [row for row in rows if row.case.loss == loss]
            for one in (_rates(of_loss), _ratios(of_loss)):
                console.print(f"{loss}: {one.title}")
                one.title = None
                console.print(one, "", sep="\n")
    return "\n".join([*(line.rstrip() for line in captured.get().splitlines()), NOTES])


def _rates(rows: Sequence[Row]) -> Table:
    found = _headed("model-steps a second")
    for name in PEERS:
        found.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        found.add_row(*_head(row.case), *(_rate(row.rates.get(name)) for name in PEERS))
    return found


def _ratios(rows: Sequence[Row]) -> Table:
    found = _headed("times as fast")
    for one, other in RATIOS:
        found.add_column(f"{one}/{other}", justify="right", no_wrap=True)
        found.add_column("goal", no_wrap=True)
    for row in rows:
        found.add_row(
            *_head(row.case), *(said for pair in RATIOS for said in (_ratio(row.ratios.get(pair)), row.verdict(pair)))
        )
    return found


def _headed(title: str) -> Table:
    found = Table(box=None, title=title)
    for heading in ("size", "z", "seeds"):
        found.add_column(heading, justify="right", no_wrap=True)
    return found


def _head(case: Case) -> tuple[str, str, str]:
    return f"{case.width}/{case.batch}", str(case.latent), str(case.seeds)


def write_csv(rows: Iterable[Row], machine: dict[str, Any], path: Path) -> None:
    """The rows, each with what computed it."""
    said = {name: machine.get(name) for name in ("device", "driver", "cuda", "threads", "precision")}
    said |= {f"{library}_version": machine.get(library) for library in ("ganbench", "torch", "jax")}
    pd.DataFrame([row.flat() | said for row in rows]).to_csv(path, index=False)


def _rate(spread: Spread | None) -> str:
    return "-" if spread is None else f"{spread.median:,.0f}"


def _ratio(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    median, low, high = (f"{value:.2f}" if value < 10 else f"{value:.3g}" for value in spread)
    return f"{median} ({low}-{high})"
