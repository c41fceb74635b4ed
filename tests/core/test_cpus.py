"""How many threads torch has: no more than a container's quota or the affinity leave processors for."""

from __future__ import annotations

import math
import os

import pytest
import torch

from ganbench.core import cpus
from ganbench.train import device


def tree(root, files):
    """Write files, given as path to text, below a folder that stands for the root of a system."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


V1 = "11:cpuset:/\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, math.inf),
        # of a group and those around it the least
        (
            {
                "proc/self/cgroup": "0::/slurm/job_7/step_0\n",
                "sys/fs/cgroup/slurm/job_7/step_0/cpu.max": "max 100000\n",
                "sys/fs/cgroup/slurm/job_7/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/slurm/cpu.max": "1600000 100000\n",
            },
            2.0,
        ),
        # version 1, with the path as the host has it, and as the container has it
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us": "50000\n",
                "sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us": "100000\n",
            },
            0.5,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            math.inf,
        ),
        ({}, math.inf),
        ({"proc/self/cgroup": "odd\n", "sys/fs/cgroup/cpu.max": "1 2 3"}, math.inf),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "1000 0\n"}, math.inf),
    ],
)
def test_the_quota_of_a_container(tmp_path, files, quota):
    assert cpus.quota(tree(tmp_path, files)) == quota


def test_processors_are_those_of_the_affinity_within_the_quota(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 6, 7}, raising=False)
    assert cpus.allowed(tmp_path) == 4
    files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}
    assert cpus.allowed(tree(tmp_path, files)) == 2
    (tmp_path / "sys/fs/cgroup/cpu.max").write_text("10000 100000\n")
    assert cpus.allowed(tmp_path) == 1
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cpus.allowed(tmp_path) == 1


@pytest.fixture
def four_threads(monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("TORCHINDUCTOR_COMPILE_THREADS", "1")
    yield
    torch.set_num_threads(before)


def test_torch_has_no_more_threads_than_there_are_processors_for(four_threads, monkeypatch):
    monkeypatch.setattr(device, "allowed", lambda: 8)
    device.choose("cpu")
    assert torch.get_num_threads() == 4
    monkeypatch.setattr(device, "allowed", lambda: 2)
    device.choose("cpu")
    assert torch.get_num_threads() == 2


def test_threads_that_the_user_asked_for_are_theirs(four_threads, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setattr(device, "allowed", lambda: 1)
    device.choose("cpu")
    assert torch.get_num_threads() == 4
