"""The door for plugins: the values that they yield, how these are found, read, bound and listed."""
