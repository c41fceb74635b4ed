"""Points of one's own: what a file holds is what is trained on, and what is wrong with it is one line."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from ganbench.data.own_files import OwnFiles
from ganbench.data.point_files import read_points
from ganbench.record.identity import identity_of
from ganbench.suite.load import load, parse
from ganbench.suite.mistake import SuiteError
from ganbench.train.data import build_dataset
from ganbench.train.fingerprint import fingerprint

PLUGIN = "# none"
N = 60
XY = np.random.RandomState(1).randn(N, 2).round(4)
KIND = np.where(XY[:, 0] > 0, "right", "left")
SUITE = """
suite: own
seeds: 2
budget: {steps: 4, batch: 8}
evaluate: {samples: 400}
datasets: {own: DATA}
references: []
defaults: {architecture: {width: 8}}
variants: {it: {loss: nonsaturating}}
metrics: [jsd, modes, memorisation]
"""


@pytest.fixture
def build(shipped, tmp_path):
    """The data set of a file beside the suite: ``build(file="x.csv")``."""
    return lambda **given: shipped.get("dataset", "points").build(
        {"held_out": 0.25, "split_seed": 0} | given, find=OwnFiles(tmp_path)
    )


@pytest.fixture
def mistake(shipped, tmp_path):
    """The one mistake that a suite with this data has, after the suite's own path."""

    def line(data):
        (tmp_path / "own.yaml").write_text(SUITE.replace("DATA", data))
        with pytest.raises(SuiteError) as error:
            load(tmp_path / "own.yaml", shipped)
        return str(error.value).removeprefix(str(tmp_path / "own.yaml"))

    return line


def table(folder, name="x.csv", **more):
    frame = pd.DataFrame({"x": XY[:, 0], "kind": KIND, "y": XY[:, 1]} | more)
    if name.endswith(".parquet"):
        frame.to_parquet(folder / name)
    else:
        frame.to_csv(folder / name, index=False, sep=";" if name.endswith(".txt") else ",")


def rows(dataset):
    return {tuple(row) for part in (dataset.training, dataset.held_out) for row in part.numpy().round(4).tolist()}


WHOLE = {tuple(row) for row in XY.astype(np.float32).round(4).tolist()}


def write(folder, kind):
    """The same points, as each kind of file has them, and what a suite says of it."""
    file = folder / f"x{kind}"
    if kind == ".npy":
        np.save(file, XY)
    elif kind == ".npz":
        np.savez(file, x=XY[:, 0], kind=KIND, y=XY[:, 1])
    elif kind == ".csv.gz":
        with gzip.open(file, "wt") as packed:
            packed.write("x\ty\n" + "".join(f"{x}\t{y}\n" for x, y in XY))
    elif kind == " plain.txt":
        np.savetxt(file, XY)
    else:
        table(folder, file.name)
    return {"file": file.name} | ({"label": "kind"} if kind in (".npz", ".csv", ".txt", ".parquet") else {})


@pytest.mark.parametrize("kind", [".npy", ".npz", ".csv", ".txt", ".csv.gz", " plain.txt", ".parquet"])
def test_every_row_of_a_file_is_trained_on_or_held_out(kind, build, tmp_path):
    if kind == ".parquet":
        pytest.importorskip("pyarrow")
    data = build(**write(tmp_path, kind))
    assert (len(data.training), len(data.held_out), data.shape) == (45, 15, (2,))
    assert rows(data) == {tuple(np.float32(row).round(4).tolist()) for row in WHOLE}
    again = build(**write(tmp_path, kind))
    other = build(**write(tmp_path, kind), split_seed=1)
    assert torch.equal(data.held_out, again.held_out)
    assert not torch.equal(data.held_out, other.held_out)


def test_columns_are_taken_by_name_or_number_in_the_order_given(build, tmp_path):
    table(tmp_path)
    both, one = build(file="x.csv", columns=["y", 0]), build(file="x.csv", columns=["y"])
    assert torch.equal(both.training[:, :1], one.training)
    assert rows(build(file="x.csv", columns=["x", "y"])) == {(x, y) for y, x in rows(both)}


def test_standardised_columns_have_mean_0_and_std_1_where_they_are_trained_on_and_it_is_said(build, tmp_path):
    table(tmp_path)
    plain, scaled = (build(file="x.csv", label="kind", standardised=one) for one in (False, True))
    assert torch.allclose(scaled.training.mean(0), torch.zeros(2), atol=1e-6)
    assert torch.allclose(scaled.training.std(0, correction=0), torch.ones(2), atol=1e-6)
    mean, std = plain.training.mean(0), plain.training.std(0, correction=0)
    assert torch.allclose(scaled.held_out, (plain.held_out - mean) / std, atol=1e-5)
    assert plain.description == "x.csv: 45 rows to train on, 15 held out by split_seed 0; not standardised"
    assert f"standardised by mean and std (x by {mean[0]:.4g}" in scaled.description


def test_a_run_is_measured_by_neighbours_by_modes_and_by_memorisation_and_says_how_the_data_were_made(
    run_text, tmp_path, monkeypatch
):
    table(tmp_path)
    monkeypatch.chdir(tmp_path)
    found = run_text(SUITE.replace("DATA", "{name: points, file: x.csv, label: kind, held_out: 0.5}"), engine="eager")
    seeds = pd.read_csv(found.folder.seeds)
    trained, oracle = seeds[seeds.variant == "it"], seeds[seeds.variant == "oracle"]
    assert list(trained.jsd_method) == ["neighbours"] * 2
    assert trained[["jsd", "modes_covered", "copied"]].notna().all(axis=None)
    assert list(oracle.modes_covered) == [2, 2]
    assert "x.csv: 30 rows to train on, 30 held out by split_seed 0; not standardised" in oracle.message.iloc[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            "{name: points, file: none.csv}",
            ":6:38 datasets.own.file: file none.csv: is not in FOLDER; --data DIR names",
        ),
        (
            "{name: points, file: x.csv}",
            "datasets.own: columns: FOLDER/x.csv has text in column 'kind' ('right' in row 2)",
        ),
        ("{name: points, file: x.csv, columns: [x, z]}", "columns: FOLDER/x.csv has no column 'z'; known: kind, x, y"),
        ("{name: points, file: x.csv, columns: [x, x]}", "columns: 'x' is there twice"),
        ("{name: points, file: x.csv, label: kin}", "label: FOLDER/x.csv has no column 'kin', did you mean 'kind'?"),
        ("{name: points, file: x.csv, columns: [x], label: y}", "label: column 'y' of FOLDER/x.csv has 60 different"),
        ("{name: points, file: x.csv, columns: [x, y], modes: [[0]]}", "modes: each must have 2 coordinates"),
        (
            "{name: points, file: x.csv, columns: [x, y], modes: [[0, 0], [99, 0]]}",
            "modes: [99.0, 0.0] has 0 of 48 rows",
        ),
        ("{name: points, file: x.csv, label: kind, modes: [[0, 0]]}", "modes: label says already"),
        ("{name: points, file: nan.csv}", "file FOLDER/nan.csv: its column 'y' has no number in row 3, and is not"),
        (
            "{name: points, file: inf.npy}",
            "file FOLDER/inf.npy: its column '1' has inf in row 5, and is not finite in 2",
        ),
        ("{name: points, file: flat.csv, standardised: true}", "standardised: column 'c' has one value alone"),
        ("{name: points, file: index.csv}", "file FOLDER/index.csv: has a column without a name, as row numbers have"),
        ("{name: points, file: empty.csv}", "file FOLDER/empty.csv: is empty"),
        ("{name: points, file: head.csv}", "file FOLDER/head.csv: has no rows"),
        ("{name: points, file: objects.npy}", "file FOLDER/objects.npy: cannot be read: holds Python objects"),
        ("{name: points, file: cube.npy}", "file FOLDER/cube.npy: its array has the shape (4, 2, 2), and points have"),
        ("{name: points, file: uneven.npz}", "file FOLDER/uneven.npz: its arrays are of different lengths"),
        ("{name: points, file: torn.npz}", "file FOLDER/torn.npz: cannot be read"),
        ("{name: points, file: x.xlsx}", "file FOLDER/x.xlsx: must end in .npy, .npz, .csv, .tsv, .txt or .parquet"),
        ("{name: points, file: .}", "file FOLDER: is a folder"),
        ("{name: points, file: rare.csv, label: kind}", "label: 'odd' has "),
        ("{name: points, file: mixed.csv, label: kind}", "they are among the others, and no modes"),
        ("{name: points}", "needs the parameter 'file'"),
        (
            "{name: points, file: numbered.csv}",
            "FOLDER/numbered.csv has row numbers in column 'Id': name the columns of coor",
        ),
        (
            "{name: points, file: x.csv, modes: 2}",
            "must be the centres of the modes, a list of points such as [[0, 0], [1,",
        ),
        ("{name: points, file: x.csv, columns: 'x, y'}", "not 'x, y': write [x, y]"),
        ("{name: points, file: 'https://x.org/x.csv'}", "nothing is downloaded: fetch it"),
        ("{name: points, file: x.csv, held_out: 1}", "held_out: must be a number above 0 and below 1, not 1"),
    ],
)
def test_a_mistake_is_one_line_at_its_place(data, says, mistake, tmp_path):
    table(tmp_path)
    table(tmp_path, "mixed.csv", kind=np.resize(["a", "b", "c"], N))
    table(tmp_path, "rare.csv", kind=np.where(np.arange(N) < 3, "odd", "usual"))
    (tmp_path / "nan.csv").write_text("x,y\n1,2\n3,\n" + "5,6\n" * 8)
    (tmp_path / "flat.csv").write_text("x,c\n" + "".join(f"{x * x},3\n" for x in range(20)))
    (tmp_path / "index.csv").write_text(",x\n" + "".join(f"{x},{x}\n" for x in range(20)))
    (tmp_path / "numbered.csv").write_text("Id,x\n" + "".join(f"{x + 1},{x * x}\n" for x in range(20)))
    (tmp_path / "empty.csv").write_text("\n")
    (tmp_path / "head.csv").write_text("x,y\n")
    (tmp_path / "x.xlsx").write_text("PK")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04torn")
    np.save(tmp_path / "inf.npy", np.where(np.arange(20)[:, None] // 2 == 2, [0, np.inf], [1.0, 2.0]))
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    np.save(tmp_path / "cube.npy", np.zeros((4, 2, 2)))
    np.savez(tmp_path / "uneven.npz", x=np.zeros(3), y=np.zeros(4))
    line = mistake(data)
    assert "\n" not in line
    assert says.replace("FOLDER", str(tmp_path)) in line


def test_a_file_without_names_keeps_its_first_row(build, tmp_path):
    (tmp_path / "bare.csv").write_text("".join(f"{x},{y}\n" for x, y in XY))
    assert rows(build(file="bare.csv")) == {tuple(np.float32(row).round(4).tolist()) for row in WHOLE}


def test_paths_begin_at_the_suite_wherever_it_is_run_and_the_runs_own_suite_finds_them_too(
    shipped, tmp_path, monkeypatch
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "elsewhere").mkdir()
    table(tmp_path / "mine")
    (tmp_path / "mine/own.yaml").write_text(SUITE.replace("DATA", "{name: points, file: x.csv, label: kind}"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    suite = load("../mine/own.yaml", shipped)
    resolved = parse(suite.to_yaml(), shipped)
    assert resolved == suite
    assert f"relative_to: {tmp_path / 'mine'}" in suite.to_yaml()
    assert "file: x.csv" in suite.to_yaml()


def test_what_is_not_beside_the_suite_is_looked_for_in_the_data_folder(shipped, tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    table(tmp_path / "data")
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "own.yaml").write_text(SUITE.replace("DATA", "{name: points, file: x.csv, label: kind}"))
    assert load(tmp_path / "own.yaml", shipped).datasets
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path / "none"))
    with pytest.raises(SuiteError, match=r"file x\.csv: is not in .* nor in .*none"):
        load(tmp_path / "own.yaml", shipped)


def test_the_identity_of_a_run_is_of_the_numbers_in_the_file_and_not_of_where_it_lies(shipped, tmp_path):
    text = SUITE.replace("DATA", "{name: points, file: x.csv, label: kind}")
    found = []
    for name, shift in (("here", 0.0), ("there", 0.0), ("there", 1.0)):
        (tmp_path / name).mkdir(exist_ok=True)
        table(tmp_path / name, x=XY[:, 0] + shift)
        (tmp_path / name / "own.yaml").write_text(text)
        suite = load(tmp_path / name / "own.yaml", shipped)
        data = {"own": fingerprint(suite.datasets["own"])}
        about = dict.fromkeys(("versions", "device", "engine", "source", "environment")) | {"plugins": [], "data": data}
        found.append(identity_of(about, suite.to_yaml()))
    assert found[0] == found[1] != found[2]


def test_the_lines_of_the_page_work_with_the_files_that_they_name(shipped, tmp_path):
    page = (Path(__file__).parents[2] / "plugins/datasets/README.md").read_text(encoding="utf-8")
    lines = re.search(r"```yaml fragment\n(datasets:.*?)```", page, re.DOTALL)[1]
    frame = pd.DataFrame({"length": XY[:, 0], "width": XY[:, 1], "species": KIND})
    frame.to_csv(tmp_path / "flowers.csv", index=False)
    (tmp_path / "faces").mkdir()
    for at in range(10):
        Image.effect_noise((40, 60 + at), 50).save(tmp_path / f"faces/{at}.png")
    (tmp_path / "own.yaml").write_text(SUITE.replace("datasets: {own: DATA}\n", lines))
    suite = load(tmp_path / "own.yaml", shipped)
    assert [build_dataset(choice).shape for choice in suite.datasets.values()] == [(2,), (1, 32, 32)]


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("a;b\n3,126;-0,5\n0,25;1e-2\n".replace("1e-2", "1,0e-2"), [[3.126, -0.5], [0.25, 0.01]]),
        ("a;b\n0,5;1\n,25;2\n", [[0.5, 1], [0.25, 2]]),
        ('"0,5","1,25"\n"0,75","2,5"\n', [[0.5, 1.25], [0.75, 2.5]]),
        ("a\tb\n1,5\t7\n2,5\t8\n", [[1.5, 7], [2.5, 8]]),
    ],
)
def test_numbers_with_decimal_commas_are_numbers(tmp_path, text, points):
    (tmp_path / "x.csv").write_text(text)
    assert read_points(tmp_path / "x.csv", None, None).points.tolist() == points


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("3,126;-0,5\n0,25;1,0\n", [[3.126, -0.5], [0.25, 1]]),
        ("0,5 1,25\n0,75 2,5\n", [[0.5, 1.25], [0.75, 2.5]]),
        ('1,"x; y"\n2,"z; y"\n', [[1], [2]]),
    ],
)
def test_numbers_with_decimal_commas_need_no_names_above_them(tmp_path, text, points):
    (tmp_path / "x.csv").write_text(text)
    assert read_points(tmp_path / "x.csv", [0, 1][: len(points[0])], None).points.tolist() == points


def test_one_number_with_a_decimal_comma_is_not_read_as_two(tmp_path):
    (tmp_path / "x.csv").write_text("0,126\n0,640\n0,045\n")
    with pytest.raises(ValueError, match="has rows such as '0,045', which may be one number with a decimal comma or"):
        read_points(tmp_path / "x.csv", None, None)
    (tmp_path / "x.csv").write_text("3,10\n4,20\n")
    assert read_points(tmp_path / "x.csv", None, None).points.tolist() == [[3, 10], [4, 20]]


def test_the_numbers_that_pandas_writes_above_an_array_are_no_row_and_it_is_said(build, tmp_path):
    pd.DataFrame(XY).to_csv(tmp_path / "x.csv", index=False)
    data = build(file="x.csv")
    assert rows(data) == {tuple(np.float32(row).round(4).tolist()) for row in WHOLE}
    assert data.description.endswith("; the first line (0, 1) is taken for the columns' names")
    (tmp_path / "x.csv").write_text("0,1\n" + "5,7\n" * 20)
    assert len(read_points(tmp_path / "x.csv", None, None).points) == 21, "among whole numbers it is a row"


def test_rows_with_more_cells_than_names_lose_none_of_them_without_a_word(tmp_path):
    """As R writes them: its row numbers have no name, and would take the name of the first column."""
    (tmp_path / "x.csv").write_text('"x","y"\n' + "".join(f'"{at}",{x},{y}\n' for at, (x, y) in enumerate(XY, 1)))
    with pytest.raises(ValueError, match=r"has rows of 3 cells below 2 names, as row numbers have: .*row\.names"):
        read_points(tmp_path / "x.csv", None, None)
    (tmp_path / "x.csv").write_text("x,y\n1,2\n3,4\n5,6,7\n")
    with pytest.raises(ValueError, match="Expected 2 fields in line 4, saw 3"):
        read_points(tmp_path / "x.csv", None, None)
    for text in ("x,y,\n1,2,\n3,4,\n", "x,y\n1,2,\n3,4,\n"):
        (tmp_path / "x.csv").write_text(text)
        assert read_points(tmp_path / "x.csv", None, None).points.tolist() == [[1, 2], [3, 4]], "an end is no column"


def test_names_and_labels_are_read_without_the_spaces_around_them(tmp_path):
    (tmp_path / "x.csv").write_text("x, y, kind\n" + "1, 2, left\n3, 4,left \n5, 6,  right\n" * 3)
    found = read_points(tmp_path / "x.csv", ["y"], "kind")
    assert found.points[:3, 0].tolist() == [2, 4, 6]
    assert {*found.labels} == {"left", "right"}


def test_a_name_that_two_columns_have_names_none_of_them(tmp_path):
    (tmp_path / "x.csv").write_text("x,y,x\n1,2,3\n4,5,6\n")
    with pytest.raises(ValueError, match="has 2 columns 'x': give it by number, from 0"):
        read_points(tmp_path / "x.csv", ["x"], None)
    assert read_points(tmp_path / "x.csv", [2], None).points.tolist() == [[3], [6]]
    np.savez(tmp_path / "x.npz", x0=np.zeros(3), x=np.ones((3, 2)))
    with pytest.raises(ValueError, match="has two columns 'x0'"):
        read_points(tmp_path / "x.npz", None, None)


def test_text_is_read_as_utf_8_or_as_utf_16_and_all_else_is_named(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "x.csv").write_bytes("größe,y\n1,2\n".encode(encoding))
        assert read_points(tmp_path / "x.csv", ["größe"], None).points.tolist() == [[1]]
    (tmp_path / "x.csv").write_bytes("größe,y\n1,2\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"is not UTF-8 text: save it as UTF-8$"):
        read_points(tmp_path / "x.csv", None, None)


def test_columns_of_objects_that_are_no_text_are_named(tmp_path):
    pytest.importorskip("pyarrow")
    pd.DataFrame({"v": [[1.0, 2.0], [3.0, 4.0]]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="its column 'v' holds ndarray, and coordinates are numbers"):
        read_points(tmp_path / "x.parquet", None, None)


def test_values_that_are_one_as_float32_are_not_learned_as_one(build, tmp_path):
    """As the seconds of a clock: networks would see steps of 128."""
    np.save(tmp_path / "x.npy", np.column_stack([1.7e9 + XY[:, 0] * 100, XY[:, 1]]))
    with pytest.raises(ValueError, match=r"columns: '0' has 60 values, and \d+ as float32: .*standardised: true"):
        build(file="x.npy")
    assert len(build(file="x.npy", standardised=True).training) == 45


def test_a_file_that_numpy_wrote_has_its_names_after_a_sign(tmp_path):
    rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.savetxt(tmp_path / "x.txt", rows, header="of a study\nx y")
    np.savetxt(tmp_path / "y.txt", rows, header="two numbers each row", delimiter=",")
    named, nameless = (read_points(tmp_path / name, None, None) for name in ("x.txt", "y.txt"))
    assert named.columns == ("x", "y")
    assert nameless.columns == ("0", "1")
    assert named.points.tolist() == nameless.points.tolist() == rows.tolist()


def test_whole_numbers_that_are_named_as_columns_are_coordinates(tmp_path):
    (tmp_path / "x.csv").write_text("t,x\n" + "".join(f"{x},{x % 3}\n" for x in range(20)))
    assert read_points(tmp_path / "x.csv", ["t", "x"], None).points[:, 0].tolist() == list(range(20))


@pytest.mark.parametrize(
    "text", ["a;b\n3,126;2\n1,250;3\n", "a;b\n0,126;2.5\n1,250;3.5\n", 'a,b\n"1,250",3\n"7,500",2\n']
)
def test_commas_that_may_part_thousands_are_no_points(tmp_path, text):
    """3,126 is a number in two ways: neither is taken without a word, and what the line says to write is right."""
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(ValueError, match=r"commas may be decimal points or part thousands: write [\d.]+, or \d+"):
        read_points(tmp_path / "x.csv", None, None)


def test_a_column_of_many_texts_is_not_taken_for_a_label(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n" + "".join(f"t{row},{row}\n" for row in range(20)))
    with pytest.raises(ValueError, match=r"name the columns of numbers, as columns: \[x, y\]$"):
        read_points(tmp_path / "x.csv", None, None)


@pytest.mark.parametrize(("shape", "what"), [((0, 2), "rows"), ((0,), "rows"), ((5, 0), "columns")])
def test_an_array_of_nothing_says_so(tmp_path, shape, what):
    np.save(tmp_path / "x.npy", np.zeros(shape))
    with pytest.raises(ValueError, match=f"has no {what}: its array has the shape"):
        read_points(tmp_path / "x.npy", None, None)


@pytest.mark.parametrize(
    ("path", "says"), [("~/no-such.npy", "there is no such file, it is /"), ("*.npy", "no pattern is read")]
)
def test_a_path_as_a_shell_reads_it(tmp_path, path, says):
    with pytest.raises(ValueError, match=says):
        OwnFiles(tmp_path)(path)
