"""The shipped optimisers are torch's own, or their papers' algorithms, computed as functions."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench.core.errors import PluginError
from ganbench.plugin.registry import Registry
from ganbench.train.step.flat_network import FlatNetwork, as_one_module
from ganbench.train.trainer import Trainer

#: Adds to the numbers of each layer how many dimensions and numbers it has.
TELLS = '''"""Tells (no citation)."""
from torch import cat, full
from ganbench import Optimizer, hookimpl

def start(theta):
    return ()

def update(theta, shapes, gradient):
    layers = cat([full((shape.numel(),), 1000.0 * len(shape) + shape.numel()) for shape in shapes])
    return theta + layers + 0 * gradient, ()

@hookimpl
def ganbench_optimizers():
    yield Optimizer("tells", start, update)
'''

CASES = {
    "sgd": ("SGD", {}),
    "sgd momentum": ("SGD", {"momentum": 0.9}),
    "sgd damped": ("SGD", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
    "sgd nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "adam": ("Adam", {}),
    "adam toys": ("Adam", {"betas": (0.5, 0.999), "lr": 0.01}),
    "adam zero": ("Adam", {"betas": (0.0, 0.99), "weight_decay": 0.1, "eps": 1e-6}),
    "adamw": ("AdamW", {}),
    "adamw toys": ("AdamW", {"betas": (0.5, 0.999), "lr": 0.01, "weight_decay": 0.3, "eps": 1e-6}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop momentum": ("RMSprop", {"momentum": 0.5, "alpha": 0.9, "weight_decay": 0.01}),
}


def gradient(theta):
    """Of a bumpy function, so that gradients keep changing sign and size."""
    return torch.cos(3 * theta) + 0.1 * theta


@pytest.mark.parametrize("case", CASES)
def test_a_hundred_steps_are_those_of_torch_optim(case, shipped):
    name, parameters = CASES[case]
    ours = shipped.get("optimizer", name.lower()).value
    start = torch.linspace(-2, 2, 41, dtype=torch.float64)
    leaf = start.clone().requires_grad_()
    parameters = {"lr": 0.05, **parameters}
    theirs = getattr(torch.optim, name)([leaf], **parameters)
    theta, state = start, ours.start(start)
    for t in range(1, 101):
        theta, state = ours.update(theta, gradient(theta), state, torch.tensor(float(t)), **parameters)
        leaf.grad = gradient(leaf.detach())
        theirs.step()
    torch.testing.assert_close(theta, leaf.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_defaults_are_torchs(name, shipped):
    """Where a parameter has torch's name it has torch's default."""
    defaults = getattr(torch.optim, name)([torch.zeros(1)]).defaults
    for parameter in shipped.get("optimizer", name.lower()).parameters:
        assert parameter.common or parameter.default == defaults[parameter.name]


@pytest.mark.parametrize("parameters", [{}, {"lr": 0.05, "betas": (0.5, 0.9), "weight_decay": 0.3}])
def test_lion_is_the_papers_algorithm(parameters, shipped):
    """Algorithm 2 of Chen et al. 2023, number by number; the defaults are those of the authors' code."""
    lion = shipped.get("optimizer", "lion").value
    eta, (beta1, beta2), decay = ({"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0.0} | parameters).values()
    theta = torch.linspace(-2, 2, 41, dtype=torch.float64)
    state, numbers, m = lion.start(theta), theta.tolist(), [0.0] * 41
    for _ in range(100):
        theta, state = lion.update(theta, gradient(theta), state, **parameters)
        for i, g in enumerate(gradient(torch.tensor(numbers, dtype=torch.float64)).tolist()):
            c = beta1 * m[i] + (1 - beta1) * g
            numbers[i] -= eta * ((c > 0) - (c < 0) + decay * numbers[i])
            m[i] = beta2 * m[i] + (1 - beta2) * g
    torch.testing.assert_close(theta, torch.tensor(numbers, dtype=torch.float64))


def test_muon_is_torchs_in_the_hidden_layers_and_adamw_everywhere_else(shipped, monkeypatch):
    """But for torch's bfloat16, which is kept out here: the first and the last layer, and biases, are AdamW's."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)
    shapes = [torch.Size(shape) for shape in ((6, 2), (6,), (5, 6), (5,), (8, 5), (8,), (2, 8), (2,))]
    sizes = [shape.numel() for shape in shapes]
    theta = torch.randn(sum(sizes), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    leaves = [piece.view(shape).clone() for piece, shape in zip(theta.split(sizes), shapes, strict=True)]
    hidden = [leaf for leaf in leaves[2:-2] if leaf.dim() == 2]
    others = [leaf for leaf in leaves if all(leaf is not one for one in hidden)]
    ours, muon = shipped.get("optimizer", "muon").value, torch.optim.Muon
    theirs = [
        muon(hidden, lr=0.05, momentum=0.9, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=0.05, betas=(0.8, 0.95), weight_decay=0.1),
    ]
    parameters = {"lr": 0.05, "momentum": 0.9, "betas": (0.8, 0.95), "weight_decay": 0.1}
    state = ours.start(theta)
    for t in range(1, 21):
        theta, state = ours.update(theta, gradient(theta), state, torch.tensor(float(t)), [shapes], **parameters)
        for leaf in leaves:
            leaf.grad = gradient(leaf)
        for one in theirs:
            one.step()
    for piece, leaf in zip(theta.split(sizes), leaves, strict=True):
        torch.testing.assert_close(piece, leaf.reshape(-1), rtol=1e-4, atol=1e-5)


def test_muon_takes_a_filter_of_images_as_a_matrix_with_a_row_for_each_output(shipped):
    muon = shipped.get("optimizer", "muon").value
    theta = torch.randn(3 * 2 * 4 + 5 * 3 * 4 + 5, generator=torch.Generator().manual_seed(0))
    filters, matrices = (
        [torch.Size(shape) for shape in ((3, 2, *kernel), hidden, (1, 5))]
        for kernel, hidden in (((2, 2), (5, 3, 2, 2)), ((4,), (5, 12)))
    )
    moved = [muon.update(theta, theta, muon.start(theta), torch.tensor(1.0), [own])[0] for own in (filters, matrices)]
    assert torch.equal(*moved)


def test_muon_leaves_the_first_and_the_last_layer_of_each_network_to_adamw(shipped):
    """Of a player with an encoder: else the generator's last and the encoder's first layer would count as hidden."""
    networks = [[torch.Size(shape) for shape in ((6, 2), (5, 6), (2, 5))] for _ in range(2)]
    sizes = [shape.numel() for network in networks for shape in network]
    theta = torch.randn(sum(sizes), generator=torch.Generator().manual_seed(0))
    muon, adamw = (shipped.get("optimizer", name).value for name in ("muon", "adamw"))
    step = torch.tensor(1.0)
    moved = muon.update(theta, theta, muon.start(theta), step, networks)[0].split(sizes)
    others = adamw.update(theta, theta, adamw.start(theta), step, lr=1e-3, weight_decay=0.0)[0].split(sizes)
    assert [torch.allclose(*pair) for pair in zip(moved, others, strict=True)] == [True, False, True] * 2


def test_the_networks_of_a_player_are_told_apart():
    G, E = (nn.Sequential(nn.Linear(2, 3), nn.Linear(3, size)) for size in (2, 1))
    flat = FlatNetwork(as_one_module(G, {"E": E}))
    assert [[tuple(shape) for shape in network] for network in flat.networks] == [
        [(3, 2), (3,), (2, 3), (2,)],
        [(3, 2), (3,), (1, 3), (1,)],
    ]
    assert sum(flat.networks, ()) == flat.shapes
    assert FlatNetwork(G).networks == (FlatNetwork(G).shapes,)


def test_muon_without_a_hidden_layer_is_refused(cell, cpu):
    """It would be AdamW under another name."""
    with pytest.raises(PluginError, match="muon moves hidden layers, and a player has none"):
        Trainer([cell("{loss: minimax, optimizer: muon, architecture: {depth: 1}}")], cpu, "eager")


@pytest.mark.parametrize("clip", ["", ", clip: 0.1"])
def test_each_player_is_given_the_shapes_of_its_own_layers(clip, cell, cpu, tmp_path):
    """G has 2 outputs and D has 1; a clipped gradient changes nothing of that."""
    (tmp_path / "tells.py").write_text(TELLS)
    registry = Registry.load(extra=tmp_path)
    variant = f"{{loss: minimax, optimizer: {{name: tells{clip}}}, architecture: {{depth: 2}}}}"
    one = Trainer([cell(variant, registry=registry)], cpu, "eager")
    moved = one.advance(one.start, 0, 1)
    for player, outputs in (("D", 1), ("G", 2)):
        after, before = (getattr(state.players, player).theta for state in (moved, one.start))
        added = [2032] * 32 + [1016] * 16 + [2256] * 256 + [1016] * 16 + [2000 + 16 * outputs] * 16 * outputs
        wanted = torch.tensor([*added, *[1000 + outputs] * outputs], dtype=torch.float32)
        torch.testing.assert_close(after - before, wanted.expand(4, -1), rtol=0, atol=1e-2)
