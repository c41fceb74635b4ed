"""What became of the seeds: for each dataset a bar a variant, cut by verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ganbench.record.cell_record import CellRecord
from ganbench.report.page.chart import Chart, columns, finished
from ganbench.report.page.shown_run import ShownRun

#: The verdicts from good to bad, each with the sign that stands for it and the name of its colour.
VERDICTS = {
    "converged": ("✓", "converged"),
    "improving": ("↗", "improving"),
    "oscillating": ("∿", "oscillating"),
    "wrong shape": ("◇", "shape"),
    "modes lost": ("◔", "lost"),
    "discriminator collapsed": ("▭", "flat"),
    "collapsed": ("•", "collapsed"),
    "diverged": ("✕", "diverged"),
}
#: The share of a bar that has room for a sign, and for a sign and a number: a bar is about 270 pixels long.
_ROOM = (1 / 18, 1 / 9)
#: So many ticks above 0 have the seeds at most.
_TICKS = 6

#: Of a seed that has no verdict, and of one without a result: its status.
UNJUDGED, _UNJUDGED_SIGN, _FAILED_SIGN = "not judged", "–", "!"
_ROW = 26


def words(run: ShownRun, cell: CellRecord) -> list[str]:
    """The verdict of each seed of a cell; its status where it has no result, ``not judged`` where no rule applies."""
    found = []
    for seed in cell.seeds:
        outcome = cell.outcome(seed)
        judged = cell.verdict(seed, run.record.columns).word if outcome.status.measured else str(outcome.status)
        found.append(judged or UNJUDGED)
    return found


def sign(word: str) -> str:
    """The sign of a verdict."""
    return VERDICTS[word][0] if word in VERDICTS else _UNJUDGED_SIGN if word == UNJUDGED else _FAILED_SIGN


def paint(word: str) -> str:
    """The colour of a verdict, as a style sheet names it."""
    name = VERDICTS[word][1] if word in VERDICTS else "none" if word == UNJUDGED else "failed"
    return f"var(--v-{name})"


def verdict_bars(run: ShownRun, dataset: str) -> Chart | None:
    """The bars of a dataset; None where nothing was trained on it."""
    counts = {cell.variant: Counter(words(run, cell)) for cell in run.cells(dataset)}
    if not counts:
        return None
    known = [*VERDICTS, UNJUDGED]
    known += [word for word in dict.fromkeys(word for one in counts.values() for word in one) if word not in known]
    there = [word for word in known if any(word in one for one in counts.values())]
    rows = [row for variant, one in counts.items() for row in _segments(variant, one, there)]
    return Chart(
        name=f"{dataset}-verdicts",
        title="Verdicts",
        subtitle="how the seeds of each variant ended, by rule",
        caption=f"Seeds on {dataset} by verdict: {', '.join(f'{sign(word)} {word}' for word in there)}.",
        spec=_spec(list(counts), there, max(sum(one.values()) for one in counts.values())),
        data=columns(rows, ("variant", "verdict", "from", "to", "seeds", "text")),
        head=("variant", *there),
        rows=tuple((variant, *(str(one[word]) for word in there)) for variant, one in counts.items()),
        key=tuple((sign(word), word, paint(word)) for word in there),
    )


def _segments(variant: str, counts: Counter[str], there: Sequence[str]) -> list[dict[str, Any]]:
    rows, start = [], 0
    for word in there:
        if count := counts[word]:
            share = count / counts.total()
            text = f"{sign(word)} {count}" if share >= _ROOM[1] else sign(word) if share >= _ROOM[0] else ""
            row = {"variant": variant, "verdict": word, "from": start, "to": start + count, "seeds": count}
            rows.append(row | {"text": text})
            start += count
    return rows


def ticks(most: int) -> list[int]:
    """Some seven whole numbers from 0 to at most ``most``: Vega's own ticks of two seeds are 0, 1, 1, 2, 2, rounded."""
    steps = (factor * 10**power for power in range(9) for factor in (1, 2, 5))
    return [*range(0, most + 1, next(step for step in steps if most / step <= _TICKS))]


def _spec(variants: Sequence[str], there: Sequence[str], most: int) -> Any:
    import altair as alt

    y = alt.Y("variant:N", sort=list(variants), title=None, axis=alt.Axis(domain=False, ticks=False, labelLimit=220))
    scale = alt.Scale(domain=list(there), range=[paint(word) for word in there])
    tooltip = [alt.Tooltip("variant:N"), alt.Tooltip("verdict:N"), alt.Tooltip("seeds:Q")]
    axis = alt.Axis(values=ticks(most), format="d", grid=False)
    base = alt.Chart().encode(y=y, x=alt.X("from:Q", title="seeds", axis=axis, scale=alt.Scale(domain=[0, most])))
    bars = base.mark_bar(stroke="var(--page)", strokeWidth=2, height=_ROW - 6).encode(
        x2="to:Q", color=alt.Color("verdict:N", scale=scale, title=None), tooltip=tooltip
    )
    text = base.mark_text(align="left", dx=6, fontWeight="bold", color="var(--ink)").encode(text="text:N")
    return finished(bars + text, height=_ROW * len(variants))
