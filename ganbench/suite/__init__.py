"""A suite file, read into a frozen Suite with every mistake at its line, and spread out into cells."""
