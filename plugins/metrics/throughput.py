"""Step throughput: model-steps a second, of all seeds together and of one model alone."""

from ganbench import Column, Metric, hookimpl


def throughput(speed):
    return {
        "model_steps_per_second": speed.together.median,
        "model_steps_per_second_low": speed.together.low,
        "model_steps_per_second_high": speed.together.high,
        "model_steps_per_second_one": speed.one.median,
    }


def column(name, doc):
    return Column(name, doc, unit="1/s", better="higher", summary="same")


@hookimpl
def ganbench_metrics():
    yield Metric(
        "throughput",
        throughput,
        (
            column(
                "model_steps_per_second", "steps x seeds a second, all seeds together: the median of several chunks"
            ),
            column("model_steps_per_second_low", "the slowest chunk"),
            column("model_steps_per_second_high", "the fastest chunk"),
            column("model_steps_per_second_one", "one model alone: the same step, neither batched nor compiled"),
        ),
    )
