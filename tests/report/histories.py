"""Material: the runs of a suite, one a day, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from columns import SHIPPED

from ganbench.compare.history.history import MeasuredRun
from ganbench.compare.history.series import series
from ganbench.compare.sides.compared_run import Case, ComparedRun, Seed
from ganbench.record.status import Status
from ganbench.report.history import pick

SHIFTED = [0.1 + at / 1e3 for at in range(10)] + [0.2 + at / 1e3 for at in range(10)]
PROTOCOL = {"version": 1, "budget": {"steps": 100}, "evaluate": {}, "datasets": {"ring8": {}}, "metrics": {"jsd": {}}}


def points(jsd, *, variant="minimax", version=1, reason=""):
    """Points whose 8 seeds say about these JSDs; None: none of them says anything."""
    made = []
    columns = {"jsd": SHIPPED["jsd"]}
    for at, value in enumerate(jsd):
        said = [{"jsd": None if value is None and seed else (value or 1) + seed / 1e4} for seed in range(8)]
        case = Case("ring8", variant, {seed: Seed(Status.DONE, one) for seed, one in enumerate(said)})
        protocol = {**PROTOCOL, "version": version if at < 2 else 1}
        side = ComparedRun("", "made", protocol, columns, {"jsd": "jsd"}, {("ring8", variant): case})
        when = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=at)
        source = "baseline" if at == 3 else "run"
        made.append(MeasuredRun(when, source, f"run{at}", f"{at:03d}" * 13 + "a", side, reason if at == 3 else ""))
    return made


def found(made):
    return pick(series([point.run for point in made]), [], [])
