"""Helpers for the networks and penalties of plugins: layers, spectral norm, gradients."""
