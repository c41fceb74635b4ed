"""Images of one's own, from a folder or an array of bytes; what is wrong with them is one line."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ganbench.data.own_files import OwnFiles

PLUGIN = "# none"
N = 12
PIXELS = np.random.RandomState(0).randint(0, 256, (N, 8, 8, 3), np.uint8)


@pytest.fixture
def build(shipped, tmp_path):
    return lambda **given: shipped.get("dataset", "images").build(
        {"held_out": 0.25, "split_seed": 0} | given, find=OwnFiles(tmp_path)
    )


@pytest.fixture
def folder(tmp_path):
    """Images in a folder, and in one inside it."""
    (tmp_path / "mine/inner").mkdir(parents=True)
    for at, one in enumerate(PIXELS):
        Image.fromarray(one).save(tmp_path / "mine" / ("inner" if at % 2 else "") / f"{at:02}.png")
    return tmp_path / "mine"


def pixels(data):
    """All images, as bytes, channels last, in the order of their first pixels."""
    both = np.concatenate([data.parts[name].numpy() for name in ("training", "held_out")]).transpose(0, 2, 3, 1)
    return both[np.argsort(both.reshape(len(both), -1).astype(int)[:, :4] @ [256**3, 256**2, 256, 1])]


def in_order(images):
    return images[np.argsort(images.reshape(len(images), -1).astype(int)[:, :4] @ [256**3, 256**2, 256, 1])]


def test_every_image_of_a_folder_is_trained_on_or_held_out_on_the_scale_of_networks(build, folder):
    (folder / ".hidden.png").write_bytes(b"no image")
    (folder / "notes.md").write_text("no image")
    data = build(folder="mine")
    assert np.array_equal(pixels(data), in_order(PIXELS))
    assert (data.shape, len(data.training), len(data.held_out)) == ((3, 8, 8), 9, 3)
    assert data.training.min() >= -1
    assert data.training.max() <= 1
    assert data.description == "mine: 9 images to train on, 3 held out by split_seed 0"
    assert not np.array_equal(build(folder="mine", split_seed=1).held_out, data.held_out)


@pytest.mark.parametrize("shape", [(N, 8, 8), (N, 8, 8, 1), (N, 8, 8, 3), (N, 3, 8, 8)])
def test_an_array_of_bytes_has_its_channels_anywhere(shape, build, tmp_path):
    images = PIXELS if 3 in shape else PIXELS[..., :1]
    np.savez(tmp_path / "mine.npz", images.transpose(0, 3, 1, 2) if shape[1] == 3 else images.reshape(shape))
    assert np.array_equal(pixels(build(file="mine.npz")), in_order(images))


def test_folders_in_the_folder_or_an_array_are_labels(build, tmp_path):
    """Of each image its own, in the order of the names; images beside the folders belong to no class."""
    for at, one in enumerate(PIXELS):
        (tmp_path / "mine" / "ba"[at % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(one).save(tmp_path / "mine" / "ba"[at % 2] / f"{at:02}.png")
    np.savez(tmp_path / "mine.npz", images=PIXELS, labels=np.array(["b", "a"] * (N // 2)))
    for data in (build(folder="mine"), build(file="mine.npz")):
        assert "2 classes: 0 a, 1 b" in data.description
        for name, labels in (("training", data.training_labels), ("held_out", data.held_out_labels)):
            for image, label in zip(data.parts[name], labels, strict=True):
                (at,) = [at for at, one in enumerate(PIXELS) if (one.transpose(2, 0, 1) == image.numpy()).all()]
                assert label == 1 - at % 2
    Image.fromarray(PIXELS[0]).save(tmp_path / "mine/beside.png")
    assert not hasattr(build(folder="mine"), "labelled")


def test_grey_images_have_one_channel_and_three_where_one_is_in_colour(build, folder):
    for file in folder.rglob("*.png"):
        with Image.open(file) as image:
            image.convert("L").save(file)
    assert build(folder="mine").shape == (1, 8, 8)
    Image.fromarray(PIXELS[0]).save(folder / "00.png")
    mixed = build(folder="mine")
    assert mixed.shape == (3, 8, 8)
    assert "11 of 12 images are grey, and are in three equal channels" in mixed.description


def test_a_size_cuts_and_scales_and_says_how_many(build, folder):
    Image.fromarray(np.repeat(PIXELS[0], 2, axis=1)).save(folder / "wide.jpg", quality=95)
    Image.fromarray(PIXELS[1]).resize((4, 4)).save(folder / "small.png")
    data = build(folder="mine", size=4)
    assert data.shape == (3, 4, 4)
    assert "13 of 14 images are cut and scaled to 4 x 4" in data.description


def test_a_run_has_a_bound_and_memorisation(run_text, tmp_path, monkeypatch):
    """From the first line of a suite to numbers in the table."""
    monkeypatch.chdir(tmp_path)
    np.savez("mine.npz", np.random.RandomState(0).randint(0, 256, (600, 4, 4), np.uint8))
    found = run_text(
        "suite: own\nseeds: 1\nbudget: {steps: 2, batch: 8}\nevaluate: {samples: 300}\n"
        "datasets: {own: {name: images, file: mine.npz, held_out: 0.5}}\nreferences: []\n"
        "defaults: {architecture: {width: 8}}\nvariants: {it: {loss: nonsaturating}}\nmetrics: [jsd, memorisation]\n",
        engine="eager",
    )
    seeds = pd.read_csv(found.folder.seeds)
    assert list(seeds.jsd_method) == ["lower bound"] * 2
    assert seeds[["jsd", "copied"]].notna().all(axis=None)


def test_what_is_in_hidden_folders_is_no_image_and_no_class(build, tmp_path):
    """Editors and git keep copies there: they would be in both parts of the data."""
    for at, one in enumerate(PIXELS):
        (tmp_path / "mine" / "ba"[at % 2] / ".old").mkdir(parents=True, exist_ok=True)
        Image.fromarray(one).save(tmp_path / "mine" / "ba"[at % 2] / f"{at:02}.png")
        Image.fromarray(one).save(tmp_path / "mine" / "ba"[at % 2] / ".old" / f"{at:02}.png")
    (tmp_path / "mine/.checkpoints").mkdir()
    Image.fromarray(PIXELS[0]).save(tmp_path / "mine/.checkpoints/00.png")
    data = build(folder="mine")
    assert np.array_equal(pixels(data), in_order(PIXELS))
    assert "2 classes: 0 a, 1 b" in data.description


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_image_with_a_channel_of_transparency_and_none_in_it_is_an_image(mode, build, folder):
    """As screenshots are saved."""
    for file in folder.rglob("*.png"):
        with Image.open(file) as image:
            opened = image.convert(mode[:-1])
        opened.putalpha(255)
        assert opened.mode == mode
        opened.save(file)
    data = build(folder="mine")
    assert data.shape == (len(mode) - 1, 8, 8)
    if mode == "RGBA":
        assert np.array_equal(pixels(data), in_order(PIXELS))


def sorted_into(folder, part):
    """Half of what is there, moved into a folder in it."""
    files = sorted(folder.rglob("*.png"), key=lambda file: file.name)
    (folder / part).mkdir()
    for file in files[:6] if part == "train" else files[6:]:
        file.rename(folder / part / file.name)


def grey16(folder):
    Image.fromarray(np.zeros((8, 8), np.uint16)).save(folder / "deep.png")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: Image.new("RGB", (8, 9)).save(f / "zz.png"), "00.png is 8 x 8 pixels, and zz.png 8 x 9: bring"),
        (lambda f: Image.new("RGBA", (8, 8)).save(f / "zz.png"), "zz.png: is transparent in places"),
        (
            lambda f: [sorted_into(f, part) for part in ("train", "test")],
            "test and train in it are parts of a data set",
        ),
        (grey16, "deep.png: has pixels of the kind 'I;16': save it with 8 bits a channel"),
        (lambda f: (f / "00.png").write_bytes((f / "00.png").read_bytes()[:90]), "00.png: cannot be read: "),
        (lambda f: (f / "00.png").write_bytes(b"no image"), "00.png: cannot be read: cannot identify image file"),
        (lambda f: [file.unlink() for file in f.rglob("*.png")], "has no .png, .jpg or .jpeg files"),
        (
            lambda f: [file.rename(file.with_suffix(".webp")) for file in [*f.rglob("*.png")]],
            "its 12 .webp files are not",
        ),
    ],
)
def test_a_folder_that_is_wrong_is_one_line(spoil, says, build, folder):
    spoil(folder)
    with pytest.raises(ValueError, match=r"^folder [^\n]*$") as error:
        build(folder="mine")
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "folder: give a folder of images, or the .npz file"),
        ({"folder": "mine", "file": "x.npz"}, "folder: give a folder of images, or the .npz file"),
        ({"folder": "your"}, "folder your: is not in "),
        ({"folder": "float.npz"}, "is no folder: an .npz file is given as file"),
        ({"file": "mine"}, "must be an .npz file; a folder of images is given as folder"),
        ({"file": "float.npz"}, "its array holds float64: save pixels as uint8, 0 to 255"),
        ({"file": "odd.npz"}, "its array has the shape (5, 4, 4, 2), and images have"),
        ({"file": "two.npz"}, "holds a, b: call the array of images 'images'"),
        ({"file": "torn.npz"}, "torn.npz: cannot be read: "),
    ],
)
def test_a_wrong_file_is_one_line(given, says, build, folder, tmp_path):
    np.savez(tmp_path / "float.npz", PIXELS / 255)
    np.savez(tmp_path / "odd.npz", np.zeros((5, 4, 4, 2), np.uint8))
    np.savez(tmp_path / "two.npz", a=PIXELS, b=PIXELS)
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04torn")
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        build(**given)
    assert says in str(error.value)
