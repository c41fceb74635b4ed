"""Restricted Boltzmann machine, by persistent contrastive divergence (Tieleman 2008, doi:10.1145/1390156.1390290).

Bits, visible and hidden, with the energy -b v - c h - v W h (Smolensky 1986; Hinton 2002,
doi:10.1162/089976602760128018); ``chains`` Markov chains go on for one Gibbs step at each of the ``steps`` updates. A
sample costs ``burn_in`` Gibbs steps of a chain of its own, which begins at random bits: it is of the machine as far as
the chain has forgotten that.

Numbers that are no bits are scaled to 0 to 1, all by one scale, and taken for the probability of a bit, as these papers
take the pixels of MNIST. A sample is then the mean of the visible bits given the last hidden ones, or, with ``bits``,
the bits. Its density is known but for the sum over all states, so there is no log_density. Cost: 4 s a seed for digits
of 8 x 8 pixels, 3 s for 2000 samples, one thread.
"""

from dataclasses import dataclass

from pydantic import PositiveFloat, PositiveInt

from ganbench import Reference, hookimpl
from ganbench.nn.boltzmann import Boltzmann, coins, trained_machine
from ganbench.nn.descent import UnitScale


@dataclass(frozen=True)
class Machine:
    """A trained machine as a distribution of data."""

    machine: Boltzmann
    scale: UnitScale
    burn_in: int
    bits: bool

    @property
    def shape(self):
        return self.scale.shape

    @property
    def note(self):
        return f"{self.burn_in} Gibbs steps a sample"

    def sample(self, n, generator):
        machine = self.machine.to(generator.device)
        drawn, mean = machine.gibbs(coins(n, len(machine.b), generator), self.burn_in, generator)
        return self.scale.points(drawn if self.bits else mean)


def fit(
    training,
    random,
    *,
    hidden: PositiveInt = 128,
    steps: PositiveInt = 5000,
    batch: PositiveInt = 100,
    chains: PositiveInt = 100,
    lr: PositiveFloat = 0.05,
    burn_in: PositiveInt = 500,
    bits: bool = False,
):
    scale = UnitScale.of(training)
    sizes = {"hidden": hidden, "steps": steps, "batch": batch, "chains": chains}
    return Machine(trained_machine(scale.rows(training), random, **sizes, lr=lr), scale, burn_in, bits)


@hookimpl
def ganbench_references():
    yield Reference("rbm", fit)
