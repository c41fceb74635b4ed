"""A suite's metrics, applied to the samples of a seed: a row of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganbench.core.errors import (
    NotApplicableError,
    PluginError,
    error_line,
    message_of,
    out_of_memory,
    raise_if_stopped,
)
from ganbench.core.process_state import ProcessState, process_kept
from ganbench.core.rng import isolated
from ganbench.core.threads import threads_for
from ganbench.core.unseeded import random_calls
from ganbench.metrics.divergence import Divergence, divergences
from ganbench.plugin.binding import BoundFunction, bind
from ganbench.plugin.column import Column
from ganbench.plugin.kinds import CELL_NAMES
from ganbench.plugin.types import Metric, MetricValue
from ganbench.run.metric_repeats import unlike
from ganbench.run.metric_value import described, plain
from ganbench.suite.choice import Choice
from ganbench.train.hidden_state import HiddenState


@dataclass(frozen=True)
class Metrics:
    """The metrics of a suite, bound to their parameters.

    ``found``: of each metric that has been measured, why its numbers cannot be had again; empty where they can.
    """

    metrics: tuple[tuple[Metric, BoundFunction[Mapping[str, MetricValue]]], ...]
    found: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def columns(self) -> tuple[tuple[str, Column], ...]:
        """All columns with their metric's name, in the suite's order."""
        return tuple((metric.name, column) for metric, _ in self.metrics for column in metric.columns)

    @property
    def names(self) -> frozenset[str]:
        """All metric inputs that these metrics name."""
        return frozenset(name for _, bound in self.metrics for name in bound.names)

    def of_outcomes(self, outcomes: Sequence[dict[str, Any]]) -> list[dict[str, MetricValue] | PluginError]:
        """The row of each seed at one evaluation, or why it has none; ``outcomes``: the metric inputs of each seed.

        The divergences of all seeds are computed at once. ``note`` in a row: which metrics did not apply, and why.
        """
        if "divergence" in self.names:
            for final in (False, True):
                some = [outcome for outcome in outcomes if outcome["final"] == final]
                for outcome, divergence in zip(some, _divergences(some), strict=True):
                    outcome["divergence"] = divergence
        # A metric may draw only where there are many samples, as one that rests on some of them does.
        with random_calls(self._watched(outcomes)) as drawn:
            rows = [self._row(outcome) for outcome in outcomes]
        if not self._ask_again(outcomes, rows, few=not drawn):
            return rows
        return [self._row(outcome) for outcome in outcomes]

    def salvaged(self, outcome: Mapping[str, Any], *, cell: bool = False) -> tuple[dict[str, MetricValue], list[str]]:
        """The row of a seed, or of the ``cell``, without the metrics that fail, and a line for each of these.

        ``outcome``: the metric inputs, after ``of_outcomes`` or ``of_cell`` has had them.
        """
        row: dict[str, MetricValue] = {}
        notes, failures = [], []
        for metric in self.metrics:
            try:
                row |= Metrics((metric,), self.found)._measure(outcome, cell=cell)
            except PluginError as error:
                failures.append(str(error))
            notes += [str(row.pop("note"))] if "note" in row else []
        return row | ({"note": "; ".join(notes)} if notes else {}), failures

    def of_cell(self, outcome: Mapping[str, Any]) -> dict[str, MetricValue]:
        """The numbers of the cell as a whole: of the metrics that name ``speed`` or ``cost``, where that is there.

        ``outcome``: those metric inputs that were measured.
        """
        return self._measure(outcome, cell=True)

    def _ask_again(
        self, outcomes: Sequence[dict[str, Any]], rows: Sequence[dict[str, MetricValue] | PluginError], *, few: bool
    ) -> bool:
        """Ask each metric that was not asked before again, once; whether one of them has no numbers that repeat.

        Each by itself, about the first seed that it has a number for: another metric's failure is none of its own.
        """
        unknown = [one for one in self.metrics if one[0].name not in self.found]
        for one in unknown:
            alone = Metrics((one,))
            for at, row in enumerate(rows):
                known = alone._row(outcomes[at]) if isinstance(row, PluginError) else row
                if isinstance(known, PluginError):
                    continue
                own = {column.name: known[column.name] for column in one[0].columns if column.name in known}
                if any(value is not None for value in own.values()):
                    asked = [*outcomes[at:], *outcomes[:at]]
                    self.found[one[0].name] = unlike(one[0], own, alone._row, asked, few=few)
                    break
        return any(self.found.get(one[0].name) for one in unknown)

    def _watched(self, outcomes: Sequence[dict[str, Any]]) -> frozenset[str]:
        """The modules of the metrics that are measured now and that were not asked again before."""
        ended = any(outcome["final"] for outcome in outcomes)
        due = [
            metric.measure
            for metric, bound in self.metrics
            if metric.name not in self.found and CELL_NAMES.isdisjoint(bound.names) and (ended or metric.at != "end")
        ]
        return HiddenState(due, {}).modules if due else frozenset()

    def _row(self, outcome: Mapping[str, Any]) -> dict[str, MetricValue] | PluginError:
        try:
            with threads_for(outcome["samples"].numel()):
                return self._measure(outcome, cell=False)
        except PluginError as error:
            return error

    def _measure(self, outcome: Mapping[str, Any], *, cell: bool) -> dict[str, MetricValue]:
        row: dict[str, MetricValue] = {}
        notes = []
        process = ProcessState(chance=False)
        for metric, bound in self.metrics:
            if cell == CELL_NAMES.isdisjoint(bound.names) or (cell and not outcome.keys() >= {*bound.names}):
                continue
            if metric.at == "end" and not cell and not outcome["final"]:
                continue
            if message := self.found.get(metric.name):
                raise PluginError(message)
            # Each metric has its own copy: one that writes into it must not change what the next one sees.
            named = {name: outcome[name] for name in bound.names if name in outcome}
            own = {name: value.clone() if isinstance(value, Tensor) else value for name, value in named.items()}
            for value in own.values():
                if isinstance(value, PluginError):
                    raise PluginError(f"metric {metric.name}: {value}") from value
            try:
                # What it draws from a global generator is always the same: the same samples have the same numbers.
                with isolated(0, f"metric.{metric.name}"):
                    values = _mapping(bound(own), metric.columns[0].name)
            except NotApplicableError as reason:
                values = {}
                notes.append(f"{metric.name}: {reason}")
            except BaseException as error:
                raise_if_stopped(error)
                lacking = [name for name, value in own.items() if value is None]
                raise PluginError(f"metric {metric.name}: {error_line(error)}{_lacks(lacking, error)}") from error
            finally:
                process.put_back()
            declared = [column.name for column in metric.columns]
            if surplus := sorted(set(values) - set(declared), key=repr):
                cure = "which none of its columns declares: add a Column for it"
                raise PluginError(f"metric {metric.name}: gave {surplus[0]!r}, {cure}")
            for column in metric.columns:
                try:
                    row[column.name] = plain(values.get(column.name), column)
                except ValueError as error:
                    raise PluginError(f"metric {metric.name}: {error}") from None
        return row | ({"note": "; ".join(notes)} if notes else {})


def bind_metrics(choices: Sequence[Choice]) -> Metrics:
    """The metrics that a suite names, ready to measure; raises ValueError where one lacks what it ``requires``."""
    metrics = [(choice.plugin(Metric), choice.parameters) for choice in choices]
    for metric, _ in metrics:
        if metric.requires is None:
            continue
        try:
            with process_kept():
                metric.requires()
        except BaseException as error:
            raise_if_stopped(error)
            said = " ".join(message_of(error).split()) if isinstance(error, ValueError) else error_line(error)
            raise ValueError(f"metric {metric.name!r}: {said}") from error
    return Metrics(tuple((metric, bind(metric.measure, parameters)) for metric, parameters in metrics))


def _lacks(names: Sequence[str], error: BaseException) -> str:
    """What to do where a metric fails that is given None, for what does not exist here."""
    if not names or not isinstance(error, AttributeError | TypeError):
        return ""
    are = "are" if len(names) > 1 else "is"
    named = " and ".join(names)
    return (
        f": {named} {are} None here, as a row that is no game has none: where it is None, return {{}}, or raise "
        f'ganbench.NotApplicableError("it needs {named}")'
    )


def _mapping(values: Any, column: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise TypeError(f"returned {described(values)}: write return {{{column!r}: number}}")
    return dict(values)


def _divergences(outcomes: Sequence[Mapping[str, Any]]) -> list[Divergence | PluginError]:
    """The divergence of each seed, or why it has none: a dataset's density is code of a plugin."""
    if not outcomes:
        return []
    samples, real = (torch.stack([outcome[name].detach() for outcome in outcomes]) for name in ("samples", "real"))
    try:
        with process_kept():
            return [*divergences(samples, outcomes[0]["dataset"], real, final=outcomes[0]["final"])]
    except BaseException as error:
        raise_if_stopped(error)
        if out_of_memory(error):
            raise
        if len(outcomes) > 1:
            return [one for outcome in outcomes for one in _divergences([outcome])]
        failure = PluginError(f"the divergence: {error_line(error)}")
        failure.__cause__ = error
        return [failure]
