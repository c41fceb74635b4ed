"""A step must be the same when it is made again: what it remembers, or draws without a seed, is refused in one line."""

from __future__ import annotations

import itertools
import time
import warnings

import pytest
import torch

from ganbench.core.digest import digest
from ganbench.core.errors import PluginError
from ganbench.suite.load import parse
from ganbench.suite.mistake import SuiteError
from ganbench.suite.plan import plan
from ganbench.train.data import build_dataset
from ganbench.train.fixed_order import fixed_order
from ganbench.train.hidden_state import HiddenState
from ganbench.train.reference import reference_inputs
from ganbench.train.repeat import check_repeats, same_but_for_rounding
from ganbench.train.trainer import Trainer

HEAD = """'''A test's plugin.'''
import functools, itertools, os, queue, random, secrets, time, types, uuid
import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus
from ganbench import Architecture, Loss, Networks, Optimizer, Penalty, Update, hookimpl

def plain(d_real, d_fake):
    return softplus(-d_real).mean() + softplus(d_fake).mean()

def generator(d_fake):
    return softplus(-d_fake).mean()
"""
LOSS = """
@hookimpl
def ganbench_losses():
    yield Loss("foreign", discriminator, generator)
"""
SUITE = """
suite: t
seeds: 2
budget: {{steps: 1}}
datasets: {{r: {data}}}
references: [{reference}]
variants: {{a: {{loss: minimax}}}}
evaluate: {{samples: 200}}
"""
#: A line of a discriminator's loss, and what stands before the function.
LINES = {
    "a counter that comes round": ("N = 0", "global N; N = (N + 1) % 5; k = N"),
    "a counter in a dict": ("S = {}", "S['n'] = S.get('n', 0) + 1; k = S['n'] % 7"),
    "a counter in a list": ("S = [0]", "S[0] += 1; k = S[0] % 7"),
    "a counter of a function": ("def helper(): pass\nhelper.n = 0", "helper.n += 1; k = helper.n"),
    "a counter of a class": ("class S:\n    n = 0", "S.n += 1; k = S.n"),
    "a counter of an object": ("S = types.SimpleNamespace(n=0)", "S.n += 1; k = S.n"),
    "a default that changes": ("def helper(seen=[]):\n    seen.append(1)\n    return len(seen)", "k = helper()"),
    "an iterator": ("S = itertools.cycle(range(9))", "k = next(S)"),
    "a generator": (
        "def count():\n    n = 0\n    while True:\n        yield n\n        n += 1\nS = count()",
        "k = next(S)",
    ),
    "a queue": ("S = queue.Queue()", "S.put(1); k = S.qsize()"),
    "the environment": ("", "os.environ['N'] = str(int(os.environ.get('N', 0)) + 1); k = 1"),
    "a generator of numpy's": ("S = np.random.default_rng(0)", "k = S.uniform() > 0.01"),
    "a generator of Python's": ("S = random.Random(0)", "k = S.random()"),
    "a generator of torch's": ("S = torch.Generator()", "k = torch.randint(9, (1,), generator=S)"),
    "a tensor in place": ("S = torch.zeros(1)", "S.add_(1); k = S"),
    "an array in place": ("S = np.zeros(3)", "S[0] += 1; k = 1"),
    "replayed samples": ("S = []", "S.append(fake.detach()); k = torch.cat(S).mean()"),
    "a replayed batch": ("S = []", "S[:] = [*S[-1:], float(fake.mean())]; k = S[0]"),
}
BODY = """
{before}

def discriminator(d_real, d_fake, fake):
    {line}
    return plain(d_real, d_fake) * (1 + k)
"""


@pytest.fixture
def train(foreign, cell, cpu):
    """A trainer of a cell that uses the plugin whose code is given."""

    def build(code, variant="{loss: foreign}", engine="eager"):
        return Trainer([cell(variant, seeds=2, registry=foreign(HEAD + code))], cpu, engine)

    return build


@pytest.mark.parametrize("what", LINES)
def test_a_loss_that_remembers_is_refused_with_its_variable_and_the_cure(what, train, monkeypatch):
    monkeypatch.setenv("N", "0")
    before, line = LINES[what]
    with pytest.raises(PluginError, match=r"^a step changes '.*', and a step must not remember: .*`step`.*`memory`"):
        train(BODY.format(before=before, line=line) + LOSS)


@pytest.mark.parametrize(
    ("names", "line", "cure"),
    [
        ("real", "real *= 0.5", "real"),
        ("real", "real.data.add_(0.1)", "real"),
        ("real", "real += 0.1 * torch.randn_like(real)", "real"),
        ("real, z", "z[:, 0] = 1.5 * z[:, 0]", "z"),
    ],
)
def test_a_loss_that_changes_what_it_was_given_is_refused_with_the_line(names, line, cure, train):
    """Neither memory nor chance is the cause: the step gives other numbers since its samples are others."""
    body = f"    {line}\n    return plain(D(real), d_fake) + {cure}.mean()\n"
    code = f"\ndef discriminator(D, d_fake, {names}):\n{body}"
    at = (HEAD + code).count("\n") - 1
    with pytest.raises(PluginError, match=rf"^a step changes in place what it was given, .* \(foreign.py:{at}\)$"):
        train(code + LOSS)


NORM = "torch.manual_seed(0)\nN = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4))"
TRAINED = "torch.manual_seed(0)\nN = nn.Linear(2, 4)"
AVERAGED = "for n, p in D.named_parameters(): S[n] = 0.9 * S.get(n, p.detach()) + 0.1 * p.detach()"
#: What is kept of a step: what stands before the function, in it, the variable, and a part of the cure.
KEPT = {
    "the last samples": (
        "S = None",
        "global S; k = 1 if S is None else S.mean(); S = fake.detach()",
        "S",
        "cannot be kept",
    ),
    "a running mean": (
        "S = 0.0",
        "global S; S = 0.9 * S + 0.1 * d_real.mean().detach(); k = S",
        "S",
        "a penalty's `mem",
    ),
    "weights": ("S = {}", f"{AVERAGED}\n    k = sum(s.square().sum() for s in S.values())", "S", "cannot be kept"),
    "a norm that counts": (NORM, "k = N(fake).mean()", "N", r"counts: call its .eval\(\) where it is made"),
    "a network of its own": (
        TRAINED,
        "N(fake.detach()).sum().backward(); N.weight.data.sub_(N.weight.grad); k = N(fake).mean()",
        "N",
        "is made by the loss's players= and named in its parts=",
    ),
    "a log": (
        "S = []",
        "S.append(d_real.mean().item()); k = 1",
        "S",
        "leave a log out, the tables have each evaluation",
    ),
}


@pytest.mark.parametrize("what", KEPT)
def test_what_a_step_keeps_is_named_with_its_line_and_its_own_cure(what, train):
    before, line, name, cure = KEPT[what]
    code = BODY.replace("fake):", "fake, D):").format(before=before, line=line)
    with pytest.raises(PluginError, match=rf"^a step changes '{name}', .*{cure}.* \(foreign\.py:\d+\)$"):
        train(code + LOSS)


def test_a_schedule_that_steps_a_scheduler_of_torchs_is_refused(train):
    """It counts its calls, and a step may call it as often as it likes."""
    code = """
import warnings
from ganbench import Schedule

S = torch.optim.lr_scheduler.StepLR(torch.optim.SGD([torch.zeros(1)], lr=1.0), 50)

def factor(step):
    with warnings.catch_warnings(action="ignore"):
        S.step()
    return S.get_last_lr()[0]

@hookimpl
def ganbench_schedules():
    yield Schedule("foreign", factor)
"""
    variant = "{loss: minimax, optimizer: {schedule: foreign}}"
    with pytest.raises(PluginError, match=r"^a step changes 'S', .* take `random`, `step`.* \(foreign\.py:\d+\)$"):
        train(code, variant)


@pytest.mark.parametrize("line", ["k = cached(len(fake))", "k = cached(len(fake)) + fake.mean().item()"])
def test_random_numbers_that_are_kept_in_a_cache_are_refused(line, train):
    """All steps and seeds would have the probe's; also where the step cannot be batched, and is tried again."""
    before = "@functools.lru_cache\ndef cached(n):\n    return torch.rand(n).mean()"
    with pytest.raises(PluginError, match=r"^a step draws fewer random numbers than the one before it: it keeps some"):
        train(BODY.format(before=before, line=line) + LOSS)


#: Draws that are no seed's own, which leave a step to be trained seed by seed.
GLOBAL = {
    "k = random.random()": "draws from Python's global random generator: write random.uniform(n) or",
    "k = np.random.rand()": "draws from numpy's global random generator: write random.uniform(n) or",
    "torch.manual_seed(0); k = torch.rand(2).mean()": "sets torch's seed, so that each step and each seed draws",
    "k = torch.distributions.Beta(1.0, 1.0).sample((2,)).mean()": "cannot draw for all seeds at once: leave it so, or",
}


@pytest.mark.parametrize("line", GLOBAL)
def test_what_is_drawn_globally_is_said_with_its_line_and_what_to_draw(line, train):
    code = HEAD + BODY.format(before="", line=line)
    note = train(code[len(HEAD) :] + LOSS).note
    assert GLOBAL[line] in note
    assert note.endswith(f"(foreign.py:{code.splitlines().index('    ' + line) + 1})")


@pytest.mark.parametrize("engine", ["auto", "compiled", "serial"])
def test_what_a_loss_remembers_is_refused_in_every_engine_at_its_line(engine, train):
    code = BODY.format(before="SEEN = []", line="SEEN.append(fake.detach()); k = torch.cat(SEEN).mean()")
    line = (HEAD + code).splitlines().index("    SEEN.append(fake.detach()); k = torch.cat(SEEN).mean()") + 1
    with pytest.raises(PluginError, match=rf"^a step changes 'SEEN', .* \(foreign\.py:{line}\)$"):
        train(code + LOSS, engine=engine)


#: The other kinds of plugin, with what the message begins with.
KINDS = {
    "closure": (
        """
def make():
    seen = 0
    def discriminator(d_real, d_fake):
        nonlocal seen
        seen += 1
        return plain(d_real, d_fake) * seen
    return discriminator
discriminator = make()
"""
        + LOSS,
        "{loss: foreign}",
        "a step changes 'seen'",
    ),
    "object": (
        """
class Mine:
    def __init__(self):
        self.calls = 0
    def discriminator(self, d_real, d_fake):
        self.calls += 1
        return plain(d_real, d_fake) * (1 + self.calls % 3)
@hookimpl
def ganbench_losses():
    yield Loss("foreign", Mine().discriminator, generator)
""",
        "{loss: foreign}",
        "a step changes 'an object of Mine'",
    ),
    "penalty": (
        """
N = 0
def inputs(x, random):
    global N
    N += 1
    return x + 0.1 / N
@hookimpl
def ganbench_penalties():
    yield Penalty("foreign", inputs=inputs)
""",
        "{loss: minimax, penalty: foreign}",
        "a step changes 'N'",
    ),
    "optimizer": (
        """
N = 0
def update(theta, gradient, state, t, *, lr: float = 0.01):
    global N
    N += 1
    return theta - lr / N * gradient, state
@hookimpl
def ganbench_optimizers():
    yield Optimizer("foreign", lambda theta: (), update)
""",
        "{loss: minimax, optimizer: {name: foreign, clip: 1.0}}",
        "a step changes 'N'",
    ),
    "update": (
        """
N = 0
def step(game, players):
    global N
    N += 1
    batch = game.draw()
    players = game.move(players, discriminator=game.discriminator_gradient(players, batch))
    return players if N % 5 == 0 else game.move(players, generator=game.generator_gradient(players, game.draw()))
@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
""",
        "{loss: minimax, update: foreign}",
        "a step changes 'N'",
    ),
    "network": (
        """
class Noisy(nn.Linear):
    calls = 0
    def forward(self, x):
        self.calls = self.calls + 1
        return super().forward(x) / self.calls
@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", lambda shape: Networks(nn.Linear(2, 2), nn.Sequential(Noisy(2, 1)), (2,)))
""",
        "{loss: minimax, architecture: foreign}",
        "each call changes the discriminator's 0.calls, and a network must not remember: what",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_plugin_that_remembers_is_refused(kind, train):
    code, variant, message = KINDS[kind]
    with pytest.raises(PluginError, match=f"^{message}.*foreign.py:"):
        train(code, variant)


#: What nobody can do again: rare draws are found as well.
UNSEEDED = {
    "numpy": "k = np.random.default_rng().uniform()",
    "secrets": "k = secrets.randbelow(10**6) == 0",
    "uuid": "k = uuid.uuid4().int % 2",
    "system": "k = random.SystemRandom().random()",
    "Python": "k = random.Random().random()",
    "seeded by the clock": "np.random.seed(); k = np.random.rand()",
    "clock": "k = time.time() % 1",
}


@pytest.mark.parametrize("source", UNSEEDED)
def test_numbers_that_no_seed_decides_are_refused(source, train):
    with pytest.raises(PluginError, match=r"draws random numbers without a seed, and|on the clock, and") as refused:
        train(BODY.format(before="", line=UNSEEDED[source]) + LOSS)
    assert "take `random`" in str(refused.value)
    assert "\n" not in str(refused.value)


#: What changes no number: caches that are filled once, the last values for somebody to look at, a clock for a log.
HARMLESS = {
    "lru_cache": ("@functools.lru_cache\ndef weight(n):\n    return torch.ones(n)", "k = weight(len(fake)).mean()"),
    "made when needed": ("S = None", "global S; S = torch.ones(3) if S is None else S; k = S.mean()"),
    "a cache by size": ("S = {}", "k = S.setdefault(len(fake), torch.ones(3)).mean()"),
    "the last value": ("S = None", "global S; S = fake; k = 1"),
    "a constant": ("S = np.arange(10)", "k = int(S[3])"),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_changes_no_number_is_not_refused(what, train):
    before, line = HARMLESS[what]
    trainer = train(BODY.format(before=before, line=line) + LOSS)
    assert (trainer.engine, trainer.note) == ("eager", "")


#: What a forward does besides, and what stands in the network's __init__ for it.
KEEPING = {
    "features for later": ("pass", "self.features = [h]"),
    "an encoding made when needed": (
        "self.code = None",
        "self.code = torch.arange(8.0) if self.code is None else self.code",
    ),
    "features by a hook": (
        "self.kept = {}; self.first.register_forward_hook(lambda m, i, o: self.kept.__setitem__('h', o))",
        "pass",
    ),
}


@pytest.mark.parametrize("what", KEEPING)
def test_what_a_network_keeps_and_never_reads_again_is_not_refused(what, train):
    begin, line = KEEPING[what]
    code = f"""
class Keeping(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(2, 8), nn.Linear(8, 1)
        {begin}
    def forward(self, x):
        h = self.first(x)
        {line}
        return self.last(h.relu() + (0 if getattr(self, "code", None) is None else self.code))
@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", lambda shape: Networks(nn.Linear(2, 2), Keeping(), (2,)))
"""
    trainer = train(code, "{loss: minimax, architecture: foreign}")
    assert trainer.note == ""


def test_another_step_is_made_between_the_two_however_busy_the_machine_is(monkeypatch):
    """What a step is from the one before shows only then."""
    clock = itertools.count(0.0, 60.0)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    last = torch.zeros(1)

    def step(state, draws):
        nonlocal last
        before, last = last, draws[0]
        return (before,)

    draws = [(torch.zeros(1),), (torch.ones(1),)]
    with pytest.raises(PluginError, match=r"^the same step gives other numbers each time"):
        check_repeats(step, (torch.zeros(1),), draws, HiddenState([], {}))


def test_a_step_that_reads_the_clock_says_so(train):
    code = BODY.format(before="", line="k = time.time() < 0")
    assert train(code + LOSS).note.startswith("a step reads the clock: ")


#: A network's weights, and what it adds to its output in evaluation, in ways that no seed decides.
NETWORK = """
RNG = np.random.default_rng(0)

class Layer(nn.Linear):
    def forward(self, x):
        y = super().forward(x)
        return y if self.training else y + {added}

def build(shape):
    G = Layer(2, 2)
    with torch.no_grad():
        G.weight.mul_(float({weight}))
    return Networks(G, nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1)), (2,))

@hookimpl
def ganbench_architectures():
    yield Architecture("foreign", build)
"""


@pytest.mark.parametrize("weight", ["np.random.default_rng().normal()", "RNG.normal()", "secrets.randbelow(10**6)"])
def test_an_architecture_that_is_another_each_time_for_a_seed_is_refused(weight, train):
    with pytest.raises(PluginError, match=r"^architecture foreign: builds other networks each time for the same seed"):
        train(NETWORK.format(added=0, weight=weight), "{loss: minimax, architecture: foreign}")


def test_a_network_that_is_another_in_each_evaluation_is_refused(train):
    with pytest.raises(PluginError, match=r"^the generator in evaluation gives other outputs each time"):
        train(NETWORK.format(added="RNG.normal()", weight=1), "{loss: minimax, architecture: foreign}")


def test_an_optimizer_that_does_not_start_from_theta_alone_is_refused(train):
    code = """
NUMBERS = itertools.count()
def start(theta):
    return (torch.full_like(theta, next(NUMBERS)),)
@hookimpl
def ganbench_optimizers():
    yield Optimizer("foreign", start, lambda theta, gradient, state: (theta - gradient, state))
"""
    with pytest.raises(PluginError, match=r"^an optimizer's start\(\) gives another state each time"):
        train(code, "{loss: minimax, optimizer: foreign}")


DATA = """
from ganbench import Dataset
from ganbench.data.finite_set import Finite
RNG = np.random.default_rng(0)

def points(random):
    return torch.from_numpy(random.normal(size=(200, 2)).astype("float32"))

def split(random):
    x = points(np.random.default_rng(7))
    order = random.permutation(200)
    return Finite(x[order[:150]], x[order[150:]])

class Own:
    shape = (2,)
    x = points(np.random.default_rng(7))
    def __init__(self, draw):
        self.draw = draw
    def sample(self, n, generator):
        return self.x[self.draw(n, generator)]

@hookimpl
def ganbench_datasets():
    yield Dataset("unseeded", lambda: Finite(points(np.random.default_rng()), points(np.random.default_rng(3))))
    yield Dataset("split", lambda: split(np.random.default_rng()))
    yield Dataset("remembering", lambda: split(RNG))
    yield Dataset("seeded", lambda: split(np.random.default_rng(1)))
    yield Dataset("global", lambda: split(np.random))
    yield Dataset("first", lambda: Own(lambda n, generator: torch.arange(n) % 200))
    yield Dataset("numpy", lambda: Own(lambda n, generator: np.random.randint(200, size=n)))
"""


@pytest.mark.parametrize("name", ["unseeded", "split", "remembering"])
def test_data_that_is_another_each_time_is_a_mistake_at_its_line(name, foreign):
    text = SUITE.format(data=name, reference="oracle")
    with pytest.raises(SuiteError, match=rf"^<text>:5:15 datasets\.r: dataset '{name}' is another one each time"):
        parse(text, foreign(HEAD + DATA))


def test_data_that_is_another_each_time_is_found_however_busy_the_machine_is(foreign, monkeypatch):
    clock = itertools.count(0.0, 60.0)
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    with pytest.raises(SuiteError, match=r"dataset 'unseeded' is another one each time"):
        parse(SUITE.format(data="unseeded", reference="oracle"), foreign(HEAD + DATA))


@pytest.mark.parametrize("name", ["seeded", "global"])
def test_data_that_a_seed_decides_is_not_refused(name, foreign):
    assert parse(SUITE.format(data=name, reference="oracle"), foreign(HEAD + DATA))


@pytest.mark.parametrize(("name", "message"), [("first", "the same samples for every seed"), ("numpy", "from nothing")])
def test_samples_that_their_generator_does_not_decide_are_refused(name, message, foreign):
    with pytest.raises(SuiteError, match=rf"^<text>:5:15 datasets\.r: sample\(\) .*{message}"):
        parse(SUITE.format(data=name, reference="oracle"), foreign(HEAD + DATA))


FIT = """
from ganbench import Mixture, Reference
RNG = np.random.default_rng(0)

def drawn(random):
    return Mixture([[float(random.normal()), 0.0]], 1.0)

@hookimpl
def ganbench_references():
    yield Reference("unseeded", lambda training: drawn(np.random.default_rng()))
    yield Reference("remembering", lambda training: drawn(RNG))
    yield Reference("global", lambda training: drawn(np.random))
"""


@pytest.mark.parametrize("name", ["unseeded", "remembering"])
def test_a_reference_that_is_another_each_time_is_refused(name, foreign, cpu):
    cell = plan(parse(SUITE.format(data="{name: ring}", reference=name), foreign(HEAD + FIT)))[1]
    with pytest.raises(PluginError, match=rf"^reference {name}: fits something else each time to the same points"):
        reference_inputs(cell, build_dataset(cell.data), 0, frozenset({"samples"}), cpu)


def test_what_a_reference_draws_globally_is_the_seeds_own(foreign, cpu):
    cell = plan(parse(SUITE.format(data="{name: ring}", reference="global"), foreign(HEAD + FIT)))[1]
    names, data = frozenset({"samples"}), build_dataset(cell.data)
    one, again, other = (reference_inputs(cell, data, seed, names, cpu)["samples"] for seed in (0, 0, 1))
    assert one.equal(again)
    assert not one.equal(other)


# On a GPU, whose order of adding up is another each time; what decides there is asked here of numbers alone.


def adam_step(gradient, noise):
    """The first step of Adam, whose size is its rate, whatever the gradient's: lr * g / (|g| + eps)."""
    g = gradient + 1e-7 * noise
    return -1e-3 * g / (g.abs() + 1e-8)


def test_what_a_gpu_rounds_otherwise_is_the_same_step_and_a_draw_without_a_seed_is_none():
    """One gradient in 20 is 0 but for rounding: a bias before a batch norm, the last bias of a relativistic D."""
    random = torch.Generator().manual_seed(0)
    gradient = torch.randn(10_000, generator=random, dtype=torch.float64)
    gradient[::20] = 0
    begin = torch.randn(10_000, generator=random, dtype=torch.float64)
    one, other = (begin + adam_step(gradient, torch.randn(10_000, generator=random)) for _ in range(2))
    assert same_but_for_rounding(begin, one, other)
    # As norms they are far apart: the rate times the root of the share.
    assert (one - other).norm() > 0.1 * (one - begin).norm()
    sgd = [begin - 1e-3 * (gradient + 0.01 * torch.randn(10_000, generator=random)) for _ in range(2)]
    assert not same_but_for_rounding(begin, *sgd)
    assert not same_but_for_rounding(begin, begin + adam_step(-gradient, torch.zeros(10_000)), one)
    assert not same_but_for_rounding(torch.zeros(1), torch.ones(1), 1.01 * torch.ones(1))
    assert same_but_for_rounding(torch.zeros(0), torch.zeros(0), torch.zeros(0))


def test_a_gpu_adds_up_in_one_order_while_steps_are_compared_and_as_before_afterwards():
    def now():
        cudnn, memory = torch.backends.cudnn, torch.utils.deterministic
        own = (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled())
        return (*own, cudnn.deterministic, cudnn.benchmark, memory.fill_uninitialized_memory)

    before = now()
    with fixed_order(torch.device("cpu")) as without:
        assert now() == before
    with fixed_order(torch.device("cuda")) as without:
        assert now() == (True, True, True, False, False)
        warnings.warn("scatter_add_cuda_kernel does not have a deterministic implementation, but you", stacklevel=1)
        warnings.warn("Deterministic behavior was enabled with either ...", stacklevel=1)
        with pytest.warns(match="mine"):
            warnings.warn("mine", stacklevel=1)
    assert without == ["scatter_add_cuda_kernel"]
    assert now() == before


def test_what_a_network_keeps_on_a_gpu_without_such_an_order_is_not_looked_at_to_the_bit():
    kept, other = (torch.zeros(2, width, device="meta") for width in (3, 4))
    assert digest([kept], exact=False) == digest([torch.ones_like(kept)], exact=False) != digest([other], exact=False)
    assert digest([torch.zeros(2)], exact=False) != digest([torch.ones(2)], exact=False)
