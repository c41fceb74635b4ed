"""What work needs is not what passes while others compute."""

from __future__ import annotations

import os
import time

import torch

from ganbench.core.stopwatch import Stopwatch, load


def test_waiting_is_no_work_and_computing_is():
    with Stopwatch(torch.device("cpu")) as waiting:
        time.sleep(0.05)
    assert waiting.passed >= 0.05
    assert waiting.needed < 0.04
    with Stopwatch(torch.device("cpu")) as computing:
        begin = time.thread_time()
        while time.thread_time() - begin < 0.02:
            pass
    assert 0.02 <= computing.needed <= computing.passed


def test_a_system_that_does_not_know_its_load_says_nothing(monkeypatch):
    monkeypatch.delattr(os, "getloadavg", raising=False)
    assert load() == ""
