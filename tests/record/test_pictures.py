"""Pictures are read as they were written, and a file that is not as the run wrote it is left out with a line."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest

from ganbench.record.events import Pictured
from ganbench.record.folder import RunFolder
from ganbench.record.journal import Journal
from ganbench.record.picture_arrays import DamagedPictureError, DataPicture, Picture, as_picture, centres, pack, unpack
from ganbench.record.pictures import cell_place, data_place, read_pictures

RANDOM = np.random.default_rng(0)
BOX = np.array([[-1.0, 1.0], [0.0, 4.0]])
DATA = DataPicture("ring8", (0, 30), BOX, density=np.ones((2, 6, 6)), modes=np.full((2, 3, 2), np.nan))
PICTURE = Picture(
    "ring8",
    "minimax",
    reference=False,
    step=40,
    seeds=(3, 5),
    final=(False, True),
    followed=(3,),
    box=BOX,
    points=RANDOM.normal(size=(2, 50, 2)),
    logits=RANDOM.normal(size=(1, 6, 6)),
    probability=True,
    counts=RANDOM.integers(9, size=(1, 6, 6)),
    drawn=100,
    note="a note",
)
CELL = {"id": "a1", "dataset": "ring8", "variant": "minimax", "family": "minimax", "seeds": [3, 5], "steps": 40}
CELL |= {"reference": False, "precision": "float32", "every": 20}


@pytest.fixture
def folder(tmp_path):
    """A run with the picture of one cell and of its data."""
    found = RunFolder.create(tmp_path, "small", "0" * 64, "", {"cells": [CELL], "columns": []})
    home = found.path / "pictures"
    contents = {cell_place(home, "ring8", "minimax", 40): pack(PICTURE), data_place(home, "ring8"): pack(DATA)}
    for path, content in contents.items():
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    with Journal(found.journal) as journal:
        journal.append(Pictured("a1", 40, *(hashlib.sha256(content).hexdigest() for content in contents.values())))
    return found


def test_a_picture_is_read_as_it_was_written(folder):
    found = read_pictures(folder)
    assert not found.lacking
    (picture,) = found.cells["ring8", "minimax"]
    for name in ("dataset", "variant", "reference", "step", "seeds", "final", "followed", "probability", "note"):
        assert getattr(picture, name) == getattr(PICTURE, name)
    np.testing.assert_array_equal(picture.counts, PICTURE.counts)
    np.testing.assert_allclose(picture.logits, PICTURE.logits, rtol=2**-8)
    np.testing.assert_allclose(picture.D, 1 / (1 + np.exp(-PICTURE.logits)), atol=1e-3)
    np.testing.assert_allclose(picture.points[..., 0], PICTURE.points[..., 0].clip(-3, 3), atol=6 / 65534)
    data = found.data["ring8"]
    np.testing.assert_array_equal(data.density, DATA.density)
    assert [data.phase(replace(picture, step=step)) for step in (20, 30, 31)] == [0, 0, 1]
    assert data.phase(replace(picture, step=0, reference=True)) == 1
    np.testing.assert_allclose(centres(BOX, 2), [[-0.5, 0.5], [1, 3]])


def test_points_that_are_not_finite_or_far_away_are_said_to_be_so():
    points = np.zeros((1, 3, 2))
    points[0, 0, 1], points[0, 1, 0] = np.inf, 1e30
    one = replace(PICTURE, seeds=(3,), final=(True,), points=points)
    read = as_picture("", "", False, unpack(pack(one))).points[0]
    assert np.isnan(read[0]).all()
    np.testing.assert_allclose(read[1:], [[3, 0], [0, 0]], atol=1e-4)


def test_logits_that_are_too_large_for_a_half_are_as_large_as_it_holds():
    logits = np.array([[[np.nan, np.inf, -1e9], [65504, 65279, 1e-9]]])
    read = as_picture("", "", False, unpack(pack(replace(PICTURE, logits=logits, counts=None)))).logits
    np.testing.assert_allclose(read, [[[np.nan, 65280, -65280], [65280, 65280, 0]]], atol=1e-8)


def test_equal_pictures_have_equal_bytes():
    assert pack(PICTURE) == pack(replace(PICTURE))


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda path: path.unlink(), "is not there"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "is not what the run wrote"),
        (lambda path: path.write_bytes(pack(replace(PICTURE, step=20))), "is not what the run wrote"),
    ],
)
def test_a_file_that_is_torn_or_forged_is_left_out_and_said(folder, harm, line):
    path = cell_place(folder.path / "pictures", "ring8", "minimax", 40)
    harm(path)
    found = read_pictures(folder)
    assert not found.cells
    assert found.data
    (said,) = found.lacking
    assert str(path) in said
    assert line in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "harm",
    [
        lambda arrays: arrays | {"points": arrays["points"][:1]},
        lambda arrays: arrays | {"logits": arrays["logits"].astype(int)},
        lambda arrays: arrays | {"box": arrays["box"][:, ::-1]},
        lambda arrays: {name: array for name, array in arrays.items() if name != "seeds"},
    ],
)
def test_arrays_that_do_not_fit_together_are_no_picture(harm):
    with pytest.raises(DamagedPictureError):
        as_picture("", "", False, harm(dict(unpack(pack(PICTURE)))))


def test_no_object_is_read_from_a_pickle():
    content = io.BytesIO()
    np.savez(content, version=np.array([{}], dtype=object))
    with pytest.raises(DamagedPictureError, match="holds no picture"):
        unpack(content.getvalue())


def test_a_run_without_pictures_has_none_and_nothing_is_said(tmp_path):
    found = read_pictures(RunFolder.create(tmp_path, "small", "0" * 64, "", {"cells": [CELL], "columns": []}))
    assert not found.data
    assert not found.cells
    assert not found.lacking


def test_a_name_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    cell = CELL | {"dataset": "../../.."}
    folder = RunFolder.create(tmp_path, "small", "0" * 64, "", {"cells": [cell], "columns": []})
    with Journal(folder.journal) as journal:
        journal.append(Pictured("a1", 40, "ab", "cd"))
    assert all("is outside of the run's folder" in line for line in read_pictures(folder).lacking)
