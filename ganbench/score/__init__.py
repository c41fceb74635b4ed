"""Samples from anywhere, scored as a run scores those of its generators."""
