import numpy as np
import pytest

import autotiny as at
from autotiny.algebra import ValueNeededError
from autotiny.errors import UnsupportedError


def branches(x):
    if x[0] > 0:
        return x
    return -x


def counts(x):
    return x * float(np.sum(x))


def looks(x):
    return at.grad(lambda x: np.sum(x * x.data))(x)


def writes(x):
    x[0] = 1.0
    return x


def adds_in_place(x):
    x += 1
    return x


def prints_entries(x):
    return [x.item(0)]


@pytest.mark.parametrize("f", [branches, counts, looks, writes, prints_entries])
def test_what_a_program_cannot_hold_is_an_error_that_names_the_line(f):
    with pytest.raises(ValueNeededError, match=r"value of .* was asked for at test_refusals.py:\d+: "):
        at.compile(f)(np.ones(3))


@pytest.mark.parametrize("place", [lambda x: (np.floor(x).astype(int),), lambda x: np.argmax(x)])
def test_a_plain_array_indexed_by_what_is_computed_is_to_be_an_argument(place):
    table, x = np.arange(9.0).reshape(3, 3), np.array([0.5, 1.5])
    with pytest.raises(ValueNeededError, match="an argument of the function in place of a plain array that it index"):
        at.compile(lambda x: table[place(x)])(x)
    step = at.compile(lambda x, table: table[place(x)])
    np.testing.assert_array_equal(step(x, table), table[place(x)])


def test_change_in_place_is_an_error_that_names_the_line():
    x = np.ones(3)
    with pytest.raises(UnsupportedError, match=r"x.* changed in place at test_refusals.py:\d+: x \+= 1"):
        at.compile(adds_in_place)(x)
    np.testing.assert_array_equal(x, np.ones(3))


def test_only_functions_can_be_compiled():
    with pytest.raises(UnsupportedError, match="compile: expected a function, got int"):
        at.compile(3)


def test_there_is_no_source_before_the_first_call():
    with pytest.raises(UnsupportedError, match="source: call the function first: it is compiled at its first call"):
        at.compile(np.tanh).source  # noqa: B018


def test_donating_an_argument_that_is_not_there_is_an_error():
    with pytest.raises(UnsupportedError, match=r"donate=2 names an argument that was not given; 1 were"):
        at.compile(np.tanh, donate=2)(np.ones(2))


def test_errors_of_the_function_are_its_own():
    with pytest.raises(ValueError, match=r"matmul: x .*inner sizes 3 and 2 differ"):
        at.compile(lambda x: x @ np.ones((2, 2)))(np.ones((3, 3)))


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (at.Tensor([1.0], name="W"), r"the argument W is a Tensor; a program takes arrays: give W.data"),
        (np.ma.masked_array([1.0]), "an argument is a MaskedArray; a program takes plain arrays"),
        (bytearray(b"1"), "an argument is a bytearray; a program takes arrays, numbers, and lists"),
    ],
)
def test_arguments_that_no_program_takes_are_refused(argument, message):
    with pytest.raises(UnsupportedError, match=message):
        at.compile(lambda x: x)(argument)


def test_strings_flags_places_and_lengths_belong_to_the_program():
    f = at.compile(lambda x, how, n, part, twice: (getattr(np, how)(x)[:n] * (2 if twice else 1))[part])
    x = np.arange(6.0)
    for args in (("tanh", 3, slice(0, 2), True), ("exp", 4, slice(1, None), False), ("exp", 2, slice(0, 2), True)):
        np.testing.assert_allclose(f(x, *args), f.f(x, *args))


@pytest.mark.parametrize(
    "f", [lambda x, m: np.mean(x[m]), at.grad(lambda x, m: np.sum(x[m] ** 2)), lambda x, m: x[np.nonzero(m)]]
)
def test_how_many_entries_there_are_must_not_depend_on_values(f):
    with pytest.raises(ValueNeededError, match=r"test_refusals.py.*how many entries it has.*use np.where\(mask, x, 0"):
        at.compile(f)(np.arange(4.0), np.array([True, True, False, False]))


def test_read_only_array_cannot_be_donated():
    w = np.broadcast_to(np.float64(1.0), (5,))
    with pytest.raises(UnsupportedError, match=r"donate=0: the array is read-only.*hand over a copy"):
        at.compile(lambda w, g: w - 0.1 * g, donate=0)(w, np.ones(5))
