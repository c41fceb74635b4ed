"""Parameters that a step uses and no optimizer moves: those of a network that a plugin makes beside the players'."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ganbench.train.hidden_state import HiddenState

_TRAINED = (
    "a part of an architecture is an attribute of its network, an nn.Parameter or a layer made in __init__; a further "
    "network that is trained is made by Loss(players=...) and named in parts=; of one that is fixed set "
    "requires_grad_(False)"
)
_HELD = "hold them as attributes of the network or in nn.ModuleList"
#: So many containers may lie one in the other.
_DEPTH = 4


def untrained_notes(parameters: Sequence[Tensor], watched: HiddenState) -> list[str]:
    """Notes on parameters that a step takes from elsewhere than the players.

    Args:
        parameters: tensors with gradients that a step has used and was not given
        watched: where plugins could keep them

    Returns:
        A note with the variable that holds them and its place, where that is found; none where there are none.
    """
    if not parameters:
        return []
    used = {tensor.untyped_storage()._cdata for tensor in parameters}
    for variable, value in watched.variables():
        if any(tensor.untyped_storage()._cdata in used for tensor in _tensors(value)):
            name = variable.name if variable.of_network else repr(variable.name)
            cure = _HELD if variable.of_network else _TRAINED
            where = watched.place(variable.last, variable.module)
            return [f"a step uses parameters of {name}{where}, which no optimizer moves: {cure}"]
    return [f"a step uses parameters that no optimizer moves: {_TRAINED}"]


def _tensors(value: Any, depth: int = _DEPTH) -> Iterator[Tensor]:
    """The tensors that a variable holds: of a network, in a container, a closure or an object."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from value.parameters()
    elif isinstance(value, types.CellType):
        try:
            held = value.cell_contents
        except ValueError:  # a variable that has no value yet
            return
        yield from _tensors(held, depth)
    elif depth and isinstance(value, Mapping | list | tuple | set | frozenset):
        for one in [*(value.values() if isinstance(value, Mapping) else value)]:
            yield from _tensors(one, depth - 1)
    elif depth and not isinstance(value, type | types.FunctionType | types.ModuleType):
        for one in [*getattr(value, "__dict__", {}).values()]:
            yield from _tensors(one, depth - 1)
