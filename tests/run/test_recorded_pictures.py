"""What a run records for a report: it shows what is judged, survives a kill, and changes no number of the tables."""

from __future__ import annotations

import numpy as np
import pytest

from ganbench.record.journal import Journal
from ganbench.record.pictures import read_pictures
from ganbench.record.samples import read
from ganbench.run.observer import CellNoted, RunObserver

PLUGIN = """
import torch
from ganbench import Architecture, Loss, Networks, hookimpl

class Slope(torch.nn.Module):
    def __init__(self, most):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([[1.0, 10.0]]))
        self.most = most

    def forward(self, x):
        if len(x) > self.most:
            raise RuntimeError("too many")
        return x @ self.weight.T

class Picky(torch.nn.Linear):
    def __init__(self, refused):
        super().__init__(2, 2)
        self.refused = refused

    def forward(self, z):
        if len(z) == self.refused:
            raise RuntimeError("too even")
        return super().forward(z)

def slope(shape, *, most: int = 10_000, refused: int = 0):
    return Networks(Picky(refused), Slope(most), (2,))

def discriminator(d_real, d_fake, step):
    return (d_fake.mean() - d_real.mean()) * torch.where(step == 15, torch.inf, 1.0)

def generator(d_fake):
    return -d_fake.mean()

@hookimpl
def ganbench_architectures():
    yield Architecture("slope", slope)

@hookimpl
def ganbench_losses():
    yield Loss("ends", discriminator, generator)
"""
SUITE = """
suite: small
seeds: 2
budget: {{steps: 20, batch: 8}}
evaluate: {{every: 10, samples: 400}}
datasets: {{two: {{name: mixture, means: [[0, 0], [1, 3]], std: 0.1}}}}
defaults: {{architecture: slope, optimizer: {{name: sgd, lr: 1e-9}}}}
variants: {variants}
metrics: [modes, discriminator]
references: []
"""
VARIANTS = "{first: {loss: minimax}, ends: {loss: ends}}"
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def recorded(run_text, tmp_path_factory):
    """A run with pictures."""
    return run_text(SUITE.format(variants=VARIANTS), engine="eager", out=tmp_path_factory.mktemp("with"), pictures=True)


@pytest.fixture(scope="module")
def pictures(recorded):
    """Its pictures, of which none is lacking."""
    found = read_pictures(recorded.folder)
    assert not found.lacking
    return found


def files(path):
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*.npz")}


def test_the_tables_are_the_same_with_and_without(recorded, run_text, tmp_path):
    without = run_text(SUITE.format(variants=VARIANTS), engine="eager", out=tmp_path, pictures=False)
    assert files(recorded.folder.path)
    assert not (without.folder.path / "pictures").exists()
    for name in ("curves", "seeds", "table", "differences"):
        assert getattr(recorded.folder, name).read_bytes() == getattr(without.folder, name).read_bytes(), name


def test_all_seeds_are_there_at_each_evaluation_and_move_from_the_same_latents(pictures):
    first, last = pictures.cells["two", "first"]
    assert (first.step, last.step, first.seeds, last.seeds) == (10, 20, (0, 1), (0, 1))
    assert (first.final, last.final, last.followed, last.drawn) == ((False, False), (True, True), (0, 1), 400)
    np.testing.assert_allclose(first.points, last.points, atol=1e-3)
    assert not np.allclose(last.points[0], last.points[1], atol=0.1)
    assert pictures.cells["two", "oracle"][0].points.shape == (2, 400, 2)


def test_the_discriminator_is_drawn_at_the_centres_of_the_cells(pictures):
    """Axis 0 is the first coordinate: D is x + 10 y."""
    picture = pictures.cells["two", "first"][1]
    x, y = ((np.arange(60) + 0.5) / 60 * (high - low) + low for low, high in picture.box)
    np.testing.assert_allclose(picture.logits[1], x[:, None] + 10 * y, rtol=0.005, atol=0.005)
    assert picture.probability
    assert not pictures.cells["two", "ends"][0].probability


def test_samples_are_counted_in_the_cells_in_which_the_density_has_them(pictures):
    data, picture = pictures.data["two"], pictures.cells["two", "oracle"][0]
    area = np.prod(data.box[:, 1] - data.box[:, 0]) / 3600
    assert data.density.sum() * area == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(picture.counts.sum((1, 2)), 400)
    np.testing.assert_allclose(picture.counts.mean(0) / 400, data.density[0] * area, atol=0.02)
    np.testing.assert_array_equal(data.modes[0], [[0, 0], [1, 3]])
    np.testing.assert_allclose(data.reach[0], 3 * 0.1)
    np.testing.assert_allclose(data.expected[0], 0.98889 / 2, atol=1e-5)


def test_a_seed_that_diverged_is_there_once_more(pictures):
    first, last = pictures.cells["two", "ends"]
    assert first.final == (False, False)
    assert (last.step, last.final) == (20, (True, True))
    assert np.isnan(last.points).all()
    assert np.isnan(last.logits).all()


def test_a_run_that_was_stopped_has_the_same_pictures(recorded, run_text, room_for, tmp_path):
    """Stopped between the file of a picture and its line in the journal, and after the first checkpoint."""
    text, whole = SUITE.format(variants=VARIANTS), files(recorded.folder.path)
    for events in (5, 7):
        with room_for(events, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            run_text(text, engine="eager", out=tmp_path / str(events), pictures=True)
        resumed = run_text(text, engine="eager", out=tmp_path / str(events), pictures=True).folder
        assert files(resumed.path) == whole
        assert not read_pictures(resumed).lacking


def test_a_run_that_was_stopped_goes_on_with_pictures_or_without(run_text, room_for, tmp_path):
    """They decide no number: it is the same run, and what was recorded of it is there."""
    text = SUITE.format(variants="{first: {loss: minimax}}")
    with room_for(6, Journal, "append", KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run_text(text, engine="eager", out=tmp_path, pictures=False)
    folder = run_text(text, engine="eager", out=tmp_path, pictures=True).folder
    assert len([*folder.path.parent.glob("*/run.json")]) == 1
    found = read_pictures(folder)
    assert not found.lacking
    assert [picture.step for picture in found.cells["two", "first"]] == [20]
    assert ("two", "oracle") not in found.cells


def test_what_the_row_judges_is_shown_the_averaged_weights(run_text, tmp_path):
    variants = "{live: {loss: ends, optimizer: {lr: 0.05}}, mean: {loss: ends, optimizer: {lr: 0.05}, average: 0.999}}"
    text = SUITE.format(variants=variants).replace("steps: 20", "steps: 10")
    folder = run_text(text, engine="eager", out=tmp_path, pictures=True, save_samples=True).folder
    centres = {}
    for variant in ("live", "mean"):
        (picture,) = read_pictures(folder).cells["two", variant]
        judged = read(folder.path / "samples" / "two" / variant / "0.npz").values
        centres[variant] = picture.points[0].mean(0)
        np.testing.assert_allclose(centres[variant], judged.mean(0), atol=0.2)
    assert np.abs(centres["live"] - centres["mean"]).max() > 1


class Told(RunObserver):
    """Keeps the lines about cells."""

    def __init__(self):
        self.lines = []

    def tell(self, event):
        self.lines += [event.text] if isinstance(event, CellNoted) else []


def test_what_fails_in_a_picture_alone_fails_no_seed_and_is_said_once(run_text, tmp_path):
    told = Told()
    variants = (
        "{first: {loss: minimax, architecture: {most: 1000}}, second: {loss: minimax, architecture: {refused: 500}}}"
    )
    result = run_text(SUITE.format(variants=variants), engine="eager", out=tmp_path, pictures=True, observer=told)
    assert result.complete
    cells = read_pictures(result.folder).cells
    for picture in cells["two", "first"]:
        assert picture.logits is None
        assert "no discriminator" in picture.note
    assert ("two", "second") not in cells
    (line,) = told.lines
    assert line.startswith("no more pictures of it: RuntimeError: too even")
