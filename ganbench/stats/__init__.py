"""Statistics that need numpy and scipy alone: intervals, paired differences, exact tests, change points, best of k."""
