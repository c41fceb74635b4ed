"""Material: comparisons made by hand."""

from __future__ import annotations

import math

from ganbench.compare.sides.compared_run import ComparedRun
from ganbench.compare.verdicts.finding import Comparison, Finding, Outcome


def side(label, **more):
    more = {"protocol": {"budget": {"steps": 1000}}, "columns": {}, "metric_of": {}, "cases": {}} | more
    return ComparedRun(label, "smoke", **more)


def compared(*findings, notes=(), **sides):
    return Comparison(side("base.csv", **sides), side("results/smoke/new", **sides), tuple(findings), tuple(notes))


def jsd(case="ring8/wgan-gp", outcome=Outcome.WORSE, **more):
    more = {
        "base": 0.031,
        "new": 0.083,
        "effect": 0.052,
        "low": 0.03,
        "high": 0.07,
        "p": 1.5e-5,
        "visible": 0.04,
    } | more
    return _finding(case, "jsd", "value", outcome, unit="nats", better="lower", min_effect=0.02, **more)


def all_modes(case="ring8/wgan-gp", outcome=Outcome.WORSE, **more):
    more = {"base": 1.0, "new": 0.5, "effect": -0.5, "p": 0.0012, "visible": 0.375} | more
    return _finding(case, "all_modes", "share", outcome, unit="of seeds", better="higher", min_effect=0.25, **more)


def held(case="ring8/wgan-gp", outcome=Outcome.WORSE, **more):
    more = {"base": 400.0, "new": None, "effect": math.inf, "p": 1e-9, "visible": None} | more
    return _finding(
        case, "held_all_modes_step", "step", outcome, unit="steps", better="lower", min_effect=200.0, **more
    )


def flops(case="ring8/wgan-gp", outcome=Outcome.SAME, was=1234567.0, is_=1234567.0, **more):
    more = {"base": was, "new": is_, "effect": is_ / was, "identical": was == is_} | more
    return _finding(case, "flops_per_step", "count", outcome, better="lower", min_effect=0.0, seeds=(0, 0), **more)


def clock(case="ring8/wgan-gp", outcome=Outcome.UNSURE, **more):
    more = {"base": 12000.0, "new": 9000.0, "effect": 0.75, "reason": "timed at two times: advice"} | more
    more = {"unit": "1/s", "better": "higher", "min_effect": 0.1, "seeds": (0, 0), "advice": True} | more
    return _finding(case, "model_steps_per_second", "clock", outcome, **more)


def whole(case, word, reason=""):
    return _finding(case, "", "case", word, reason=reason, seeds=(0, 0))


def same(case, **more):
    more = {"new": 0.031, "effect": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "identical": True} | more
    return jsd(case, Outcome.SAME, **more)


def everything():
    """A comparison with every word, kind and oddity."""
    return compared(
        same("ring8/minimax", visible=None),
        jsd(),
        all_modes(),
        held(),
        flops(),
        clock(),
        jsd("ring8/hinge", Outcome.BETTER, new=0.01, effect=-0.021, low=-0.03, high=-0.01),
        jsd("grid25/hinge", Outcome.UNSURE, new=0.1, reason="large, but so many seeds do not make it sure"),
        whole("grid25/wgan-gp", Outcome.FAILED, "3 x error of 16 seeds: ValueError: out of paper"),
        whole("grid25/new one", Outcome.NEW, "not in the base"),
        whole("grid25/old", Outcome.GONE, "not in what is new"),
        whole("ring3/minimax", Outcome.NOT_COMPARABLE, "budget is another: steps 400 -> 500"),
        notes=("git bisect start",),
        device={"device": "cpu", "memory": math.inf},
        versions={"torch": "2.15"},
        git={"commit": "0" * 40, "dirty": False},
    )


def _finding(case, measure, kind, word, *, reason="", seeds=(16, 16), **more):
    dataset, _, variant = case.partition("/")
    return Finding(dataset, variant, measure, kind, word, reason, seeds=seeds, **more)
