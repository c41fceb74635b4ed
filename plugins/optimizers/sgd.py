"""SGD with momentum (Polyak 1964; Sutskever et al. 2013), as torch.optim.SGD computes it."""

from pydantic import NonNegativeFloat, PositiveFloat
from torch import where, zeros_like

from ganbench import Optimizer, hookimpl


def start(theta):
    return (zeros_like(theta),)


def update(
    theta,
    gradient,
    state,
    t,
    *,
    lr: PositiveFloat = 1e-3,
    momentum: NonNegativeFloat = 0.0,
    dampening: float = 0.0,
    weight_decay: NonNegativeFloat = 0.0,
    nesterov: bool = False,
):
    if nesterov and (not momentum or dampening):
        raise ValueError("nesterov needs a momentum and no dampening")
    (velocity,) = state
    if weight_decay:
        gradient = gradient + weight_decay * theta
    if momentum:
        # torch starts the velocity at the first gradient, undamped.
        velocity = momentum * velocity + where(t == 1, 1.0, 1.0 - dampening) * gradient
        gradient = gradient + momentum * velocity if nesterov else velocity
    return theta - lr * gradient, (velocity,)


@hookimpl
def ganbench_optimizers():
    yield Optimizer("sgd", start, update)
