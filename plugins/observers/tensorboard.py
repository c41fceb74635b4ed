"""TensorBoard: a TensorBoard run for each cell, with medians over seeds, intervals, pictures and hyperparameters.

A tag for each column, jsd, with jsd/low and jsd/high, the ends of its 95 % interval, so that variants are drawn in one
chart; the page Custom Scalars draws the three as a band. `seeds: true` adds each seed, jsd/seed 3. The samples
of the recorded pictures are under Images; what a cell is trained with, beside its last numbers, under HParams.
Event files of https://www.tensorflow.org/tensorboard, written by torch.utils.tensorboard.
"""

from ganbench import Observer, hookimpl
from ganbench.plugin.observed import tracked


class TensorBoard:
    """The writers of the cells that are at work."""

    def __init__(self, folder, seeds):
        self.folder, self.seeds, self.writers = folder, seeds, {}

    def writer(self, cell):
        from torch.utils.tensorboard import SummaryWriter

        if cell.name not in self.writers:
            self.writers[cell.name] = SummaryWriter(str(self.folder / cell.dataset / cell.variant))
        return self.writers[cell.name]

    def cell_started(self, cell):
        self.writer(cell)

    def evaluated(self, cell, step, rows, summary):
        writer = self.writer(cell)
        for tag, value in tracked(summary, rows if self.seeds else ()).items():
            writer.add_scalar(tag, value, step)
        writer.flush()  # so that a run that is killed has sent what it measured

    def pictured(self, cell, step, image):
        self.writer(cell).add_image("samples", image, step, dataformats="HWC")

    def cell_ended(self, cell, summary):
        from torch.utils.tensorboard.summary import hparams

        writer = self.writers.pop(cell.name)
        whole = [name for name, interval in summary.items() if None not in interval]
        bands = {name: ["Margin", [*tracked({name: summary[name]})]] for name in whole}
        writer.add_custom_scalars({"medians over seeds": bands})
        # By the tags that are there already: SummaryWriter.add_hparams would write each number a second time.
        for part in hparams(dict(cell.parameters), dict.fromkeys(summary)):
            writer.file_writer.add_summary(part)
        writer.close()

    def closed(self):
        for writer in self.writers.values():
            writer.close()


def tensorboard(run, suite, *, folder: str | None = None, seeds: bool = False):
    """In RUN/tensorboard; with `folder`, in FOLDER/<suite>/<run>."""
    from pathlib import Path

    home = run / "tensorboard" if folder is None else Path(folder) / suite["suite"] / run.name
    return TensorBoard(home, seeds)


@hookimpl
def ganbench_observers():
    yield Observer("tensorboard", tensorboard, needs={"tensorboard": "ganbench[tensorboard]"})
