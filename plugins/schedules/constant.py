"""Constant: the number stays as it is; it takes a schedule of the defaults away."""

from ganbench import Schedule, hookimpl


def constant():
    return 1.0


@hookimpl
def ganbench_schedules():
    yield Schedule("constant", constant)
