"""Makes of a seed's generator what its file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from ganbench.record.generators import AboutGenerator, SavedGenerator
from ganbench.record.identity import described
from ganbench.record.status import Status
from ganbench.suite.plan import Cell
from ganbench.suite.suite import Suite
from ganbench.train.step.step import State
from ganbench.train.trainer import Trainer


@dataclass(frozen=True)
class GeneratorKeeper:
    """Keeps the generators of a run of a ``suite``; ``source`` and ``versions``: as run.json has them."""

    suite: Suite
    source: str
    versions: Mapping[str, str]

    def saved(self, trainer: Trainer, cell: Cell, state: State, replica: int, step: int) -> SavedGenerator:
        """The generator of a replica, as the evaluation at this step measures it.

        Args:
            trainer: The trainer of the cell's batch.
            cell: The cell that the replica is of.
            state: The state of the batch.
            replica: Its place in the batch.
            step: The generator steps trained.

        Returns:
            Its tensors, copied, and all that is needed to build it again.
        """
        variant, rules = cell.trained, trainer.rules
        assert variant is not None
        own = [cell.data.entry, variant.architecture.entry, variant.loss.entry]
        about = AboutGenerator(
            dataset=cell.dataset,
            variant=cell.variant,
            family=cell.family,
            seed=trainer.seeds[replica],
            step=step,
            status=str(Status.DONE if int(state.survived[replica]) >= step else Status.DIVERGED),
            weights="averaged" if state.average else "live",
            shape=tuple(rules.shape),
            latent=tuple(rules.latent),
            latent_distribution="normal" if rules.latent_kind == "normal" else "uniform",
            precision=cell.precision,
            device=trainer.device.type,
            samples=cell.samples,
            suite=self.suite.only(cell.dataset, cell.family, variant).to_yaml(),
            plugins=tuple(one | {"source": PurePath(one["source"]).name} for one in described(own)),
            source=self.source,
            versions={name: self.versions[name] for name in ("ganbench", "torch")},
            class_shares=trainer.evaluation.class_shares(step),
        )
        return SavedGenerator(about, trainer.evaluation.generator(state, replica))
