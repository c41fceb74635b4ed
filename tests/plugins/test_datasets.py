from __future__ import annotations

import inspect
import math
import runpy
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from ganbench import Dataset, Mixture

FOLDER = Path(__file__).parents[2] / "plugins" / "datasets"


def datasets(file: str) -> list[Dataset]:
    return list(runpy.run_path(str(FOLDER / f"{file}.py"))["ganbench_datasets"]())


def dataset(file: str) -> Dataset:
    (value,) = datasets(file)
    return value


def check(build: Any, **parameters: Any) -> Mixture:
    """What a suite file does: each parameter, as JSON, strictly against its annotation."""
    hints = get_type_hints(build, include_extras=True)
    return build(**{k: TypeAdapter(hints[k]).validate_python(v, strict=True) for k, v in parameters.items()})


@pytest.mark.parametrize("file", sorted(path.stem for path in FOLDER.glob("*.py")))
def test_all_parameters_are_keywords_with_annotations_and_the_docstring_says_what_it_is(file: str) -> None:
    for value in datasets(file):
        hints = get_type_hints(value.build, include_extras=True)
        for parameter in inspect.signature(value.build).parameters.values():
            # What ganbench gives, and no suite sets, stands before the star.
            given = parameter.name == "find"
            assert (parameter.kind is inspect.Parameter.KEYWORD_ONLY) is not given
            assert given or parameter.name in hints
    first = (FOLDER / f"{file}.py").read_text().splitlines()[0]
    assert first.startswith('"""')
    assert first.endswith(".")


def test_names_are_those_of_the_suite_files() -> None:
    files = ("gaussian_1d", "ring", "grid", "mixture")
    assert [dataset(file).name for file in files] == ["gaussian-1d", "ring", "grid", "mixture"]


def test_the_ring_has_distinct_modes_all_at_the_radius() -> None:
    """Eight, not the seven that both ends of linspace(0, 2 pi, 8) give."""
    ring = dataset("ring").build()
    apart = np.linalg.norm(ring.means[:, None] - ring.means, axis=-1)
    assert np.linalg.norm(ring.means, axis=1) == pytest.approx(np.full(8, 2.0))
    assert apart[~np.eye(8, dtype=bool)].min() == pytest.approx(4 * math.sin(math.pi / 8))
    assert ring.std.tolist() == [0.02] * 8


def test_the_grid_is_centred() -> None:
    grid = dataset("grid").build()
    assert sorted({x for x, _ in grid.means.tolist()}) == [-4, -2, 0, 2, 4]
    assert grid.modes == 25
    assert grid.std.tolist() == [0.05] * 25
    assert dataset("grid").build(side=2, spacing=1.0).means.tolist() == [
        [-0.5, -0.5],
        [-0.5, 0.5],
        [0.5, -0.5],
        [0.5, 0.5],
    ]


def test_parameters_arrive() -> None:
    ring = check(dataset("ring").build, modes=3, radius=1, std=0.1)
    assert (ring.modes, ring.std.tolist()) == (3, [0.1] * 3)
    line = check(dataset("gaussian_1d").build, mean=-1.5, std=2)
    assert (line.means.tolist(), line.std.tolist(), line.shape) == ([[-1.5]], [2.0], (1,))
    mixture = check(dataset("mixture").build, means=[[0, 0], [1, 2.5]], std=[0.1, 0.2], weights=[1, 3])
    assert mixture.weights.tolist() == [0.25, 0.75]
    assert check(dataset("mixture").build, means=[[0, 0]], std=0.1).std.tolist() == [0.1]


@pytest.mark.parametrize(
    ("file", "parameters"),
    [
        ("ring", {"modes": 0}),
        ("ring", {"modes": 8.5}),
        ("ring", {"modes": "8"}),
        ("ring", {"std": -0.1}),
        ("ring", {"std": True}),
        ("grid", {"spacing": 0}),
        ("gaussian_1d", {"mean": math.nan}),
        ("mixture", {"means": [0, 1], "std": 1.0}),
        ("mixture", {"means": [[0], ["a"]], "std": 1.0}),
        ("mixture", {"means": [[0]], "std": 1.0, "weights": [0]}),
    ],
)
def test_parameters_out_of_range_are_refused_by_their_annotations(file: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check(dataset(file).build, **parameters)


def test_what_annotations_cannot_see_the_mixture_says() -> None:
    with pytest.raises(ValueError, match="weights must be one for each of the 2 modes, not a list of 1"):
        check(dataset("mixture").build, means=[[0.0], [1.0]], std=1.0, weights=[1.0])


@pytest.mark.parametrize("file", ["gaussian_1d", "ring", "grid"])
def test_samples_have_the_shape_and_a_density(file: str) -> None:
    built = dataset(file).build()
    samples = built.sample(7, torch.Generator().manual_seed(0))
    assert samples.shape == (7, *built.shape)
    assert samples.dtype == torch.float32
    assert np.isfinite(built.log_density(samples.numpy())).all()
