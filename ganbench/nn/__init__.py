"""What plugins build networks and penalties from: layers, spectral norm, gradients."""
