"""A suite's metrics applied to outcomes: each is given what it names, when it is due, and must say what it declared."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ganbench import Column, Metric, Mixture, NotApplicableError
from ganbench.core.errors import PluginError
from ganbench.metrics.divergence import divergences
from ganbench.plugin.binding import bind
from ganbench.run.evaluate import Metrics, bind_metrics
from ganbench.run.metric_repeats import FEW
from ganbench.suite.choice import Choice

LINE = Mixture([[0.0]], 1.0)


def metrics(*some: Metric) -> Metrics:
    return Metrics(tuple((one, bind(one.measure, {})) for one in some))


def outcome(seed: int = 0, *, final: bool = False, n: int = 1000) -> dict[str, Any]:
    samples, real = (LINE.sample(n, torch.Generator().manual_seed(s)) for s in (seed, 100 + seed))
    return {"samples": samples, "real": real, "dataset": LINE, "final": final}


def named(name: str, measure, at="every", **column) -> Metric:
    return Metric(name, measure, (Column(name, "a test's", **column),), at=at)


def test_a_metric_of_the_end_is_not_measured_before() -> None:
    often = named("often", lambda samples: {"often": 1})
    rarely = named("rarely", lambda final: {"rarely": int(final)}, at="end")
    rows = metrics(often, rarely).of_outcomes([outcome(), outcome(final=True)])
    assert rows == [{"often": 1}, {"often": 1, "rarely": 1}]


def test_the_same_samples_have_the_same_numbers_whatever_the_global_generators_hold() -> None:
    def measure(samples):
        return {"drawn": np.random.rand() + random.random() + torch.rand(()).item()}

    drawing = metrics(named("drawn", measure))
    one, other = drawing.of_outcomes([outcome()]), drawing.of_outcomes([outcome(1)])
    assert one == other


SEEN: list[int] = []
BEST = [0.0]


def unseeded(samples):
    return {"it": float(np.random.default_rng().uniform())}


def timed(samples):
    """Two calls are alike in 1 of 10,000 runs at most, by their last digits."""
    return {"it": float(time.perf_counter_ns() % 1_000_003)}


def counting(samples):
    SEEN.append(1)
    return {"it": len(SEEN)}


def remembering(samples):
    BEST[0], last = float(samples.mean()), BEST[0]
    return {"it": last}


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (unseeded, r"measure\(\) draws random numbers without a seed, .* \(test_evaluate\.py:\d+\)$"),
        (timed, r"it is \d+\.\d+, and for the same samples \d+\.\d+: it must depend on its arguments alone"),
        (counting, r"a call changes 'SEEN', and it must depend .* \(test_evaluate\.py:\d+\)$"),
        (remembering, r"a call changes 'BEST', and it must depend .* \(test_evaluate\.py:\d+\)$"),
    ],
)
def test_a_metric_that_depends_on_more_than_its_arguments_is_refused(measure, message) -> None:
    bound = metrics(named("it", measure))
    for _ in range(2):
        rows = bound.of_outcomes([outcome(), outcome(1)])
        assert all(re.search(f"^metric it: {message}", str(row)) for row in rows)
    assert bound.salvaged(outcome()) == ({}, [str(rows[0])])


KEPT: dict[str, float] = {}


def best(samples, real):
    KEPT["best"] = min(KEPT.get("best", np.inf), float((samples.mean(0) - real.mean(0)).norm()))
    return {"it": KEPT["best"]}


def worst(samples, real):
    KEPT["worst"] = max(KEPT.get("worst", 0.0), float((samples.mean(0) - real.mean(0)).norm()))
    return {"it": KEPT["worst"]}


def best_divergence(divergence):
    KEPT["jsd"] = min(KEPT.get("jsd", np.inf), divergence.value)
    return {"it": KEPT["jsd"]}


def away(seed):
    known = outcome(seed)
    return known | {"samples": known["samples"] + 1}


def fails_first(samples, real):
    if torch.equal(samples, away(0)["samples"]):
        raise ArithmeticError("no answer")
    return best(samples, real)


def declines_first(samples, real):
    if torch.equal(samples, away(0)["samples"]):
        raise NotApplicableError("no answer")
    return best(samples, real)


def refused(samples):
    return {"other": 1}


@pytest.mark.parametrize("beside", [(), (named("refused", refused),)])
@pytest.mark.parametrize("measure", [best, worst, best_divergence, fails_first, declines_first])
def test_the_best_so_far_is_found_whatever_another_metric_does(measure, beside) -> None:
    """Whichever of the seeds was the best, and where the metric itself has no number for the first seed."""
    for first in range(4):
        KEPT.clear()
        bound = metrics(*beside, named("it", measure))
        outcomes = [away(0), *(away((first + i) % 4 + 1) for i in range(4))]
        bound.of_outcomes(outcomes)
        row, failures = bound.salvaged(outcomes[1])
        assert row == {}
        assert re.search("^metric it: .*it must depend on its arguments alone", failures[-1])


@pytest.fixture
def sizes(monkeypatch):
    """How many samples metrics were asked about, one call after another."""
    found, row = [], Metrics._row

    def counted(self, outcome):
        found.append(len(outcome["samples"]))
        return row(self, outcome)

    monkeypatch.setattr(Metrics, "_row", counted)
    return found


def test_a_metric_is_asked_again_about_few_samples(sizes) -> None:
    """So that one that takes minutes does not take as many again; by their number, since a clock depends on others."""
    metrics(named("m", lambda samples: {"m": float(samples.mean())})).of_outcomes([outcome(n=5000), outcome(1, n=5000)])
    assert sizes == [5000, 5000, FEW, FEW, FEW, FEW, FEW]


def refuses_few(samples):
    if len(samples) < 1000:
        raise NotApplicableError("too few")
    return counting(samples)


def fails_on_few(samples):
    return counting(samples) if len(samples) > 1000 else {"it": samples[FEW]}


@pytest.mark.parametrize("measure", [refuses_few, fails_on_few])
def test_a_metric_without_a_number_for_few_samples_is_asked_about_all(sizes, measure) -> None:
    """And what it does wrong is found there."""
    rows = metrics(named("it", measure)).of_outcomes([outcome(n=5000), outcome(1, n=5000)])
    assert sizes[:5] == [5000, 5000, FEW, 5000, 5000]
    assert all("it must depend on its arguments alone" in str(row) for row in rows)


def rests_on_some(samples):
    """As a metric does that would take too long for all of them."""
    chosen = np.random.default_rng().permutation(len(samples))[:1000] if len(samples) > 1000 else slice(None)
    return {"it": float(samples[chosen].mean())}


def test_a_metric_that_draws_without_a_seed_only_of_many_is_asked_about_all(sizes) -> None:
    """Of few it would have the same number each time."""
    rows = metrics(named("it", rests_on_some)).of_outcomes([outcome(n=5000), outcome(1, n=5000)])
    assert FEW not in sizes[:4]
    assert all("draws random numbers without a seed" in str(row) for row in rows)


def test_the_divergences_of_all_seeds_are_those_of_each() -> None:
    """Whether a seed's last evaluation or not, each has the divergence of its own samples."""
    shared = named("j", lambda divergence: {"j": divergence.value})
    outcomes = [outcome(seed, final=seed == 1) for seed in range(3)]
    rows = metrics(shared).of_outcomes(outcomes)
    for seed, row in enumerate(rows):
        one = outcome(seed)
        (alone,) = divergences(one["samples"][None], LINE, one["real"][None], final=seed == 1)
        assert row == {"j": alone.value}


def test_words_are_kept_and_nothing_said_is_missing() -> None:
    said = {300: "low", 301: "", 302: None}
    why = named("why", lambda samples: {"why": said[len(samples)]}, summary="words")
    rows = metrics(why).of_outcomes([outcome(n=n) for n in said])
    assert rows == [{"why": "low"}, {"why": None}, {"why": None}]


@pytest.mark.parametrize(
    ("value", "summary", "message"),
    [
        (1.0, "words", "metric m: m must be words, not 1.0"),
        (
            "low",
            "median",
            "metric m: m must be a number, not 'low': float() makes one of it, and Column(..., summary=\"words\") is "
            "for words",
        ),
        (1, "share", "metric m: m is a share of seeds, and must be true or false, not 1"),
    ],
)
def test_what_does_not_fit_its_column_is_told(value, summary, message) -> None:
    (row,) = metrics(named("m", lambda samples: {"m": value}, summary=summary)).of_outcomes([outcome()])
    assert isinstance(row, PluginError)
    assert str(row) == message


def test_one_seed_that_cannot_be_measured_does_not_cost_the_others() -> None:
    def fails_on_nan(samples):
        if samples.isnan().any():
            raise ArithmeticError("no answer")
        return {"m": 1}

    bad = outcome()
    bad["samples"] = bad["samples"] * float("nan")
    good, broken, also_good = metrics(named("m", fails_on_nan)).of_outcomes([outcome(), bad, outcome()])
    assert good == also_good == {"m": 1}
    assert isinstance(broken, PluginError)


def test_a_metric_cannot_change_what_the_next_one_sees() -> None:
    def spoils(samples):
        samples.zero_()
        return {"first": 0}

    rows = metrics(
        named("first", spoils), named("second", lambda samples: {"second": samples.abs().sum().item()})
    ).of_outcomes([outcome()])
    assert rows[0]["second"] > 0


def test_a_metric_without_an_answer_is_no_failure() -> None:
    """Its columns are empty and the row says why; the other metrics are there."""

    def declines(samples):
        raise NotApplicableError(f"needs 9000 samples, not {len(samples)}")

    (row,) = metrics(named("m", declines), named("n", lambda samples: {"n": 1})).of_outcomes([outcome()])
    assert row == {"m": None, "n": 1, "note": "m: needs 9000 samples, not 1000"}


def test_an_infinity_is_a_number_and_nan_is_none() -> None:
    """An infinite distance is the worst there is; taken for a missing number, the metric would not seem to apply."""
    said = {300: float("inf"), 301: float("-inf"), 302: float("nan")}
    rows = metrics(named("m", lambda samples: {"m": said[len(samples)]})).of_outcomes([outcome(n=n) for n in said])
    assert [row["m"] for row in rows] == [float("inf"), float("-inf"), None]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("needs x.pth:\n download it"), "needs x.pth: download it"),
        (PluginError("needs it"), "needs it"),
        (OSError("gone"), "OSError: gone"),
    ],
)
def test_a_metric_that_lacks_what_it_requires_is_a_line_before_anything_is_measured(error, said, shipped) -> None:
    def lacking() -> None:
        raise error

    entry = shipped.get("metric", "mmd")
    choice = Choice.of(replace(entry, value=replace(entry.value, requires=lacking)), {})
    with pytest.raises(ValueError, match=f"^metric 'mmd': {said}$"):
        bind_metrics([choice])


def test_a_metric_that_exits_is_a_metric_that_failed() -> None:
    def leaves(samples):
        raise SystemExit("bye")

    (row,) = metrics(named("m", leaves)).of_outcomes([outcome()])
    assert isinstance(row, PluginError)


def test_what_one_metric_cannot_say_the_others_still_do() -> None:
    def fails(samples):
        raise ArithmeticError("no answer")

    def declines(samples):
        raise NotApplicableError("too few")

    some = metrics(named("a", fails), named("b", declines), named("c", lambda samples: {"c": 1}))
    row, failures = some.salvaged(outcome())
    assert (row.get("a"), row["b"], row["c"]) == (None, None, 1)
    assert (row["note"], failures) == ("b: too few", ["metric a: ArithmeticError: no answer"])


def test_a_metric_that_does_not_expect_none_is_told_what_is_none_here() -> None:
    """Logits are None for a reference, and Python's own words name neither."""
    told = {**outcome(), "d_fake": None}
    (row,) = metrics(named("spread", lambda d_fake: {"spread": d_fake.std()})).of_outcomes([told])
    assert re.search("d_fake is None here, as a row that is no game has none: .* or raise ganbench.NotApplic", str(row))
