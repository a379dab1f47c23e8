"""The whole table is loaded; Hypothesis draws the same examples in every run, and takes the time it needs."""

import os
import signal

import pytest
from hypothesis import settings

import autotiny as at
from autotiny.ops import load_tables

load_tables()  # many tests walk the whole table

collect_ignore = [
    "oracles.py",
    "ops/cases.py",
    "ops/declare.py",
    "rows_of_scipy.py",
]  # read by tests, and to be imported only once

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None, max_examples=150)
settings.load_profile("repeatable")


def pytest_addoption(parser):
    parser.addoption("--backend", default="numpy", help="of at.compile, where a test does not choose one")


def pytest_configure(config):
    # a shell lets what runs in the background ignore Ctrl-C, and a child takes that over
    signal.signal(signal.SIGINT, signal.default_int_handler)
    at.compile.__kwdefaults__["backend"] = config.getoption("--backend")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than processors: the tests in a browser wait more than they compute."""
    return (os.cpu_count() or 1) + 1
