"""What a run leaves behind: its folder, its journal (the truth) and the tables derived from it."""
