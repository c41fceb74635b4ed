"""Reads a suite's ``published``: numbers of a paper, each of a row and a column that the suite has."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ganbench.core.messages import suggest
from ganbench.core.published import Published, PublishedRow, decimals_of
from ganbench.plugin.column import Column
from ganbench.suite.document import Document
from ganbench.suite.mistake import Place
from ganbench.suite.schema import PublishedSchema


def read_published(
    document: Document,
    shape: PublishedSchema | None,
    datasets: Collection[str],
    rows: Mapping[str, Sequence[str]],
    columns: Sequence[Column],
) -> Published | None:
    """Read what a suite says was published, and add a mistake to the document for each row that has no counterpart.

    Args:
        document: The suite's document.
        shape: What the document has there, in its shape; None where it has nothing.
        datasets: The names of the suite's data sets.
        rows: The names of the rows of its tables, by reference or variant: several where that is swept.
        columns: The columns of its metrics; none where these could not be read.

    Returns:
        What was published; None where the suite has nothing of it.
    """
    if shape is None:
        return None
    found: list[PublishedRow] = []
    known = {column.name: column for column in columns}
    names = [name for those in rows.values() for name in those]
    for index, row in enumerate(shape.rows):
        place: Place = ("published", "rows", index)
        if row.dataset not in datasets:
            what = f"the suite has no data set {row.dataset!r}{suggest(row.dataset, datasets)}"
            document.add((*place, "dataset"), what)
        if row.variant not in names:
            swept = rows.get(row.variant)
            cure = (
                f": it is swept, name one of its rows, such as {swept[0]!r}" if swept else suggest(row.variant, names)
            )
            document.add((*place, "variant"), f"the table has no row {row.variant!r}{cure}")
        if known and row.column not in known:
            what = f"no metric of the suite fills a column {row.column!r}{suggest(row.column, known)}"
            document.add((*place, "column"), what)
        _check_spread(document, place, row.model_dump(), known.get(row.column))
        given = row.model_dump(exclude={"decimals"})
        # As it is written in the document: in the row 225 is 225.0, whose zero would count as a decimal.
        written = decimals_of(document.at("published", "rows")[index]["value"])
        one = PublishedRow(**given, decimals=written if row.decimals is None else row.decimals)
        twin = next((i for i, other in enumerate(found) if _same(one, other)), None)
        if twin is not None:
            document.add(place, f"is there already, as rows[{twin}]: give one of them another 'called'")
        found.append(one)
    return Published(shape.source, tuple(found))


def _check_spread(document: Document, place: Place, row: Mapping[str, Any], column: Column | None) -> None:
    se, sd, trials = row["se"], row["sd"], row["trials"]
    if column is not None and column.summary == "words":
        document.add((*place, "column"), f"{column.name!r} holds words, and no number")
    if column is not None and column.summary == "share":
        if not 0 <= row["value"] <= 1:
            what = f"{column.name!r} is a share of the seeds: write it from 0 to 1, not {row['value']:g}"
            document.add((*place, "value"), what)
        for key in ("se", "sd"):
            if row[key] is not None:
                document.add((*place, key), "the interval of a share follows from its trials: leave it out", key=True)
        return
    if se is not None and sd is not None:
        document.add((*place, "sd"), "se says the spread already: leave one of them out", key=True)
    elif sd is not None and trials is None:
        document.add((*place, "sd"), "needs trials, how many trainings it is of; or write se, the standard error")
    elif trials == 1 and (se or sd):
        document.add((*place, "trials"), "1 trial has no spread")


def _same(one: PublishedRow, other: PublishedRow) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("dataset", "variant", "column", "called"))
