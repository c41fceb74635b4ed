"""Slurm: a real one, on this machine alone and without accounting. Skipped, with the reason, where it cannot start."""

from __future__ import annotations

import pytest
from same_run import RUN, SUITE, files, the_run
from slurm_loopback import CannotStartError, Loopback

from ganbench.record.tasks import Tasks
from ganbench.run.executors.head import Head

SLURM = (*RUN, "--executor", "slurm", "--slurm", "every=0.5", "--slurm", "timeout_min=60", "--tasks", "2")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    home = tmp_path_factory.mktemp("slurm")
    try:
        with Loopback(home) as running:
            yield running
    except CannotStartError as error:
        pytest.skip(str(error))


@pytest.fixture
def suites(tmp_path, cluster, monkeypatch):
    (tmp_path / "parts.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, cluster.environment[name])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return tmp_path


def queued(cluster):
    return cluster.call("squeue", "--noheader", "--array", "--states=PD,R", "--format=%i")[1].split()


def test_a_head_that_ends_a_cancelled_job_and_a_controller_that_starts_again(suites, cluster, gb, monkeypatch):
    """The head is stopped, and leaves its jobs: `cancel` stops them. The command is given again; one job is cancelled
    behind its back, and the controller starts again. The tables are those of one process."""
    look = Head._look

    def stopping(self, waited):
        if self.tasks.jobs():
            raise KeyboardInterrupt
        look(self, waited)

    with monkeypatch.context() as patch:
        patch.setattr(Head, "_look", stopping)
        code, out, err = gb(*SLURM, "--detach")
    assert code == 130
    assert "the tasks go on: the same command follows them again" in " ".join((out + err).split())
    run = the_run(suites / "results")
    jobs = sorted(job.name for job in Tasks(run).jobs().values())
    assert sorted(queued(cluster)) == jobs
    assert len({job.partition("_")[0] for job in jobs}) == 1  # one array
    code, out, err = gb("cancel", "results/parts")
    assert code == 0, err
    assert "2 of its tasks stopped; the command that began it goes on from there" in out
    cluster.wait(lambda: not queued(cluster), "scancel")

    cancelled = []

    def cancelling(self, waited):
        job = self.tasks.jobs().get(1)
        if job and job.name not in jobs and not cancelled and self.tasks.log(1, job.attempt).exists():
            cancelled.append(job.name)
            assert cluster.call("scancel", job.name)[0] == 0
            cluster.stop("slurmctld")
            cluster.start_controller()
        look(self, waited)

    monkeypatch.setattr(Head, "_look", cancelling)
    code, out, err = gb(*SLURM)
    assert code == 0, out + err
    assert cancelled
    assert "it is submitted again (1 of 3)" in " ".join(out.split())
    assert the_run(suites / "results").path == run.path
    assert gb(*RUN, "--out", "whole")[0] == 0
    assert files(run) == files(the_run(suites / "whole"))


def test_what_sbatch_refuses_is_one_line(suites, gb):
    code, _, err = gb(*SLURM, "--slurm", "partition=none")
    assert code == 2
    assert err.startswith("executor 'slurm' failed at submit: ValueError: sbatch: ")
    assert "partition" in err
    assert len(err.splitlines()) == 1


def test_more_tasks_than_an_array_may_have_are_several(suites, cluster, gb, monkeypatch, shipped):
    """An index of an array may not be as large as Slurm's MaxArraySize, 1001 where a site says nothing."""
    (executor,) = (entry.value for entry in shipped.entries if (entry.kind, entry.name) == ("executor", "slurm"))
    monkeypatch.setitem(executor.build.__globals__, "ARRAY", 2)
    words = [*SLURM[:-1], "3"]
    look, jobs = Head._look, []

    def looking(self, waited):
        jobs.append(sorted(job.name for job in self.tasks.jobs().values()))
        look(self, waited)

    monkeypatch.setattr(Head, "_look", looking)
    code, out, err = gb(*words)
    assert code == 0, out + err
    first, second, third = jobs[-1]
    assert {first.partition("_")[0], second.partition("_")[0]} != {third.partition("_")[0]}
    assert [job.partition("_")[2] for job in jobs[-1]] == ["1", "2", "1"]
    assert gb(*RUN, "--out", "whole")[0] == 0
    assert files(the_run(suites / "results")) == files(the_run(suites / "whole"))


def test_a_controller_that_does_not_answer_for_long_is_said(cluster, shipped, tmp_path, monkeypatch):
    """It may start again meanwhile; after that the head ends, its jobs go on, and the same command finds them."""
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, cluster.environment[name])
    (executor,) = (entry.value for entry in shipped.entries if (entry.kind, entry.name) == ("executor", "slurm"))
    jobs = executor.build(tmp_path, None)
    monkeypatch.setenv("SLURM_CONF", "/no/such/file")
    assert jobs.states(["1_1"]) == {"1_1": "waiting"}
    monkeypatch.setitem(executor.build.__globals__, "UNANSWERED", -1)
    with pytest.raises(ValueError, match="squeue: "):
        jobs.states(["1_1"])
