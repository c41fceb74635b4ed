"""One training step of all seeds at once: chunks, compiled steps, CUDA graphs, what a step costs."""
