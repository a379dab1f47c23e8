"""Each error is also a subclass of the Python error that one would catch."""

import pytest

from autotiny import errors


@pytest.mark.parametrize(
    ("kind", "also"),
    [
        (errors.ShapeError, ValueError),
        (errors.UnsupportedError, TypeError),
        (errors.StaleError, RuntimeError),
        (errors.NonFiniteError, ArithmeticError),
    ],
)
def test_every_error_is_an_autotiny_error_and_one_of_pythons(kind, also):
    assert issubclass(kind, errors.AutotinyError)
    assert issubclass(kind, also)


def test_docstring_of_the_module_names_every_error():
    kinds = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(name in errors.__doc__ for name in kinds)
