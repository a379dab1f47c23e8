"""Arguments to differentiate by are stated by position or name, and passed in any way that the function allows."""

import functools

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError, UnsupportedError


def f(x, y=2.0, *rest, scale=3.0, **others):
    return x * y * scale + sum(rest) + sum(others.values())


def positional(x, y=2.0, /, z=3.0):
    return x * y * z


STATED = {
    "first by default": ({}, (5.0,), {}, 6),
    "keyword": ({}, (), {"x": 5.0}, 6),
    "name": ({"argnames": "x"}, (5.0,), {}, 6),
    "name passed by keyword": ({"argnames": "x"}, (), {"x": 5.0}, 6),
    "default": ({"argnums": 1}, (5.0,), {}, 15),
    "default by name": ({"argnames": "y"}, (5.0,), {}, 15),
    "default that is passed": ({"argnames": "y"}, (5.0, 7.0), {}, 15),
    "keyword only": ({"argnames": "scale"}, (5.0,), {}, 10),
    "keyword only that is passed": ({"argnames": "scale"}, (5.0,), {"scale": 1.0}, 10),
    "negative": ({"argnums": -1}, (5.0, 7.0), {}, 15),
    "of many": ({"argnums": 3}, (5.0, 7.0, 1.0, 2.0), {}, 1),
    "other keyword": ({"argnames": "z"}, (5.0,), {"z": 1.0}, 1),
    "tuple of one": ({"argnums": (0,)}, (5.0,), {}, (6,)),
    "tuple": ({"argnums": (0, 1)}, (5.0, 7.0), {}, (21, 15)),
    "list": ({"argnums": [1, 0]}, (5.0, 7.0), {}, (15, 21)),
    "names": ({"argnames": ("scale", "x")}, (5.0,), {}, (10, 6)),
    "both": ({"argnums": 0, "argnames": "scale"}, (5.0,), {}, (6, 10)),
}


@pytest.mark.parametrize("way", STATED)
def test_gradient_is_by_the_stated_arguments_however_they_are_passed(way):
    options, args, kwargs, expected = STATED[way]
    assert at.grad(f, **options)(*args, **kwargs) == expected
    value, gradient = at.value_and_grad(f, **options)(*args, **kwargs)
    assert (value, gradient) == (f(*args, **kwargs), expected)
    assert at.jacobian(f, **options)(*args, **kwargs) == expected


def test_hessian_and_hvp_are_by_the_stated_arguments():
    assert at.hessian(f, argnames=("x", "y"))(5.0) == ((0, 3), (3, 0))
    assert at.hvp(f, argnums=(0, 1))(5.0, 2.0, (1.0, 0.0)) == (0, 3)
    assert at.hvp(lambda x, y: x**2 * y, argnames="x")(5.0, 3.0, 1.0) == 6
    assert at.hvp(lambda x, *, y: x**2 * y)(5.0, 1.0, y=3.0) == 6
    with pytest.raises(ShapeError, match="hvp: v must have 2 parts"):
        at.hvp(f, argnums=(0, 1))(5.0, 2.0, 1.0)
    with pytest.raises(UnsupportedError, match="hvp: missing v"):
        at.hvp(f)()


def test_vjp_and_jvp_pass_keyword_arguments_on():
    value, pull = at.vjp(f, 5.0, scale=1.0)
    assert (value, pull(1.0)) == (10, (2,))
    assert at.jvp(f, (5.0,), (1.0,), scale=1.0) == (10, 2)


FUNCTIONS = {
    "a partial": (functools.partial(f, scale=1.0), 2),
    "a lambda": (lambda x: f(x), 6),
    "positional only": (positional, 6),
    "a compiled function": (at.compile(positional), 6),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_functions_of_all_kinds_are_differentiated(kind):
    function, expected = FUNCTIONS[kind]
    if kind != "a compiled function":
        assert at.grad(function)(5.0) == expected
    assert function(5.0) == 5 * expected


def test_methods_and_instances_are_differentiated():
    class Model:
        scale = 2.0

        def loss(self, x, y):
            return self.scale * x * y

        def __call__(self, x):
            return x**2

        @classmethod
        def of_class(cls, x):
            return cls.scale * x

        @staticmethod
        def static(x):
            return 3 * x

        @at.grad
        def slope(x):  # noqa: N805 - a static function
            return x**3

        gradient = at.grad(loss, argnums=(1, 2))

    model = Model()
    assert at.grad(model.loss, argnames="y")(3.0, 5.0) == 6
    assert at.grad(model)(3.0) == 6
    assert at.grad(model.of_class)(3.0) == 2
    assert at.grad(Model.static)(3.0) == 3
    assert Model.slope(2.0) == 12
    assert model.gradient(3.0, 5.0) == (10, 6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"argnums": "x"}, "argnums='x': expected the position of an argument, .*; argnames= takes names"),
        ({"argnums": ()}, r"argnums=\(\): expected the position"),
        ({"argnums": True}, "argnums=True: expected the position"),
        ({"argnames": 0}, "argnames=0: expected the name of an argument"),
        ({"argnames": ()}, r"argnames=\(\): expected the name"),
    ],
)
@pytest.mark.parametrize("transform", [at.grad, at.jacobian, at.hvp])
def test_what_states_no_argument_is_an_error_at_once(transform, options, words):
    with pytest.raises(UnsupportedError, match=words):
        transform(f, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"argnames": "w"}, "argnames='w' is no parameter of the function; its parameters are x, y"),
        ({"argnames": "y"}, "argnames='y' asks for an argument that was not given"),
        ({"argnums": 2}, "argnums=2 asks for an argument that was not given; there are 1"),
        ({"argnums": (0, -1)}, r"argnums=\(0, -1\) names an argument twice"),
        ({"argnums": 0, "argnames": "x"}, "argnums=0, argnames='x' names an argument twice"),
    ],
)
def test_an_argument_that_a_call_does_not_give_is_an_error(options, words):
    with pytest.raises(UnsupportedError, match=words):
        at.grad(lambda x, y: x, **options)(2.0)


# ----- has_aux -----
def test_what_a_function_returns_beside_its_value_is_passed_on():
    def loss(x):
        h = x * 3
        return np.sum(h**2), {"h": h, "name": "text", "count": 2}

    x = np.array([1.0, 2.0])
    gradient, aux = at.grad(loss, has_aux=True)(x)
    assert gradient.tolist() == [18, 36]
    assert (type(aux["h"]), aux["h"].tolist(), aux["name"], aux["count"]) == (np.ndarray, [3, 6], "text", 2)
    (value, again), gradient = at.value_and_grad(loss, has_aux=True)(x)
    assert (value, again["name"], gradient.tolist()) == (45, "text", [18, 36])


def test_aux_is_differentiated_in_a_larger_graph():
    inner = at.grad(lambda x: (x**2, x**3), has_aux=True)
    assert at.grad(lambda x: inner(x)[1])(2.0) == 12


@pytest.mark.parametrize("returned", [lambda x: x, lambda x: (x, 1, 2)])
def test_a_function_with_aux_returns_a_pair(returned):
    with pytest.raises(UnsupportedError, match=r"with has_aux=True the function returns a pair, \(value, aux\); it"):
        at.grad(returned, has_aux=True)(2.0)


def test_a_pair_without_has_aux_is_told_of_it():
    with pytest.raises(ShapeError, match=r"has_aux=True is for a pair \(value, aux\)"):
        at.grad(lambda x: (x, 1.0))(2.0)
