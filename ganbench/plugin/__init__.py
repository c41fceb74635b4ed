"""The interface for plugins: the values that they yield, and how these are found, read, bound and listed."""
