import time

import pytest

from autotiny.language.paper.names import Names, key

NAMES = Names(
    {"A2": "A2", "dZ1′": "dZ1_", "W[1]": "W_1", "lam": "lam", "X": "X", "w": "w"}, {"a": "a", "x2": "x2", "X2": "X2"}
)


@pytest.mark.parametrize(
    ("spelling", "identifier"),
    [
        ("A_2", "A2"), ("A[2]", "A2"), ("a2", "A2"), ("dZ1'", "dZ1_"), ("W_1", "W_1"), ("W1", "W_1"), ("λ", "lam"),
        ("lambda", "lam"), ("lambda_", "lam"), ("a", "a"), ("A3", None), ("dZ1", None),
    ],
)  # fmt: skip
def test_spellings_of_a_name(spelling, identifier):
    assert NAMES.find(spelling) == identifier


def test_a_spelling_of_two_names_is_none():
    assert Names({"A2": "A2", "A_2": "A_2"}).find("A[2]") is None
    assert Names({"A2": "A2", "A_2": "A_2"}).find("A_2") == "A_2"


def test_names_side_by_side():
    assert list(NAMES.split("lamXw")) == ["lam", "X", "w"]
    assert list(NAMES.split("Xq")) == []
    assert list(NAMES.split("wsin", ["sin"])) == ["w", "sin"]


def test_a_long_word_takes_no_time():
    start = time.perf_counter()
    assert list(Names({"a": "a", "aa": "aa"}).split("a" * 200 + "b")) == []
    assert time.perf_counter() - start < 1


def test_keys_of_greek_letters():
    assert key("theta_max") == key("θmax") == key("θ_{max}")
