"""The data itself, sampled afresh: what a perfect generator would score, and so the floor of every measure.

A measure of finite samples is seldom 0 even for it; this row, first in every table, says how far from 0 it is.
"""

from ganbench import Reference, hookimpl


def fit(dataset):
    return dataset


@hookimpl
def ganbench_references():
    yield Reference("oracle", fit)
