"""Distributions to learn from: mixtures, finite sets, image files, the folder of data."""
