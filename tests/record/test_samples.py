"""Files of samples: what is read is what was written, and what cannot be scored is refused in one line."""

from __future__ import annotations

import builtins
import contextlib
import gzip
import json
import os
import struct
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import savemat

from ganbench.record import sample_file, text_stream
from ganbench.record.sample_file import UnreadableError
from ganbench.record.sample_tables import read_text
from ganbench.record.samples import keep, read

X = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refusal(folder):
    """``refusal("x.npy")``: the one line with which a file is refused."""

    def line(name):
        with pytest.raises(UnreadableError) as raised:
            read(type(folder)(name))
        text = str(raised.value)
        assert "\n" not in text
        assert text.startswith(name)
        return text.removeprefix(name)

    return line


def safetensors(path, arrays, metadata=None):
    """A .safetensors file by its specification: the header's length, the header, the bytes."""
    header, body = ({"__metadata__": metadata} if metadata else {}), b""
    for name, (dtype, array) in arrays.items():
        data = array.tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_what_a_run_keeps_is_read_back_with_its_seed_and_step(folder):
    keep(folder / "deep" / "3.npz", torch.from_numpy(X), seed=3, step=100)
    found = read(folder / "deep" / "3.npz")
    assert (found.seed, found.step, found.notes, found.rows) == (3, 100, (), False)
    assert np.array_equal(found.values, X)
    assert [path.name for path in (folder / "deep").iterdir()] == ["3.npz"]


def write_csv(path, **options):
    pd.DataFrame(X, columns=options.pop("columns", None)).to_csv(path, **options)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("x.npy", lambda path: np.save(path, X)),
        ("x.NPY", lambda path: path.write_bytes(_npy(X))),
        ("fortran.npy", lambda path: np.save(path, np.asfortranarray(X))),
        ("big-endian.npy", lambda path: np.save(path, X.astype(">f4"))),
        ("only.npz", lambda path: np.savez(path, anything=X)),
        ("packed.npz", lambda path: np.savez_compressed(path, samples=X, other=X[:3])),
        ("bare.csv", lambda path: write_csv(path, index=False, header=False)),
        ("named.csv", lambda path: write_csv(path, index=False, columns=["x", "y"])),
        ("numbered.csv", lambda path: write_csv(path, index=False)),
        ("indexed.csv", lambda path: write_csv(path)),
        ("bom.csv", lambda path: write_csv(path, index=False, columns=["x", "y"], encoding="utf-8-sig")),
        ("semicolons.csv", lambda path: write_csv(path, index=False, header=False, sep=";")),
        ("savetxt.csv", lambda path: np.savetxt(path, X, header="x y")),
        ("tabs.csv", lambda path: np.savetxt(path, X, delimiter="\t", fmt="%.9g")),
        ("crlf.csv", lambda path: write_csv(path, index=False, lineterminator="\r\n")),
        ("cr.csv", lambda path: write_csv(path, index=False, lineterminator="\r")),
        ("x.tsv", lambda path: write_csv(path, index=False, sep="\t")),
        ("x.txt", lambda path: np.savetxt(path, X)),
        ("matlab.dat", lambda path: np.savetxt(path, X, header="x y", comments="% ")),
        ("utf-16.csv", lambda path: write_csv(path, index=False, encoding="utf-16")),
        *[(f"packed.csv.{end}", lambda path: write_csv(path, index=False)) for end in ("gz", "bz2", "xz", "zip")],
        ("packed.txt.gz", lambda path: np.savetxt(path, X)),
        ("quoted.csv", lambda path: write_csv(path, index=False, columns=["x", "y"], quoting=1)),
        ("tensor.pt", lambda path: torch.save(torch.from_numpy(X).requires_grad_(), path)),
        ("old.pth", lambda path: torch.save(torch.from_numpy(X), path, _use_new_zipfile_serialization=False)),
        ("named.pt", lambda path: torch.save({"samples": torch.from_numpy(X), "z": torch.zeros(3)}, path)),
        ("x.mat", lambda path: savemat(path, {"samples": X, "z": [1.0, 2.0]}, do_compression=True)),
    ],
)
def test_what_was_written_is_read(name, write, folder):
    """To the last bit, whatever wrote it."""
    write(folder / name)
    found = read(folder / name)
    assert found.values.dtype == np.float32
    assert np.array_equal(found.values, X)
    assert found.seed is None


def _npy(array):
    import io

    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def test_a_safetensors_file_is_read(folder):
    safetensors(folder / "x.safetensors", {"z": ("F32", X[:1]), "samples": ("F32", X)}, {"format": "pt"})
    assert np.array_equal(read(folder / "x.safetensors").values, X)
    halves = (X.view(np.uint32) >> 16).astype(np.uint16)
    safetensors(folder / "half.safetensors", {"it": ("BF16", halves)})
    found = read(folder / "half.safetensors")
    assert np.abs(found.values - X).max() < 0.03
    assert found.notes[0].startswith("bfloat16: its rounding")


def test_a_parquet_file_is_read(folder, refusal):
    pytest.importorskip("pyarrow")
    pd.DataFrame(X, columns=["x", "y"]).to_parquet(folder / "x.parquet")
    found = read(folder / "x.parquet")
    assert (found.notes, found.rows) == ((), True)
    assert np.array_equal(found.values, X)
    pd.DataFrame({"x": X[:, 0], "label": ["a"] * 50}).to_parquet(folder / "label.parquet")
    assert "the column 'label' holds" in refusal("label.parquet")
    pd.DataFrame({"x": [1, 2]}).to_parquet(folder / "whole.parquet")
    assert "whole numbers (int64, 1 to 2)" in refusal("whole.parquet")
    nullable = pd.DataFrame(X, columns=["x", "y"]).astype("Float32")
    nullable.loc[3, "x"] = pd.NA
    nullable.to_parquet(folder / "nullable.parquet")
    found = read(folder / "nullable.parquet")
    assert np.array_equal(found.values, nullable.to_numpy(dtype=np.float32, na_value=np.nan), equal_nan=True)
    assert found.notes == ("1 of 50 samples are not finite: kept, as mass where there is no data",)
    pd.DataFrame({"x": pd.array([1, None, 3], dtype="Int64")}).to_parquet(folder / "gaps.parquet")
    assert "holds whole numbers, and none in 1 of 3 rows: scale them as the data is" in refusal("gaps.parquet")
    pd.DataFrame({"x": pd.array([1, 2], dtype="UInt8")}).to_parquet(folder / "bytes.parquet")
    assert "whole numbers (int64, 1 to 2)" in refusal("bytes.parquet")
    mixed = pd.DataFrame({"n": pd.array([3, None, 5], dtype="Int64"), "y": [0.5, 1.5, 2.5]})
    mixed.to_parquet(folder / "mixed.parquet")
    assert np.isnan(read(folder / "mixed.parquet").values[1, 0])
    for kind in ("double[pyarrow]", "float[pyarrow]", "int64[pyarrow]"):
        pd.DataFrame({"x": [0.5, 1.5], "n": [1, 2]}).astype({"x": "double[pyarrow]", "n": kind}).to_parquet(
            "arrow.parquet"
        )
        assert read(folder / "arrow.parquet").values.shape == (2, 2)
    (folder / "cut.parquet").write_bytes((folder / "x.parquet").read_bytes()[:-20])
    assert "is it whole?" in refusal("cut.parquet")


def test_a_missing_library_is_named_with_the_way_to_it(folder, refusal, monkeypatch):
    """As it is for somebody who has installed ganbench alone."""
    (folder / "x.parquet").write_bytes(b"PAR1")
    real = builtins.__import__

    def without(module, *rest):
        if module.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(module)
        return real(module, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert refusal("x.parquet") == ": reading it needs pyarrow: pip install 'ganbench[files]'"


@given(
    hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(width=32, allow_subnormal=False)
    )
)
def test_a_csv_is_read_to_the_last_bit_and_with_all_its_rows(tmp_path_factory, array):
    """NaN, infinities and whole numbers among them; float32 survives being written as text."""
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    names = [f"x{index}" for index in range(array.shape[1])]
    pd.DataFrame(array, columns=names).to_csv(path, index=False)
    table = read_text(path)
    assert table.notes == ()
    assert np.array_equal(table.values.astype(np.float32), array, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x,y\n1,2\n3,abc\n", ":3:3: must be a number, not 'abc'"),
        ("1,2\nabc,3\n", ":2:1: must be a number, not 'abc'"),
        ("a,1\n2,3\n", ":1:1: must be a number, not 'a'"),
        ("1,2\n3\n4,5\n", ":2:1: has 1 cell, and line 1 has 2"),
        ("1,2\n3,4,5\n", ":2:1: has 3 cells, and line 1 has 2"),
        ("2,5;1.5\n1,234.5;2\n", ":2:1: must be a number, not '1,234.5'"),
        ("x,y\nTrue,False\n", ":2:1: must be a number, not 'True': write 1 and 0 if these are meant"),
        ("1.5,2\n1.5,false\n", ":2:5: must be a number, not 'false': write 1 and 0 if these are meant"),
        ("x,y\n1,2024-02-30\n", ":2:3: must be a number, not '2024-02-30'"),
        ("1,2\n# 3,4\n", ":2:1: must be a number, not '# 3'"),
        ("1,(1+2j)\n", ":1:3: must be a number, not '(1+2j)'"),
        ("1,1_000\n", ":1:3: must be a number, not '1_000'"),
        ("x,y\n", ": holds no samples"),
        ("\n\n", ": holds no samples"),
        ("", ": is empty"),
    ],
)
def test_a_mistake_in_a_csv_is_told_where_it_is(text, line, folder, refusal):
    (folder / "x.csv").write_text(text)
    assert refusal("x.csv") == line


def test_empty_cells_are_missing_numbers_and_their_rows_stay(folder):
    (folder / "x.csv").write_text("x,y\n1,\n2,3\n,nan\n")
    found = read(folder / "x.csv")
    assert found.values.shape == (3, 2)
    assert found.notes == ("2 of 3 samples are not finite: kept, as mass where there is no data",)


@pytest.mark.parametrize(
    ("text", "values", "notes"),
    [
        ("1.5\n\n2\n", [1.5, np.nan, 2], []),
        ("x\n1.5\n  \n\n2", [1.5, np.nan, np.nan, 2], []),
        ("x\r\n\r\n2\r\n\r\n3\r\n", [2, np.nan, 3], ["1 empty line is left out"]),
        ('1\n""\n', [1, np.nan], []),
        ("1\n2\n\n \n", [1, 2], ["2 empty lines are left out"]),
        ("\n1\n\n2\n\n", [1, np.nan, 2], ["2 empty lines are left out"]),
    ],
)
def test_an_empty_line_of_a_single_column_is_a_missing_number(text, values, notes, folder):
    """Between others; those at the beginning and the end are left out, which is said."""
    (folder / "x.csv").write_bytes(text.encode())
    table = read_text(folder / "x.csv")
    assert np.array_equal(table.values[:, 0], values, equal_nan=True)
    assert list(table.notes) == notes


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_empty_lines_among_several_columns_are_left_out_and_said(separator, folder):
    (folder / "x.csv").write_text("1 2\n\n3 4\n\n\n".replace(" ", separator))
    table = read_text(folder / "x.csv")
    assert np.array_equal(table.values, [[1, 2], [3, 4]])
    assert table.notes == ("3 empty lines are left out",)


def test_what_was_guessed_of_a_csv_is_said(folder):
    write_csv(folder / "x.csv")
    assert read(folder / "x.csv").notes == (
        "the first line (, 0, 1) is taken for the columns' names",
        "the first column only counts the rows: left out",
    )
    (folder / "whole.csv").write_text("0,1\n5,6\n0,1\n")
    assert (len(read(folder / "whole.csv").values), read(folder / "whole.csv").notes) == (3, ())


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([[0, 255]], dtype=np.uint8), "whole numbers (uint8, 0 to 255): scale them as the data is"),
        (np.array([[True]]), "holds true or false: samples are real numbers, float32; save x.astype('float32') if"),
        (X.astype(np.float16).view("V2"), "holds raw bytes (|V2), as bfloat16 is saved: samples are real numbers"),
        (X.astype(complex), "holds complex numbers (complex128)"),
        (np.array(["a"]), "holds text"),
        (np.array([(1.0, 2.0)], dtype=[("a", "f4"), ("b", "f4")]), "holds records (a, b)"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "holds datetime64[D]"),
        (np.float32(1), "holds a single number"),
        (X[:0], "holds no samples"),
    ],
)
def test_what_no_sample_is_made_of_is_refused(array, words, folder, refusal):
    np.save(folder / "x.npy", array)
    assert words in refusal("x.npy")


def test_narrow_and_wide_floats_are_taken_with_a_note(folder):
    np.save(folder / "half.npy", X.astype(np.float16))
    np.save(folder / "double.npy", X.astype(np.float64))
    np.save(folder / "beyond.npy", np.array([[1e300, 0], [0, np.inf]]))
    assert read(folder / "half.npy").notes[0].startswith("float16: its rounding makes different samples equal")
    double = read(folder / "double.npy")
    assert double.notes == ("float64, scored as float32: a run's own samples are",)
    assert np.array_equal(double.values, X)
    assert read(folder / "beyond.npy").notes[1:] == (
        "1 of 4 numbers are beyond float32's range: taken as infinite",
        "2 of 2 samples are not finite: kept, as mass where there is no data",
    )


def test_python_objects_are_never_read(folder, refusal):
    """Reading one would run whatever code it names."""

    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    np.save(folder / "x.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    np.savez(folder / "x.npz", samples=np.array([Bomb()], dtype=object))
    for name in ("x.npy", "x.npz"):
        assert "Python objects, which are never read" in refusal(name)


def test_of_several_arrays_none_is_guessed(folder, refusal):
    np.savez(folder / "x.npz", a=X, b=X)
    np.savez(folder / "none.npz")
    none = ": holds the arrays a, b, none of them called 'samples': save the samples alone, or under that name"
    assert refusal("x.npz") == none
    assert refusal("none.npz") == ": holds no array"


@pytest.mark.parametrize("suffix", ["npy", "npz"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_file_cut_short_is_refused(suffix, share, folder, refusal):
    (np.save if suffix == "npy" else np.savez)(folder / f"x.{suffix}", X)
    whole = (folder / f"x.{suffix}").read_bytes()
    (folder / f"cut.{suffix}").write_bytes(whole[: int(share * len(whole))])
    assert "is it whole?" in refusal(f"cut.{suffix}") or "damaged" in refusal(f"cut.{suffix}")


def test_a_wrong_name_is_told(folder, refusal):
    np.save(folder / "x.npy", X)
    for name in ("x.npz", "x.csv", "x.parquet", "x.safetensors"):
        (folder / name).write_bytes((folder / "x.npy").read_bytes())
        assert refusal(name) == ": holds what a .npy file holds: rename it"
    (folder / "noise.npy").write_bytes(b"0123456789")
    assert refusal("noise.npy") == ": is no .npy file, or a damaged one"
    (folder / "x").write_bytes(b"1")
    assert refusal("x").endswith("files, not from one without an ending: save the array with numpy.save")
    (folder / "latin.csv").write_bytes("1,é\n".encode("latin-1"))
    assert refusal("latin.csv") == ": is not UTF-8 text: save it as UTF-8, or in ASCII alone"
    (folder / "x.d").mkdir()
    assert refusal("x.d").startswith(": is a folder, not a file of samples: stack all samples in one array")
    assert refusal("nowhere.npy") == ": no such file"


def test_the_hash_is_of_the_file(folder):
    import hashlib

    np.save(folder / "x.npy", X)
    assert read(folder / "x.npy").sha256 == hashlib.sha256((folder / "x.npy").read_bytes()).hexdigest()


# Row numbers, and other columns that are no coordinates


def indexed(order):
    return pd.DataFrame(X, columns=["x", "y"]).iloc[order]


SHUFFLED = np.random.default_rng(1).permutation(50)
R_TEXT = "".join(f'"{i + 1}",{x!r},{y!r}\n' for i, (x, y) in enumerate(X.tolist()))


@pytest.mark.parametrize(
    ("text", "values", "note"),
    [
        (indexed(range(50)).to_csv(), X, "the first column only counts the rows: left out"),
        (indexed(range(50)).to_csv(header=False), X, "the first column only counts the rows: left out"),
        (indexed(SHUFFLED).to_csv(), X[SHUFFLED], "whole numbers and without a name, is an index: left out"),
        (indexed(range(0, 50, 3)).to_csv(), X[::3], "whole numbers and without a name, is an index: left out"),
        (indexed([*range(25), *range(25)]).to_csv(), X[[*range(25), *range(25)]], "is an index: left out"),
        (indexed(SHUFFLED)[["x"]].to_csv(), X[SHUFFLED, :1], "is an index: left out"),
        ('"","x","y"\n' + R_TEXT, X, "the first column only counts the rows: left out"),
        ('"x","y"\n' + R_TEXT, X, "the first column only counts the rows: left out"),
        ('"x" "y"\n' + R_TEXT.replace(",", " "), X, "the first column only counts the rows: left out"),
        ("Unnamed: 0" + indexed(SHUFFLED).to_csv(), X[SHUFFLED], "is an index: left out"),
        ("x,y,\n" + "".join(f"{x!r},{y!r},\n" for x, y in X.tolist()), X, "the last column is empty: left out"),
        ("x,y\n" + "".join(f"{x!r},{y!r},\n" for x, y in X.tolist()), X, "the last column is empty: left out"),
        ("".join(f"{x!r};{y!r};\n" for x, y in X.tolist()), X, "the last column is empty: left out"),
        ("x;y\n1,5;-2,25\n,5;1e2\n", [[1.5, -2.25], [0.5, 100]], "commas are taken for decimal points"),
        ("1,5\t2,5\n3\t4\n", [[1.5, 2.5], [3, 4]], "commas are taken for decimal points"),
    ],
)
def test_what_is_surely_no_coordinate_is_left_out_and_said(text, values, note, folder):
    (folder / "x.csv").write_text(text)
    found = read(folder / "x.csv")
    assert np.array_equal(found.values, np.float32(values))
    assert any(note in line for line in found.notes)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (indexed(SHUFFLED).to_csv(header=False), ": the first column holds whole numbers, each once: if these are row"),
        (indexed(SHUFFLED).to_csv(index_label="id"), ": the first column, 'id', holds whole numbers, each once"),
        (
            "index,x\n0,3\n7,4\n",
            ": the first column, 'index', holds whole numbers, each once: if these are row numbers",
        ),
        (",x,y\n0.5,1,2\n0.25,3,4\n", ": the first column has no name, as row names have none: save the table without"),
        (",x,y\na,1,2\nb,3,4\n", ":2:1: must be a number, not 'a'"),
    ],
)
def test_what_may_be_a_coordinate_is_refused_with_the_cure(text, line, folder, refusal):
    (folder / "x.csv").write_text(text)
    assert refusal("x.csv").startswith(line)


def test_coordinates_that_are_whole_numbers_by_chance_are_kept(folder):
    (folder / "few.csv").write_text("x,y\n3,0.5\n1,0.25\n2,0.125\n")
    (folder / "dice.csv").write_text("x,y\n" + "".join(f"{i % 6},{i / 7!r}\n" for i in range(50)))
    assert read(folder / "few.csv").values.shape == (3, 2)
    assert read(folder / "dice.csv").values.shape == (50, 2)


# What is no file of samples


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x.pkl", "not from .pkl: a pickle runs code when it is read; save the array with numpy.save"),
        ("x.h5", "not from .h5: read the samples with its own library, and save the array with numpy.save"),
        ("x.png", "not from .png: stack all samples in one array, (n, *shape), on the data's scale, and save it with"),
        ("x.npy.gz", "not from .gz: unpack it first"),
        ("x.xlsx", "not from .xlsx: save it as .csv, without row numbers"),
        ("x.rds", "not from .rds: write.csv(x, 'x.csv', row.names = FALSE) saves a table from R"),
    ],
)
def test_other_kinds_of_files_are_refused_with_what_to_save(name, words, folder, refusal):
    (folder / name).write_bytes(b"1")
    assert words in refusal(name)


def test_what_has_no_end_is_not_read(folder, refusal):
    """Looked at before it is opened: hashing it would wait for ever."""
    os.mkfifo(folder / "pipe.npy")
    (folder / "link.csv").symlink_to(folder / "pipe.npy")
    (folder / "zero.npy").symlink_to("/dev/zero")
    (folder / "nowhere.npy").symlink_to("gone.npy")
    (folder / "loop.npy").symlink_to("loop.npy")
    for name in ("pipe.npy", "link.csv"):
        assert refusal(name) == ": is a pipe, not a file: write the samples to a file, and score that"
    assert refusal("zero.npy") == ": is a device, not a file: write the samples to a file, and score that"
    assert refusal("nowhere.npy") == ": is a link to gone.npy, which is not there"
    assert refusal("loop.npy").startswith(": cannot be read: ")
    (folder / "lfs.csv").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    (folder / "page.csv").write_text("<!DOCTYPE html>\n<html>")
    assert refusal("lfs.csv") == ": is a pointer of Git LFS, not the file itself: git lfs pull"
    assert "is a web page" in refusal("page.csv")
    (folder / "packed.csv").write_bytes(gzip.compress(b"1,2\n"))
    assert refusal("packed.csv") == ": is packed by gzip: name it packed.csv.gz"
    (folder / "cut.csv.gz").write_bytes(gzip.compress(R_TEXT.encode())[:99])
    assert "is it whole?" in refusal("cut.csv.gz")
    (folder / "no.csv.gz").write_bytes(b"1,2\n")
    assert "is it whole?" in refusal("no.csv.gz")


def test_what_is_too_large_is_refused_before_it_is_read(folder, refusal, monkeypatch):
    """By what the file says of itself: zeros pack a thousand times smaller."""
    monkeypatch.setattr(sample_file, "MOST_NUMBERS", 90)
    monkeypatch.setattr("ganbench.record.sample_arrays.MOST_BYTES", 399)
    np.save(folder / "x.npy", X)
    np.savez_compressed(folder / "x.npz", samples=np.zeros_like(X))
    torch.save(torch.from_numpy(X), folder / "x.pt")
    savemat(folder / "x.mat", {"samples": X})
    write_csv(folder / "x.csv.gz", index=False)
    for name in ("x.npy", "x.mat"):
        assert refusal(name).startswith(
            ": holds 100 numbers, and at most 90 are scored: keep fewer samples, chosen at r"
        )
    for name in ("x.npz", "x.pt"):
        assert ", and at most 3.99e-07 GB are read: keep fewer samples" in refusal(name)
    monkeypatch.setattr("ganbench.record.sample_tables._ROWS", 20)
    assert "numbers, and at most 90 are scored" in refusal("x.csv.gz")


def test_text_without_end_is_refused(folder, refusal, monkeypatch):
    monkeypatch.setattr(text_stream, "LONGEST_LINE", 1000)
    (folder / "x.txt").write_text("1 " * 5000)
    assert "a line of more than 1,000 bytes: is it text?" in refusal("x.txt")
    monkeypatch.setattr(text_stream, "LARGEST", 9000)
    (folder / "x.txt").write_text("1 2\n" * 5000)
    assert "text of more than 9,000 bytes: is it text?" in refusal("x.txt")


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"seed": -5}, ": its 'seed' must be a whole number of at least 0, not -5: save the samples without it"),
        ({"seed": "x"}, ": its 'seed' must be a whole number of at least 0, not 'x'"),
        ({"seed": 1.5}, ": its 'seed' must be a whole number of at least 0, not 1.5"),
        ({"seed": [1, 2]}, ": its 'seed' must be a whole number of at least 0, not an array (2,)"),
        ({"step": np.uint64(2**63)}, ": its 'step' must be a whole number of at least 0, not 9223372036854775808"),
    ],
)
def test_a_seed_that_is_none_is_not_ignored(known, line, folder, refusal):
    """It decides which held-out data the samples are compared with."""
    np.savez(folder / "x.npz", samples=X, **known)
    assert refusal("x.npz").startswith(line)


def test_a_torch_file_without_samples_says_what_it_holds(folder, refusal):
    torch.save(torch.nn.Linear(2, 2).state_dict(), folder / "model.pt")
    assert "holds the arrays weight, bias, none of them called 'samples': save the samples" in refusal("model.pt")
    torch.save(torch.nn.Linear(2, 2), folder / "whole.pt")
    assert "holds Python objects, which are never read: save the samples alone" in refusal("whole.pt")
    torch.save([torch.zeros(2)], folder / "list.pt")
    assert "holds list, not a tensor: save the samples alone" in refusal("list.pt")
    torch.save({"samples": torch.from_numpy(X).bfloat16(), "seed": 3, "step": torch.tensor(7)}, folder / "half.pt")
    found = read(folder / "half.pt")
    assert (found.seed, found.step, found.notes[0][:24]) == (3, 7, "bfloat16: its rounding m")
    torch.save(torch.zeros(3, 2, dtype=torch.uint8), folder / "bytes.pt")
    assert "holds whole numbers (uint8, 0 to 0)" in refusal("bytes.pt")
    (folder / "noise.pt").write_bytes(b"0123456789")
    assert "is it whole?" in refusal("noise.pt") or "never read" in refusal("noise.pt")
    (folder / "x.npz").write_bytes((folder / "model.pt").read_bytes())
    assert refusal("x.npz") == ": holds what a .pt file holds: rename it"
    np.savez(folder / "y.npz", X)
    (folder / "y.pt").write_bytes((folder / "y.npz").read_bytes())
    (folder / "y.csv").write_bytes((folder / "y.npz").read_bytes())
    assert refusal("y.pt") == ": holds what a .npz file holds: rename it"
    assert refusal("y.csv") == ": is a zip archive: name it as what it is, such as .npz, .pt or .csv.zip"


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "new.pt", "old.pt", "x.mat", "x.csv", "x.csv.gz"])
def test_a_damaged_file_is_one_line_whatever_its_reader_raises(name, folder):
    """Or it is read all the same, where the damage is in a number."""
    np.save(folder / "x.npy", X)
    np.savez_compressed(folder / "x.npz", samples=X, seed=3)
    torch.save(torch.from_numpy(X), folder / "new.pt")
    torch.save({"samples": torch.from_numpy(X)}, folder / "old.pt", _use_new_zipfile_serialization=False)
    savemat(folder / "x.mat", {"samples": X})
    np.savetxt(folder / "x.csv", X)
    (folder / "x.csv.gz").write_bytes(gzip.compress((folder / "x.csv").read_bytes()))
    whole, random = (folder / name).read_bytes(), np.random.default_rng(0)
    for _ in range(30):
        damaged = bytearray(whole)
        for place in random.integers(min(len(whole), 400), size=random.integers(1, 6)):
            damaged[place] = random.integers(256)
        (folder / name).write_bytes(damaged[: random.integers(len(whole) // 2, 2 * len(whole))])
        with warnings.catch_warnings(), contextlib.suppress(UnreadableError):
            warnings.simplefilter("ignore")
            read(folder / name)


def test_pixels_are_told_the_scale_that_generators_have(folder, refusal):
    np.savez(folder / "x.npz", arr_0=np.array([[0, 255]], dtype=np.uint8))
    assert refusal("x.npz").endswith("scale them as the data is, save float32; pixels on [-1, 1] are x / 127.5 - 1")
