"""The counterparts of a data set that knows some: what its samples look like with a planted fault, more of it or less.

``counterpart-0`` draws from the first of the data's ``counterparts``, a list of distributions of its shape, and so on
to ``counterpart-9``. Nothing is fitted.
"""

from ganbench import Reference, hookimpl


def counterpart(place):
    def fit(dataset):
        known = getattr(dataset, "counterparts", ())
        if place >= len(known):
            cure = "name counterpart-0 to counterpart-9 beside data sets that have as many, as check-mean has 10"
            raise ValueError(f"the data has {len(known)} counterparts, and counterpart-{place} is one more: {cure}")
        return known[place]

    return fit


@hookimpl
def ganbench_references():
    for place in range(10):
        yield Reference(f"counterpart-{place}", counterpart(place))
