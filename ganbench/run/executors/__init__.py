"""Where cells run: here, one after another, in this process."""
