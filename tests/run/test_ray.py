"""Ray: a real cluster of two nodes on this machine. Skipped, with the reason, where Ray is not installed."""

from __future__ import annotations

import pytest

from ganbench.record.folder import RunFolder
from ganbench.run.executors.head import Head

SUITE = """
suite: parts
seeds: 2
budget: {steps: 100, batch: 16}
evaluate: {every: 20, samples: 200}
datasets: {ring8: {name: ring, std: 0.1}}
defaults: {architecture: {name: mlp, width: 8}}
references: []
variants: {ns: {loss: nonsaturating}, own: {loss: minimax}}
metrics: [modes, mmd]
"""
RUN = ("run", "parts.yaml", "--engine", "eager")
LEFT_OUT = ("run.json", "journal.jsonl", "lock", "report.html")

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


def files(home):
    (folder,) = home.glob("[!.]*/")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in LEFT_OUT
    }


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
    run = RunFolder(next((tmp_path / "results" / "parts").glob("[!.]*/")))
    assert run.describe()["executor"]["name"] == "ray"
    assert gb(*RUN, "--out", "whole")[0] == 0
    assert files(tmp_path / "results" / "parts") == files(tmp_path / "whole" / "parts")
