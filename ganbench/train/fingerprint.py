"""A fingerprint of a dataset, so that a run knows later whether the data are still the same."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganbench.core.errors import raise_if_stopped
from ganbench.core.opened import opened
from ganbench.core.rng import isolated, stream
from ganbench.data.finite_set import on_unit_scale, parts_of
from ganbench.data.phases import phases
from ganbench.suite.choice import Choice
from ganbench.train.data import build_dataset, draw

#: So many samples are drawn, but no more numbers than the second.
_DRAWN, _NUMBERS = 1000, 2**22
#: Along so many directions the points are summed up; so many rows are looked at for that, and at once.
_DIRECTIONS, _ROWS, _AT_ONCE = 8, 20_000, 1024


def fingerprint(choice: Choice) -> dict[str, Any] | None:
    """What the data of a suite's dataset are, for run.json; None where they cannot be drawn, which training will tell.

    ``sha256``: of a fixed draw and, of a finite set, of all its rows, else of the files that it opens: it finds any
    change, and on another machine differences of rounding too. What is there for other machines: ``rows``, how many
    each part of a finite set has (else none); ``mean`` and ``quartiles`` along fixed directions. ``labels``, of a
    finite set with labels: the sha256 of the classes of all its rows, the same on any machine. Of data that change
    during training ``phases``: the shares of the steps at which each phase begins; all else but ``sha256`` is of the
    last one.
    """
    try:
        data = build_dataset(choice)
        n = max(4, min(_DRAWN, _NUMBERS // math.prod(data.shape)))
        with isolated(0, "fingerprint"):
            drawn, *before = [draw(own, n, stream(0, "fingerprint")) for _, own in reversed(phases(data))]
        parts = parts_of(data)
        digest = hashlib.sha256()
        for name, rows in {"": drawn, **parts}.items():
            digest.update(f"{name} {rows.dtype} {tuple(rows.shape)}\n".encode())
            for some in torch.split(rows, _AT_ONCE):
                digest.update(some.contiguous().numpy().tobytes())
        # A draw looks at some of what a data set was made of, as a sample of many rows of a file.
        if not parts and (files := opened("dataset", choice.name, choice.text)):
            digest.update(json.dumps(files, sort_keys=True).encode())
        for earlier in before:
            digest.update(earlier.contiguous().numpy().tobytes())
        along = np.concatenate([_along(rows) for rows in (parts or {"": drawn}).values()])
    except BaseException as error:
        raise_if_stopped(error)
        return None
    labels = _labels(data)
    quartiles = np.quantile(along, (0.25, 0.5, 0.75), axis=0)
    return (
        {
            "sha256": digest.hexdigest(),
            "rows": [len(rows) for rows in parts.values()],
            "mean": _plain(along.mean(axis=0)),
            "quartiles": [_plain(one) for one in quartiles],
        }
        | ({"labels": labels} if labels else {})
        | ({"phases": [share for share, _ in phases(data)]} if len(phases(data)) > 1 else {})
    )


def phase_shares(choice: Choice) -> list[float]:
    """The shares of the steps at which each phase of the data begins; of data that cannot be built there are none."""
    try:
        return [share for share, _ in phases(build_dataset(choice))]
    except BaseException as error:
        raise_if_stopped(error)
        return []


def _labels(data: Any) -> str:
    """The sha256 of the classes of a finite set's rows; empty where it has none. Of other data their samples tell."""
    known = [getattr(data, name, None) for name in ("training_labels", "held_out_labels")]
    found = [labels.cpu().long().contiguous().numpy() for labels in known if isinstance(labels, Tensor)]
    return hashlib.sha256(b"".join(one.astype("<i8").tobytes() for one in found)).hexdigest() if found else ""


def _along(rows: Tensor) -> np.ndarray:
    """The rows along each direction, (n, directions), in double precision."""
    rows = rows[:: max(1, len(rows) // _ROWS)]
    width = math.prod(rows.shape[1:])
    signs = np.random.RandomState(0).randint(0, 2, (width, _DIRECTIONS)) * 2.0 - 1
    directions = torch.from_numpy(signs / math.sqrt(width))
    return torch.cat(
        [on_unit_scale(some).flatten(1).double() @ directions for some in torch.split(rows, _AT_ONCE)]
    ).numpy()


def _plain(numbers: np.ndarray) -> list[float]:
    return [float(f"{number:.9g}") for number in np.nan_to_num(numbers)]
