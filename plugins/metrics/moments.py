"""Mean and standard deviation of samples on the line, to compare with a fit that is known.

Direction: none; best at those of the data, or of the fit that is known.
Unit: that of the data.
Source: no paper; f-GAN's example reports them (Nowozin et al. 2016, arXiv:1606.00709, section 3).
Floor: the oracle's row; a standard error of std / sqrt n for the mean, about 0.7 of that for the std of a Gaussian.
Cost: under 1 ms; at every evaluation. Only for data of one number.
"""

from ganbench import Column, Metric, NotApplicableError, hookimpl


def measure(samples):
    rows = samples.double().flatten(1)
    if rows.shape[1] != 1:
        raise NotApplicableError(f"a mean and a std of one number: the data has {rows.shape[1]}")
    if not rows.isfinite().all():
        raise NotApplicableError("some samples are not finite")
    return {"sample_mean": rows.mean().item(), "sample_std": rows.std(correction=0).item()}


COLUMNS = (
    Column("sample_mean", "mean of the samples; the oracle's is that of the data", "data"),
    Column("sample_std", "standard deviation of the samples; the oracle's is that of the data", "data"),
)


@hookimpl
def ganbench_metrics():
    yield Metric("moments", measure, COLUMNS)
