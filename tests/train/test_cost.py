"""Costs with known answers: closed forms for products, chains whose peak is plain, functions made to be recompiled."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.func import functional_call, grad, vmap

import ganbench
from ganbench.train.engine import cost
from ganbench.train.engine.cost import Compilations, Counts, PeakMemory, StepCost, count, kernels, step_cost
from ganbench.train.step.flat_network import FlatNetwork, buffers_of, flatten

FLOAT = 4
CUDA = torch.device("cuda")


def counted(function, *arguments) -> Counts:
    return count(function, *arguments)[1]


# Operations, FLOPs and bytes.


def test_the_result_is_the_functions_own():
    result, _ = count(lambda a, b: {"sum": a + b}, torch.ones(3), torch.ones(3))
    assert result["sum"].tolist() == [2, 2, 2]


def test_a_sum_reads_two_tensors_and_writes_one():
    """(100,) and (7, 100), 4 bytes a number; no formula for FLOPs."""
    assert counted(torch.add, torch.ones(100), torch.ones(7, 100)) == Counts(1, 0, (100 + 700 + 700) * FLOAT, 2800)


def test_a_product_of_matrices_costs_2mnk():
    m, k, n = 3, 5, 7
    made = counted(torch.mm, torch.ones(m, k), torch.ones(k, n))
    assert made == Counts(1, 2 * m * n * k, (m * k + k * n + m * n) * FLOAT, m * n * FLOAT)


def test_views_are_operations_that_move_no_bytes():
    assert counted(lambda x: x.t().unsqueeze(0).split(1)[0], torch.ones(1, 8)) == Counts(3, 0, 0, 0)


def test_what_an_expanded_tensor_repeats_is_read_once():
    made = counted(lambda x: x.expand(50, 10).clone(memory_format=torch.contiguous_format), torch.ones(10))
    assert made.bytes == (10 + 500) * FLOAT


def test_changing_a_tensor_in_place_reads_and_writes_and_takes_no_memory():
    assert counted(lambda x, y: x.add_(y), torch.ones(10), torch.ones(10)) == Counts(1, 0, 30 * FLOAT, 0)


def test_reading_a_number_out_of_a_tensor_is_counted():
    assert counted(lambda x: x.item(), torch.ones(())) == Counts(1, 0, FLOAT, 0)


def test_a_tiny_function_has_the_operations_that_it_spells_out():
    """sin, exp, sum."""
    assert counted(lambda x: x.sin().exp().sum(), torch.ones(9)).operations == 3


def mlp(sizes):
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(sizes)]
    return torch.nn.Sequential(*[part for layer in layers for part in (layer, torch.nn.Tanh())][:-1])


def forward(batch, sizes):
    """FLOPs of each layer."""
    return [2 * batch * a * b for a, b in pairwise(sizes)]


def test_the_gradient_of_an_mlp_costs_three_forwards_less_the_inputs_gradient():
    """Backward is two products a layer, for weights and inputs; what goes into the first needs no gradient."""
    sizes, batch = (3, 16, 8, 1), 32
    net, x = mlp(sizes), torch.ones(batch, sizes[0])
    theta = {name: parameter.detach() for name, parameter in net.named_parameters()}
    layers = forward(batch, sizes)
    made = counted(grad(lambda theta: functional_call(net, theta, (x,)).sum()), theta)
    assert made.flops == 3 * sum(layers) - layers[0]


def nonsaturating(shipped, *, seed=0, batch=16, width=32):
    """A whole step of the shipped loss on the shipped mlp, written out, with what it costs by hand."""
    torch.manual_seed(seed)
    networks = shipped.get("architecture", "mlp").value.build((2,), width=width, depth=2, latent=2)
    loss = shipped.get("loss", "nonsaturating").value
    D, G = FlatNetwork(networks.discriminator), FlatNetwork(networks.generator)
    real, z = torch.randn(batch, 2), torch.randn(batch, 2)

    def of_D(theta_D, theta_G, real, z):
        fake = G.call(theta_G, {}, z)
        return loss.discriminator(D.call(theta_D, {}, real)[:, 0], D.call(theta_D, {}, fake)[:, 0])

    def of_G(theta_G, theta_D, z):
        return loss.generator(D.call(theta_D, {}, G.call(theta_G, {}, z))[:, 0])

    def step(theta_D, theta_G, real, z):
        theta_D = theta_D - 0.1 * grad(of_D)(theta_D, theta_G, real, z)
        return theta_D, theta_G - 0.1 * grad(of_G)(theta_G, theta_D, z)

    each_D, each_G = forward(batch, (2, width, width, 1)), forward(batch, (2, width, width, 2))
    # D learns from 2 batches; G is run for it, then again, learns through D, whose weights stay.
    flops = sum(each_G) + 2 * (3 * sum(each_D) - each_D[0]) + 2 * sum(each_D) + 3 * sum(each_G) - each_G[0]
    return step, (flatten(networks.discriminator), flatten(networks.generator), real, z), flops


def test_a_step_of_a_gan_costs_what_its_products_cost(shipped):
    step, arguments, flops = nonsaturating(shipped)
    assert counted(step, *arguments).flops == flops


def test_two_counts_of_one_step_are_the_same_whatever_the_seed(shipped):
    step, arguments, _ = nonsaturating(shipped)
    other, others, _ = nonsaturating(shipped, seed=1)
    assert counted(step, *arguments) == counted(step, *arguments) == counted(other, *others)


def test_counting_changes_no_number(shipped):
    step, arguments, _ = nonsaturating(shipped)
    for plain, seen in zip(step(*arguments), count(step, *arguments)[0], strict=True):
        assert torch.equal(plain, seen)


def test_a_step_of_five_replicas_has_five_times_the_flops(shipped):
    """Batched by vmap, fewer operations than five steps dispatch."""
    step, arguments, flops = nonsaturating(shipped)
    one, five = counted(step, *arguments), counted(vmap(step), *[torch.stack([x] * 5) for x in arguments])
    assert five.flops == 5 * flops
    assert five.operations < 5 * one.operations


def test_the_autograd_tape_is_seen_too():
    """A product forwards and one backwards, for the weights, by the tape as by torch.func."""
    x, weight = torch.ones(8, 4), torch.ones(4, 3)

    def recorder(weight):
        leaf = weight.clone().requires_grad_()
        return torch.autograd.grad((x @ leaf).sum(), leaf)[0]

    by_tape, by_func = counted(recorder, weight), counted(grad(lambda weight: (x @ weight).sum()), weight)
    assert by_tape.flops == by_func.flops == 2 * (2 * 8 * 4 * 3)


# Memory.


def test_a_chain_that_forgets_holds_two_links_at_once():
    assert counted(lambda x: x.exp().exp().exp().exp(), torch.ones(1000)).peak_bytes == 2 * 1000 * FLOAT


def test_a_gradient_holds_what_it_needs_of_the_way_there():
    """exp keeps its output, four times; then comes a first gradient, and an output goes for each that comes after."""

    def chain(x):
        return x.exp().exp().exp().exp().sum()

    def recorder(x):
        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(chain(leaf), leaf)

    x = torch.ones(1000)
    sum_and_its_gradient = 2 * FLOAT
    assert counted(recorder, x).peak_bytes == 5 * 1000 * FLOAT + sum_and_its_gradient
    # A gradient of torch.func could be derived again, and holds what that would need.
    assert counted(grad(chain), x).peak_bytes > counted(recorder, x).peak_bytes


def test_tensors_that_share_memory_count_once_and_until_the_last_is_gone():
    def shared(x):
        view = x.exp().view(10, 100)
        return view[3].exp()  # Both alive: 1000 numbers and 100.

    assert counted(shared, torch.ones(1000)).peak_bytes == 1100 * FLOAT


def test_what_was_there_before_is_no_part_of_the_peak():
    assert counted(lambda x: x.add_(1).view(10, 100), torch.ones(1000)).peak_bytes == 0


def test_garbage_collection_does_not_change_the_peak_and_is_on_again_after():
    """Tensors in a cycle live until they are collected, which happens when it happens."""

    def cyclic(x):
        for _ in range(20):
            cycle = [x.exp()]
            cycle.append(cycle)
        return x

    threshold = gc.get_threshold()
    assert gc.isenabled()
    try:
        peaks = []
        for each in (1, 100_000):
            gc.set_threshold(each)
            peaks.append(counted(cyclic, torch.ones(1000)).peak_bytes)
    finally:
        gc.set_threshold(*threshold)
    assert peaks == [20 * 1000 * FLOAT] * 2
    with pytest.raises(ZeroDivisionError):
        count(lambda: 1 / 0)
    assert gc.isenabled()


def test_a_steps_cost_has_its_counts_and_the_sizes_of_what_it_keeps_and_draws():
    net = torch.nn.BatchNorm1d(3)
    theta, draws = flatten(net), (torch.ones(5, 3), torch.ones(5))
    state = (theta, (theta.clone(), torch.zeros((), dtype=torch.long)), buffers_of(net))
    found = step_cost(lambda: theta.exp(), parameters=6, state=state, draws=draws)
    assert found == StepCost(1, 0, 12 * FLOAT, 6 * FLOAT, 6, (6 + 6 + 3 + 3) * FLOAT + 8 + 8, 20 * FLOAT)


#: A process of its own: where other tests have freed memory, a block may take none from the system.
PEAK = """
import torch
from ganbench.train.engine.cost import PeakMemory
with PeakMemory(torch.device("cpu")) as memory:
    torch.ones(2**24)
with PeakMemory(torch.device("cpu")) as again:
    pass
print(memory.peak, again.peak)
"""


def test_the_peak_of_a_block_is_the_memory_that_it_took():
    environment = os.environ | {"PYTHONPATH": str(Path(ganbench.__file__).parents[1])}
    told = subprocess.run([sys.executable, "-c", PEAK], env=environment, capture_output=True, text=True, check=True)
    if "None" in told.stdout:
        pytest.skip("this system does not tell how much memory a process held at most")
    peak, again = map(int, told.stdout.split())
    assert 60 * 2**20 < peak < 100 * 2**20
    assert again < 2**24, "the peak of before was not forgotten"


@pytest.mark.parametrize("missing", ["clear_refs", "status", "VmHWM"])
def test_a_system_that_does_not_tell_of_memory_is_taken_at_its_word(missing, tmp_path, monkeypatch, cpu):
    if missing != "clear_refs":
        (tmp_path / "clear_refs").touch()
    else:
        (tmp_path / "clear_refs").mkdir()
    if missing != "status":
        (tmp_path / "status").write_text("Name:\tpython\nVmRSS:\t    10 kB\n")
    monkeypatch.setattr(cost, "_PROCESS", tmp_path)
    with PeakMemory(cpu) as memory:
        pass
    assert memory.peak is None


def test_the_peak_on_a_gpu_is_of_its_tensors_beyond_those_that_were_there(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", asked.append)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 100)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 350)
    with PeakMemory(CUDA) as memory:
        assert memory.peak is None
    assert (asked, memory.peak) == ([CUDA], 250)


# Compilations.


def compilations(function, *calls):
    """Those that calling the compiled function on vectors of these lengths makes."""
    compiled = torch.compile(function, backend="eager", dynamic=False)
    before = Compilations.now()
    for length in calls:
        compiled(torch.ones(length))
    return Compilations.now().since(before)


def test_a_function_compiled_once_is_not_compiled_again():
    assert compilations(lambda x: x.sin() + 1, 3, 3, 3) == Compilations(0, 0)


def test_other_shapes_compile_it_again_and_those_seen_do_not():
    assert compilations(lambda x: x.cos() + 1, 3, 4, 3, 5, 4) == Compilations(0, 2)


def breaking(x):
    y = x + 1
    torch._dynamo.graph_break()
    return y * 2


def branching(x):
    return x + 1 if x.sum() > 0 else x - 1


@pytest.mark.parametrize("function", [breaking, branching])
def test_a_graph_break_is_one_asked_for_or_a_branch_on_a_tensor(function):
    assert compilations(function, 3, 3) == Compilations(1, 0)


def test_where_the_compiler_was_never_loaded_nothing_was_compiled(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    assert Compilations.now() == Compilations(0, 0)


def test_a_torch_that_keeps_no_count_says_nothing(monkeypatch):
    for name in ("torch._dynamo", "torch._dynamo.utils", "torch._dynamo.convert_frame"):
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    now = Compilations.now()
    assert now == Compilations(None, None)
    assert now.since(Compilations(0, 0)) == now


def test_after_a_reset_between_the_two_nothing_is_said():
    assert Compilations(0, 1).since(Compilations(2, 1)) == Compilations(None, 0)


# Kernels.


def test_there_are_no_kernels_to_count_on_a_cpu(cpu):
    assert kernels(lambda: pytest.fail("was run"), cpu) is None


def event(name, device="CUDA", annotation=False):
    kind = getattr(torch.autograd.DeviceType, device)
    return SimpleNamespace(name=name, device_type=kind, is_user_annotation=annotation)


EVENTS = [
    event("aten::mm", device="CPU"),
    event("sgemm_128x32"),
    event("triton_poi_fused_add_0"),
    event("triton_poi_fused_add_0"),
    event("Memcpy HtoD (Pinned -> Device)"),
    event("Memset (Device)"),
    event("a step", annotation=True),
]


@pytest.fixture
def profiler(monkeypatch):
    """A profiler that sees these events, and what was done with it, in order."""

    def build(events, start_error=None):
        done = []

        class Profile:
            def __init__(self, activities, acc_events):
                assert activities == [torch.profiler.ProfilerActivity.CUDA]

            def start(self):
                if start_error:
                    raise start_error
                done.append("start")

            def stop(self):
                done.append("stop")

            def events(self):
                return events

        monkeypatch.setattr(torch.profiler, "profile", Profile)
        monkeypatch.setattr(torch.cuda, "synchronize", lambda device: done.append("wait"))
        return done

    return build


def test_kernels_are_what_ran_on_the_gpu_but_copies_fills_and_annotations(profiler):
    done = profiler(EVENTS)
    assert kernels(lambda: done.append("run"), CUDA) == 3
    assert done == ["wait", "start", "run", "wait", "stop"]


@pytest.mark.parametrize("events", [None, [], EVENTS[:1]])
def test_a_driver_that_shows_no_kernel_is_not_taken_to_launch_none(events, profiler):
    profiler(events)
    assert kernels(lambda: None, CUDA) is None


def test_while_someone_else_profiles_no_kernels_are_counted_and_nothing_fails(profiler):
    profiler(EVENTS, RuntimeError("Profiler is already enabled on this thread"))
    assert kernels(lambda: pytest.fail("was run"), CUDA) is None


def test_what_the_step_raises_is_raised_and_the_profiler_stopped(profiler):
    done = profiler(EVENTS)
    with pytest.raises(ZeroDivisionError):
        kernels(lambda: 1 / 0, CUDA)
    assert done[-1] == "stop"
