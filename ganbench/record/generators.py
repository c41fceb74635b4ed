"""Trained generators on disk: tensors in a safetensors file, with all that is needed to build them again as text.

A file holds no code, and no pickle: the networks are built by the plugins of whoever reads it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import NonNegativeInt, PositiveInt, TypeAdapter, ValidationError
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from ganbench.core.disk import make_folder, put, sync
from ganbench.core.messages import suggest
from ganbench.core.names import no_path_here

#: The one entry of the file's metadata: more would stand in another order each time.
_ENTRY = "ganbench"
_SAVE = "ganbench run SUITE --save-generators"


@dataclass(frozen=True)
class AboutGenerator:
    """What a generator's file says of it; ``load_generator`` gives it as the attribute ``ganbench``.

    ``variant`` is the row's name, of the variant ``family`` of the ``suite``, which is YAML with this row and data set
    alone. ``step``: the generator steps trained; ``status``: whether the seed was done or had diverged then.
    ``weights``: the live ones, or their running average, whichever the run measured. ``shape``: of a sample; ``latent``
    and ``latent_distribution``: standard normal, or uniform on (-1, 1). ``samples``: how many the run drew, on a
    ``device``. ``class_shares``: of a conditional generator, the share of the samples asked of each class; else empty.
    ``plugins``: the files of data set, architecture and loss, as run.json has them, without their folders; ``source``:
    the digest of ganbench's own code.
    """

    dataset: str
    variant: str
    family: str
    seed: NonNegativeInt
    step: NonNegativeInt
    status: str
    weights: Literal["live", "averaged"]
    shape: tuple[PositiveInt, ...]
    latent: tuple[PositiveInt, ...]
    latent_distribution: Literal["normal", "uniform"]
    precision: str
    device: str
    samples: PositiveInt
    suite: str
    plugins: tuple[dict[str, Any], ...]
    source: str
    versions: dict[str, str]
    class_shares: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class SavedGenerator:
    """A generator's tensors by their names in its module, on the CPU, and what is known of it."""

    about: AboutGenerator
    tensors: Mapping[str, Tensor]


class UnreadableGeneratorError(ValueError):
    """A file that is no whole generator; str() is one line: where, and why."""


def place(folder: Path, dataset: str, variant: str, seed: int) -> Path:
    """The file of a seed's generator.

    Args:
        folder: The run's folder of generators.
        dataset: The data set's name in the suite.
        variant: The row's name.
        seed: The seed.

    Returns:
        The path of the file, which need not be there.
    """
    return folder / dataset / variant / f"{seed}.safetensors"


def write(path: Path, saved: SavedGenerator) -> None:
    """Write a generator to a file, completely or not at all; its folder is created where it is missing."""
    make_folder(path.parent)
    text = json.dumps(asdict(saved.about))
    tensors = {name: tensor.contiguous() for name, tensor in saved.tensors.items()}
    # Under another name first: a file that is there is whole.
    unfinished = path.with_name(f".{path.name}.new")
    with open(unfinished, "wb") as file:
        file.write(save(tensors, {_ENTRY: f"{_digest(text, tensors)} {text}"}))
        file.flush()
        os.fsync(file.fileno())
    put(unfinished, path)
    sync(path.parent)


def read(path: Path) -> SavedGenerator:
    """The generator in a file. Raises UnreadableGeneratorError, in one line, where it is not what ``write`` wrote."""
    if message := no_path_here(path):
        raise UnreadableGeneratorError(f"{path}: {message}")
    if not path.is_file():
        raise UnreadableGeneratorError(f"{path}: {'is no file' if path.exists() else 'there is no such file'}")
    try:
        with safe_open(path, framework="pt") as file:
            digest, _, text = (file.metadata() or {}).get(_ENTRY, "").partition(" ")
            if not text:
                raise UnreadableGeneratorError(f"{path}: is no generator that ganbench has saved: {_SAVE} saves them")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except UnreadableGeneratorError:
        raise
    except Exception as error:  # the reader raises any kind for a damaged file
        raise UnreadableGeneratorError(f"{path}: is no whole safetensors file ({error})".splitlines()[0]) from None
    if digest != _digest(text, tensors):
        raise UnreadableGeneratorError(f"{path}: is not as it was saved: its digest is another; copy or save it again")
    try:
        about = TypeAdapter(AboutGenerator).validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UnreadableGeneratorError(
            f"{path}: was saved by another version of ganbench: its {where or 'text'}: {first['msg']}"
        ) from None
    return SavedGenerator(about, tensors)


def choose(run: Path, variant: str, dataset: str | None, seed: int | None) -> Path:
    """The file of a generator in a run's folder.

    Args:
        run: The run's folder.
        variant: The row's name.
        dataset: The data set's name; None: the only one.
        seed: The seed; None: the first.

    Returns:
        The path of the file.

    Raises:
        ValueError: In one line: there is none, and what there is instead.
    """
    folder = run / "generators"
    found = sorted(path.relative_to(folder).parts for path in folder.glob("*/*/[0-9]*.safetensors"))
    if not found:
        raise ValueError(f"{run}: has no saved generators: {_SAVE} saves them, in a run that begins with it")
    datasets = list(dict.fromkeys(parts[0] for parts in found))
    if dataset is None and len(datasets) > 1:
        raise ValueError(f"--dataset: {run} has generators of {' and '.join(datasets)}: name one")
    dataset = datasets[0] if dataset is None else dataset
    if dataset not in datasets:
        raise ValueError(f"--dataset: {run} has no generators of {dataset!r}{suggest(dataset, datasets)}")
    variants = list(dict.fromkeys(parts[1] for parts in found if parts[0] == dataset))
    if variant not in variants:
        rows = [name for name in variants if name.startswith(f"{variant} ")]
        near = f": it was swept, name a row, as {rows[0]!r}" if rows else suggest(variant, variants)
        raise ValueError(f"{run} has no generators of a variant {variant!r} on {dataset}{near}")
    stems = (parts[2].removesuffix(".safetensors") for parts in found if parts[:2] == (dataset, variant))
    seeds = sorted(int(stem) for stem in stems if stem.isdecimal())
    if seed is not None and seed not in seeds:
        raise ValueError(
            f"--seed: {run} has no generator of seed {seed} of {variant} on {dataset}; it has {_few(seeds)}"
        )
    return place(folder, dataset, variant, seeds[0] if seed is None else seed)


def _few(seeds: list[int]) -> str:
    more = f" and {len(seeds) - 8} more" if len(seeds) > 9 else ""
    return ", ".join(map(str, seeds[:8] if more else seeds)) + more


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    found = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        found.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
