"""Material: a small suite, and those files of its run that must be the same to the byte, however it is trained."""

from __future__ import annotations

from ganbench.record.folder import RunFolder

#: Two variants beside the oracle, a task each.
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
#: What tells the time, the host or the path, and the lock.
LEFT_OUT = ("run.json", "journal.jsonl", "lock", "report.html")


def the_run(out):
    """The one run of the suite in the folder of all suites' runs."""
    (path,) = (out / "parts").glob("[!.]*/")
    return RunFolder(path)


def files(folder):
    return {
        path.relative_to(folder.path).as_posix(): path.read_bytes()
        for path in sorted(folder.path.rglob("*"))
        if path.is_file() and path.name not in LEFT_OUT
    }
