"""Broadcasting, products, indexing and summation over random shapes, against loops that add one product at a time."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autotiny as at

seeds = st.integers(0, 2**32 - 1)
SLOPES = {  # dy/da and dy/db of one entry
    np.add: lambda a, b: (1, 1),
    np.subtract: lambda a, b: (1, -1),
    np.multiply: lambda a, b: (b, a),
    np.divide: lambda a, b: (1 / b, -a / b**2),
}


def assert_close(actual, expected):
    assert actual.shape == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def gradients_of(f, arrays, seed):
    """The value, a random upstream gradient, and the gradients."""
    value, pull = at.vjp(f, *arrays)
    u = np.random.default_rng(seed).normal(size=value.shape)
    return value, u, pull(u)


@given(
    st.sampled_from(list(SLOPES)),
    hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_side=3, max_dims=4),
    seeds,
)
def test_broadcast_entries_gather_the_gradient_of_every_place_they_went_to(function, shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.uniform(1, 2, shape) for shape in shapes.input_shapes)
    value, u, (ga, gb) = gradients_of(function, (a, b), seed)
    expected_a, expected_b = np.zeros(a.shape), np.zeros(b.shape)
    source_a, source_b = (np.broadcast_to(np.arange(x.size).reshape(x.shape), shapes.result_shape) for x in (a, b))
    for place in np.ndindex(shapes.result_shape):
        i, j = source_a[place], source_b[place]
        to_a, to_b = SLOPES[function](a.flat[i], b.flat[j])
        expected_a.flat[i] += u[place] * to_a
        expected_b.flat[j] += u[place] * to_b
    assert value.shape == shapes.result_shape
    assert_close(ga, expected_a)
    assert_close(gb, expected_b)


@st.composite
def arrays_and_keys(draw):
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=4))
    basic = hnp.basic_indices(shape, allow_newaxis=True)
    masks = hnp.arrays(bool, shape)
    keys = [basic, masks]
    if shape:
        keys += [
            hnp.integer_array_indices(shape, result_shape=hnp.array_shapes(min_dims=0, max_dims=2, max_side=4)),
            mixed_keys(shape),
        ]
        keys += [hnp.arrays(int, st.integers(0, 5), elements=st.integers(-shape[0], shape[0] - 1))]
        keys += [hnp.arrays(bool, shape[:1])]
    return shape, draw(st.one_of(keys))


def mixed_keys(shape):
    """A slice, an integer or an array of integers for each axis, with at most one ellipsis."""
    parts = [
        st.one_of(st.integers(-n, n - 1), st.slices(n), hnp.arrays(int, 2, elements=st.integers(-n, n - 1)))
        for n in shape
    ]
    return st.tuples(*parts).flatmap(
        lambda key: st.sampled_from([key, (*key[:-1], ...), (..., *key[1:]), (None, *key)])
    )


@given(arrays_and_keys(), seeds)
def test_picked_entries_gather_the_gradient_of_every_time_they_were_picked(shape_and_key, seed):
    shape, key = shape_and_key
    x = np.random.default_rng(seed).normal(size=shape)
    value, u, (g,) = gradients_of(lambda t: t[key], (x,), seed)
    expected = np.zeros(shape)
    picked = np.arange(x.size).reshape(shape)[key]
    for place in np.ndindex(np.shape(picked)):
        expected.flat[picked[place]] += u[place]
    np.testing.assert_array_equal(value, x[key], strict=np.ndim(picked) > 0)
    assert_close(g, expected)


@st.composite
def matrix_shapes(draw):
    m, k, n = (draw(st.integers(0, 3)) for _ in range(3))
    left = draw(st.sampled_from(["vector", "matrix", "stack"]))
    right = draw(st.sampled_from(["vector", "matrix", "stack"]))
    stacks = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3)).input_shapes
    a = (k,) if left == "vector" else (*(stacks[0] if left == "stack" else ()), m, k)
    b = (k,) if right == "vector" else (*(stacks[1] if right == "stack" else ()), k, n)
    return a, b


@given(matrix_shapes(), seeds)
def test_matrix_products_of_any_shapes_are_sums_of_products_of_entries(shapes, seed):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=shape) for shape in shapes)
    value, u, (ga, gb) = gradients_of(np.matmul, (a, b), seed)
    A, B = a if a.ndim > 1 else a[None], b if b.ndim > 1 else b[:, None]
    stack = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
    U = u.reshape(*stack, A.shape[-2], B.shape[-1])
    wide_a, wide_b = np.zeros((*stack, *A.shape[-2:])), np.zeros((*stack, *B.shape[-2:]))
    A, B = np.broadcast_to(A, wide_a.shape), np.broadcast_to(B, wide_b.shape)
    for *s, i, j in np.ndindex(U.shape):
        for k in range(A.shape[-1]):
            wide_a[(*s, i, k)] += U[(*s, i, j)] * B[(*s, k, j)]
            wide_b[(*s, k, j)] += U[(*s, i, j)] * A[(*s, i, k)]
    np.testing.assert_array_equal(value, a @ b, strict=True)
    assert_close(ga, unrepeated(wide_a, a.shape))
    assert_close(gb, unrepeated(wide_b, b.shape))


def unrepeated(wide, shape):
    """The sum over the copies that broadcasting made of each entry."""
    result = np.zeros(shape)
    source = np.arange(result.size).reshape(shape)
    if wide.ndim > 1 and len(shape) == 1:
        source = source.reshape(wide.shape[-2:])
    for place, i in zip(np.ndindex(wide.shape), np.broadcast_to(source, wide.shape).flat, strict=True):
        result.flat[i] += wide[place]
    return result


@st.composite
def summations(draw):
    """Subscripts of one to three operands, an output made of some of their labels, and a length for each label."""
    terms = draw(st.lists(st.text("ijkl", max_size=3), min_size=1, max_size=3))
    labels = sorted(set("".join(terms)))
    kept = draw(st.permutations(labels))[: draw(st.integers(0, len(labels)))]
    implied = draw(st.booleans())
    return ",".join(terms) + ("" if implied else "->" + "".join(kept)), {
        label: draw(st.integers(0, 3)) for label in labels
    }


@given(summations(), seeds)
def test_summation_over_any_labels_is_a_loop_over_their_values(summation, seed):
    subscripts, lengths = summation
    rng = np.random.default_rng(seed)
    terms, arrow, output = subscripts.partition("->")
    terms = terms.split(",")
    if not arrow:
        letters = "".join(terms)
        output = "".join(label for label in sorted(lengths) if letters.count(label) == 1)
    operands = [rng.normal(size=[lengths[label] for label in term]) for term in terms]
    value, u, gradients = gradients_of(lambda *xs: np.einsum(subscripts, *xs), operands, seed)
    expected_value, expected = np.zeros(value.shape), [np.zeros(x.shape) for x in operands]
    for numbers in itertools.product(*(range(n) for n in lengths.values())):
        at_label = dict(zip(lengths, numbers, strict=True))
        out, *places = (tuple(at_label[label] for label in term) for term in (output, *terms))
        entries = [x[place] for x, place in zip(operands, places, strict=True)]
        expected_value[out] += np.prod(entries)
        for i, place in enumerate(places):
            expected[i][place] += u[out] * np.prod(entries[:i] + entries[i + 1 :])
    assert_close(value, expected_value)
    for g, wanted in zip(gradients, expected, strict=True):
        assert_close(g, wanted)
