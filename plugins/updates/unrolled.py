"""Unrolled (Metz et al. 2017, arXiv:1611.02163, equations 7 to 11): G against the D that has answered.

D answers with `steps` steps of its own optimiser on the same batch, and G's gradient goes through them; then both move
at once, D as usual by one step. The paper's equations unroll plain gradient descent; its experiments and its public
demo Adam, here whatever optimiser D has.
"""

from pydantic import PositiveInt
from torch.func import grad

from ganbench import Update, hookimpl

#: Added to gradients that are differentiated through an optimiser: the roots in Adam and RMSprop have no slope at 0.
NEVER_ZERO = 1e-12


def unrolled(game, players, *, steps: PositiveInt = 5):
    batch = game.draw()

    def answered(G):
        ahead = players
        for _ in range(steps):
            answer = grad(lambda D: game.discriminator_loss(D, G, batch))(ahead.D.theta)
            ahead = game.move(ahead, discriminator=answer + NEVER_ZERO)
        return game.generator_loss(ahead.D, G, batch)

    return game.move(
        players,
        discriminator=game.discriminator_gradient(players, batch),
        generator=game.gradient("generator", answered, players.G.theta),
    )


@hookimpl
def ganbench_updates():
    yield Update("unrolled", unrolled)
