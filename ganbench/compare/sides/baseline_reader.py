"""Reads the two files of a baseline, and reports any damage that a file in git can have in one line."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from ganbench.compare.sides.baseline_seal import check
from ganbench.core.messages import shown
from ganbench.plugin.column import Better, OlderFormatError, Summary
from ganbench.plugin.role import Role
from ganbench.record.folder import OLDER
from ganbench.record.status import Status
from ganbench.record.tables.frame import frame
from ganbench.suite.mistake import dotted

_NEEDED = ("dataset", "variant", "seed", "status")
#: The expected value, by pydantic's name of the mistake.
_NOUNS = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "list_type": "a list",
    "too_short": "a list of at least 1 item",
}
_TEXTS = frozenset({"dataset", "variant", "family", "status", "verdict", "engine", "arithmetic"})


def read(table: bytes, about: bytes, name: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A baseline from the content of its two files.

    Args:
        table: The content of the CSV file.
        about: The content of the JSON file.
        name: The path of the CSV file, for messages.

    Returns:
        The rows, and the description of the run, as ``describe_run`` gives them.

    Raises:
        OlderFormatError: An older ganbench made it.
        ValueError: In one line: what is wrong, and where.
    """
    beside = f"{name.removesuffix('.csv')}.json"
    known = _read_about(_decoded(about, beside), beside)
    texts = _TEXTS | {one["name"] for one in known["columns"] if one["summary"] == "words"}
    header, lines = _read_lines(_decoded(table, name), name)
    found: dict[tuple[str, str, int], dict[str, Any]] = {}
    for place, cells in lines:
        row = {column: _value(cell, column, texts, place) for column, cell in zip(header, cells, strict=True)}
        if type(row["seed"]) is not int:
            raise ValueError(f"{place}: seed must be a whole number, not {shown(row['seed'])}")
        if row["status"] not in [*Status]:
            raise ValueError(f"{place}: status {shown(row['status'])} is none of {', '.join(Status)}")
        key = (row["dataset"], row["variant"], row["seed"])
        if key in found:
            raise ValueError(f"{place}: {key[0]}/{key[1]} has a row of seed {key[2]} already")
        found[key] = row
    here, there = {key[:2] for key in found}, {(one["dataset"], one["variant"]) for one in known["cases"]}
    for dataset, variant in sorted(here ^ there, key=str):
        one = name if (dataset, variant) in here else beside
        raise ValueError(f"{name}: is not of one piece with its .json: only {one} has {dataset}/{variant}")
    for case in known["cases"]:
        _check_seeds({key[2] for key in found if key[:2] == (case["dataset"], case["variant"])}, case, name, beside)
    rows = [*found.values()]
    check(rows, header, known, name)
    return frame(rows, header), known


def _check_seeds(rows: set[int], case: Mapping[str, Any], name: str, beside: str) -> None:
    """Raise ValueError where the rows of a case are not exactly of its seeds in the JSON file."""
    named = set(case["seeds"])
    for seed in sorted(rows ^ named):
        one = f"{case['dataset']}/{case['variant']} seed {seed}"
        if seed in named:
            raise ValueError(f"{name}: has no row of {one}, which {beside} names")
        raise ValueError(f"{name}: has a row of {one}, which {beside} does not name")


class _Shape(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Budget(_Shape):
    steps: int


class _Protocol(_Shape):
    version: int
    budget: _Budget
    evaluate: dict[str, Any]
    datasets: dict[str, Any]
    metrics: dict[str, Any]


class _Thresholds(_Shape):
    min_effect: float
    converged: float
    settled: float
    half_lost: float | None
    best: float
    worst: float | None


class _Column(_Shape):
    name: str
    metric: str
    unit: str
    better: Better
    summary: Summary
    role: Role
    of: str
    thresholds: _Thresholds | None
    title: str
    doc: str


class _Case(_Shape):
    dataset: str
    variant: str
    seeds: list[int]
    speed: dict[str, float | Literal["inf", "-inf"]]
    counts: dict[str, float | Literal["inf", "-inf"]]
    messages: dict[str, str]


class _Plugin(_Shape):
    kind: str
    name: str
    sha256: str
    uses: dict[str, str] = Field(default_factory=dict)


class _Fingerprint(_Shape):
    sha256: str
    rows: list[int]
    mean: list[float]
    quartiles: list[list[float]]
    labels: str = ""


class _Entry(_Shape):
    date: str
    run: str
    commit: str | None
    reason: str


class _About(_Shape):
    suite: str
    run: str
    created: str
    protocol: _Protocol
    guard: dict[str, dict[str, float | bool]]
    variants: dict[str, dict[str, Any]]
    device: dict[str, Any]
    versions: dict[str, str]
    git: dict[str, Any] | None
    plugins: list[_Plugin]
    data: dict[str, _Fingerprint] = Field(default_factory=dict)
    columns: list[_Column]
    cases: list[_Case]
    history: Annotated[list[_Entry], Field(min_length=1)]


def _read_about(text: str, name: str) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{name}:{error.lineno}:{error.colno}: is not JSON: {error.msg}") from None
    _check_age(known, name)
    try:
        _About.model_validate(known)
    except ValidationError as errors:
        raise ValueError(f"{name}: {_mistake(errors.errors(include_url=False)[0], known)}") from None
    for case in known["cases"]:
        if case["dataset"] not in known["protocol"]["datasets"]:
            raise ValueError(f"{name}: the data set {shown(case['dataset'])} of a case is not in protocol.datasets")
    return known


def _check_age(known: Any, name: str) -> None:
    """Raise OlderFormatError where a column has no role."""
    columns = known.get("columns") if isinstance(known, dict) else None
    for one in columns if isinstance(columns, list) else ():
        if isinstance(one, dict) and "role" not in one:
            raise OlderFormatError(f"{name}: was made by an older ganbench: save it again, or name a later commit")


def _mistake(error: ErrorDetails, known: Any) -> str:
    """What is wrong and where, in plain words."""
    place: list[int | str] = []
    inner: Any = known
    for part in error["loc"]:
        # What does not lead into the content is a tag of a union, or what is missing.
        if (isinstance(inner, dict) and part in inner) or (isinstance(inner, list) and isinstance(part, int)):
            place.append(part)
            inner = inner[part]  # type: ignore[index]
    where = f"{dotted(tuple(place))}: " if place else ""
    if error["type"] == "missing":
        return f"{where}missing key {str(error['loc'][-1])!r}: {OLDER}"
    literal = error["type"] == "literal_error"
    noun = f"one of {error['ctx']['expected']}" if literal else _NOUNS.get(error["type"], "another value")
    return f"{where}must be {noun}, not {shown(error['input'])}"


def _read_lines(text: str, name: str) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """The header, and the cells of each row with the place where it ends."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header, *lines = [(f"{name}:{reader.line_num}", cells) for cells in reader if cells] or [("", [])]
    except csv.Error as error:
        raise ValueError(f"{name}:{reader.line_num}: {error}") from None
    columns = header[1]
    for column in _NEEDED:
        if columns.count(column) != 1:
            other = next((one for one in (";", "\t") if len(columns) == 1 and one in columns[0]), "")
            why = f", and commas between them, not {other!r}" if other else ""
            raise ValueError(f"{name}: is no baseline: its first line must name a column {column!r}, once{why}")
    for place, cells in lines:
        if len(cells) != len(columns):
            raise ValueError(f"{place}: has {len(cells)} cells, and the first line has {len(columns)}")
    return columns, lines


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name}: is not UTF-8 text: {error.reason}") from None
    if conflict := re.search(r"^(<{7} |={7}$|>{7} )", text, re.MULTILINE):
        line = text.count("\n", 0, conflict.start()) + 1
        raise ValueError(f"{name}:{line}: a merge conflict: take both files of one side, or save the baseline anew")
    return text


def _value(cell: str, column: str, texts: frozenset[str], place: str) -> Any:
    """The value of a cell of the table."""
    if column in texts or not cell:
        return cell or None
    if cell in ("True", "False"):
        return cell == "True"
    with suppress(ValueError):
        return int(cell) if re.fullmatch(r"-?\d+", cell) else float(cell)
    raise ValueError(f"{place}: {column} must be a number, not {shown(cell)}")
