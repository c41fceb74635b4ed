"""Two revisions timed in turn, in processes of their own."""
