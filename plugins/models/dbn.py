"""Deep belief network: machines trained one upon the other (Hinton et al. 2006, doi:10.1162/neco.2006.18.7.1527).

The first restricted Boltzmann machine is trained on the data, the second on what the first one's hidden units make of
it, each by persistent contrastive divergence. The network is then the second machine, and below it the first one's
way down, without any way back; the weights are not fine-tuned together afterwards, as the paper does for its best
result. A sample costs ``burn_in`` Gibbs steps in the upper machine and one pass down. Numbers that are no bits are
treated as by `rbm`. There is no log_density. Cost: 16 s a seed for digits of 8 x 8 pixels, 4 s for 2000 samples, one
thread.
"""

from dataclasses import dataclass

from pydantic import PositiveFloat, PositiveInt

from ganbench import Reference, hookimpl
from ganbench.nn.boltzmann import Boltzmann, coins, trained_machine
from ganbench.nn.descent import UnitScale


@dataclass(frozen=True)
class Network:
    """The lower and the upper machine."""

    lower: Boltzmann
    upper: Boltzmann
    scale: UnitScale
    burn_in: int

    @property
    def shape(self):
        return self.scale.shape

    @property
    def note(self):
        return f"{self.burn_in} Gibbs steps a sample, and 1 pass down"

    def sample(self, n, generator):
        lower, upper = self.lower.to(generator.device), self.upper.to(generator.device)
        between, _ = upper.gibbs(coins(n, len(upper.b), generator), self.burn_in, generator)
        return self.scale.points(lower.visible(between))


def fit(
    training,
    random,
    *,
    hidden: PositiveInt = 128,
    top: PositiveInt = 256,
    steps: PositiveInt = 5000,
    batch: PositiveInt = 100,
    chains: PositiveInt = 100,
    lr: PositiveFloat = 0.05,
    burn_in: PositiveInt = 500,
):
    scale = UnitScale.of(training)
    rows, how = scale.rows(training), {"steps": steps, "batch": batch, "chains": chains, "lr": lr}
    lower = trained_machine(rows, random, hidden=hidden, **how)
    upper = trained_machine(lower.hidden(rows), random, hidden=top, **how)
    return Network(lower, upper, scale, burn_in)


@hookimpl
def ganbench_references():
    yield Reference("dbn", fit)
