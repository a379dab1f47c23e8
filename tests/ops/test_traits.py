"""Traits: a row must state those that it needs, and what it states is so."""

import itertools

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import ShapeError
from autotiny.ops import OPS, activations, losses
from autotiny.ops.table import FLOW, SMOOTHNESS, TRAITS, constant_variant, define, own
from ops.cases import CASES
from ops.declare import is_scipys, package

PACKAGES = ("numpy", "autotiny")
ROWS = {
    op.name: op
    for op in OPS.values()
    if OPS[op.function] is op and package(op.function) in PACKAGES and not is_scipys(op.function)
}
"""Rows of the package; other tests enter their own."""

LINEAR_BUT_FOR = {
    "astype": "rounding",
    "pad_constant": "constants that are not 0",
    "nan_to_num": "what is not finite",
    "sign_of_det": "matrices with an odd number of rows, whose sign changes with theirs",
}


def draws(op):
    """The operation as a function of its tracked arguments, those arguments, and the case that they are from."""
    for case in CASES:
        of_this = OPS.get(case.function) is op
        tracked = case.constants == {"where": (0,), "norm_in_range": (1,)}.get(op.name, ())
        if of_this and tracked and all(0 not in shape for shape in case.shapes):
            f, args = case.draw()
            yield in_a_row(f) if isinstance(f(*args), tuple) else f, args, case


def in_a_row(f):
    """A function of several outputs as one of all their entries."""
    return lambda *args: np.concatenate([np.ravel(y) for y in f(*args)])


def with_trait(trait):
    return pytest.mark.parametrize("op", [op for op in ROWS.values() if op.has(trait)], ids=lambda op: op.name)


def replaced(args, i, value):
    return [*args[:i], value, *args[i + 1 :]]


# ----- what a row must state -----
def row_of(traits):
    def f(x):
        return x

    return lambda: define(f, lambda g, y, x: g, traits=traits)


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ("", "f: its row must state one of the traits elementwise, moves, reduces, mixes"),
        ("elementwise", "f: its row must state one of the traits analytic, kinked, flat, smooth"),
        ("kinked", "f: its row must state one of the traits elementwise, moves, reduces, mixes"),
        ("elementwise kinked flat", "f: the traits flat and kinked exclude each other"),
        ("elementwise kinkd", "f: 'kinkd' is not a trait; the traits are elementwise, moves,"),
    ],
)
def test_a_row_without_a_trait_that_it_needs_is_an_error_that_names_it(traits, message):
    with pytest.raises(TypeError, match=message):
        row_of(traits)()


def test_a_function_of_our_own_must_state_its_traits_too():
    with pytest.raises(TypeError, match="<lambda>: its row must state one of the traits elementwise, moves"):
        own(lambda g, y, x: g, traits="kinked")(lambda x: x)


def test_every_row_states_how_entries_flow_and_what_kind_of_function_it_is():
    for op in ROWS.values():
        assert len(op.traits & FLOW.keys()) == len(op.traits & SMOOTHNESS.keys()) == 1, op


def test_every_trait_is_used_and_explained():
    assert set().union(*(op.traits for op in ROWS.values())) == TRAITS.keys()
    assert all(TRAITS.values())


def test_a_constant_variant_has_the_traits_of_its_row():
    variants = [op for op in ROWS.values() if op.constant_variant]
    assert {op.name for op in variants} == {"maximum", "minimum", "fmax", "fmin"}
    for op in variants:
        assert op.constant_variant.traits == op.traits
        assert op.constant_variant.used == op.used


def test_a_constant_variant_needs_a_row():
    with pytest.raises(KeyError):
        constant_variant(np.heaviside, lambda g, y, a, b: g)


# ----- operations of users -----
def test_an_operation_of_ones_own_has_no_traits_unless_it_states_some():
    plain = at.operation(lambda g, y, x: g)(lambda x: x * 1)
    stated = at.operation(lambda g, y, x: g, traits="elementwise kinked", masks=True)(lambda x: x * 1)
    assert OPS[plain].traits == frozenset()
    assert OPS[stated].traits == {"elementwise", "kinked", "selects"}


def test_an_unknown_trait_of_ones_own_operation_is_an_error():
    with pytest.raises(TypeError, match="'sharp' is not a trait; the traits are elementwise"):
        at.operation(lambda g, y, x: g, traits="sharp")(lambda x: x * 1)


# ----- what is stated is so -----
@pytest.mark.parametrize("op", ROWS.values(), ids=ROWS)
def test_every_row_has_cases_to_hold_its_traits_against(op):
    assert list(draws(op))


@with_trait("elementwise")
def test_an_elementwise_operation_carries_an_entry_to_its_own_place(op):
    for f, args, _ in draws(op):
        y = np.asarray(f(*args))
        if y.ndim == 0:
            continue
        for i, x in enumerate(args):
            place = tuple(0 for _ in x.shape)
            moved = x.copy()
            moved[place] = moved[place] * 1.01 + 0.01
            own_places = np.broadcast_to(np.arange(x.size).reshape(x.shape) == 0, y.shape)
            changed = np.asarray(f(*replaced(args, i, moved))) != y
            assert not np.any(changed & ~own_places)


@with_trait("moves")
def test_every_entry_of_what_moves_was_one_before_or_is_a_constant(op):
    for f, args, case in draws(op):
        entries = np.concatenate([np.ravel(x) for x in args])
        constants = {0.0, float(np.max(case.options.get("constant_values", 0)))}
        assert set(np.ravel(f(*args)).tolist()) <= {*entries.tolist(), *constants}


@with_trait("reduces")
def test_a_reduction_over_everything_is_a_number(op):
    for f, args, case in draws(op):
        if case.options.get("axis") is None and not case.options.get("keepdims"):
            assert np.ndim(f(*args)) == 0


@with_trait("flat")
def test_a_flat_operation_stays_where_it_is_under_small_moves(op):
    for f, args, _ in draws(op):
        np.testing.assert_array_equal(f(*args), f(*[x + 1e-9 for x in args]))


def scales(f, args, i, factor):
    """Whether a factor of argument i is a factor of the result."""
    try:
        scaled = f(*replaced(args, i, factor * args[i]))
    except (np.linalg.LinAlgError, ShapeError):
        return False
    return np.allclose(scaled, factor * np.asarray(f(*args)), rtol=1e-12)


@pytest.mark.parametrize("op", ROWS.values(), ids=ROWS)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
def test_exactly_what_is_linear_in_each_argument_says_so(op):
    linear = all(
        scales(f, args, i, factor)
        for f, args, case in draws(op)
        for i in range(len(args))
        for factor in (2.0, -1.0, -0.5)
    )
    assert linear == op.has("linear") or op.name in LINEAR_BUT_FOR


@with_trait("positive")
def test_what_is_positive_is_above_zero_whatever_its_arguments(op):
    for f, args, _ in draws(op):
        assert np.all(np.asarray(f(*[5 * x for x in args])) > 0)


@with_trait("keeps_sign")
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
def test_what_keeps_the_sign_makes_positive_values_of_positive_ones(op):
    for f, args, _ in draws(op):
        y = np.asarray(f(*[np.abs(x) + 1e-3 for x in args]))
        assert np.all((y > 0) | np.isnan(y))


@with_trait("analytic")
def test_a_complex_step_through_an_analytic_operation_is_its_derivative(op):
    for f, args, case in draws(op):
        rng = np.random.default_rng(0)
        tangents = [rng.normal(size=x.shape) for x in args]
        steps = [x + 1e-200j * t for x, t in zip(args, tangents, strict=True)]
        stepped = op.forward(*steps, **case.options) if case.call is op.function and not case.constants else f(*steps)
        slope = at.jvp(f, args, tangents)[1]
        np.testing.assert_allclose(np.imag(stepped) / 1e-200, slope, rtol=1e-9, atol=1e-12)


@with_trait("reshapes")
def test_what_reshapes_keeps_the_order_of_entries(op):
    for f, args, case in draws(op):
        if case.options.get("order", "C") == "C":
            np.testing.assert_array_equal(np.ravel(f(*args)), np.ravel(args[0]))


@with_trait("rearranges")
def test_what_rearranges_is_a_view(op):
    for f, args, _ in draws(op):
        y = f(*args)
        assert np.shares_memory(y, args[0]) or not (np.ndim(y) and y.size)


@pytest.mark.parametrize("op", [op for op in ROWS.values() if op.reduction_of], ids=lambda op: op.name)
def test_a_reduction_is_the_fold_of_its_ufunc(op):
    x = np.arange(1.0, 7.0).reshape(2, 3)
    np.testing.assert_array_equal(op.forward(x, axis=1), op.reduction_of.reduce(x, axis=1))


def test_activations_act_entry_by_entry():
    assert all(op.has("elementwise") for op in ROWS.values() if op.has("activation"))


# ----- words and names -----
def test_every_rule_is_put_into_words_unless_a_derivative_entry_by_entry_stands_beside_it():
    without = {op.name for op in ROWS.values() if not op.words and not op.has("elementwise")}
    assert without == {"cofactors"}  # which only the second derivative of a determinant meets


@pytest.mark.parametrize("op", [op for op in ROWS.values() if isinstance(op.words, tuple)], ids=lambda op: op.name)
def test_words_for_each_argument_are_as_many_as_the_rules(op):
    assert len(op.words) == len(op.rules)


def test_every_activation_and_loss_is_public():
    """A row, or a composition, of these files that is not exported by `autotiny` is named here."""
    public = {
        name: function
        for module in (activations, losses)
        for name, function in vars(module).items()
        if callable(function) and getattr(function, "__module__", "") == module.__name__ and name[0] != "_"
    }
    assert public.keys() <= set(at.__all__), f"not exported: {public.keys() - set(at.__all__)}"
    assert all(getattr(at, name) is function for name, function in public.items())


# ----- selection -----
def pulled(f, args, u):
    """The gradients by all arguments, from the gradient u of the result."""
    with np.errstate(all="ignore"):
        return at.vjp(f, *args)[1](u)


@pytest.mark.parametrize("op", ROWS.values(), ids=ROWS)
def test_exactly_what_may_stop_nan_says_so(op):
    """Each entry of the gradient that arrives reaches an argument, or the row selects, is flat or fills."""
    stopped = False
    for f, args, _ in draws(op):
        y = np.asarray(f(*args))
        for place in np.ndindex(y.shape):
            u = np.ones(y.shape)
            u[place] = np.nan
            stopped = stopped or not any(np.isnan(g).any() for g in pulled(f, args, u))
    assert not stopped or op.stops


EDGES = (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, 2000.0, -2000.0)


def at_edges(op):
    """Arguments of single numbers at the edges, for an elementwise row that takes numbers alone."""
    count = len(op.rules)
    return itertools.product(EDGES, repeat=count)


@pytest.mark.parametrize(
    "op", [op for op in ROWS.values() if op.has("elementwise") and None not in op.rules], ids=lambda op: op.name
)
@np.errstate(all="ignore")
def test_exactly_the_elementwise_rows_that_are_unbounded_or_singular_say_so(op):
    kwargs = {"dtype": float} if op.name == "astype" else {}
    unbounded = singular = False
    for args in at_edges(op):
        arrays = [np.float64(x) for x in args]
        y = op.forward(*arrays, **kwargs)
        if not np.isfinite(y):
            unbounded = True
            continue
        slopes = [rule(np.float64(1), y, *arrays, **kwargs) for rule in op.rules]
        if not np.all(np.isfinite(slopes)):
            singular = True
            assert op.has("unbounded") or (op.singular is not None and op.singular(y, *arrays)), args
    assert unbounded == op.has("unbounded")
    assert not singular or op.singular is not None or op.has("unbounded")
