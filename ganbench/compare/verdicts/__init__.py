"""Whether one run is worse than another: the measures, the tests, the findings."""
