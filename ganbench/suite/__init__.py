"""Reads a suite file into a frozen Suite, each mistake with its line, and expands the Suite into cells."""
