"""Consensus optimisation (Mescheder et al. 2017, arXiv:1705.10461, algorithm 2): calming both players.

Each minimises its loss plus gamma L, where L = |v|^2 / 2 and v is both players' gradients: the game spirals into an
equilibrium that it would turn around. gamma 10 is that of the experiments in its public code, with RMSprop.
"""

from pydantic import NonNegativeFloat
from torch.func import grad

from ganbench import Update, hookimpl


def consensus(game, players, *, gamma: NonNegativeFloat = 10.0):
    batch = game.draw()
    D, G = players.D.theta, players.G.theta

    def L(D, G):
        v_D = grad(lambda D: game.discriminator_loss(D, G, batch))(D)
        v_G = grad(lambda G: game.generator_loss(D, G, batch))(G)
        return (v_D.square().sum() + v_G.square().sum()) / 2

    def calm_D(D):
        return game.discriminator_loss(D, G, batch) + gamma * L(D, G)

    def calm_G(G):
        return game.generator_loss(D, G, batch) + gamma * L(D, G)

    v_D, v_G = game.gradient("discriminator", calm_D, D), game.gradient("generator", calm_G, G)
    game.remember(players, batch)
    return game.move(players, discriminator=v_D, generator=v_G)


@hookimpl
def ganbench_updates():
    yield Update("consensus", consensus)
