"""From samples and the distribution they should follow, to numbers with intervals."""
