"""A digest is the same for the same content, and another one for whatever has changed inside a value."""

from __future__ import annotations

import collections
import functools
import itertools
import queue
import random
import types

import numpy as np
import pytest
import torch
from torch import nn

from ganbench.core.digest import digest


class Own:
    def __init__(self):
        self.inner = {"n": [0]}


class Slotted:
    __slots__ = ("n",)

    def __init__(self):
        self.n = 0


def closed():
    seen = []

    def function():
        seen.append(1)

    return function


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def optimizer():
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    return torch.optim.SGD([weight], lr=0.1, momentum=0.9)


def scheduler():
    made = torch.optim.lr_scheduler.StepLR(optimizer(), 50)
    made.optimizer.step()  # else torch warns of the order
    return made


#: How to make a value, and how to change it.
CHANGES = {
    "a list": (lambda: [0] * 5000, lambda value: value.append(0)),
    "a set": (lambda: {"a", "b"}, lambda value: value.add("c")),
    "a dict of lists": (lambda: {"a": [1]}, lambda value: value["a"].append(2)),
    "a deque": (lambda: collections.deque([1, 2], 2), lambda value: value.append(3)),
    "a counter": (collections.Counter, lambda value: value.update("a")),
    "an array": (lambda: np.zeros((3, 4))[:, ::2], lambda value: value.__setitem__((0, 1), 2)),
    "a tensor": (lambda: torch.zeros(3, 4).mT, lambda value: value.add_(1)),
    "a bfloat16 scalar": (lambda: torch.zeros((), dtype=torch.bfloat16), lambda value: value.add_(1)),
    "a network": (network, lambda value: value[0].bias.data.add_(1)),
    "running statistics": (network, lambda value: value(torch.ones(4, 2))),
    "an object": (Own, lambda value: value.inner["n"].append(1)),
    "slots": (Slotted, lambda value: setattr(value, "n", 1)),
    "a namespace": (lambda: types.SimpleNamespace(n=0), lambda value: setattr(value, "n", 1)),
    "a closure": (closed, lambda value: value()),
    "a partial": (lambda: functools.partial(print, []), lambda value: value.args[0].append(1)),
    "a cycle": (lambda: itertools.cycle([1, 2, 3]), next),
    "an iterator": (lambda: iter([1, 1, 1]), next),
    "a generator": (lambda: (n for n in [1, 1, 1]), next),
    "a queue": (queue.Queue, lambda value: value.put(1)),
    "torch's scheduler": (scheduler, lambda value: value.step()),
    "torch's optimizer": (optimizer, lambda value: value.step()),
    "a bytearray": (lambda: bytearray(3), lambda value: value.__setitem__(0, 1)),
    "numpy's generator": (lambda: np.random.default_rng(0), lambda value: value.random()),
    "numpy's old generator": (lambda: np.random.RandomState(0), lambda value: value.rand()),
    "Python's generator": (lambda: random.Random(0), lambda value: value.random()),
    "torch's generator": (lambda: torch.Generator().manual_seed(0), lambda value: torch.rand(1, generator=value)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_digest_is_of_the_content(what):
    made, change = CHANGES[what]
    with torch.random.fork_rng(devices=[]):
        value, other = made(), made()
        before = digest(value, {__name__})
        assert digest(other, {__name__}) == digest(value, {__name__}) == before
        change(value)
        assert digest(value, {__name__}) != before


def test_what_is_not_known_counts_as_unchanged_and_a_value_may_hold_itself():
    assert digest(Own()) == digest(Own())
    value = []
    value.append(value)
    assert digest(value) == digest(value)
