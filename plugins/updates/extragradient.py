"""Extragradient (Gidel et al. 2019, arXiv:1802.10551, algorithm 4): gradients from a step ahead.

Each half has its own minibatch. The optimisers' running means see both gradients, as ExtraAdam's do in the paper, so
that a player makes two updates a step; with plain SGD it is Korpelevich's method (1976).
"""

from ganbench import Update, hookimpl


def extragradient(game, players):
    ahead = game.move(players, **gradients(game, players))
    back = ahead._replace(
        D=ahead.D._replace(theta=players.D.theta),
        G=ahead.G._replace(theta=players.G.theta),
    )
    return game.move(back, **gradients(game, ahead))


def gradients(game, players):
    batch = game.draw()
    return {
        "discriminator": game.discriminator_gradient(players, batch),
        "generator": game.generator_gradient(players, batch),
    }


@hookimpl
def ganbench_updates():
    yield Update("extragradient", extragradient)
