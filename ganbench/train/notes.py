"""Notes on how cells train and on what is probably meant otherwise, for the tables: gathered before training."""

from __future__ import annotations

from ganbench.plugin.types import Loss, Networks
from ganbench.suite.plan import Cell
from ganbench.train.device import arithmetic
from ganbench.train.engine.trace import Trace
from ganbench.train.hidden_state import HiddenState
from ganbench.train.logits import logits_note
from ganbench.train.movement import movement_notes
from ganbench.train.probe import Probe
from ganbench.train.reached import reached_note
from ganbench.train.step.rules import Rules, schedule_notes
from ganbench.train.step.step import State
from ganbench.train.untrained import untrained_notes

_SERIAL = "trained seed by seed"


class Notes:
    """The notes on a batch of cells, in the order in which they were added."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    @property
    def remarks(self) -> list[str]:
        """Those on what is probably meant otherwise: not on how the cells train."""
        return [note for note in self.lines if not note.startswith(_SERIAL)]

    def add(self, *notes: str) -> None:
        """Add notes; what is empty is none."""
        self.lines += filter(None, notes)

    def add_of_step(
        self,
        cell: Cell,
        networks: Networks,
        rules: Rules,
        probe: Probe,
        start: State,
        watched: HiddenState,
        *,
        asked: str,
    ) -> None:
        """Add what the networks say, and the steps that were tried.

        Args:
            cell: the first cell
            networks: its first seed's
            rules: the rules of the game
            probe: what is known from the steps
            start: the state before them
            watched: what the plugins could remember something in
            asked: the engine that was asked for
        """
        D, G = start.players
        assert cell.trained is not None
        of_method = cell.trained.loss.plugin(Loss).players is not None
        device = D.theta.device
        # Of a method, its own losses alone know what its networks are called with.
        self.add("" if of_method else reached_note(networks, watched))
        self.add(*movement_notes(probe.idle, probe.unmoved, (D.theta, G.theta), len(cell.seeds)))
        self.add(*schedule_notes(rules.schedules))
        if probe.serial and asked != "serial":
            self.add(f"{_SERIAL}: {probe.serial}")
        self.add(logits_note(networks, None if of_method else rules.shape), probe.note)
        if arithmetic(cell.precision, device) != cell.precision:
            self.add("a CPU has no tf32: trained in float32")

    def add_of_trace(self, traced: Trace, precision: str, watched: HiddenState) -> None:
        """Add what the operations of a step say.

        Args:
            traced: the step of the first replica
            precision: that of the cell
            watched: what the plugins could remember something in
        """
        if traced.reduced and precision != "bfloat16":
            self.add(
                f"computes partly in {traced.reduced}, whatever the column arithmetic says: leave out "
                "torch.autocast and .half() in plugins, or write 'precision: bfloat16' in the suite"
            )
        self.add(*untrained_notes(traced.untrained, watched))
