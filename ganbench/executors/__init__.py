"""Where cells run. For now: here, one after another, in this process."""
