"""Step throughput: model-steps a second, of all seeds together and of one model alone.

Direction: higher is better.
Unit: generator steps, with all their discriminator steps and the drawing of data, a second; of all seeds in sum.
Source: none; the median of several chunks of steps, each synchronised once, after a warm-up.
Floor: none; the slowest and the fastest chunk say how steady the clock was.
Cost: none at an evaluation; up to half a second a cell for each of the two, before training. Where a cell is compiled,
one model alone is compiled too, once for each step that is another.
"""

from ganbench import Column, Metric, hookimpl


def throughput(speed):
    return {
        "model_steps_per_second": speed.together.median,
        "model_steps_per_second_low": speed.together.low,
        "model_steps_per_second_high": speed.together.high,
        "model_steps_per_second_one": speed.one.median,
        "model_steps_per_second_one_low": speed.one.low,
        "model_steps_per_second_one_high": speed.one.high,
    }


def clock(name, doc, title):
    yield Column(name, f"{doc}: the median of several chunks", "1/s", "higher", "same", "clock", title=title)
    yield Column(f"{name}_low", "its slowest chunk", "1/s", "higher", "same", "low", of=name)
    yield Column(f"{name}_high", "its fastest chunk", "1/s", "higher", "same", "high", of=name)


@hookimpl
def ganbench_metrics():
    yield Metric(
        "throughput",
        throughput,
        (
            *clock("model_steps_per_second", "steps x seeds a second, all seeds together", "steps/s\nall seeds"),
            *clock("model_steps_per_second_one", "one model alone, compiled where the cell is", "steps/s\n1 model"),
        ),
    )
