"""Ray: a real cluster of two nodes on this machine. Skipped, with the reason, where Ray is not installed."""

from __future__ import annotations

import pytest
from same_run import RUN, SUITE, files, the_run

from ganbench.run.executors.head import Head

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # what Ray itself warns of


@pytest.fixture
def cluster(monkeypatch):
    """A head without processors, and two nodes with one each."""
    pytest.importorskip("ray", reason="pip install 'ganbench[ray]'")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # the nodes' processes have it too
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "300")  # on a busy machine
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    yield made, nodes
    import ray

    ray.shutdown()
    made.shutdown()


def test_a_node_that_is_lost_gives_the_tables_of_one_process(cluster, tmp_path, gb, monkeypatch):
    """It is removed when both tasks have begun: Ray, or the head, starts its task again on the other node."""
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
    run = the_run(tmp_path / "results")
    assert run.describe()["executor"]["name"] == "ray"
    assert gb(*RUN, "--out", "whole")[0] == 0
    assert files(run) == files(the_run(tmp_path / "whole"))
