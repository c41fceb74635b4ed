"""A sweep: which parameters of a variant take which values, and the rows of the table that result.

The keys are paths into a variant as a suite writes it: ``loss.penalty``, ``optimizer.lr`` (both players),
``optimizer.generator.lr``, ``penalty.r1.weight``, ``optimizer.schedule.final``, ``average.width``. Each combination of
values is a *setting*, and each setting is a row; the variant of these settings is their *family*.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ganbench.core.messages import shown
from ganbench.suite.average import SWEPT
from ganbench.suite.choice import PARTS, PLAYERS, SCHEDULE, Choice

#: The values that each parameter takes, as their plugins read them.
Sweep = Mapping[str, tuple[Any, ...]]
#: One value for each parameter of a sweep.
Setting = tuple[tuple[str, Any], ...]

#: More settings of one variant than this are probably a mistake.
MOST = 200


def split(key: str) -> tuple[tuple[str, ...], str] | None:
    """The parts of a variant that a key is about, named as in ``Variant.parts()``, and the name of the parameter.

    None where the key is not a path to a parameter. The running average is a part that is no plugin, ``average``.
    """
    if key in SWEPT:
        return ("average",), SWEPT[key].name
    part, *path = key.split(".")
    name = path.pop() if path else ""
    if part in PARTS:
        owners: tuple[str, ...] = (part,)
    elif part == "penalty" and path:
        owners = (f"penalty.{path.pop(0)}",)
    elif part == "optimizer" and path and path[0] in PLAYERS:
        owners = (f"{path.pop(0)}_optimizer",)
    elif part == "optimizer" and name not in PLAYERS:
        owners = tuple(f"{player}_optimizer" for player in PLAYERS)
    else:
        return None
    if path == ["schedule"] and part not in PARTS:
        owners = tuple(owner + SCHEDULE for owner in owners)
    elif path or (name == "schedule" and part not in PARTS):
        return None
    return None if name in ("", "name") else (owners, name)


def count(sweep: Mapping[str, Iterable[Any]]) -> int:
    """The number of settings: 1 where nothing is swept."""
    return math.prod(len(tuple(values)) for values in sweep.values())


def settings(sweep: Sweep) -> tuple[Setting, ...]:
    """Every combination of a sweep's values, the first key's changing slowest; one empty setting without a sweep."""
    return tuple(tuple(zip(sweep, values, strict=True)) for values in itertools.product(*sweep.values()))


def apply_setting(choices: Mapping[str, Choice], setting: Setting) -> dict[str, Choice]:
    """A variant's choices at a setting; a key of one player has priority over a key of both players."""
    applied = dict(choices)
    for key, value in sorted(setting, key=lambda item: item[0].count(".")):
        fields, parameter = _known(key)
        for field in fields:
            applied[field] = replace(applied[field], parameters={**applied[field].parameters, parameter: value})
    return applied


def row_name(family: str, setting: Setting) -> str:
    """The name of a setting's row, ``wgan-gp lr=0.0001 penalty=10``: its family and its values.

    A key is cut to its shortest end that no other key of the sweep has. The name can be the name of a folder.
    """
    keys = [key.split(".") for key, _ in setting]
    values = [f"{_short(key, keys)}={_text(value)}" for key, (_, value) in zip(keys, setting, strict=True)]
    return " ".join([family, *values])


def _known(key: str) -> tuple[tuple[str, ...], str]:
    found = split(key)
    if found is None:
        raise ValueError(f"{key!r} is no path to a parameter")
    return found


def _short(key: list[str], keys: list[list[str]]) -> str:
    others = [other for other in keys if other != key]
    for length in range(1, len(key)):
        if not any(other[-length:] == key[-length:] for other in others):
            return ".".join(key[-length:])
    return ".".join(key)


def _text(value: Any) -> str:
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_text, value))}]"
    return re.sub(r"[^\w.+-]", "_", value if isinstance(value, str) else shown(value))
