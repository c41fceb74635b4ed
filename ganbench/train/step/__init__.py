"""One training step of one model: the game, the networks as functions of a vector, the draws."""
