"""Images: those made here, and those read from files in the formats that the field knows them in."""

from __future__ import annotations

import gzip
import pickle
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from ganbench.cli import cli
from ganbench.data.data_folder import MissingDataError, data_folder
from ganbench.data.finite_set import Finite
from ganbench.metrics.divergence import divergences

FOLDER = Path(__file__).parents[2] / "plugins"


def plugin(name, kind="dataset", folder="datasets"):
    file = runpy.run_path(str(FOLDER / folder / f"{name}.py"))
    return {value.name: value for value in file[f"ganbench_{kind}s"]()}


def random(seed=0):
    return torch.Generator().manual_seed(seed)


# Stacked digits


@pytest.fixture(scope="module")
def stacked():
    return plugin("stacked_digits")["stacked-digits"].build()


def test_each_channel_of_a_stack_is_a_training_digit_of_its_own(stacked):
    digits = plugin("digits")["digits"].build()
    known = {image.numpy().tobytes() for image in digits.training}
    stacks = stacked.sample(500, random())
    assert stacks.shape == (500, *stacked.shape) == (500, 3, 8, 8)
    assert {channel.numpy().tobytes() for channel in stacks.flatten(0, 1)} <= known
    assert (stacks[:, 0] == stacks[:, 1]).flatten(1).all(1).sum() < 5


def test_a_held_out_stack_is_of_digits_that_are_never_drawn_each_once_a_channel(stacked):
    digits = plugin("digits")["digits"].build()
    known = {image.numpy().tobytes() for image in digits.held_out}
    assert stacked.held_out.shape == (360, 3, 8, 8)
    for channel in stacked.held_out.unbind(1):
        assert {image.numpy().tobytes() for image in channel} == known
    assert torch.equal(stacked.held_out, plugin("stacked_digits")["stacked-digits"].build().held_out)


def test_the_data_is_no_way_from_its_held_out_stacks(stacked):
    """Were a few digits stacked again and again, the classifier would know them: 10,000 stacks of 360 read 0.15."""
    (read,) = divergences(stacked.sample(2000, random())[None], stacked, stacked.held_out[None], final=True)
    assert read.low == 0
    assert read.floor < 0.01


def test_the_classifier_knows_the_digits_and_says_how_well(stacked):
    assert 0.98 < stacked.classifier_accuracy < 1
    assert stacked.class_shares.shape == (1000,)
    assert stacked.class_shares.sum() == pytest.approx(1)


def test_the_class_of_a_stack_is_the_number_that_its_digits_write(stacked):
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    images = torch.tensor(pixels / 8 - 1, dtype=torch.float32).reshape(-1, 8, 8)
    first = [int(np.flatnonzero(classes == digit)[0]) for digit in range(10)]
    numbers = [(0, 0, 7), (1, 2, 3), (9, 8, 0)]
    stacks = torch.stack([torch.stack([images[first[digit]] for digit in number]) for number in numbers])
    stacks = torch.cat([stacks, stacks[:1] * torch.nan, stacks[:1] + torch.inf])
    assert stacked.classify(stacks).tolist() == [7, 123, 980, -1, -1]


def test_the_metric_reads_the_floor_for_the_data_and_less_for_a_collapsed_generator(stacked):
    """The data misread by 1 % a digit is all that the oracle may be above its floor."""
    metric = plugin("classes", "metric", "metrics")["classes"]
    oracle = metric.measure(stacked.sample(3000, random()), stacked)
    assert oracle["classes_covered"] == pytest.approx(oracle["classes_floor"], abs=25)
    assert oracle["class_kl"] == pytest.approx(oracle["class_kl_floor"], rel=0.1)
    assert oracle["classifier_accuracy"] > 0.98
    collapsed = metric.measure(stacked.sample(20, random()).repeat(150, 1, 1, 1), stacked)
    assert collapsed["classes_covered"] <= 20
    assert collapsed["class_kl"] > 3.5
    assert collapsed.keys() == {column.name for column in metric.columns}


def test_the_metric_has_nothing_to_say_of_data_without_classes():
    metric = plugin("classes", "metric", "metrics")["classes"]
    assert metric.measure(torch.zeros(10, 2), object()) == {}


# Polygons


def within(corners, points):
    """Which points lie to the left of all edges: corners (k, 2) against the clock, points (n, 2)."""
    edges = np.roll(corners, -1, 0) - corners
    apart = points[:, None] - corners
    return (edges[:, 0] * apart[..., 1] - edges[:, 1] * apart[..., 0] > 0).all(1)


@pytest.mark.parametrize("settings", [{}, {"vertices": 5, "rotation": 360.0}, {"size": 17, "subpixels": 3, "angle": 0}])
def test_a_pixel_is_as_dark_as_the_share_of_its_points_within_the_polygon(settings):
    """Against the plain definition, point by point."""
    data = plugin("polygons")["polygons"].build(**{**plugin_defaults(), **settings})
    images = data.sample(20, random(1))
    corners = data.corners(torch.rand(20, data.vertices + 1, generator=random(1))).double().numpy()
    size, fine = data.shape[1], data.subpixels
    place = (np.arange(size * fine) + 0.5) / fine
    points = np.stack(np.meshgrid(place, place), axis=-1).reshape(-1, 2)  # rows are y
    for image, polygon in zip(images, corners, strict=True):
        share = within(polygon, points).reshape(size, fine, size, fine).mean(axis=(1, 3))
        apart = np.abs(image[0].numpy() - (1 - 2 * share))
        # float32 may put a point that lies on an edge on its other side.
        assert (apart <= 2.001 / fine**2).all()
        assert (apart < 1e-6).mean() > 0.99


def plugin_defaults():
    return {"vertices": 3, "angle": 20.0, "scale": 0.75, "size": 28, "subpixels": 8}


def test_the_area_is_right_and_the_polygon_in_the_middle():
    data = plugin("polygons")["polygons"].build(rotation=360.0)
    dark = (1 - data.sample(200, random(2)).squeeze(1).double()) / 2
    x, y = data.corners(torch.rand(200, 4, generator=random(2))).double().unbind(-1)
    area = (x * y.roll(-1, 1) - y * x.roll(-1, 1)).sum(1) / 2
    assert torch.allclose(dark.sum((1, 2)), area, rtol=0.03, atol=0.5)
    assert torch.allclose(torch.stack([x, y]).mean(2), torch.tensor(14.0, dtype=torch.float64), atol=1e-4)


def test_corners_are_half_the_angle_apart_as_public_code_has_it():
    """arXiv:1711.10337's generator: each in its own sector, turned by no more than 2 pi degrees."""
    data = plugin("polygons")["polygons"].build()
    extremes = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 4)
    corners = data.corners(torch.cat([extremes, torch.rand(1000, 4, generator=random())])).double()
    # Shifted as they are, they still lie on a circle about their own centre: chords say the angles.
    chord = (corners.roll(-1, 1) - corners).norm(dim=-1)
    radius = 0.75 * 28 / 2
    assert chord.min() == pytest.approx(2 * radius * np.sin(np.radians(10 / 2)), rel=1e-3)
    straight = data.corners(torch.tensor([[0.5, 0.5, 0.5, 0.0], [0.5, 0.5, 0.5, 1.0]])).double()
    first, last = (np.arctan2(*(one[0] - one.mean(0)).flip(0).numpy()) for one in straight)
    assert np.degrees(last - first) == pytest.approx(2 * np.pi, rel=1e-4)


def test_polygons_are_drawn_from_the_generator_alone_however_many():
    data = plugin("polygons")["polygons"].build(size=12, subpixels=4)
    many = data.sample(1000, random(3))
    assert many.shape == (1000, 1, 12, 12)
    assert many.dtype == torch.float32
    assert torch.equal(many, data.sample(1000, random(3)))
    assert len({image.numpy().tobytes() for image in many}) > 990


def test_an_angle_with_no_room_for_it_is_refused():
    with pytest.raises(ValueError, match=r"^angle must be at most 60 degrees for 6 corners"):
        plugin("polygons")["polygons"].build(vertices=6, angle=70.0)


# Files


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    return tmp_path


def idx(values):
    """LeCun's format: two zero bytes, the type of unsigned bytes, the axes, their sizes, the values."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


def pixels(n, *shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)


def write_mnist(folder, *, packed=False, training=60, test=20):
    folder.mkdir(parents=True)
    kept = {}
    for part, n in (("train", training), ("t10k", test)):
        images, labels = pixels(n, 28, 28, seed=n), np.arange(n) % 10
        for stem, values in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            path, content = folder / stem, idx(values)
            if packed:
                path.with_name(f"{stem}.gz").write_bytes(gzip.compress(content))
            else:
                path.write_bytes(content)
        kept[part] = images
    return kept


def scaled(values):
    return torch.tensor(values).float() / 127.5 - 1


@pytest.mark.parametrize("packed", [False, True], ids=["raw", "gz"])
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST")])
def test_idx_files_are_read_packed_or_not(data, name, folder, packed):
    kept = write_mnist(data / folder, packed=packed)
    found = plugin("mnist")[name].build()
    assert found.shape == (1, 28, 28)
    torch.testing.assert_close(found.training, scaled(kept["train"])[:, None])
    torch.testing.assert_close(found.held_out, scaled(kept["t10k"])[:, None])
    assert (found.training.min(), found.training.max()) == (-1, 1)
    drawn = found.sample(50, random())
    assert drawn.dtype == torch.float32
    assert {one.numpy().tobytes() for one in drawn} <= {one.numpy().tobytes() for one in found.training}


def test_torchvision_reads_the_same_from_the_same_folder(data):
    datasets = pytest.importorskip("torchvision.datasets", exc_type=ImportError)
    write_mnist(data / "MNIST" / "raw")
    theirs = datasets.MNIST(str(data), train=False)
    ours = plugin("mnist")["mnist"].build().held_out
    torch.testing.assert_close(ours, theirs.data[:, None].float() / 127.5 - 1)


def test_a_border_makes_28_pixels_32(data):
    write_mnist(data / "MNIST")
    plain, wide = (plugin("mnist")["mnist"].build(size=size) for size in (28, 32))
    assert wide.shape == (1, 32, 32)
    assert torch.equal(wide.training[:, :, 2:-2, 2:-2], plain.training)
    assert (wide.held_out[:, :, :2] == -1).all()


def test_stacked_mnist_stacks_and_classifies(data):
    write_mnist(data / "MNIST")
    value = plugin("stacked_mnist")["stacked-mnist"]
    found = value.build()
    assert found is value.build(download=True), "its classifier would be fitted again"
    assert found.shape == (3, 28, 28)
    assert found.held_out.shape == (20, 3, 28, 28)
    stacks = found.sample(30, random())
    classes = found.classify(stacks)
    assert classes.shape == (30,)
    assert ((classes >= 0) & (classes < 1000)).all()


def write_cifar(folder, each=6):
    folder.mkdir()
    kept = []
    for k, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        images = pixels(each, 3072, seed=k)
        (folder / name).write_bytes(as_python_2(images, [i % 10 for i in range(each)]))
        kept.append(images.reshape(-1, 3, 32, 32))
    return kept


def as_python_2(images, labels):
    """Opcode by opcode as Python 2's cPickle and numpy of that time wrote them: text and values are plain strings."""

    def text(content):
        return b"T" + len(content).to_bytes(4, "little") + content

    def number(value):
        return b"J" + value.to_bytes(4, "little", signed=True)

    def together(*parts):
        return b"(" + b"".join(parts) + b"t"

    kind = b"cnumpy\ndtype\n" + together(text(b"u1"), number(0), number(1)) + b"R"
    kind += together(number(3), text(b"|"), b"NNN", number(-1), number(-1), number(0)) + b"b"
    array = b"cnumpy.core.multiarray\n_reconstruct\n"
    array += together(b"cnumpy\nndarray\n", together(number(0)), text(b"b")) + b"R"
    shape = together(*map(number, images.shape))
    array += together(number(1), shape, kind, b"\x89", text(images.tobytes())) + b"b"
    classes = b"](" + b"".join(map(number, labels)) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + classes + b"u."


def test_batches_of_cifar_10_are_read_as_python_2_wrote_them(data):
    kept = write_cifar(data / "cifar-10-batches-py")
    found = plugin("cifar10")["cifar10"].build()
    assert found.shape == (3, 32, 32)
    torch.testing.assert_close(found.training, scaled(np.concatenate(kept[:5])))
    torch.testing.assert_close(found.held_out, scaled(kept[5]))


def test_batches_that_python_3_wrote_are_read_too(data):
    write_cifar(data / "cifar-10-batches-py")
    for path in (data / "cifar-10-batches-py").iterdir():
        entry = {"data": pixels(6, 3072), "labels": [0] * 6}
        path.write_bytes(pickle.dumps(entry, protocol=2 if path.name == "test_batch" else 4))
    torch.testing.assert_close(
        plugin("cifar10")["cifar10"].build().held_out, scaled(pixels(6, 3072)).reshape(6, 3, 32, 32)
    )


class Caller:
    def __reduce__(self):
        return sys.exit, (99,)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pickle.dumps(Caller()), r"asks for sys\.exit"),
        (b"\x80\x04nonsense", "is no batch"),
        (b"", "is no batch"),
        (pickle.dumps({"labels": [0]}), "data"),
        (pickle.dumps({"data": pixels(2, 3072), "labels": [0]}), "for 1 labels"),
    ],
)
def test_a_batch_that_is_none_is_refused_in_one_line_and_calls_nothing(data, content, why):
    write_cifar(data / "cifar-10-batches-py")
    (data / "cifar-10-batches-py" / "data_batch_3").write_bytes(content)
    with pytest.raises(
        ValueError, match=rf"data_batch_3: is no batch of CIFAR-10: .*{why}|data_batch_3: {why}"
    ) as raised:
        plugin("cifar10")["cifar10"].build()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("stem", "content", "why"),
    [
        ("train-images-idx3-ubyte", b"<html>", "is no idx file of unsigned bytes with 3 axes"),
        ("train-images-idx3-ubyte", idx(pixels(60, 28, 28))[:-1], "but its header declares the shape"),
        ("train-images-idx3-ubyte", idx(pixels(60, 27, 27)), "but its header declares the shape"),
        ("train-images-idx3-ubyte", b"", "is no idx file"),
        ("t10k-labels-idx1-ubyte", idx(np.zeros(21)), "21 labels for 20 images"),
    ],
)
def test_a_damaged_idx_file_is_named(data, stem, content, why):
    write_mnist(data / "MNIST")
    (data / "MNIST" / stem).write_bytes(content)
    with pytest.raises(ValueError, match=f"{stem}: .*{why}"):
        plugin("mnist")["mnist"].build()


def test_a_damaged_packed_file_is_named(data):
    write_mnist(data / "MNIST", packed=True)
    path = data / "MNIST" / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"ubyte\.gz: cannot be read"):
        plugin("mnist")["mnist"].build()


# How to get what is not there


@pytest.mark.parametrize(
    ("file", "name", "what"),
    [
        ("mnist", "mnist", "MNIST"),
        ("mnist", "fashion-mnist", "FashionMNIST"),
        ("stacked_mnist", "stacked-mnist", "MNIST"),
        ("cifar10", "cifar10", "CIFAR-10"),
    ],
)
def test_a_set_that_is_not_there_says_in_one_line_how_to_get_it(data, file, name, what):
    with pytest.raises(MissingDataError, match=f"^{what} is not there.*--data DIR.*download: true") as raised:
        plugin(file)[name].build()
    assert str(data) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("file", "name"), [("mnist", "mnist"), ("cifar10", "cifar10")])
def test_a_download_asks_torchvision_and_only_where_something_is_missing(data, monkeypatch, file, name):
    asked = []

    class Datasets:
        @staticmethod
        def MNIST(root, download):
            asked.append(root)
            write_mnist(Path(root) / "MNIST" / "raw")

        @staticmethod
        def CIFAR10(root, download):
            asked.append(root)
            write_cifar(Path(root) / "cifar-10-batches-py")

    monkeypatch.setitem(sys.modules, "torchvision", type("torchvision", (), {"datasets": Datasets}))
    for _ in range(2):
        plugin(file)[name].build(download=True)
    assert asked == [str(data)]


def test_a_torchvision_that_does_not_work_and_a_network_that_is_not_there_are_told(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ValueError, match=r"^download: needs torchvision, which cannot be imported"):
        plugin("mnist")["mnist"].build(download=True)

    def refuse(root, download):
        raise RuntimeError("Error downloading it:\nTried there, got:\nnothing")

    datasets = type("datasets", (), {"MNIST": staticmethod(refuse)})
    monkeypatch.setitem(sys.modules, "torchvision", type("torchvision", (), {"datasets": datasets}))
    with pytest.raises(ValueError, match=r"^download: MNIST could not be put into .*: Error downloading it: Tried"):
        plugin("mnist")["mnist"].build(download=True)


SUITE = """suite: images
seeds: 1
budget: {steps: 2, batch: 4}
evaluate: {samples: 30}
datasets: {m: mnist}
defaults: {architecture: {width: 4}}
variants: {a: {loss: minimax}}
metrics: [jsd]
"""


def test_the_option_says_where_data_lies_and_a_missing_set_is_a_mistake_of_the_suite(tmp_path, monkeypatch):
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "elsewhere"))  # put back as it was, whatever the option sets
    monkeypatch.chdir(tmp_path)
    Path("images.yaml").write_text(SUITE, encoding="utf-8")
    plan = ["plan", "images.yaml", "--device", "cpu", "--engine", "eager"]
    missed = CliRunner().invoke(cli, plan)
    assert missed.exit_code == 2
    assert missed.output.startswith("images.yaml:5:")
    assert "MNIST is not there" in missed.output
    assert CliRunner().invoke(cli, [*plan, "--data", "nowhere"]).output.strip() == (
        "--data nowhere: there is no such folder"
    )
    Path("there").mkdir()
    missed = CliRunner().invoke(cli, [*plan, "--data", "there"])
    assert f"no {tmp_path / 'there' / 'MNIST'}" in missed.output
    assert data_folder() == tmp_path / "there"


def test_data_lies_in_the_users_cache_unless_said(monkeypatch):
    monkeypatch.delenv("GANBENCH_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert data_folder() == Path("cache/ganbench")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_folder() == Path.home() / ".cache" / "ganbench"

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(ValueError, match="no home folder to keep data sets in: give one with --data DIR"):
        data_folder()


def test_bytes_stay_bytes_until_they_are_drawn():
    """A set of images in float32 takes four times the memory."""
    found = Finite(pixels(10, 1, 4, 4), pixels(5, 1, 4, 4))
    assert found.sample(3, random()).abs().max() <= 1
    assert all(tensor.dtype == torch.uint8 for tensor in found._on_device.values())
    with pytest.raises(ValueError, match="differ in shape"):
        Finite(pixels(10, 1, 4, 4), pixels(5, 1, 4, 3))


@pytest.mark.parametrize("name", ["mnist", "cifar10", "stacked_mnist", "stacked_digits", "polygons"])
def test_listing_waits_for_neither_scikit_learn_nor_torchvision(name):
    loaded = {module: sys.modules.pop(module) for module in list(sys.modules) if module.startswith("torchvision")}
    try:
        runpy.run_path(str(FOLDER / "datasets" / f"{name}.py"))
        assert "torchvision" not in sys.modules
    finally:
        sys.modules.update(loaded)
