"""The running average of the generator's weights: which steps it is over, in all engines, in a sweep, resumed."""

from __future__ import annotations

import pytest
import torch

from ganbench.suite.average import Average
from ganbench.suite.plan import batches
from ganbench.train.checkpoint import load, save
from ganbench.train.step.average import RunningAverage, power
from ganbench.train.trainer import Trainer

RELATIVE = "{loss: nonsaturating, average: {width: 0.1}}"


def weights_of_steps(average, steps):
    """How much the average after some steps consists of the weights before training and after each step."""
    running = RunningAverage.of(average)
    each = torch.eye(steps + 1, dtype=torch.float64)
    mean = each[0]
    for step in range(steps):
        mean = running.after(mean, each[step + 1], torch.tensor(step))
    return mean


@pytest.mark.parametrize("width", [0.02, 0.05, 0.1, 0.28])
def test_a_width_is_the_spread_of_the_steps_as_a_share_of_those_made_whenever_it_is_looked_at(width):
    """To 1 % after 1000 steps as after 4000; the weights before training count nothing, and all others add up to 1."""
    for steps in (1000, 4000):
        share = weights_of_steps(Average(width=width), steps)
        assert share[0].abs() < 1e-9
        assert share.sum().item() == pytest.approx(1)
        at = torch.arange(steps + 1) / steps
        mean = (share * at).sum()
        assert (share * (at - mean).square()).sum().sqrt().item() == pytest.approx(width, rel=0.01)


def test_a_relative_average_is_a_power_function_of_the_steps():
    """Karras et al. 2024, equation 121: the weight of step i is the integral of a power of the time over this step."""
    p = power(0.1)
    share = weights_of_steps(Average(width=0.1), 50)
    times = (torch.arange(51, dtype=torch.float64) / 50) ** p
    torch.testing.assert_close(share[1:], times.diff(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("width", "gamma"), [(0.05, 16.97), (0.10, 6.94), (12**-0.5, 0.0)])
def test_powers_are_those_of_the_paper(width, gamma):
    """Karras et al. 2024, section 3.1: sigma_rel of 0.05 and 0.10 are gamma of 16.97 and 6.94; 0 is the plain mean."""
    assert power(width) == pytest.approx(gamma + 1, abs=5e-3)


@pytest.mark.parametrize("engine", ["eager", "serial", pytest.param("compiled", marks=pytest.mark.slow)])
def test_in_each_engine_the_average_is_over_the_weights_after_each_step(engine, cell, cpu):
    one = Trainer([cell(RELATIVE, seeds=3)], cpu, engine)
    one.prepare()
    assert one.engine == engine, one.note
    states = [one.start]
    for step in range(5):
        states.append(one.advance(states[-1], step, step + 1))
    share = weights_of_steps(Average(width=0.1), 5)[1:]
    wanted = sum(of * state.players.G.theta for of, state in zip(share, states[1:], strict=True))
    torch.testing.assert_close(states[-1].average[0], wanted.float(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("average", "sweep"),
    [("0.9", "{average.decay: [0.5, 0.99]}"), ("{width: 0.1}", "{average.width: [0.02, 0.2]}")],
)
@pytest.mark.parametrize("engine", ["eager", "serial", pytest.param("compiled", marks=pytest.mark.slow)])
def test_averages_of_a_sweep_train_as_one_batch_and_each_as_alone(average, sweep, engine, settings, cpu):
    cells = settings(f"{{loss: nonsaturating, average: {average}}}", sweep)
    assert batches(cells) == (tuple(cells),)
    together = Trainer(cells, cpu, engine)
    together.prepare()
    found = together.advance(together.start, 0, 30).average[0].split(2)
    for cell, own in zip(cells, found, strict=True):
        alone = Trainer([cell], cpu, "eager")
        torch.testing.assert_close(own, alone.advance(alone.start, 0, 30).average[0], rtol=0, atol=1e-5)
    assert not torch.allclose(*found, rtol=0, atol=1e-3)


def test_a_resumed_average_goes_on_bit_for_bit(cell, cpu, tmp_path):
    trainer = Trainer([cell(RELATIVE, seeds=2)], cpu, "eager")
    whole = trainer.advance(trainer.start, 0, 40)
    save(tmp_path / "cell.pt", 20, trainer.advance(trainer.start, 0, 20))
    step, state = load(tmp_path / "cell.pt", trainer.start)
    assert torch.equal(trainer.advance(state, step, 40).average[0], whole.average[0])
