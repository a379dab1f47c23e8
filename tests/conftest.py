"""Hypothesis draws the same examples in every run, and takes the time it needs."""

from hypothesis import settings

collect_ignore = [
    "oracles.py",
    "ops/cases.py",
    "ops/declare.py",
    "rows_of_scipy.py",
]  # read by tests, and to be imported only once

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=150)
settings.load_profile("repeatable")
