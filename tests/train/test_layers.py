"""A layer that no step can train as it is gets one line before training: where it is, and what to write instead."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from ganbench import Networks, spectral_norm
from ganbench.core.errors import PluginError
from ganbench.train.logits import logits_note
from ganbench.train.step.check import check_networks
from ganbench.train.step.layers import check_module


def inside(layer):
    return nn.Sequential(nn.Linear(2, 8), layer, nn.Linear(8, 1))


def with_attribute(value):
    module = inside(nn.ReLU())
    module.own = value
    return module


def old(norm):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return norm(nn.Linear(8, 8))


def frozen():
    module = nn.Linear(2, 1)
    module.bias.requires_grad_(False)
    return module


def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(nn.Linear(2, 1))


def complex_weight():
    module = nn.Linear(2, 1)
    module.phase = nn.Parameter(torch.zeros(3, dtype=torch.cfloat))
    return module


def with_hook(kind):
    module = nn.Linear(2, 1)
    getattr(module.weight, kind)(lambda gradient: 0 * gradient)
    return module


def with_hook_on_all():
    module = inside(nn.ReLU())
    torch.autograd.graph.register_multi_grad_hook([*module.parameters()], lambda gradients: None)
    return module


#: A parametrization's own weight can be hooked, too.
def with_hook_inside():
    module = parametrizations.weight_norm(nn.Linear(2, 1))
    module.parametrizations.weight.original1.register_hook(lambda gradient: 0 * gradient)
    return module


REFUSED = {
    "spectral_norm": (
        lambda: inside(parametrizations.spectral_norm(nn.Linear(8, 8))),
        r"layer '1' has torch's spectral_norm, .*: use ganbench\.spectral_norm\(layer\)",
    ),
    "old spectral_norm": (
        lambda: inside(old(nn.utils.spectral_norm)),
        r"layer '1' \(Linear\) has torch's spectral_norm, .*: use ganbench\.spectral_norm\(layer\)",
    ),
    "old weight_norm": (
        lambda: inside(old(nn.utils.weight_norm)),
        r"layer '1' \(Linear\) .*: use torch\.nn\.utils\.parametrizations\.weight_norm\(layer\)",
    ),
    "batch norm": (
        lambda: inside(nn.BatchNorm1d(8)),
        r"layer '1' \(BatchNorm1d\) .*: write nn\.BatchNorm1d\(8, track_running_stats=False\)",
    ),
    "batch norm of other numbers": (
        lambda: inside(nn.BatchNorm1d(8, 0.8, affine=False)),
        r"write nn\.BatchNorm1d\(8, eps=0\.8, affine=False, track_running_stats=False\)",
    ),
    "instance norm with weights": (
        lambda: inside(nn.InstanceNorm1d(8, affine=True, track_running_stats=True)),
        r"write nn\.InstanceNorm1d\(8, affine=True, track_running_stats=False\)",
    ),
    "numpy's numbers": (
        lambda: nn.ParameterList([nn.Parameter(torch.zeros(2, dtype=torch.float64))]),
        r"write torch\.from_numpy\(x\)\.float\(\) of numpy's x",
    ),
    "batch norm without momentum": (
        lambda: inside(nn.BatchNorm1d(8, momentum=None)),
        r"write nn\.BatchNorm1d\(8, track_running_stats=False\)",
    ),
    "deep batch norm": (
        lambda: nn.Sequential(nn.Linear(2, 8), inside(nn.BatchNorm2d(8))),
        r"layer '1\.1' \(BatchNorm2d\) .*: write nn\.BatchNorm2d\(8, track_running_stats=False\)",
    ),
    "SyncBatchNorm": (lambda: inside(nn.SyncBatchNorm(8)), r"write nn\.BatchNorm2d\(8, track_running_stats=False\)"),
    "instance norm": (
        lambda: inside(nn.InstanceNorm1d(8, track_running_stats=True)),
        r"write nn\.InstanceNorm1d\(8, track_running_stats=False\)",
    ),
    "embedding with max_norm": (lambda: inside(nn.Embedding(3, 8, max_norm=1.0)), "by max_norm: leave that out"),
    "sparse embedding": (lambda: inside(nn.Embedding(3, 8, sparse=True)), "leave sparse=True out"),
    "DataParallel": (lambda: nn.DataParallel(inside(nn.ReLU())), "give the network inside it"),
    "jit": (scripted, r"compiled by torch\.jit: give the module itself"),
    "compile": (lambda: torch.compile(inside(nn.ReLU())), r"compiled by torch\.compile: give the module itself"),
    "compile inside": (lambda: inside(torch.compile(nn.Linear(8, 8))), r"layer '1' .* give the module itself"),
    "lazy": (lambda: inside(nn.LazyLinear(8)), r"layer '1' \(LazyLinear\) has no shape yet: use the layer that is not"),
    "float64": (lambda: inside(nn.ReLU()).double(), r"parameter '0\.weight' is float64, .*: leave \.double\(\)"),
    "float16": (lambda: inside(nn.ReLU()).half(), r"parameter '0\.weight' is float16"),
    "complex": (complex_weight, r"parameter 'phase' is complex: hold torch\.view_as_real"),
    "another device": (lambda: inside(nn.ReLU()).to("meta"), r"is on meta: leave \.cuda\(\) and \.to\(device\) out"),
    "frozen": (frozen, "parameter 'bias' is frozen: hold it as a buffer"),
    "hook": (
        lambda: with_hook("register_hook"),
        r"'weight' has a hook of its gradient \(test_layers\.py:\d+\), and no step calls it, .* write w \* mask \+ w",
    ),
    "hook after the sum": (
        lambda: with_hook("register_post_accumulate_grad_hook"),
        r"'weight' has a hook of its gradient \(test_layers\.py:\d+\), .* write clip: 1\.0 in the suite's optimizer",
    ),
    "hook on all": (with_hook_on_all, r"'0\.weight' has a hook of its gradient \(test_layers\.py:\d+\)"),
    "hook inside": (with_hook_inside, r"'parametrizations\.weight\.original1' has a hook of its gradient"),
    "a tensor": (lambda: with_attribute(torch.ones(2)), "tensor 'own' is neither a parameter nor a buffer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_layer_that_no_step_can_train_is_refused_with_the_cure(name):
    make, message = REFUSED[name]
    with pytest.raises(PluginError, match=rf"^the discriminator('s)? .*{message}"):
        check_module("the discriminator", make())


def test_both_players_layers_are_looked_at():
    with pytest.raises(PluginError, match=r"^architecture it: the generator's layer '1' \(BatchNorm1d\) keeps"):
        check_networks("it", Networks(inside(nn.BatchNorm1d(8)), nn.Linear(2, 1), (2,)), (2,))


@pytest.mark.parametrize(
    "layer",
    [
        nn.BatchNorm1d(8, track_running_stats=False),
        nn.BatchNorm1d(8).eval(),
        nn.InstanceNorm1d(8),
        spectral_norm(nn.Linear(8, 8)),
        parametrizations.weight_norm(nn.Linear(8, 8)),
        parametrizations.orthogonal(nn.Linear(8, 8)),
        nn.LSTM(8, 8),
        with_attribute({"slope": 0.2, "sizes": [1, 2]}),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_other_layers_pass(layer):
    """Among them an LSTM, which keeps a list of its parameters, and fixed statistics."""
    discriminator = nn.Linear(2, 1)
    discriminator.further = layer
    check_networks("it", Networks(nn.Linear(2, 2), discriminator, (2,)), (2,))


@pytest.mark.parametrize("output", [lambda x: (x.sum(1), x), lambda x: [x.sum(1)], lambda x: {"logit": x.sum(1)}])
def test_features_beside_the_logits_are_for_who_asks(output):
    discriminator = nn.Linear(2, 1)
    discriminator.forward = output
    with pytest.raises(PluginError, match=r"must return one tensor, its logits, .*call D\(x, features=True\) in the"):
        check_networks("it", Networks(nn.Linear(2, 2), discriminator, (2,)), (2,))


@pytest.mark.parametrize("last", [nn.Sigmoid(), nn.Softmax(1), nn.LogSigmoid()], ids=lambda last: type(last).__name__)
def test_a_probability_where_losses_take_logits_is_said(last):
    def note(*layers):
        return logits_note(Networks(nn.Linear(2, 2), nn.Sequential(*layers), (2,)), None)

    assert note(nn.Linear(2, 1), last).startswith(f"the discriminator ends in {type(last).__name__},")
    assert note(last, nn.Linear(2, 1)) == ""
