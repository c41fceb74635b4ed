"""Deep Boltzmann machine of two hidden layers (Salakhutdinov & Hinton 2009, AISTATS).

Bits in three layers, with the energy -b v - c h - d t - v W h - h V t: the lower hidden units h see the visible ones v
and the upper ones t, both ways, and so both layers are in every sample. Given h, the units v and t do not depend on
each other: it is a restricted Boltzmann machine with v and t side by side, of which the data has v alone.

Each layer is trained by itself at first, by contrastive divergence with one step, where the lower one sees its input
twice and the upper one its top units, since in the whole each does half of the work for h (section 3.1). Then all are
trained together: what t is beside the data is found by ``mean_field`` turns of a mean-field iteration, what the machine
makes by Markov chains that go on (algorithm 1). A sample costs ``burn_in`` Gibbs steps from random bits. Numbers that
are no bits are treated as by `rbm`; a sample is the mean of the visible bits. There is no log_density. Cost: 14 s a
seed for digits of 8 x 8 pixels, 1.5 s for 1000 samples, one thread.
"""

from dataclasses import dataclass

import torch
from pydantic import PositiveFloat, PositiveInt

from ganbench import Reference, hookimpl
from ganbench.nn.boltzmann import Boltzmann, bits, coins
from ganbench.nn.descent import UnitScale


@dataclass(frozen=True)
class Deep:
    """The machine, whose visible units are those of the data and then the upper hidden ones."""

    machine: Boltzmann
    scale: UnitScale
    visible: int
    burn_in: int

    @property
    def shape(self):
        return self.scale.shape

    @property
    def note(self):
        return f"{self.burn_in} Gibbs steps a sample"

    def sample(self, n, generator):
        machine = self.machine.to(generator.device)
        _, mean = machine.gibbs(coins(n, len(machine.b), generator), self.burn_in, generator)
        return self.scale.points(mean[:, : self.visible])


def one_layer(rows, random, *, hidden, up, down, steps, batch, lr):
    """The weights of a layer and both biases; it hears ``up`` copies of its input, and ``down`` of its hidden units."""
    share = rows.mean(0).clamp(0.01, 0.99)
    W = 0.01 * torch.randn(rows.shape[1], hidden, generator=random, device=random.device)
    b, c = (share / (1 - share)).log(), W.new_zeros(hidden)
    for step in range(steps):
        v = bits(rows[torch.randint(len(rows), (batch,), generator=random, device=random.device)], random)
        hears, sends = Boltzmann(up * W, b, c), Boltzmann(down * W, b, c)
        h = hears.hidden(v)
        again = sends.visible(bits(h, random))
        h_again = hears.hidden(again)
        rate = lr * (1 - step / steps)
        W.add_(v.T @ h - again.T @ h_again, alpha=rate / batch)
        b.add_((v - again).mean(0), alpha=rate)
        c.add_((h - h_again).mean(0), alpha=rate)
    return W, b, c


def stacked(rows, random, *, hidden, top, **how):
    """Both layers trained by themselves, as one machine: the bias of h is the mean of what both want."""
    W, b, c = one_layer(rows, random, hidden=hidden, up=2, down=1, **how)
    V, c_too, d = one_layer(Boltzmann(2 * W, b, c).hidden(rows), random, hidden=top, up=1, down=2, **how)
    return Boltzmann(torch.cat([W, V.T]), torch.cat([b, d]), (c + c_too) / 2)


def completed(v, machine, turns):
    """Rows of the data with the means of the upper units, (n, visible + top), by a mean-field iteration."""
    size = v.shape[1]
    both = torch.cat([v, v.new_full((len(v), len(machine.b) - size), 0.5)], 1)
    for _ in range(turns):
        both[:, size:] = machine.visible(machine.hidden(both))[:, size:]
    return both


def trained_together(rows, machine, random, *, steps, batch, chains, lr, mean_field):
    """All layers at once, in place: what goes with the data is raised, what the chains make is lowered."""
    own = coins(chains, len(machine.b), random)
    for step in range(steps):
        v = bits(rows[torch.randint(len(rows), (batch,), generator=random, device=random.device)], random)
        given = completed(v, machine, mean_field)
        own, _ = machine.gibbs(own, 1, random)
        h, h_own = machine.hidden(given), machine.hidden(own)
        rate = lr * (1 - step / steps)
        machine.W.add_(given.T @ h / batch - own.T @ h_own / chains, alpha=rate)
        machine.b.add_(given.mean(0) - own.mean(0), alpha=rate)
        machine.c.add_(h.mean(0) - h_own.mean(0), alpha=rate)


def fit(
    training,
    random,
    *,
    hidden: PositiveInt = 128,
    top: PositiveInt = 128,
    layer_steps: PositiveInt = 2000,
    steps: PositiveInt = 5000,
    batch: PositiveInt = 100,
    chains: PositiveInt = 100,
    lr: PositiveFloat = 0.05,
    mean_field: PositiveInt = 10,
    burn_in: PositiveInt = 500,
):
    scale = UnitScale.of(training)
    rows = scale.rows(training)
    machine = stacked(rows, random, hidden=hidden, top=top, steps=layer_steps, batch=batch, lr=lr)
    trained_together(rows, machine, random, steps=steps, batch=batch, chains=chains, lr=lr, mean_field=mean_field)
    return Deep(machine, scale, rows.shape[1], burn_in)


@hookimpl
def ganbench_references():
    yield Reference("dbm", fit)
