"""Ray: a real cluster of two nodes on this machine. Skipped, with the reason, where Ray is not installed."""

from __future__ import annotations

import sys
import time

import pytest
from ray_loopback import ray_loopback, tried
from same_run import RUN, SUITE, files, the_run

from ganbench.plugin.executed import Task
from ganbench.run.executors.head import Head

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # what Ray itself warns of


@pytest.fixture
def cluster(monkeypatch):
    """A head without processors, and two nodes with one each."""
    ray = pytest.importorskip("ray", reason="pip install 'ganbench[ray]'")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # the nodes' processes have it too
    with ray_loopback() as made:
        yield made
        ray.shutdown()


def test_a_node_that_is_lost_gives_the_tables_of_one_process(cluster, tmp_path, gb, monkeypatch):
    """It is removed when both tasks have begun: the head says so, and starts its task again on the other node."""
    made, nodes = cluster
    (tmp_path / "parts.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    look, removed = Head._look, []

    def losing(self, waited):
        begun = [*self.tasks.path.glob("shards/*/parts/*/run.json")]
        if len(begun) == 2 and not removed:
            removed.append(nodes[0])
            made.remove_node(nodes[0], allow_graceful=False)
        look(self, waited)

    monkeypatch.setattr(Head, "_look", losing)
    words = (*RUN, "--executor", "ray", "--ray", f"address={made.address}", "--tasks", "2")
    code, out, err = gb(*words)
    assert code == 0, out + err
    assert removed
    assert (
        "was lost: it was ended without a word: killed, or out of memory; it is submitted again (1 of 3)" in out + err
    )
    run = the_run(tmp_path / "results")
    assert run.describe()["executor"]["name"] == "ray"
    assert gb(*RUN, "--out", "whole")[0] == 0
    assert files(run) == files(the_run(tmp_path / "whole"))


def test_a_task_waits_until_there_is_a_node_and_is_over_when_its_worker_is_killed(cluster, shipped):
    """All nodes may go, and a task may ask for what none has. Ray starts no task again: it would not say so."""
    made, nodes = cluster
    for node in nodes:
        made.remove_node(node, allow_graceful=False)
    (executor,) = (entry.value for entry in shipped.entries if (entry.kind, entry.name) == ("executor", "ray"))
    workers = executor.build(None, address=made.address)
    code = "import os, signal, time; time.sleep(2); os.kill(os.getppid(), signal.SIGKILL)"
    jobs = workers.submit([Task(1, (sys.executable, "-c", code))]).values()
    time.sleep(5)
    assert [*workers.states(jobs).values()] == ["waiting"]
    tried(lambda: made.add_node(num_cpus=1))
    seen = ["waiting"]
    while now := [*workers.states(jobs).values()]:
        seen += [one for one in now if one != seen[-1]]
        time.sleep(0.1)
    assert seen == ["waiting", "running"]
