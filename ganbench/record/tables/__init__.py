"""The tables of a run, derived from its journal alone."""
