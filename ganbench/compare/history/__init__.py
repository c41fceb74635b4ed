"""A suite's earlier runs: where its numbers shifted, and what they predict."""
