"""Expressions built interactively: in a browser, in a notebook, in a terminal."""
