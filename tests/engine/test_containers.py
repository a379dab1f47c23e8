"""Containers of values: dataclasses, named tuples, dicts of any kind, and classes that register themselves."""

import collections
import dataclasses
import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autotiny as at
from autotiny.engine.containers import register_pytree
from autotiny.engine.pytree import flatten, leaves_as, places
from autotiny.errors import ShapeError, UnsupportedError


@dataclass
class Layer:
    W: np.ndarray
    b: Any = 0.5
    sizes: tuple[int, ...] = (2, 3)
    activation: str = "tanh"
    function: Callable = np.tanh
    count: int = 2
    scale: float = 3  # a float by its annotation, although a whole number here
    kind: Literal["dense", 1] = "dense"
    bias: bool = True
    rate: float = field(default=0.1, metadata={"static": True})
    inner: "Layer | None" = None


@dataclass(frozen=True, slots=True)
class Frozen:
    W: Any
    parts: Any = None


class Point(NamedTuple):
    x: Any
    y: Any = 1.0


class Registered:
    def __init__(self, values, name):
        self.values, self.name = values, name

    def __eq__(self, other):
        return type(other) is Registered and (self.values, self.name) == (other.values, other.name)

    __hash__ = None


register_pytree(Registered, lambda r: (r.values, r.name), lambda name, parts: Registered(list(parts), name))


# ----- any tree goes apart and together -----
numbers = st.floats(-3, 3)
trees = st.recursive(
    numbers | st.none(),
    lambda sub: st.one_of(
        st.lists(sub, max_size=3),
        st.tuples(sub, sub),
        st.dictionaries(st.text(max_size=3), sub, max_size=3),
        st.dictionaries(st.integers(), sub, max_size=2).map(OrderedDict),
        st.dictionaries(st.text(max_size=2), sub, max_size=2).map(lambda d: defaultdict(list, d)),
        st.builds(Point, sub, sub),
        st.builds(Frozen, sub, sub),
        st.builds(Layer, numbers, sub, inner=st.none() | st.builds(Layer, numbers)),
        st.builds(Registered, st.lists(sub, max_size=2), st.text(max_size=2)),
    ),
    max_leaves=8,
)


def kinds(tree):
    """The classes of a tree's containers, with its values, by another way than flatten's."""
    if isinstance(tree, dict):
        return type(tree), [(key, kinds(part)) for key, part in tree.items()], getattr(tree, "default_factory", None)
    if isinstance(tree, list | tuple):
        return type(tree), list(map(kinds, tree))
    if dataclasses.is_dataclass(tree):
        return type(tree), [kinds(getattr(tree, each.name)) for each in dataclasses.fields(tree)]
    return (Registered, kinds(tree.values), tree.name) if isinstance(tree, Registered) else tree


@given(trees)
def test_rebuilding_gives_an_equal_tree_in_a_stable_order(tree):
    leaves, rebuild = flatten(tree)
    assert kinds(rebuild(leaves)) == kinds(tree)
    assert flatten(rebuild(leaves))[0] == leaves
    assert flatten(rebuild(list(range(len(leaves)))))[0] == list(range(len(leaves)))
    assert len(places(tree)) == len(leaves) == len(set(places(tree)))
    assert leaves_as(tree, tree, "the tree") == leaves


@given(trees)
def test_gradient_has_the_structure_of_the_tree_and_the_values_of_its_formula(tree):
    def loss(t):
        return sum((k * x**2 for k, x in enumerate(flatten(t)[0], 1)), start=0.0)

    leaves, rebuild = flatten(tree)
    if not leaves:
        return
    gradient = at.grad(lambda pair: loss(pair[0]))((tree, 1.0))[0]
    assert kinds(gradient) == kinds(rebuild([2.0 * k * x for k, x in enumerate(leaves, 1)]))
    mapped = at.tree_map(lambda x, g: (x, g), tree, gradient)
    assert len(flatten(mapped)[0]) == 2 * len(leaves)


@given(trees)
def test_places_say_how_a_value_is_reached(tree):
    for leaf, place in zip(flatten(tree)[0], places(tree), strict=True):
        if "Registered" not in repr(tree) and "object at" not in repr(tree):
            assert eval(f"tree{place}", {"tree": tree}) == leaf


# ----- dataclasses -----
def test_fields_that_hold_no_numbers_or_whole_ones_by_annotation_are_static():
    layer = Layer(np.ones(2), inner=Layer(2.0))
    gradient = at.grad(lambda p: np.sum(p.W) * p.b * p.scale * p.inner.W)(layer)
    assert gradient.W.tolist() == [3, 3]
    assert (gradient.b, gradient.scale, gradient.inner.W) == (12, 2, 3)
    assert (gradient.sizes, gradient.activation, gradient.function) == ((2, 3), "tanh", np.tanh)
    assert (gradient.count, gradient.kind, gradient.bias, gradient.rate) == (2, "dense", True, 0.1)


def test_inside_the_function_static_fields_are_what_they_were():
    def loss(p):
        assert (type(p.count), type(p.sizes), p.rate) == (int, tuple, 0.1)
        return p.function(p.W) * p.count

    np.testing.assert_allclose(at.grad(loss)(Layer(0.5)).W, 2 * (1 - np.tanh(0.5) ** 2))


class Colour(Enum):
    RED = 1


def fields_of(annotation, value):
    kind = dataclasses.make_dataclass("Held", [("x", annotation), ("w", float, 1.0)])
    return [place[1:] for place in places(kind(value))]


@pytest.mark.parametrize(
    ("annotation", "value", "is_part"),
    [
        *[(float, 1, True), (int, 1, False), (int, 1.5, True), ("int", 1, False), ("float", 1, True), (Any, 1, True)],
        *[(int | None, 1, False), (float | int, 1, True), (list[int], [1, 2], False), (list, [1, 2], True)],
        *[(dict[str, int], {"a": 1}, False), (dict[str, float], {"a": 1}, True), (str, "a", False), (Any, "a", False)],
        *[(Any, np.tanh, False), (Any, True, False), (Any, Colour.RED, False), (Any, np.float32(2), True)],
        *[(np.ndarray, np.arange(3), True), (Any, at.Tensor(1.0), True), (tuple[int, ...], (1.5, 2), True)],
        *[(Literal[1, 2], 1, False), ("Unknown", 1, True), (Any, np.array(["a"]), False), (Any, ["a", 1.0], True)],
    ],
)
def test_a_field_is_a_part_or_static_by_its_value_and_annotation(annotation, value, is_part):
    assert any(name.startswith("x") for name in fields_of(annotation, value)) is is_part


def test_a_dataclass_is_made_without_its_init():
    @dataclass
    class Normal:
        mean: float
        deviation: float

        def __post_init__(self):
            if self.deviation <= 0:
                raise ValueError("the deviation is positive")

        @functools.cached_property
        def variance(self):
            return self.deviation**2

    normal = Normal(1.0, 2.0)
    assert normal.variance == 4
    gradient = at.grad(lambda p: -p.variance * p.mean)(normal)  # what was cached is computed anew
    assert (gradient.mean, gradient.deviation) == (-4, -4)


def test_numbers_in_an_attribute_that_is_no_field_are_an_error():
    @dataclass
    class Squared:
        W: float

        def __post_init__(self):
            self.W2, self.note = self.W**2, "text"

    with pytest.raises(UnsupportedError, match=r"Squared\.W2 holds numbers and is no field .* at"):
        at.grad(lambda p: p.W2)(Squared(3.0))


def test_fields_without_a_value_and_of_parents_are_carried_over():
    @dataclass
    class Parent:
        a: float

    @dataclass
    class Child(Parent):
        b: float = field(init=False)
        c: float = field(init=False, default=2.0)

    child = Child(3.0)
    gradient = at.grad(lambda p: p.a * p.c)(child)
    assert (gradient.a, gradient.c, hasattr(gradient, "b")) == (2, 3, False)
    child.b = 5.0
    assert at.grad(lambda p: p.a * p.b)(child).b == 3


# ----- dicts, lists and tuples of other classes -----
def test_dicts_keep_their_class_order_and_factory():
    ordered, default = OrderedDict(b=1.0, a=2.0), defaultdict(list, x=3.0)
    assert at.grad(lambda d: d["a"] * d["b"])(ordered) == OrderedDict(b=2.0, a=1.0)
    gradient = at.grad(lambda d: d["x"] ** 2)(default)
    assert (gradient, gradient.default_factory) == ({"x": 6}, list)
    assert at.tree_map(lambda n: n + 1, collections.Counter("aab")) == collections.Counter(a=3, b=2)


def test_a_dict_that_changes_later_does_not_change_the_result():
    tree = {"a": 1.0, "b": 2.0}
    leaves, rebuild = flatten(tree)
    del tree["a"]
    assert rebuild(leaves) == {"a": 1.0, "b": 2.0}


def test_none_is_a_tree_without_values():
    assert at.grad(lambda p: p["a"] ** 2)({"a": 3.0, "b": None}) == {"a": 6, "b": None}
    assert at.tree_map(lambda x: x + 1, (None, 1)) == (None, 2)
    value, pull = at.vjp(lambda x, options: (x * 2, options), 3.0, None)
    assert value == (6, None)
    assert pull((1.0, None)) == (2, None)


# ----- registration -----
def test_a_registration_goes_with_a_class_that_another_process_gets_by_value(monkeypatch):
    monkeypatch.setattr("autotiny.engine.containers._takers", {})
    assert flatten(Registered([1.0, 2.0], "r"))[0] == [1.0, 2.0]


def test_a_registered_class_is_taken_everywhere():
    r = Registered([np.ones(2), 3.0], "name")
    gradient = at.grad(lambda r: np.sum(r.values[0]) * r.values[1])(r)
    assert (gradient.values[0].tolist(), gradient.values[1], gradient.name) == ([3, 3], 2, "name")
    assert at.jvp(lambda r: r.values[1] ** 2, (r,), (r,))[1] == 18
    at.check_gradients(lambda r: np.sum(r.values[0] ** 2) * r.values[1], r)
    step = at.compile(at.grad(lambda r: np.sum(r.values[0]) * r.values[1]))
    assert [step(r).values[1], step(r).name] == [2, "name"]
    assert step(Registered([np.ones(2), 3.0], "other")).name == "other"


def test_registration_is_a_decorator_and_goes_before_what_a_class_is():
    @at.register_pytree
    @dataclass
    class Pair:
        a: float
        b: float

        def tree_flatten(self):
            return (self.a,), self.b

        @classmethod
        def tree_unflatten(cls, b, parts):
            return cls(*parts, b)

    assert at.grad(lambda p: p.a * p.b)(Pair(2.0, 5.0)) == Pair(5.0, 5.0)


@pytest.mark.parametrize(
    ("register", "words"),
    [
        (lambda: register_pytree(3), "register_pytree: expected a class of your own, got 3"),
        (lambda: register_pytree(dict, list, dict), "expected a class of your own, got <class 'dict'>"),
        (lambda: register_pytree(at.Tensor, list, list), "expected a class of your own"),
        (lambda: register_pytree(Bare), "Bare needs the functions flatten and unflatten, or the methods tree_flatten"),
    ],
)
def test_registration_that_cannot_work_is_an_error(register, words):
    with pytest.raises(UnsupportedError, match=words):
        register()


class Bare:
    pass


def test_a_flatten_that_returns_no_pair_is_named():
    register_pytree(Odd, lambda odd: 3, lambda rest, parts: Odd())
    with pytest.raises(UnsupportedError, match=r"register_pytree: flatten of Odd must return the parts and the rest"):
        at.grad(lambda p: 1.0)(Odd())


class Odd:
    pass


# ----- several trees -----
def test_tree_map_takes_several_trees_and_whole_trees_at_the_places_of_values():
    W, state = {"a": 1.0, "b": [2.0]}, {"b": [(3.0, 4.0)], "a": None}
    assert at.tree_map(lambda w, s: (w, s), W, state) == {"a": (1.0, None), "b": [(2.0, (3.0, 4.0))]}
    assert at.tree_map(lambda a, b, c: a + b + c, Point(1, 2), Point(3, 4), (5, 6)) == Point(9, 12)


@pytest.mark.parametrize(
    ("tree", "other", "words"),
    [
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1]}, r"tree_map: tree 2 must have 2 parts at \['b'\]; got 1"),
        (Frozen(1, [2]), Frozen(1, 2), r"tree_map: tree 2 must have 1 parts at \.parts; got int"),
        (Frozen(1), Point(1), r"tree_map: tree 2 must be Frozen; got Point"),
        ((1, None), (1, 2), r"tree_map: tree 2 must be None at \[1\]; got int"),
        (Registered([1, 2], "a"), Registered([1], "a"), r"must have the parts \[0, 1\]; got \[0\]"),
    ],
)
def test_trees_of_other_structures_are_an_error_that_says_where(tree, other, words):
    with pytest.raises(ShapeError, match=words):
        at.tree_map(lambda a, b: a, tree, other)


# ----- compiled -----
def test_compiled_programs_take_and_give_all_kinds_of_trees():
    def step(p):
        h = p.function(p.W) * p.scale
        return OrderedDict(h=h, again=Frozen(h * 2, (None, "text")), point=Point(h + 1))

    layer = Layer(np.array([1.0, 2.0]))
    compiled = at.compile(step)
    compiled(layer)
    first, second = step(layer), compiled(layer)
    assert type(second) is OrderedDict
    assert (type(second["again"]), second["again"].parts) == (Frozen, (None, "text"))
    np.testing.assert_array_equal(second["point"].x, first["point"].x)


def test_a_compiled_program_is_for_one_structure_and_its_static_fields():
    step = at.compile(lambda p: p.W * p.count)
    assert [step(Layer(2.0, count=n)) for n in (3, 4, 3)] == [6, 8, 6]
    assert step(Layer(2.0, inner=Layer(1.0))) == 4
    assert step(Layer(2.0, sizes=[1, 2])) == 4
    maybe = at.compile(lambda t: 1.0 if t[1] is None else t[0] + t[1])
    assert [maybe((2.0, None)), maybe((2.0, 3.0)), maybe((2.0, None))] == [1, 5, 1]


def test_a_program_names_the_fields():
    step = at.compile(at.grad(lambda p: np.sum(np.tanh(p.W) * p.b)))
    step(Layer(np.ones(2), np.ones(2)))
    assert "def step(W, b" in step.source
