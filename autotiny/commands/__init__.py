"""The command line: a module per command, and the readers of their arguments."""
