"""Numbers that meet along the wrong axis in a user's own code, which torch broadcasts without a word."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from types import EllipsisType, FrameType
from typing import Any

from torch import Tensor
from torch.nn.functional import linear
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from ganbench.core.place import place

#: Torch's functions that make a column of a row, by their names without underscores: all pairs are meant with it.
_RESHAPES = {"unsqueeze", "view", "reshape", "unflatten", "expand", "get", "t", "transpose", "permute", "movedim"}
#: Those that make one number of each row, whatever the columns are that they take.
_PICKS = {"gather", "take_along_dim", linear.__name__, "matmul", "rmatmul", "mm"}
#: Those of which the mean over all pairs is no more than the two means: nobody means pairs by them and takes that mean.
_FACTORS = {"mul", "rmul", "div", "truediv", "rtruediv", "add", "radd", "sub", "rsub", "where"}
#: What keeps that so, with plain numbers.
_SCALES = {"neg", "negative", *_FACTORS}
#: Those that give a number for each pair by what they are.
_PAIRS = {"einsum", "outer", "ger", "addr", "tensordot", "kron", "meshgrid", "cartesian_prod", "cdist", "bilinear"}


class Columns(TorchFunctionMode):
    """Finds where a user's code broadcasts numbers of samples along another axis than that of the samples.

    A column, (m, 1), against a row, (m,), gives (m, m) numbers, where m is the batch or a multiple of it, as of real
    and generated samples together. With ``d_real[:, None]``, ``.view(-1, 1)`` or ``keepdim`` all pairs are meant; where
    the row is the column's own, too. But not where ``keepdim`` has made a number of each sample, that meets what D says
    of each, nor where all pairs of a product or a sum are added up. A row (n,) against images (n, ..., n) meets their
    last axis.
    """

    def __init__(self, n: int, scope: Mapping[str, Any]) -> None:
        super().__init__()
        self.found: list[str] = []
        self._n = n
        # By identity, and kept: so no later tensor has the identity of one that is gone.
        self._meant: dict[int, Tensor] = {}
        #: Of these the columns that a reduction has kept, as keepdim=True does.
        self._kept: dict[int, Tensor] = {}
        #: Products and sums for all pairs, with what would be said of their mean.
        self._pairs: dict[int, tuple[Tensor, str]] = {}
        self._flat: dict[int, tuple[Tensor, Tensor]] = {}
        logits, samples = ("d_real", "d_fake"), ("real", "fake")
        self._rows = _by_identity(value for name, value in scope.items() if name in logits)
        self._samples = _by_identity(value for name, value in scope.items() if name in samples)

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        name = getattr(function, "__name__", "").strip("_")
        taken = [value for value in tree_leaves((args, kwargs)) if isinstance(value, Tensor)]
        made = [value for value in tree_leaves(result) if isinstance(value, Tensor)]
        if name not in _PAIRS:
            self._look(name, taken, made)
        self._add_up(name, taken, made)
        for one in made:
            self._keep(name, one, taken, args, kwargs or {})
        return result

    def _look(self, name: str, taken: list[Tensor], made: list[Tensor]) -> None:
        shapes = [one.shape for one in made]
        for row in taken:
            if row.dim() != 1 or not self._of_samples(len(row)):
                continue
            m = len(row)
            for other in taken:
                pairs = (m, *other.shape[1:-1], m)
                if _is_column(other, m):
                    its_own = id(row) in self._flat and self._flat[id(row)][1] is other
                    if its_own or not (pairs in shapes or _is_loss(name)):
                        continue
                    words = (
                        f"numbers of the shapes ({m},) and {tuple(other.shape)} give {pairs}, one for each pair of "
                        f"samples: logits are ({m},), so make the other ({m},) too, as torch.ones_like(d_real) or "
                        f".flatten() does, and leave keepdim=True out"
                    )
                    if id(other) not in self._meant or self._meets_logits(row, other):
                        self._say(words)
                    elif name in _FACTORS:
                        where = own_line()
                        self._pairs |= {id(one): (one, f"{where}: {words}") for one in made if where}
                elif (
                    other.shape in shapes
                    and other.shape == pairs
                    and {id(row), id(other)} <= {*self._rows, *self._samples}
                ):
                    ones = ", ".join(["1"] * (other.dim() - 1))
                    self._say(
                        f"numbers of the shape ({m},) meet the last axis of {tuple(other.shape)}, not its samples: "
                        f"make them ({m}, {ones}), as .view(-1, {ones}) does"
                    )

    def _meets_logits(self, row: Tensor, column: Tensor) -> bool:
        """Whether a column that ``keepdim`` has made of samples meets what D says of each sample."""
        given = id(row) in self._rows or (row.requires_grad and not column.requires_grad)
        return id(column) in self._kept and given

    def _add_up(self, name: str, taken: list[Tensor], made: list[Tensor]) -> None:
        """Follow products and sums for all pairs until they are added up."""
        found = [self._pairs[id(value)][1] for value in taken if id(value) in self._pairs]
        if not found or any(value.dim() and id(value) not in self._pairs for value in taken):
            return
        if name in ("mean", "sum") and not any(one.dim() for one in made):
            self.found += found
        elif name in _SCALES:
            self._pairs |= {id(one): (one, found[0]) for one in made}

    def _keep(self, name: str, one: Tensor, taken: list[Tensor], args: Any, kwargs: Mapping[str, Any]) -> None:
        columns = [value for value in taken if value.dim() > 1 and _is_column(value, len(value))]
        if one.dim() > 1 and _is_column(one, len(one)):
            same = [value for value in columns if value.shape == one.shape]
            if name not in _PICKS and (
                any(id(value) in self._meant for value in columns)
                or (not same and (_keeps_dim(args, kwargs) or _makes_axis(name, args)))
            ):
                self._meant[id(one)] = one
                kept = [id(value) in self._kept for value in columns if id(value) in self._meant]
                if all(kept) if kept else _keeps_dim(args, kwargs):
                    self._kept[id(one)] = one
        elif one.dim() == 1:
            if len(taken) == 1 and _is_column(taken[0], len(one)):
                self._flat[id(one)] = (one, taken[0])
            if all(id(value) in self._rows for value in taken if value.dim()) and len(one) == self._n:
                self._rows[id(one)] = one
        if any(id(value) in self._samples and value.shape == one.shape for value in taken) and one.dim() > 1:
            self._samples[id(one)] = one

    def _of_samples(self, m: int) -> bool:
        """Whether so many numbers may be one for each sample: of a batch, of several, of a part of one."""
        return m > 1 and (m % self._n == 0 or self._n % m == 0)

    def _say(self, words: str) -> None:
        if where := own_line():
            self.found.append(f"{where}: {words}")


def own_line() -> str:
    """The innermost line of a user's own plugin that is at work; empty where there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.startswith("ganbench_plugin_") and not name.startswith("ganbench_plugin_shipped_"):
            return place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return ""


def _by_identity(values: Iterable[Any]) -> dict[int, Tensor]:
    return {id(value): value for value in values if isinstance(value, Tensor)}


def _is_column(tensor: Tensor, m: int) -> bool:
    """Whether a tensor is (m, 1), or (m, 1, ..., 1)."""
    return tensor.dim() > 1 and len(tensor) == m and tensor.shape[1:].numel() == 1


def _is_loss(name: str) -> bool:
    """Whether it is a loss of torch's, which broadcasts and gives one number."""
    return name.endswith("_loss") or name in ("kl_div", "dist")


def _keeps_dim(args: Any, kwargs: Mapping[str, Any]) -> bool:
    """Whether a reduction keeps its axis, ``x.sum(1, keepdim=True)``."""
    return bool(kwargs.get("keepdim") or kwargs.get("keepdims")) or any(value is True for value in args)


def _makes_axis(name: str, args: Any) -> bool:
    """Whether a column is made by an axis that is added, ``x[:, None]``, and not by one that is cut, ``x[:, :1]``."""
    if name != "getitem":
        return name in _RESHAPES
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    return any(each is None for each in index if not isinstance(each, Tensor | EllipsisType))
