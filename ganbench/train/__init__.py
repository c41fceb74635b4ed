"""Training: one cell in, trained generators out at each evaluation, all its seeds at once."""
