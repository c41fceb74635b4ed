"""Distributions to learn: mixtures, finite sets, image files; and the folder of data sets."""
