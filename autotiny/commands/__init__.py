"""The command line: one file per command, and the readers of their arguments."""
