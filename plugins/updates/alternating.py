"""Alternating (Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1): k discriminator steps, then one of G.

Each step draws its own minibatch, as the algorithm has it.
"""

from pydantic import PositiveInt

from ganbench import Update, hookimpl


def alternating(game, players, *, discriminator_steps: PositiveInt = 1):
    for _ in range(discriminator_steps):
        players = game.move(players, discriminator=game.discriminator_gradient(players, game.draw()))
    return game.move(players, generator=game.generator_gradient(players, game.draw()))


@hookimpl
def ganbench_updates():
    yield Update("alternating", alternating)
