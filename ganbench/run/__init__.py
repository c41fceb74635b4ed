"""A suite's cells, run into a folder."""
