"""A player as a plugin's function is given it: a function, ``D(x)``, that also has the weights of this step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any, NoReturn

from torch import Tensor, nn
from torch.nn.utils.stateless import _reparametrize_module

from ganbench.core.errors import PluginError
from ganbench.train.step.hooks import CURE, hooked, place_of_hook

#: Methods of a module that would change it, with what a plugin's author wants instead.
_REFUSED = {
    "train": "training is in train() mode, evaluation in eval(), without a call",
    "eval": "training is in train() mode, evaluation in eval(), without a call",
    "zero_grad": "leave it out, each step begins without gradients",
    "requires_grad_": "leave it out, a player's gradient is taken with respect to its own parameters alone",
    "load_state_dict": "leave it out, a step must not set weights: project= of a Loss may change them",
    "apply": "leave it out, weights are set in build, and project= of a Loss may change them",
    **dict.fromkeys(("to", "cuda", "cpu", "half", "double"), "leave it out, the engine moves the networks"),
}


class PlayerFunction:
    """``D(x)``, ``D.named_parameters()``, ``D.modules()``: the module's attributes, with the tensors of this step.

    ``function``: what a call does. ``module``: the network whose attributes are asked for, inside of ``whole``, the
    player's module; ``tensors``: gives all tensors of this step, by their names in ``whole``. ``stack``: keeps them in
    the module until the plugin's function has returned.
    """

    _function: Callable[..., Any]
    _module: nn.Module
    _whole: nn.Module
    _tensors: Callable[[], dict[str, Tensor]]
    _stack: ExitStack
    _entered: bool

    def __init__(
        self,
        function: Callable[..., Any],
        module: nn.Module,
        whole: nn.Module,
        tensors: Callable[[], dict[str, Tensor]],
        stack: ExitStack,
    ) -> None:
        own = {"_function": function, "_module": module, "_whole": whole, "_tensors": tensors, "_stack": stack}
        vars(self).update(own, _entered=False)

    def __call__(self, *inputs: Tensor, **options: Any) -> Any:
        """Call the network as training does: with this step's weights and penalties."""
        return self._function(*inputs, **options)

    def __getattr__(self, name: str) -> Any:
        """An attribute of the module. Raises AttributeError where it is a method that would change the module."""
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "forward":
            return self._function
        if name in _REFUSED:
            raise AttributeError(f"a loss or a penalty calls .{name}() of a player: {_REFUSED[name]}")
        if name == "get_parameter":
            # Torch's own wants an nn.Parameter, and the tensors of a step are parts of the player's vector.
            return dict(self._of_this_step().named_parameters()).__getitem__
        return getattr(self._of_this_step(), name)

    def __setattr__(self, name: str, _: Any) -> NoReturn:
        """A player is made anew for each call of a plugin's function; raises AttributeError."""
        raise AttributeError(
            f"a loss or a penalty sets .{name} of a player, which would be lost: what changes with the step is "
            "computed from `step`, or kept in a penalty's `memory`"
        )

    def __getitem__(self, index: int | slice) -> Any:
        """A layer of a network that is an ``nn.Sequential``."""
        return self._layers()[index]

    def __iter__(self) -> Iterator[nn.Module]:
        """The layers of a network that is an ``nn.Sequential``."""
        return iter(self._layers())

    def __len__(self) -> int:
        """How many layers a network has that is an ``nn.Sequential``."""
        return len(self._layers())

    def __bool__(self) -> bool:
        """A player is there, also one whose network has no layers."""
        return True

    def __deepcopy__(self, _: dict[int, Any]) -> PlayerFunction:
        """No step keeps a copy of a player; raises AttributeError."""
        raise AttributeError(
            "a loss or a penalty copies a player, and a step keeps no weights of its own: an average of G's weights is "
            "the suite's `average`, of D's weights there is none; steps ahead of a copy are an update rule's"
        )

    def _layers(self) -> nn.Sequential:
        module = self._of_this_step()
        if not isinstance(module, nn.Sequential):
            raise AttributeError(f"the player is no nn.Sequential, but a {type(module).__name__}: name its layers")
        return module

    def _of_this_step(self) -> nn.Module:
        """The module, with the tensors of this step in it until the plugin's function has returned."""
        if not self._entered:
            tensors = self._tensors()
            self._stack.enter_context(_reparametrize_module(self._whole, tensors))
            self._stack.push(partial(_refuse_hooks, tensors))
            vars(self)["_entered"] = True
        return self._module


def _refuse_hooks(tensors: dict[str, Tensor], kind: Any, *_: Any) -> None:
    """Refuse that a plugin's function, which has returned, has left hooks on a player's weights."""
    for name, tensor in tensors.items() if kind is None else ():
        if hooked(tensor):
            raise PluginError(
                f"a loss or a penalty sets a hook on a player's weight {name!r}{place_of_hook(tensor)}, {CURE}"
            )


def seen(player: PlayerFunction, function: Callable[..., Any]) -> PlayerFunction:
    """The same player, whose calls are those of another function."""
    return PlayerFunction(function, player._module, player._whole, player._tensors, player._stack)


def taken_apart(player: PlayerFunction) -> bool:
    """Whether anything but a call was asked of a player."""
    return player._entered
