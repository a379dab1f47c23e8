"""Formulas as they are on paper: a parser of many notations, and an evaluation that shapes decide."""
