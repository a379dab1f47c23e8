"""Costs are told from shapes; here they are held against the results themselves."""

import warnings

import numpy as np
import pytest

import autotiny as at
import width
from autotiny.language import ExpressionError, Limits, evaluate
from autotiny.language.costs import entrywise, indexed, size_of
from autotiny.language.evaluation import Evaluation
from autotiny.language.vocabulary import functions
from autotiny.ops import OPS
from autotiny.ops.plain import TRUTH_VALUES
from ops.cases import CASES

OF_THE_TABLE = [case for case in CASES if case.function.__name__ in functions() and case.function is not np.einsum]


def called(case):
    """The word of a case, with the arguments that the case calls it with."""
    word, rng = functions()[case.function.__name__], case.rng()
    drawn = [
        np.asarray(domain.draw(rng, shape, i))
        for i, (domain, shape) in enumerate(zip(case.domains, case.shapes, strict=True))
    ]
    options = {name: value for name, value in case.options.items() if name != "order"}
    return word, *word.arguments((drawn,) if word.joins else tuple(drawn), options)


def test_estimate_is_never_below_the_result_for_any_case_of_the_table():
    held = 0
    for case in OF_THE_TABLE:
        if case.options.keys() - functions()[case.function.__name__].signature.parameters - {"order"}:
            continue  # an option that the language does not have
        listed = functions()[case.function.__name__].joins and "(" not in case.label  # those of width are below
        if case.call is case.function or listed:
            word, operands, options = called(case)
            entries = word.estimate(*operands, **options).entries
            assert size_of(word.function(*operands, **options)) <= entries, str(case)
            held += 1
    assert held > 1000


AT_MOST = """
all angle any argmax argmin argsort binary_cross_entropy clip compress copysign cosine_similarity count_nonzero delete
diagonal extract fix fliplr flipud gelu heaviside hinge huber kl_divergence ldexp len linalg.diagonal
linalg.matrix_transpose linalg.trace linalg.vector_norm matrix_transpose mean mean_absolute_error mean_squared_error
mish nancumsum nanmax nanmean nanmin nanprod nanstd nansum nanvar ndim ones_like ptp real_if_close reshape rollaxis
rot90 selu shape silu sinc size std trace trim_zeros var vector_norm zeros_like
""".split()  # noqa: SIM905 - read as the list of names that it is
"""Compositions and constructors whose results are at most of their arguments' common shape."""


def keeps_size(word):
    """Whether a function is a comparison, or a row that does not copy entries."""
    op = OPS.get(word.function)
    return word.function in TRUTH_VALUES or (op is not None and not (op.has("moves") and op.has("fills")))


class Observed(Evaluation):
    """An evaluation that compares each result with its estimate."""

    compared = 0

    def spend(self, node, what, estimate, compute):
        costs = []
        value = super().spend(node, what, lambda: costs.append(estimate()) or costs[0], compute)
        taken_out = what == "[ ]"  # an entry of a tuple is as it was
        assert taken_out or size_of(value) <= costs[0].entries, (what, size_of(value), costs[0])
        Observed.compared += not taken_out
        return value


def test_estimate_is_never_below_the_result_for_any_call_that_numpy_is_counted_by():
    values = {**{name: at.Tensor(x, name=name) for name, x in width.TRACKED.items()}, **width.CONSTANTS}
    refused = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, texts in width.calls().items():
            for text in texts if name in functions() else ():
                try:
                    Observed(text.lstrip("! "), values, Limits()).outcome()
                except ExpressionError as error:
                    refused.add(error.message)
    assert Observed.compared > 800
    assert not [message for message in refused if "limit" in message]


def test_every_function_has_an_estimate_or_a_result_of_its_arguments_common_shape():
    """A new function needs an entry in ESTIMATES, or its name here, if it is at most as large as its arguments."""
    without = {name for name, word in functions().items() if word.estimate is entrywise and not keeps_size(word)}
    assert without == {name for name in AT_MOST if name in functions()}


A, B, X = np.ones((30, 40)), np.ones((40, 50)), np.arange(60.0)
EXACT = [
    ("A @ B", 1500, 60000),
    ("ones((7, 30, 40)) @ B", 7 * 1500, 7 * 60000),
    ("X @ X", 1, 60),
    ("outer(X, X)", 3600, 3600),
    ("einsum('ij,jk->ik', A, B)", 1500, 60000),
    ("tile(X, (2, 3))", 360, 360),
    ("repeat(A, 3, axis=1)", 3600, 3600),
    ("repeat(X[:3], [5, 0, 2])", 7, 7),
    ("pad(A, ((1, 2), (3, 4)))", 33 * 47, 33 * 47),
    ("broadcast_to(X, (9, 60))", 540, 540),
    ("diag(X, -2)", 62 * 62, 62 * 62),
    ("one_hot([0, 4])", 10, 10),
    ("arange(2, 10, 3)", 3, 3),
    ("linspace(0, 1, 77)", 77, 77),
    ("eye(5, 6)", 30, 30),
    ("take(A, [0, 1, 1], axis=1)", 90, 90),
]


@pytest.mark.parametrize(("text", "entries", "work"), EXACT, ids=[text for text, _, _ in EXACT])
def test_estimate_is_near_the_truth_where_results_grow(text, entries, work):
    value = np.asarray(evaluate(text, {"A": A, "B": B, "X": X}).value)
    assert value.size == entries
    generous = Limits(entries=max(4000, 2 * entries), total=20 * entries + 40000, work=20 * work + 10**5)
    evaluate(text, {"A": A, "B": B, "X": X}, generous)
    if entries > 1200:
        with pytest.raises(ExpressionError, match="entries; the limit is"):
            evaluate(text, {"A": A, "B": B, "X": X}, Limits(entries=entries - 1))


MASK = np.arange(12).reshape(3, 4) % 3 == 0
KEYS = [
    *[0, slice(1), (slice(None), 2), (..., None, 1), (None, None), np.array([0, 0, 1, 2, 2]), np.array([[0], [1]])],
    *[(np.array([0, 1]), slice(2)), (slice(None), np.array([[0, 3]] * 5)), (np.array([[0], [2]]), np.array([1, 3, 3]))],
    *[MASK, MASK[0][:3], (slice(None), MASK[0]), (..., np.array([1, 1])), (np.array([1]), None, slice(None))],
]


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_estimate_of_an_index_is_exact_but_for_slices(key):
    x = np.arange(12.0).reshape(3, 4)
    entries = indexed(x, key).entries
    assert x[key].size <= entries <= (12 if not isinstance(key, np.ndarray) else x[key].size) * 5
    assert at.Tensor(x)[key].size <= entries
