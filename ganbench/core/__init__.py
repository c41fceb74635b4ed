"""What every room uses: errors, messages, random streams, threads, git."""
