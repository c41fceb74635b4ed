"""Data that cannot be trained on is refused before training, in one line with the cure; what is unusual is said."""

from __future__ import annotations

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse import csr_array
from scipy.stats import multivariate_t

from ganbench.data import soundness
from ganbench.data.finite_set import Finite
from ganbench.data.mixture import Mixture
from ganbench.data.own_files import OwnFiles
from ganbench.data.remarks import remarks
from ganbench.data.soundness import check_soundness
from ganbench.plugin.registry import Registry
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError

X = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
Y = torch.randn(100, 2, generator=torch.Generator().manual_seed(1))
HOLED, FAR = X.clone(), X.double()
HOLED[::100, 0] = torch.nan
FAR[7, 1] = 1e39
FRAME = pd.DataFrame(X.numpy(), columns=["x", "y"])


def refusal(build) -> str:
    """The line with which data is refused, when it is built or checked."""
    with pytest.raises(ValueError, match=r".") as raised:
        check_soundness(build())
    assert "\n" not in str(raised.value)
    return str(raised.value)


def normal(n, generator, *, size=2):
    return torch.randn(n, size, generator=generator, device=generator.device)


class Normal:
    """Standard normal data whose attributes are given."""

    def __init__(self, **own):
        self.__dict__ |= {"shape": (2,), "sample": normal} | own


@pytest.mark.parametrize(
    ("part", "line"),
    [
        (HOLED, "(nan in row 0; in 4 of 400 rows): leave such rows out, or fill them"),
        (FAR, "(inf in row 7; in 1 of 400 rows)"),
        (X[:, 0], "must have the shape (n, *shape), not (400,): where each number is a sample, give "),
        (X.sum(), "is a single number"),
        (X[:0], "has no rows"),
        (X.numpy().astype(complex), "holds complex numbers"),
        (X.to(torch.complex64), "holds complex numbers"),
        (FRAME.assign(name="a"), "must hold numbers alone, and its column name holds"),
        (FRAME.to_numpy().astype(object), "must hold numbers alone, and holds Python objects"),
        (X.numpy().astype(str), "must hold numbers alone, and holds text"),
        (X.numpy().astype("M8[D]"), "must hold numbers alone, and holds dates"),
        (np.ma.masked_less(X.numpy(), 0), "has masked entries"),
        ([[1.0, 2.0], [3.0]], "not rows of different lengths"),
        (torch.utils.data.TensorDataset(X, X[:, 0]), "not TensorDataset"),
    ],
)
@pytest.mark.parametrize("place", ["training", "held_out"])
def test_rows_that_are_no_samples_are_refused(part, line, place):
    found = refusal(lambda: Finite(**{"training": X, "held_out": Y, place: part}))
    assert found.startswith(place)
    assert line in found


@pytest.mark.parametrize(
    "part",
    [
        X.numpy(),
        X.numpy().astype(">f4"),
        X.double(),
        X.half(),
        X.bfloat16(),
        X.clone().requires_grad_(),
        X.numpy().astype(np.longdouble),
        X.numpy()[:, ::-1],
        X.tolist(),
        FRAME,
        csr_array(X.numpy()),
        X.to_sparse(),
        (X > 0),
        (X > 0).numpy(),
        (10 * X).long(),
        (10 * X).numpy().astype(np.int16),
    ],
)
def test_any_table_of_numbers_is_a_finite_set_of_float32(part):
    data = Finite(part, np.float64(Y))
    check_soundness(data)
    drawn = data.sample(7, torch.Generator())
    assert (drawn.dtype, drawn.shape, drawn.requires_grad) == (torch.float32, (7, 2), False)


@pytest.mark.parametrize(
    ("training", "held_out"),
    [(X, X), (X, X.clone()), (X, X[:50]), (X, X[torch.randperm(400)]), (X.repeat(1, 9), X.repeat(1, 9)[::2])],
)
def test_what_is_held_out_is_not_what_is_trained_on(training, held_out):
    """Else whoever copies the training rows has perfect scores."""
    assert "perfect scores: shuffle the data" in refusal(lambda: Finite(training, held_out))
    pixels = (50 * training).to(torch.uint8)
    assert "% of them" in refusal(lambda: Finite(pixels[:, :, None], pixels[:, :, None]))
    plain = Normal(training=training, held_out=held_out, shape=tuple(training.shape[1:]))
    plain.sample = lambda n, g: normal(n, g, size=training.shape[1])
    assert "perfect scores" in refusal(lambda: plain)


def test_data_of_few_values_repeats_itself_and_is_not_refused_for_that():
    random = np.random.default_rng(0)
    faces = Finite(random.integers(1, 7, (400, 1)), random.integers(1, 7, (100, 1)))
    check_soundness(faces)
    assert len(remarks(faces)) == 1
    some = Finite(X, torch.cat([Y, X[:10]]))
    check_soundness(some)
    assert remarks(some) == ("9.1 % of the held-out rows are training rows too",)


def test_copies_that_are_on_both_sides_of_a_random_split_are_counted():
    """Each row is there twice: 4 of 5 held-out rows have their copy among the training rows."""
    rows = X.repeat(2, 1)[torch.randperm(800, generator=torch.Generator().manual_seed(0))]
    for one in (rows, (40 * rows).byte()[:, :, None]):
        twice = Finite(one[:640], one[640:])
        check_soundness(twice)
        (said, *_) = remarks(twice)
        assert 70 < float(said.split()[0]) < 90 or one.ndim == 3
        assert "are training rows too, as rows are in the data more than once: where these are copies, drop" in said


@pytest.mark.parametrize("shape", [[2], torch.Size([2]), (np.prod((1, 2)),), np.array([2]), (np.int32(2),)])
def test_a_shape_of_other_numbers_is_the_same_shape(shape):
    data = Normal(shape=shape)
    check_soundness(data)
    assert type(data.shape) is tuple
    assert [type(size) for size in data.shape] == [int]


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        (2, "such as (2,), not 2"),
        ((2.0,), "such as (2,), not (2.0,)"),
        ((), "not (); where a sample is a single number it is (1,)"),
        ((-1, 2), "whole numbers above 0, such as (2,), not (-1, 2)"),
        ((0,), "whole numbers above 0"),
        ("2", "such as (2,), not '2'"),
        (None, "not None"),
        (lambda: (2,), "not a method (write @property above it)"),
    ],
)
def test_what_is_no_shape_is_refused(shape, line):
    assert line in refusal(lambda: Normal(shape=shape))


def test_a_shape_that_cannot_be_made_plain_is_refused_with_what_it_should_be():
    class Fixed(Normal):
        shape = property(lambda self: [2])

        def __init__(self):
            self.sample = normal

    assert refusal(Fixed) == "shape must be a plain tuple, and is [2]: give (2,)"


def rarely(n, generator):
    x = normal(n, generator)
    x[torch.rand(n, generator=generator) < 0.01] = torch.nan
    return x


@pytest.mark.parametrize(
    ("sample", "line"),
    [
        (rarely, "sample() gives numbers that are not finite (nan in "),
        (lambda n, g: (normal(n, g), torch.zeros(n)), "not a tuple: the samples alone, without labels"),
        (lambda n, g: normal(n, g).double(), "not a torch.float64 tensor: return it with .float()"),
        (lambda n, g: normal(n, g).long(), "not a torch.int64 tensor: scale it, and return it as float32"),
        (lambda n, g: normal(n, g).numpy(), "not ndarray (float32, of numpy)"),
        (lambda n, g: None, "not NoneType"),
        (lambda n, g: normal(n, g)[:999], "sample(1000) must have the shape (1000, 2), not (999, 2)"),
        (lambda n, g: normal(n, g).to("meta"), "must be on the generator's device, generator.device, not on meta"),
        (lambda n, g: torch.randn(n, 2), "must draw from the generator it is given, and from nothing else"),
        (
            lambda n: torch.zeros(n, 2),
            "sample() must take n and a generator, and draw from that: def sample(self, n, g",
        ),
        (lambda n, g: torch.zeros(n, "2"), "sample(1000): TypeError"),
    ],
)
def test_samples_that_are_none_are_refused(sample, line):
    assert line in refusal(lambda: Normal(sample=sample))


def log_unnormalised(x):
    return -(x**2).sum(1) / 2


def log_density(x):
    return log_unnormalised(x) - np.log(2 * np.pi)


@pytest.mark.parametrize(
    ("density", "line"),
    [
        (lambda x: np.full(len(x), np.inf), "log_density gives inf at 100 of 100 of the data's own samples"),
        (lambda x: np.where(x[:, 0] > 2, np.nan, 0.0), "log_density gives nan at "),
        (lambda x: np.full(len(x), -np.inf), "log_density gives -inf at 100 of 100"),
        (lambda x: log_density(x)[:, None], "must have the shape (100,) for 100 samples, not (100, 1)"),
        (lambda x: log_density(x).mean(), "must return a float64 array of numpy, not float64"),
        (lambda x: torch.tensor(log_density(x)), "not a torch.float64 tensor: end it in .double().numpy()"),
        (lambda x: torch.square(x), "log_density: TypeError: "),
        (lambda x: torch.square(x), "it is given numpy arrays, float64, (100, 2)"),
        (lambda: 0, "log_density must take x alone, a numpy array"),
        (
            log_unnormalised,
            "log_density is about 1.8 too high where the data is (its exponential integrates to about 6",
        ),
        (lambda x: log_unnormalised(x) - 1e4, "is about 1e+04 too low where the data is: is the logarithm of its norm"),
        (lambda x: log_density(x) + np.where(np.abs(x[:, 0]) > 4, np.nan, 0), "-inf where the density is 0, as a gen"),
        (lambda x: np.where((x == np.float32(x)).all(1), 0.0, -np.inf), "log_density is -inf all around the data's"),
        (lambda x: log_density(x - x.mean(0)), "must not depend on the samples that are given with it"),
        (lambda x: x.nothing(), "log_density: AttributeError: "),
        # a variance taken for a standard deviation, and the other way round; each integrates to 1
        (lambda x: log_density(2**0.5 * x) + np.log(2), "of another distribution than the samples, which are wider"),
        (lambda x: log_density(x / 2**0.5) - np.log(2), "of another distribution than the samples, which are narrower"),
    ],
)
def test_a_density_that_is_none_is_refused(density, line):
    assert line in refusal(lambda: Normal(log_density=density))


def test_a_right_density_is_taken_even_where_rounding_leaves_its_support():
    check_soundness(Normal(log_density=log_density))
    check_soundness(Normal(log_density=lambda x: np.where(x[:, 0] > 2.5, -np.inf, log_density(x))))


@pytest.mark.parametrize("degrees", [3, 30])
@pytest.mark.parametrize("seed", range(20))
def test_a_right_density_with_heavy_tails_is_taken(degrees, seed):
    """Of right data 1 in 1e8 may be refused, by the normal law, which heavy tails have only about."""

    def sample(n, generator):
        random = np.random.default_rng([seed, generator.initial_seed() % 2**32])
        scale = np.sqrt(degrees / random.chisquare(degrees, (n, 1)))
        return torch.from_numpy(scale * random.standard_normal((n, 2))).float()

    density = multivariate_t([0, 0], np.eye(2), df=degrees)
    check_soundness(Normal(sample=sample, log_density=lambda x: np.atleast_1d(density.logpdf(x))))


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_right_density_is_taken_in_any_dimension_and_on_any_scale(size, scale):
    """The integral may be 6 of its standard errors off: one right density in 1e8 is refused, by the normal law."""

    def log_of_normal(x):
        return -(x**2).sum(1) / (2 * scale**2) - size * np.log(scale * np.sqrt(2 * np.pi))

    check_soundness(
        Normal(shape=(size,), sample=lambda n, g: scale * normal(n, g, size=size), log_density=log_of_normal)
    )


@pytest.mark.filterwarnings("error")
def test_of_a_row_or_two_it_is_not_said_that_they_are_of_two_distributions():
    """The test that would say so is one for many rows."""
    assert remarks(Finite(X[:1], X[1:2])) == ("training has only 1 row", "held_out has only 1 row")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (Finite(torch.randint(256, (400, 1, 4, 4)), torch.randint(256, (90, 1, 4, 4))), "give Finite uint8"),
        (Finite(torch.randn(400, 1, 4, 4), torch.randn(90, 1, 4, 4)), "from -1 to 1: scale them"),
        (Finite(torch.randint(256, (400, 1, 4, 4)).byte(), torch.randint(256, (90, 1, 4, 4)).byte()), ""),
        (Finite(torch.rand(400, 1, 4, 4), torch.rand(90, 1, 4, 4)), ""),
        (
            Finite(torch.cat([X, (X > 0) * 1.0], 1), torch.cat([Y, (Y > 0) * 1.0], 1)),
            "columns 2 to 3 of 4 have at most 2",
        ),
        (Finite(torch.cat([X, X[:, :1] * 0], 1), torch.cat([Y, Y[:, :1] * 0], 1)), "column 2 of 3 has 1 value "),
        (Finite(X, Y[:7]), "held_out has only 7 rows"),
        (Finite(X * 1e6, Y * 1e6), "of 2 runs from -"),
        (Finite(X + torch.tensor([0, 300.0]), Y + torch.tensor([0, 300.0])), "column 1 of 2 runs from 2"),
        (Finite(X * 1e-3, Y * 1e-3), "about 1: standardise each column (subtract its mean"),
        (Normal(sample=lambda n, g: 1e4 * normal(n, g)), "a generator starts at numbers about 1"),
        (Finite(torch.rand(400, 6, 6, 3), torch.rand(90, 6, 6, 3)), "(6, 6, 3) is read as 6 channels of 6 x 3 pixels"),
        (Finite(torch.rand(400, 8, 8, 1), torch.rand(90, 8, 8, 1)), "bring them to the front, x.transpose(0, 3, 1, 2)"),
        (Finite(torch.rand(400, 3, 8, 3), torch.rand(90, 3, 8, 3)), ""),
        (Finite(X, Y), ""),
        (Mixture([[0, 0], [1, 1]], 0.1), ""),
    ],
)
def test_what_is_unusual_is_said(data, words):
    """It may be meant, so it is no mistake."""
    check_soundness(data)
    found = remarks(data)
    assert [words in line for line in found] == [True] * bool(words)


PLUGIN = """'''A test's data.'''
import numpy as np
import pandas as pd
import torch
from scipy.stats import multivariate_t
from ganbench import Dataset, hookimpl
from ganbench.data import soundness
from ganbench.data.finite_set import Finite

def holed(*, every: int = 100):
    x = torch.randn(1000, 2, generator=torch.Generator().manual_seed(0))
    x[::every, 0] = torch.nan
    return Finite(x, x[:500])

class Own:
    shape = (2,)

X = torch.zeros(9, 2)
BUILT = {
    "tensor": lambda: X, "frame": lambda: pd.DataFrame(X.numpy()), "pair": lambda: (X, X), "nothing": lambda: None,
    "torchs": lambda: torch.utils.data.TensorDataset(X), "class": lambda: Own, "shape-only": lambda: Own(),
    "one-part": lambda: Finite(X), "ragged": lambda: np.stack([np.zeros(2), np.zeros(3)]), "absent": lambda: X.nothing,
}

@hookimpl
def ganbench_datasets():
    yield Dataset("holed", holed)
    for name, build in BUILT.items():
        yield Dataset(name, build)
"""
RETURN = "which is no Distribution: return Finite(training, held_out), of ganbench, with rows that"


def test_it_is_a_mistake_at_the_data_sets_line_before_training(tmp_path, shipped):
    """In the suite's reader, and so in every command: no loss is blamed for the data."""
    (tmp_path / "holed.py").write_text(PLUGIN)
    suite = "suite: t\ndatasets: {mine: {name: holed}}\ndefaults: {architecture: mlp}\nvariants: {a: {loss: minimax}}\n"
    with pytest.raises(SuiteError) as raised:
        parse(suite, Registry.load(extra=tmp_path))
    line = "datasets.mine: training holds numbers that are not finite (nan in row 0; in 10 of 1000 rows)"
    assert line in str(raised.value)
    assert str(raised.value).startswith("<text>:2:18 ")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("tensor", f"dataset 'tensor' built a Tensor of shape (9, 2), {RETURN}"),
        ("frame", f"dataset 'frame' built a DataFrame of shape (9, 2), {RETURN}"),
        ("pair", f"dataset 'pair' built a tuple of Tensor, Tensor, {RETURN}"),
        ("torchs", f"dataset 'torchs' built a TensorDataset, {RETURN}"),
        ("nothing", "dataset 'nothing' built nothing, which is no Distribution: is its return missing?"),
        ("class", "dataset 'class' built the class Own, not an object of it: return Own()"),
        (
            "shape-only",
            "built an Own, which is no Distribution, for it has no sample: write the attribute shape, as (2",
        ),
        (
            "one-part",
            "held_out is missing: shuffle the rows x, and give Finite(x[:800], x[800:]) for 1000 rows (odd.py",
        ),
        ("ragged", "ValueError: all input arrays must have the same shape (odd.py:"),
        ("absent", "AttributeError: 'Tensor' object has no attribute 'nothing' (odd.py:"),
    ],
)
def test_what_is_built_in_place_of_data_is_said_with_what_to_return(name, line, tmp_path):
    (tmp_path / "odd.py").write_text(PLUGIN)
    suite = (
        f"suite: t\ndatasets: {{mine: {name}}}\ndefaults: {{architecture: mlp}}\nvariants: {{a: {{loss: minimax}}}}\n"
    )
    with pytest.raises(SuiteError) as raised:
        parse(suite, Registry.load(extra=tmp_path))
    assert line in str(raised.value)
    assert str(raised.value).startswith("<text>:2:18 datasets.mine: ")
    assert "\n" not in str(raised.value)


def test_shipped_data_is_sound_and_few_of_it_unusual(shipped):
    unusual = set()
    for entry in shipped.entries:
        if entry.kind != "dataset" or any(parameter.required for parameter in entry.parameters):
            continue
        try:
            data = entry.build({}, find=OwnFiles())
        except ValueError:
            continue  # its files are not on this machine
        check_soundness(data)
        if remarks(data):
            unusual.add(entry.name)
    assert unusual == {"dirac", "pacgan-1200d", "turning-ring"}


def test_a_part_that_is_no_tensor_names_what_makes_one():
    data = SimpleNamespace(shape=(2,), sample=normal, training=X.numpy(), held_out=Y)
    assert "ganbench.Finite makes one" in refusal(lambda: data)
    data = Normal(training=X.double(), held_out=Y)
    assert "training must be a float32 tensor (n, 2), not a torch.float64 tensor" in refusal(lambda: data)
    assert "must have the shape (n, 2), not (400, 1)" in refusal(lambda: Normal(training=X[:, :1], held_out=Y))


@pytest.mark.parametrize("rows", [X[:60], (X[:60] * 4).round(), (X[:60] > 0).to(torch.uint8)])
def test_equal_rows_and_no_others_have_one_number(rows, monkeypatch):
    """Also rows of a few values, a row of which differs from another in one bit of one of its numbers."""
    monkeypatch.setattr(soundness, "AT_ONCE", 14)  # a few rows at once
    numbers = soundness._names(rows)
    same = (rows[:, None] == rows[None]).all(-1).numpy()
    assert ((numbers[:, None] == numbers[None]) == same).all()


def test_a_bit_of_a_number_is_another_row_and_the_sign_of_0_is_not():
    bits = np.float32(1.5).view(np.uint32) ^ np.append(0, np.uint32(1) << np.arange(31, dtype=np.uint32))
    rows = torch.from_numpy(bits.astype(np.uint32).view(np.float32)[:, None])
    assert len(np.unique(soundness._names(rows))) == len(rows) == 32
    assert len(np.unique(soundness._names(torch.tensor([[0.0, 1.0], [-0.0, 1.0]])))) == 1


def test_large_data_is_looked_at_in_bounded_memory():
    """Of 60 MB of rows less than a third is in memory at once besides; torch's own memory is not counted."""
    rows = torch.randn(150_000, 100, generator=torch.Generator().manual_seed(0))
    data = Finite(rows, rows[:5000] + 1)
    tracemalloc.start()
    try:
        check_soundness(data)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 20e6


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8)])
@pytest.mark.parametrize("shuffled", [False, True])
def test_parts_of_two_distributions_are_told(shape, shuffled):
    """A file sorted by class and cut in two; the chance of a false remark is at most 1e-6 a data set."""
    found = torch.randn(600, *shape, generator=torch.Generator().manual_seed(3)) / 4
    found[300:] += 1
    rows = found[torch.randperm(600, generator=torch.Generator().manual_seed(4))] if shuffled else found
    said = [line for line in remarks(Finite(rows[:400], rows[400:])) if "another distribution" in line]
    assert len(said) == (not shuffled)


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_one_distribution_are_not_told_apart(seed):
    """With repeated values, small parts and parts of different sizes, too."""
    rows = torch.randn(300, 2, generator=torch.Generator().manual_seed(seed)).mul(2).round()
    assert not any("another distribution" in line for line in remarks(Finite(rows[:270], rows[270:])))
