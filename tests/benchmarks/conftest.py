"""The options of the peers' benchmark, the machine's true name in the JSON, and the table at the end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from cases import LOSSES, SIZES, Case, cases
from peer_table import Row, machine, table, write_csv

from ganbench.train.device import choose

# Before JAX wakes: else it takes three quarters of a GPU's memory for itself.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

CASES = pytest.StashKey[list[Case]]()
DEVICE = pytest.StashKey[torch.device]()
ROWS = pytest.StashKey[list[Row]]()
NOTES = pytest.StashKey[dict[str, None]]()


def pytest_addoption(parser):
    group = parser.getgroup("peers", "the peers' benchmark (test_peers.py)")
    sizes = ", ".join(name for name in SIZES if name != "tiny")
    group.addoption("--peer-cases", metavar="NAMES", help=f"of {sizes}; all unless said, and tiny in a dry run")
    group.addoption("--peer-losses", metavar="NAMES", help=f"of {', '.join(LOSSES)}; all unless said")
    group.addoption("--peer-seeds", metavar="NUMBERS", help="how many train at once: 8,32 unless said")
    group.addoption("--peer-device", metavar="D", help="cpu, cuda or cuda:N; CUDA where there is one unless said")
    group.addoption("--peer-seconds", metavar="S", type=float, default=0.3, help="about so long is each turn: 0.3")
    group.addoption("--peer-csv", metavar="FILE", type=Path, help="write the table, too")


def pytest_configure(config):
    # With a default: where all tests are run, pytest meets this file after it has read its options.
    asked = [config.getoption(f"peer_{name}", None) for name in ("cases", "losses", "seeds")]
    dry = config.getoption("benchmark_disable") and not config.getoption("benchmark_enable")
    try:
        config.stash[CASES] = cases(*asked, dry=dry)
        config.stash[DEVICE] = choose(config.getoption("peer_device", None) or "auto")
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[ROWS], config.stash[NOTES] = [], {}


def pytest_generate_tests(metafunc):
    if "peer_case" in metafunc.fixturenames:
        found = metafunc.config.stash[CASES]
        metafunc.parametrize("peer_case", found, ids=lambda case: f"{case.loss}-{case.size}-{case.seeds}")


@pytest.fixture
def peer_device(request) -> torch.device:
    return request.config.stash[DEVICE]


@pytest.fixture
def peer_rows(request) -> list[Row]:
    """Where the rows of the table go."""
    return request.config.stash[ROWS]


@pytest.fixture
def peer_notes(request) -> dict[str, None]:
    """What there is to say below the table, each once."""
    return request.config.stash[NOTES]


def pytest_benchmark_update_machine_info(config, machine_info):
    """pytest-benchmark knows the processor, but no GPU, no threads and no library."""
    machine_info["computed_by"] = machine(config.stash[DEVICE])


def pytest_terminal_summary(terminalreporter, config):
    rows, path = config.stash[ROWS], config.getoption("peer_csv", None)
    if not rows:
        if path:
            terminalreporter.write_line(f"{path} is not written: nothing was timed (--benchmark-enable)")
        return
    found = machine(config.stash[DEVICE])
    terminalreporter.section("peers")
    said = ", ".join(f"{name}: {value}" for name, value in found.items() if value is not None)
    for line in (said, "", *table(rows, 80).splitlines(), *config.stash[NOTES]):
        terminalreporter.write_line(line)
    if config.stash[DEVICE].type == "cpu" and found["threads"] < (cores := _cores()):
        terminalreporter.write_line(f"torch was given {found['threads']} of {cores} cores, and JAX takes all")
    if path:
        write_csv(rows, found, path)
        terminalreporter.write_line(f"written: {path}")


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
