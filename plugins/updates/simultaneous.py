"""Simultaneous (Mescheder et al. 2017, arXiv:1705.10461, algorithm 1): both move from the same point and batch."""

from ganbench import Update, hookimpl


def simultaneous(game, players):
    batch = game.draw()
    return game.move(
        players,
        discriminator=game.discriminator_gradient(players, batch),
        generator=game.generator_gradient(players, batch),
    )


@hookimpl
def ganbench_updates():
    yield Update("simultaneous", simultaneous)
