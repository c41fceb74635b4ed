"""What a GPU would refuse or wait for, found without one: on the device ``meta`` tensors have shapes and no numbers.

A GPU takes a tensor of the CPU as an index, and where it is one number and the operation goes element by element, as
x * torch.tensor(2.0); else it refuses it. Torch's own check on ``meta`` is another one: it lets x @ w through, where w
is on the CPU, and refuses some of what a GPU takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ganbench.core.errors import message_of
from ganbench.core.plain_words import plain_words
from ganbench.core.reasons import DEVICE
from ganbench.core.unloaded_compiler import unloaded

#: Torch's words, of meta as of a GPU, where numpy is to read a tensor.
_NUMPY = "device type tensor to numpy"
META = torch.device("meta")
aten = torch.ops.aten
#: These copy from one device to another; a program waits where the copy is on the CPU.
_COPIES = {aten._to_copy, aten.copy_, aten.copy}
#: A part of these is a copy, which may come from the CPU.
_FILLED = {aten.select_scatter, aten.slice_scatter, aten.diagonal_scatter, aten.as_strided_scatter}
#: Operations with indices, which may be on the CPU; what is put there may be one number of the CPU.
_PUT = {aten.index_put, aten.index_put_, aten._unsafe_index_put, aten._index_put_impl_}
_INDEXED = {aten.index, aten._unsafe_index, *_PUT}
#: Operations that take one number of the CPU, besides those that torch tags as element by element.
_ONE_NUMBER = {
    *(aten.masked_fill, aten.masked_fill_, aten.fill, aten.fill_, aten.index_fill, aten.index_fill_, aten.rsub),
    *(aten.floor_divide, aten.floor_divide_, aten.mse_loss, aten.smooth_l1_loss, aten.binary_cross_entropy_with_logits),
    *(aten.eq_, aten.ne_, aten.lt_, aten.le_, aten.gt_, aten.ge_, aten.copysign_, aten.heaviside_, aten.dist),
}
#: Torch tags these as element by element, but a GPU compares the devices of all that they are given.
_STRICT = {
    *(aten.clamp, aten.clamp_, aten.clamp_max, aten.clamp_max_, aten.clamp_min, aten.clamp_min_, aten.logaddexp),
    *(aten.logaddexp2, aten.igamma, aten.igamma_, aten.igammac, aten.igammac_, aten.gcd, aten.lcm),
    *(aten.nextafter, aten.nextafter_, aten.equal),
}


#: Of what copies numbers to the CPU.
COPY = "copied from the GPU to the CPU"


class MixedError(RuntimeError):
    """An operation is given a tensor of the CPU, and a GPU would refuse it."""


class WaitError(RuntimeError):
    """An operation needs numbers that are on the GPU: there the program waits until they are computed."""


@unloaded
class OneDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within the block, with tensors on ``meta``: MixedError and WaitError, in the line of the operation.

    It sees every operation below autograd and vmap, where all tensors are plain ones, as a GPU would.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None) -> Any:
        """Call an operation, if a GPU would take what it is given, and would not wait for it."""
        kwargs = kwargs or {}
        given = [*_tensors((args, kwargs))]
        elsewhere = [tensor for tensor in given if tensor.device != META]
        if len(elsewhere) == len(given):
            return func(*args, **kwargs)
        _check_wait(func, args, kwargs)
        if elsewhere and func.overloadpacket not in _COPIES | _FILLED:
            _check_mixed(func, args, elsewhere)
            # On meta torch itself would refuse some of what a GPU takes.
            args, kwargs = _moved(args), _moved(kwargs)
        return func(*args, **kwargs)


def refusal(error: BaseException) -> str:
    """What a GPU would refuse, in plain words, of an error that was raised on ``meta``; empty where it is another."""
    reason = plain_words(error)
    # Torch itself compares devices where a function of several operations begins.
    refused = isinstance(error, MixedError) or _NUMPY in message_of(error) or DEVICE.does in reason
    return f"on a GPU {reason}" if refused else ""


def takes_a_number(packet: Any, tags: Sequence[torch.Tag]) -> bool:
    """Whether a GPU takes one number of the CPU, a tensor of no dimension, among what an operation is given."""
    return packet in _ONE_NUMBER | _PUT or (torch.Tag.pointwise in tags and packet not in _STRICT)


def _check_wait(func: Any, args: Any, kwargs: dict[str, Any]) -> None:
    packet = func.overloadpacket
    if packet in _COPIES:
        to = kwargs.get("device") if packet is aten._to_copy else args[0].device
        if to is not None and torch.device(to).type == "cpu":
            raise WaitError(COPY)
    elif packet in _INDEXED:
        # One number is put wherever a mask is true; else the places are listed first, and how many there are is read.
        listed = packet not in _PUT or args[2].numel() != 1
        if listed and any(each.dtype in (torch.bool, torch.uint8) for each in _tensors(args[1])):
            raise WaitError("dynamic shape: a boolean mask")
    elif torch.Tag.dynamic_output_shape in func.tags:
        raise WaitError("dynamic shape")
    elif torch.Tag.data_dependent_output in func.tags:
        raise WaitError("data-dependent control flow")


def _check_mixed(func: Any, args: Any, elsewhere: Sequence[Tensor]) -> None:
    packet = func.overloadpacket
    indices = {id(each) for each in _tensors(args[1])} if packet in _INDEXED else set()
    # What is written into must be on the GPU itself.
    number = takes_a_number(packet, func.tags) and not (func._schema.is_mutable and args[0].device != META)
    if any(id(tensor) not in indices and (tensor.dim() or not number) for tensor in elsewhere):
        raise MixedError(f"{packet.__name__} is given tensors that are not all on the same device")


def _moved(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree if tree.device == META else torch.empty_like(tree, device=META)
    if isinstance(tree, list | tuple):
        return type(tree)(map(_moved, tree))
    return {name: _moved(value) for name, value in tree.items()} if isinstance(tree, dict) else tree


def _tensors(tree: Any) -> Iterator[Tensor]:
    """The tensors that an operation takes: it knows no trees but lists, tuples and dicts."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, list | tuple | dict):
        for each in tree.values() if isinstance(tree, dict) else tree:
            yield from _tensors(each)
