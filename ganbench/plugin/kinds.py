"""The kinds of plugins: how each is found and called, and which values its functions may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.plugin.types import (
    Architecture,
    Dataset,
    Executor,
    Loss,
    Metric,
    Observer,
    Optimizer,
    Penalty,
    Reference,
    Schedule,
    Update,
)

#: The values that the functions of a loss may name. ``d_real``, ``d_fake``: logits, shape (batch,); ``D``, ``G``:
#: callables; ``real``, ``fake``: samples, shape (batch, *shape); ``z``: latents; ``label``: the classes of the real
#: samples, and those that G was asked for, (batch,); ``random``: a source of random numbers for this seed and step;
#: ``step``: the number of the step, a scalar tensor, from 0.
LOSS_NAMES = frozenset({"d_real", "d_fake", "D", "G", "real", "fake", "z", "label", "random", "step"})
#: The values that ``players`` of a loss may name. ``build(shape)``: the variant's architecture for data of this shape,
#: as Networks; ``shape``: the shape of one sample; ``data(n)``: n samples of the data, (n, *shape).
PLAYERS_NAMES = frozenset({"build", "shape", "data"})
#: A penalty may also name ``memory``, a tuple of its own scalars; then what its ``inputs`` and ``remember`` may name.
PENALTY_NAMES = LOSS_NAMES | {"memory"}
INPUTS_NAMES = frozenset({"x", "random", "step"})
REMEMBER_NAMES = frozenset({"memory", "d_real", "d_fake", "step"})
#: ``classes``: how many classes the data have; an architecture that names it gives networks that take labels.
ARCHITECTURE_NAMES = frozenset({"shape", "classes"})
#: What a dataset may name. ``find(path)``: a file that the suite names, from the folder of the suite's file.
DATASET_NAMES = frozenset({"find"})
UPDATE_NAMES = frozenset({"game", "players"})
#: ``shapes``: those of the player's parameters, in the order in which ``theta`` holds them; ``networks``: the same, for
#: each network of the player.
OPTIMIZER_NAMES = frozenset({"theta", "gradient", "state", "t", "shapes", "networks"})
#: The values that a schedule may name. ``step``: the generator step, a scalar tensor, from 0; ``steps``: the budget.
SCHEDULE_NAMES = frozenset({"step", "steps"})
#: The values that a reference may name. ``training``: (n, *shape), the points to fit; ``dataset``: the distribution
#: that they are from; ``random``: a torch.Generator of its own.
REFERENCE_NAMES = frozenset({"training", "dataset", "random"})
#: The values that a metric may name. ``samples``, ``real``: (n, *shape), generated and held-out data; ``dataset``: the
#: distribution; ``d_real``, ``d_fake``: logits of real and of generated samples, (n,); ``loss``: the Loss;
#: ``divergence``: the ``ganbench.metrics.divergence.Divergence`` of the samples, computed once for all metrics;
#: ``training``: the fixed points that data or reference are trained on; ``model``: what a reference has fitted;
#: ``label``: of a conditional generator, the class that each sample was asked for, (n,); ``final``: whether it is the
#: seed's last evaluation. A value that does not exist is None.
SEED_NAMES = frozenset(
    {"samples", "real", "dataset", "d_real", "d_fake", "loss", "divergence", "training", "model", "label", "final"}
)
#: The only values that a metric of the whole cell may name. ``speed``: a CellSpeed; ``cost``: a CellCost.
CELL_NAMES = frozenset({"speed", "cost"})
METRIC_NAMES = SEED_NAMES | CELL_NAMES
#: What an observer's ``build`` may name. ``suite``: the resolved suite, plain data; ``cells``: all that are planned;
#: ``run``: the folder of the run; ``resumed``: whether an earlier attempt at the run was told already.
OBSERVER_NAMES = frozenset({"suite", "cells", "run", "resumed"})
#: The methods of what it returns, each optional, and what each may name: see ``ganbench.plugin.observed``.
EVENT_NAMES: Mapping[str, frozenset[str]] = {
    "cell_started": frozenset({"cell"}),
    "evaluated": frozenset({"cell", "step", "rows", "summary"}),
    "pictured": frozenset({"cell", "step", "image"}),
    "cell_ended": frozenset({"cell", "rows", "summary"}),
    "run_ended": frozenset({"table"}),
    "closed": frozenset({"finished"}),
}
#: What an executor's ``build`` may name. ``run``: the folder of the run; ``workers``: how many tasks the user wants at
#: a time, or None; ``devices``: the names of the devices to train on.
EXECUTOR_NAMES = frozenset({"run", "workers", "devices"})


@dataclass(frozen=True)
class Kind:
    """One kind of plugin.

    ``given``: for each of its functions the values that it may name; ``optional``: the functions that may be missing.
    """

    name: str
    value: type
    given: Mapping[str, frozenset[str]]
    optional: frozenset[str] = frozenset()

    @property
    def hook(self) -> str:
        """The hook that yields values of this kind."""
        return f"ganbench_{plural(self.name)}"


def plural(kind: str) -> str:
    """The plural of a kind's name, as folders and hooks use it."""
    if kind.endswith("y"):
        return kind[:-1] + "ies"
    return kind + ("es" if kind.endswith("s") else "s")


_LOSS = dict.fromkeys(("discriminator", "generator"), LOSS_NAMES)
_PENALTY = dict.fromkeys(("discriminator", "generator"), PENALTY_NAMES)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "loss",
            Loss,
            {**_LOSS, "project": frozenset({"theta"}), "players": PLAYERS_NAMES},
            optional=frozenset({"project", "players"}),
        ),
        Kind(
            "penalty",
            Penalty,
            {**_PENALTY, "inputs": INPUTS_NAMES, "remember": REMEMBER_NAMES},
            optional=frozenset({"discriminator", "generator", "inputs", "remember"}),
        ),
        Kind("architecture", Architecture, {"build": ARCHITECTURE_NAMES}),
        Kind("dataset", Dataset, {"build": DATASET_NAMES}),
        Kind("metric", Metric, {"measure": METRIC_NAMES}),
        Kind("update", Update, {"step": UPDATE_NAMES}),
        Kind("optimizer", Optimizer, {"update": OPTIMIZER_NAMES}),
        Kind("schedule", Schedule, {"factor": SCHEDULE_NAMES}),
        Kind("reference", Reference, {"fit": REFERENCE_NAMES}),
        Kind("observer", Observer, {"build": OBSERVER_NAMES}),
        Kind("executor", Executor, {"build": EXECUTOR_NAMES}),
    )
}

Parameters = Mapping[str, Any]
