"""Files of samples: what is read is what was written, and what cannot be scored is refused in one line."""

from __future__ import annotations

import builtins
import json
import struct

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ganbench.record.sample_tables import UnreadableError, read_csv
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
    pytest.importorskip("safetensors")
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
    (folder / "cut.parquet").write_bytes((folder / "x.parquet").read_bytes()[:-20])
    assert "is it whole?" in refusal("cut.parquet")


@pytest.mark.parametrize(("name", "library"), [("x.safetensors", "safetensors"), ("x.parquet", "pyarrow")])
def test_a_missing_library_is_named_with_the_way_to_it(name, library, folder, refusal, monkeypatch):
    """As it is for somebody who has installed ganbench alone."""
    (folder / name).write_bytes(b"PAR1" if name.endswith("parquet") else b"\x02\0\0\0\0\0\0\0{}")
    real = builtins.__import__

    def without(module, *rest):
        if module.partition(".")[0] == library:
            raise ModuleNotFoundError(module)
        return real(module, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setitem(__import__("sys").modules, library, None)
    assert refusal(name) == f": reading it needs {library}: pip install 'ganbench[files]'"


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
    values, notes = read_csv(path)
    assert notes == []
    assert np.array_equal(values.astype(np.float32), array, equal_nan=True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x,y\n1,2\n3,abc\n", ":3:3: must be a number, not 'abc'"),
        ("1,2\nabc,3\n", ":2:1: must be a number, not 'abc'"),
        ("a,1\n2,3\n", ":1:1: must be a number, not 'a'"),
        ("1,2\n3\n4,5\n", ":2:1: has 1 cell, and line 1 has 2"),
        ("1,2\n3,4,5\n", ":2:1: has 3 cells, and line 1 has 2"),
        ("1,5;2,5\n1,5;2,5\n", ":1:1: must be a number, not '1,5'"),
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
    found, said = read_csv(folder / "x.csv")
    assert np.array_equal(found[:, 0], values, equal_nan=True)
    assert said == notes


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_empty_lines_among_several_columns_are_left_out_and_said(separator, folder):
    (folder / "x.csv").write_text("1 2\n\n3 4\n\n\n".replace(" ", separator))
    found, said = read_csv(folder / "x.csv")
    assert np.array_equal(found, [[1, 2], [3, 4]])
    assert said == ["3 empty lines are left out"]


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
        (np.array([[True]]), "holds true or false"),
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
    assert refusal("x.npz") == ": holds the arrays a, b, none of them called 'samples'"
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
    (folder / "x.pt").write_bytes(b"PK\x03\x04")
    assert refusal("x.pt").endswith("files, not from .pt: save the array with numpy.save")
    (folder / "x").write_bytes(b"1")
    assert refusal("x").endswith("files, not from one without an ending")
    (folder / "latin.csv").write_bytes("1,é\n".encode("latin-1"))
    assert refusal("latin.csv") == ": is not UTF-8 text"
    (folder / "x.d").mkdir()
    assert refusal("x.d") == ": is a folder, not a file of samples"
    assert refusal("nowhere.npy") == ": no such file"


def test_the_hash_is_of_the_file(folder):
    import hashlib

    np.save(folder / "x.npy", X)
    assert read(folder / "x.npy").sha256 == hashlib.sha256((folder / "x.npy").read_bytes()).hexdigest()
