"""What is compared: a run, or a baseline saved from one."""
