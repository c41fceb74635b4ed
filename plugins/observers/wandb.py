"""Weights & Biases, and trackio, which has its interface: a run of the tracker for each cell, all in one group.

A number for each column, jsd, with jsd/low and jsd/high, the ends of its 95 % interval over the seeds; `seeds: true`
adds each seed, jsd/seed 3. The samples of the recorded pictures are images; what a cell is trained with is its config.
https://docs.wandb.ai/ref/python and https://huggingface.co/docs/trackio.
"""

from hashlib import sha256
from importlib import import_module
from typing import Literal

from ganbench import Observer, hookimpl
from ganbench.plugin.observed import tracked


class Tracker:
    """The tracker's runs of the cells that are at work; ``start`` starts one."""

    def __init__(self, package, start, seeds):
        self.package, self.start, self.seeds, self.runs = package, start, seeds, {}

    def cell_started(self, cell):
        if cell.name not in self.runs:
            self.runs[cell.name] = self.start(cell)

    def evaluated(self, cell, step, rows, summary):
        self.runs[cell.name].log(tracked(summary, rows if self.seeds else ()), step=step)

    def pictured(self, cell, step, image):
        self.runs[cell.name].log({"samples": self.package.Image(image)}, step=step)

    def cell_ended(self, cell):
        self.runs.pop(cell.name).finish()

    def closed(self):
        for run in self.runs.values():
            run.finish()


def wandb(
    run,
    suite,
    *,
    project: str = "ganbench",
    entity: str | None = None,
    mode: Literal["online", "offline", "shared"] | None = None,
    seeds: bool = False,
):
    """Weights & Biases: online where you are logged in; `mode: offline` keeps it in the run's folder, for wandb sync.

    WANDB_MODE is the default of `mode`.
    """
    package = import_module("wandb")

    def start(cell):
        # One id for a cell of a run: it goes on where the run does.
        identity = sha256(f"{run.name}/{cell.name}".encode()).hexdigest()[:16]
        own = {"id": identity, "resume": "allow", "reinit": "create_new", "dir": str(run), "mode": mode}
        own |= {
            "settings": package.Settings(console="off", quiet=True),
            "config": dict(cell.parameters),
            "entity": entity,
        }
        return package.init(project=project, group=f"{suite['suite']}/{run.name}", name=cell.name, **own)

    return Tracker(package, start, seeds)


def trackio(run, suite, *, project: str = "ganbench", space_id: str | None = None, seeds: bool = False):
    """trackio: kept on this machine, for trackio show, or with `space_id` in a Space of Hugging Face."""
    package = import_module("trackio")

    def start(cell):
        own = {"resume": "allow", "config": dict(cell.parameters), "space_id": space_id, "embed": False}
        # A name is a run of the project: with the run's own, so that the same variant of another run is another.
        name = f"{run.name}/{cell.name}"
        return package.init(project=project, group=f"{suite['suite']}/{run.name}", name=name, **own)

    return Tracker(package, start, seeds)


@hookimpl
def ganbench_observers():
    yield Observer("wandb", wandb, needs={"wandb": "ganbench[wandb]"}, tried_with={"mode": "offline"})
    yield Observer("trackio", trackio, needs={"trackio": "ganbench[trackio]"})
