"""What a plugin is given for one step keeps nothing for the next: an attribute set on it is refused with the cure."""

from __future__ import annotations

import pytest

from ganbench.core.errors import PluginError
from ganbench.train.trainer import Trainer

UPDATE = """'''A test's plugin.'''
from ganbench import Loss, Update, hookimpl

def step(game, players):
    batch = game.draw()
    {line}
    d = game.discriminator_gradient(players, batch)
    return game.move(players, discriminator=d, generator=game.generator_gradient(players, batch))

@hookimpl
def ganbench_updates():
    yield Update("foreign", step)
"""
SET = {
    "a running average": ("game.ema = 0.9 * getattr(game, 'ema', 0.0) + players.G.theta.sum()", ".ema of the game"),
    "a counter": ("if not hasattr(game, 'n'): game.n = 0", ".n of the game"),
    "an own name": ("game._n = 0", "._n of the game"),
    "by setattr": ("setattr(game, 'n', 1)", ".n of the game"),
    "something on the batch": ("batch.x = batch.real * 2", ".x of the batch"),
    "other data": ("batch.real = batch.real + 0.1", ".real of the batch"),
    "something on its random numbers": ("batch.random.n = 1", ".n of `random`"),
}


@pytest.mark.parametrize("what", SET)
def test_what_would_be_lost_after_the_step_is_refused(what, foreign, cell, cpu):
    line, said = SET[what]
    one = cell("{loss: minimax, update: foreign}", seeds=2, registry=foreign(UPDATE.format(line=line)))
    with pytest.raises(PluginError) as raised:
        Trainer([one], cpu, "auto")
    assert f"sets {said}, " in str(raised.value)
    assert str(raised.value).endswith("(foreign.py:6)")
    cure = "inputs=" if what == "other data" else "`average`" if "game" in said else "pass it on as an argument"
    assert cure in str(raised.value)
