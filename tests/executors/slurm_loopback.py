"""Material: a real Slurm on this machine alone, of Debian's packages slurm-wlm and munge, without accounting.

Its daemons, files and ports are the test's own: they are started and stopped by it, by the numbers of their processes.
"""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
#: Where daemons are, which the path of a user may lack.
SBIN = "/usr/sbin:/usr/local/sbin"
CONFIG = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={home}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={home}/state
SlurmdSpoolDir={home}/spool
SlurmctldPidFile={home}/slurmctld.pid
SlurmdPidFile={home}/slurmd.pid
SlurmctldLogFile={home}/slurmctld.log
SlurmdLogFile={home}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
ReturnToService=2
KillWait=2
MinJobAge=10
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=512 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE OverSubscribe=NO State=UP
"""


class CannotStartError(RuntimeError):
    """There is no Slurm here, or it does not start; the message, one line, says why."""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass
class Loopback:
    """A cluster of one node with two slots, in a folder; a context in which it runs."""

    home: Path
    cpus: int = 2
    daemons: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def environment(self):
        path = f"{os.environ.get('PATH', '')}:{SBIN}"
        return {**os.environ, "PATH": path, "SLURM_CONF": str(self.home / "slurm.conf")}

    def call(self, *words):
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def start(self, name, *words):
        with open(self.home / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(
                words, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    def start_controller(self):
        self.start("slurmctld", "slurmctld", "-D", "-f", str(self.home / "slurm.conf"))

    def stop(self, name):
        process = self.daemons.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self):
        path = self.environment["PATH"]
        if lacking := [name for name in PROGRAMS if not shutil.which(name, path=path)]:
            raise CannotStartError(f"no {', '.join(lacking)}: install slurm-wlm and munge")
        for folder in ("state", "spool"):
            (self.home / folder).mkdir()
        key = self.home / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        told = {"socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log", "seed-file": "munge.seed"}
        options = [f"--{name}={self.home / file}" for name, file in told.items()]
        values = {"host": socket.gethostname().partition(".")[0], "user": getpass.getuser(), "cpus": self.cpus}
        config = CONFIG.format(home=self.home, ports=(free_port(), free_port()), **values)
        (self.home / "slurm.conf").write_text(config)
        try:
            self.start("munged", "munged", "--foreground", "--force", f"--key-file={key}", *options)
            self.wait(lambda: (self.home / "munge.socket").exists(), "munged")
            self.start_controller()
            self.start("slurmd", "slurmd", "-D", "-f", str(self.home / "slurm.conf"))
            self.wait(lambda: "idle" in self.call("sinfo", "--noheader", "--format=%T")[1], "slurmctld or slurmd")
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self, good, what, patience=120):
        until = time.monotonic() + patience
        while not good():
            gone = [name for name, process in self.daemons.items() if process.poll() is not None]
            if gone or time.monotonic() > until:
                said = [(self.home / f"{name}.out").read_text()[-300:] for name in gone]
                raise CannotStartError(f"{what} does not start: {' '.join(' '.join(said).split())}")
            time.sleep(0.2)

    def __exit__(self, *_):
        self.call("scancel", "--signal=KILL", f"--user={getpass.getuser()}")
        for name in ("slurmd", "slurmctld", "munged"):
            self.stop(name)
