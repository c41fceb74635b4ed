"""A run as a page: one file with everything in it, that opens without a network."""
