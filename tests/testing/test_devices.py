"""What a GPU refuses, or is waited for, is told on a machine without one; what it takes passes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from torch import nn

from ganbench.core.errors import NotApplicableError, PluginError
from ganbench.core.threads import threads
from ganbench.testing import check
from ganbench.testing import one_device as mode
from ganbench.testing.devices import on_one_device, walk
from ganbench.testing.result import Subject, settings
from ganbench.testing.training import cell as checked_cell

HEAD = '"""Planted (no citation)."""\nimport numpy as np\nimport torch\nfrom torch import nn\nimport ganbench\n\n'
LOSS = (
    HEAD + "ONES, TWO = torch.ones(24), torch.tensor(2.0)\n\n"
    "def discriminator(d_real, d_fake, D, real, fake, random, step):\n"
    "    {}\n"
    "    return (1 - d_real).relu().mean() + (1 + d_fake).relu().mean() + 0 * more.mean()\n\n"
    "def generator(d_fake):\n    return -d_fake.mean()\n\n"
    "@ganbench.hookimpl\ndef ganbench_losses():\n    yield ganbench.Loss('planted', discriminator, generator)\n"
)
#: Lines of a loss that a GPU refuses.
REFUSED = {
    "made on the CPU": "more = d_real * torch.zeros(24)",
    "a global of the file": "more = d_real * ONES",
    "of numpy": "more = torch.from_numpy(np.ones(24, dtype=np.float32)) @ d_real",
    "a product of matrices": "more = real @ torch.ones(2, 3)",
    "a number that is stacked": "more = torch.stack([d_real.mean(), torch.tensor(0.0)])",
    "a number as a bound": "more = d_real.clamp(min=torch.tensor(0.0))",
    "an index of index_select": "more = d_real.index_select(0, torch.tensor([0, 1]))",
    "rows of a matrix of the CPU": "more = torch.eye(24)[(d_real > 0).long()]",
    "labels": "more = nn.functional.binary_cross_entropy_with_logits(d_real, torch.ones(24))",
    "before D is called": "more = ganbench.input_gradient(D, real + torch.zeros(24, 2))",
    "a function of several operations": "more = torch.quantile(d_real, torch.tensor([0.5]))",
    "a tensor that numpy reads": "more = d_real * float(d_real.detach().numpy().std())",
    "a tensor of the CPU that is written into": "more = torch.tensor(1.0).mul_(d_real.mean())",
    "an empty tensor that is filled": "more = torch.empty(24).fill_(0.5) @ d_real",
}
#: Lines that a GPU takes.
TAKEN = {
    "a number of the CPU": "more = d_real * TWO + torch.maximum(d_real, torch.zeros(()))",
    "a number of numpy": "more = d_real * np.float32(2.0) + np.pi",
    "a number of the CPU where a mask is true": "more = d_real.masked_fill(d_real > 0, torch.tensor(0.0))",
    "a number of the CPU in torch.where": "more = torch.where(d_real > 0, torch.tensor(0.0), d_real)",
    "an index on the CPU": "more = d_real[torch.tensor([0, 1])]",
    "made beside": "more = torch.arange(24, device=d_real.device) * d_real.new_zeros(24) @ torch.ones_like(d_real)",
    "moved there": "more = ONES.to(d_real) @ d_real",
    "torch's global draws": "more = d_real * torch.rand(24) + torch.randn(24, device='cpu')",
    "an empty tensor that draws": "more = d_real * torch.empty(24).normal_()",
    "the seed's draws": "more = d_real * random.uniform(24)",
    "matrices": "more = torch.linalg.eigvalsh(real.T @ real) + torch.linalg.inv(real.T @ real)",
    "the tape, seed by seed": "more = torch.autograd.grad(D(real.requires_grad_()).sum(), real, create_graph=True)[0]",
}
#: Lines that need numbers of a GPU, with what is said.
WAITED = {
    "more = d_real.mean() if step > 3 else d_real": "step > 3 reads a number",
    "more = d_real * float(step)": "float(step) reads a number",
    "more = d_real * 0.5 ** step.item()": "step.item() reads a number",
    "more = d_real.cpu().mean()": "d_real.cpu() copies a tensor to the CPU: leave .cpu() and .numpy() out",
    "more = torch.bincount((d_real > 0).long(), minlength=2).float()": "has a size that depends on values",
    "more = d_real[(step > torch.arange(-24, 0, device=step.device))]": "has a size that depends on values",
}


@pytest.fixture
def found(tmp_path, shipped, only):
    """The status and the reason of a file with this code: ``found(code)``."""
    only("one device")

    def run(code, name="planted"):
        path = tmp_path / "planted.py"
        path.write_text(code)
        (result,) = check(path, shipped)
        return result.status, result.reason

    return run


@pytest.mark.parametrize("line", REFUSED.values(), ids=REFUSED)
def test_what_a_gpu_refuses_is_told_with_its_line(line, found):
    code = LOSS.format(line)
    status, reason = found(code)
    at = 1 + code.splitlines().index(f"    {line}")
    assert (status, reason.startswith("on a GPU ")) == ("fail", True)
    assert reason.endswith(f" (planted.py:{at})")
    assert "make new tensors with device=x.device" in reason or "use torch's functions" in reason


@pytest.mark.parametrize("line", TAKEN.values(), ids=TAKEN)
def test_what_a_gpu_takes_passes(line, found):
    assert found(LOSS.format(line)) == ("pass", "")


@pytest.mark.parametrize(("line", "said"), WAITED.items())
def test_what_reads_a_number_of_a_gpu_is_told_and_not_refused(line, said, found):
    status, reason = found(LOSS.format(line))
    assert status == "n/a"
    assert reason.startswith("a GPU is waited for in each step: ")
    assert said in reason
    assert reason.endswith(" (planted.py:10)")


def test_what_trains_seed_by_seed_is_told_as_that(found):
    status, reason = found(LOSS.format("more = d_real * d_real.mean().item()"))
    assert status == "n/a"
    assert reason.startswith("trains seed by seed: d_real.mean().item() reads a number")


#: A plugin of each kind with one line in it; a line that is wrong, what is told of it, and the right line.
OTHERS = {
    "penalty": (
        "def discriminator(D, real, *, weight: float = 1.0):\n    {}\n    return weight * (D(real) * w).mean()\n\n"
        "@ganbench.hookimpl\ndef ganbench_penalties():\n    yield ganbench.Penalty('planted', discriminator)\n",
        "w = torch.ones(24)",
        "D(real) * w mixes tensors of two devices: make new tensors with device=x.device",
        "w = torch.ones(24, device=real.device)",
    ),
    "what a penalty remembers": (
        "def remember(memory, step):\n    {}\n    return (kept,)\n\n"
        "def discriminator(d_real, memory):\n    return d_real.square().mean() * memory[0]\n\n"
        "@ganbench.hookimpl\ndef ganbench_penalties():\n"
        "    yield ganbench.Penalty('planted', discriminator, remember=remember, memory=(0.0,))\n",
        "kept = torch.zeros(())",
        "what a penalty remembers is on the CPU after a step",
        "kept = torch.zeros_like(memory[0])",
    ),
    "update": (
        "def step(game, players):\n    batch = game.draw()\n"
        "    D = game.discriminator_gradient(players, batch)\n    {}\n"
        "    players = game.move(players, discriminator=D + 0 * w)\n"
        "    return game.move(players, generator=game.generator_gradient(players, game.draw()))\n\n"
        "@ganbench.hookimpl\ndef ganbench_updates():\n    yield ganbench.Update('planted', step)\n",
        "w = torch.ones(len(D))",
        "D + 0 * w mixes tensors of two devices",
        "w = torch.ones_like(D)",
    ),
    "an optimizer's update": (
        "def start(theta):\n    return ()\n\ndef update(theta, gradient):\n    {}\n"
        "    return theta - 0.1 * w * gradient, ()\n\n"
        "@ganbench.hookimpl\ndef ganbench_optimizers():\n    yield ganbench.Optimizer('planted', start, update)\n",
        "w = torch.linspace(0.5, 1, len(theta))",
        "0.1 * w * gradient mixes tensors of two devices",
        "w = torch.linspace(0.5, 1, len(theta), device=theta.device)",
    ),
    "an optimizer's start": (
        "def start(theta):\n    {}\n    return (m,)\n\ndef update(theta, gradient, state):\n"
        "    return theta - 0.1 * gradient, (state[0] + gradient,)\n\n"
        "@ganbench.hookimpl\ndef ganbench_optimizers():\n    yield ganbench.Optimizer('planted', start, update)\n",
        "m = torch.zeros(theta.shape)",
        "the state of an optimizer is on the CPU before the first step: make it of what is given",
        "m = torch.zeros_like(theta)",
    ),
    "schedule": (
        "def factor(step, steps):\n    {}\n    late = (step >= steps / 2).long().view(1)\n"
        "    return table.index_select(0, late).sum()\n\n"
        "@ganbench.hookimpl\ndef ganbench_schedules():\n    yield ganbench.Schedule('planted', factor)\n",
        "table = torch.tensor([1.0, 0.5])",
        "mixes tensors of two devices",
        "table = torch.tensor([1.0, 0.5], device=step.device)",
    ),
    "architecture": (
        "class Scaled(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n        {}\n\n"
        "    def forward(self, x):\n        return x * self.kept['scale']\n\n"
        "def build(shape):\n    D = nn.Sequential(nn.Linear(2, 8), Scaled(8), nn.Tanh(), nn.Linear(8, 1))\n"
        "    return ganbench.Networks(nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2)), D, (2,))\n\n"
        "@ganbench.hookimpl\ndef ganbench_architectures():\n    yield ganbench.Architecture('planted', build)\n",
        "self.kept = {'scale': torch.ones(size)}",
        "x * self.kept['scale'] mixes tensors of two devices: write self.register_buffer(name, w)",
        "self.register_buffer('scale', torch.ones(size)); self.kept = self._buffers",
    ),
    "an architecture in evaluation": (
        "class Scaled(nn.Module):\n    def __init__(self, size):\n        super().__init__()\n        {}\n\n"
        "    def forward(self, x):\n        return x if self.training else x * self.kept['scale']\n\n"
        "def build(shape):\n    G = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), Scaled(8), nn.Linear(8, 2))\n"
        "    return ganbench.Networks(G, nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), (2,))\n\n"
        "@ganbench.hookimpl\ndef ganbench_architectures():\n    yield ganbench.Architecture('planted', build)\n",
        "self.kept = {'scale': torch.ones(size)}",
        "x * self.kept['scale'] mixes tensors of two devices: write self.register_buffer(name, w)",
        "self.register_buffer('scale', torch.ones(size)); self.kept = self._buffers",
    ),
    "a method with networks of its own": (
        "def players(build, shape):\n    networks = build(shape)\n"
        "    networks.generator.register_buffer('w', torch.ones(2))\n    return networks\n\n"
        "W = torch.ones(2)\n\ndef discriminator(d_real, D, fake):\n    {}\n"
        "    return (1 - d_real).relu().mean() + (1 + D(fake * w)).relu().mean()\n\n"
        "def generator(d_fake):\n    return -d_fake.mean()\n\n"
        "@ganbench.hookimpl\ndef ganbench_losses():\n"
        "    yield ganbench.Loss('planted', discriminator, generator, players=players)\n",
        "w = W",
        "fake * w mixes tensors of two devices",
        "w = torch.ones(2, device=fake.device)",
    ),
}


@pytest.mark.parametrize(("body", "wrong", "said", "right"), OTHERS.values(), ids=OTHERS)
def test_a_tensor_of_the_cpu_is_found_in_each_kind_of_plugin(body, wrong, said, right, found):
    status, reason = found(HEAD + body.replace("{}", wrong))
    assert status == "fail", reason
    assert said in reason
    assert ("planted.py:" in reason) == ("mixes" in said)
    assert found(HEAD + body.replace("{}", right)) == ("pass", "")


def test_reading_a_number_in_evaluation_does_no_harm(found):
    body, *_ = OTHERS["an architecture in evaluation"]
    code = HEAD + body.replace("{}", "pass").replace("self.kept['scale']", "float(x.mean())")
    assert found(code) == ("pass", "")


@pytest.mark.parametrize("kind", ["loss", "penalty", "update", "optimizer", "schedule", "architecture"])
def test_what_is_shipped_leaves_nothing_on_the_cpu_at_any_setting(kind, shipped):
    walked = 0
    with threads(1):
        for name in shipped.names(kind):
            entry = shipped.get(kind, name)
            for at, setting in enumerate(settings(entry)):
                refused = ""
                try:
                    on_one_device(Subject(entry, shipped, setting))
                except (NotApplicableError, PluginError) as reason:
                    refused = str(reason)
                # Some settings no plugin takes: what is told is that.
                assert not refused or (at and "ValueError" in refused), (name, setting, refused)
                walked += not refused
    assert walked >= len(shipped.names(kind)) > 4


def test_what_a_gpu_takes_is_what_torch_declares_of_its_operations():
    """An operation that is declared NoCheck takes one number of the CPU beside tensors of a GPU; others do not.

    The file is what torch's own code is made from.
    """
    path = Path(torch.__file__).parents[1] / "torchgen/packaged/ATen/native/native_functions.yaml"
    if not path.is_file():
        pytest.skip("torch is installed without its native_functions.yaml")
    seen = 0
    for each in yaml.load(path.read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        name, _, arguments = each["func"].partition("(")
        packet = getattr(mode.aten, name.split(".")[0], None)
        overload = getattr(packet, name.partition(".")[2] or "default", None)
        computed = "CUDA" in str(each.get("dispatch")) or each.get("structured_delegate")
        if overload is None or not computed or torch.Tag.pointwise not in overload.tags or "=" in name:
            continue
        given = arguments.rpartition("->")[0]
        if given.count("Tensor") < 2 or "!" in given.partition(",")[2] or name.endswith(("out", "grad_input")):
            continue
        seen += 1
        taken = mode.takes_a_number(packet, overload.tags)
        assert taken == (each.get("device_check") == "NoCheck") or "backward" in name, name
    assert seen > 50


METRIC = (
    HEAD + "def measure(samples, real):\n    {}\n    return {{'odd': float(found)}}\n\n"
    "@ganbench.hookimpl\ndef ganbench_metrics():\n"
    "    yield ganbench.Metric('odd', measure, (ganbench.Column('odd', 'an odd one', '1', better='lower'),))\n"
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("found = np.abs(samples.numpy()).mean()", "samples.numpy() gives numpy a tensor"),
        ("found = np.asarray(samples).std()", "np.asarray(samples) gives numpy a tensor"),
        ("found = (samples - torch.zeros(2000, 2)).mean()", "mixes tensors of two devices"),
        ("found = np.abs(samples.cpu().numpy()).mean()", ""),
        ("found = samples.mean().item()", ""),
        ("found = (samples.mean(0) - real.mean(0)).norm()", ""),
    ],
)
def test_a_metric_takes_samples_of_a_gpu_or_is_told_why_not(line, said, tmp_path, shipped, only):
    only("samples of a GPU")
    (tmp_path / "odd.py").write_text(METRIC.format(line))
    (result,) = check(tmp_path / "odd.py", shipped)
    assert (result.status, said in result.reason) == ("fail" if said else "pass", True)
    assert not said or result.reason.endswith("(odd.py:8)")


def test_shipped_metrics_take_samples_of_a_gpu(shipped, only):
    only("samples of a GPU")
    found = {name: check(name, shipped, kind="metric")[0] for name in shipped.names("metric")}
    assert [(name, each.reason) for name, each in found.items() if each.status == "fail"] == []
    assert sum(each.status == "pass" for each in found.values()) >= 10


@pytest.mark.parametrize(
    "variant",
    [
        "{loss: wgan-gp, average: {width: 0.1}, optimizer: {clip: 1.0, schedule: {name: cosine, warmup: 5}}}",
        "{loss: hinge, penalty: [{name: r1, every: 4}, {name: lecam}], update: {name: unrolled}}",
        "{loss: rpgan, architecture: {name: mlp, width: 8, depth: 2, norm: batch, dropout: 0.3}}",
    ],
)
def test_what_a_variant_adds_is_on_one_device_too(variant, shipped, cell):
    """A running average, a clipped gradient, schedules, lazy penalties and what they remember, buffers, dropout."""
    own = cell(variant, registry=shipped)
    with mode.OneDevice():
        walk(own)


def test_a_cell_for_the_walk_is_the_one_that_the_kit_trains(shipped):
    entry = shipped.get("architecture", "dcgan")
    own = checked_cell(Subject(entry, shipped, settings(entry)[0]), (0, 1))
    assert tuple(own.seeds) == (0, 1)
    assert own.data.name == "conformance-noise"


def test_a_network_in_bfloat16_is_walked_too(shipped):
    """Torch has no autocast on meta: there nothing is computed."""
    from ganbench.train.step.flat_network import FlatNetwork

    module = nn.Linear(2, 3)
    network = FlatNetwork(module, bfloat16=True)
    theta = torch.empty(9, device=mode.META)
    assert network.call(theta, {}, torch.empty(4, 2, device=mode.META)).shape == (4, 3)
