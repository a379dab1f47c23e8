"""How much room the cards take, on a page and on a slide, and in which digits and size of text."""

import itertools
import re

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing.label import Labels
from autotiny.errors import UnsupportedError

PAGE, SLIDE = (1280, 800), (1920, 1080)
READABLE = 14


def two_layers(**options):
    rng = np.random.default_rng(0)
    m = 32
    X, Y = rng.normal(size=(4, m)), at.one_hot(rng.integers(3, size=m), 3)
    W1, b1 = at.Tensor(rng.normal(size=(16, 4))), at.Tensor(np.zeros((16, 1)))
    W2, b2 = at.Tensor(rng.normal(size=(3, 16))), at.Tensor(np.zeros((3, 1)))
    Z1 = W1 @ X + b1
    A1 = at.relu(Z1)
    Z2 = W2 @ A1 + b2
    E = np.exp(Z2 - np.max(Z2, axis=0))
    A2 = E / np.sum(E, axis=0)
    J = -np.sum(Y * np.log(A2)) / m
    J.backward()
    return at.draw(J, **options)


def five_layers(**options):
    rng = np.random.default_rng(0)
    sizes, m = (8, 16, 16, 8, 8, 3), 16
    Y = at.one_hot(rng.integers(3, size=m), 3)
    A = [at.Tensor(rng.normal(size=(8, m)), requires_grad=False)]
    W = [at.Tensor(rng.normal(size=shape[::-1])) for shape in itertools.pairwise(sizes)]
    b = [at.Tensor(np.zeros((size, 1))) for size in sizes[1:]]
    Z = []
    for i in range(5):
        Z.append(W[i] @ A[i] + b[i])
        A.append(at.relu(Z[i]) if i < 4 else at.softmax(Z[i]))
    J = -np.sum(Y * np.log(A[5])) / m
    J.backward()
    return at.draw(J, **options)


def size(picture):
    return tuple(map(int, re.search(r'width="(\d+)" height="(\d+)"', picture.svg).groups()))


def text_on_slide(picture):
    smallest = min(map(float, re.findall(r'font-size="([\d.]+)"', picture.svg)))
    return smallest * min(have / need for have, need in zip(SLIDE, size(picture), strict=True))


@pytest.mark.parametrize("network", [two_layers, five_layers])
def test_a_network_fits_a_page(network):
    width, height = size(network())
    assert width <= PAGE[0]
    assert height <= PAGE[1]


@pytest.mark.parametrize(
    ("network", "options"), [(two_layers, {"direction": "across"}), (five_layers, {"text_size": 14, "digits": 2})]
)
def test_a_network_can_be_read_on_a_slide(network, options):
    assert text_on_slide(network(**options)) >= READABLE


def test_numbers_have_the_digits_that_are_asked_for():
    x = at.Tensor(np.pi, name="x")
    y = x * np.array([1.0, 2.0 / 3])
    assert [card.value.text for card in at.draw(y, digits=2).cards] == ["3.1", "0.67 … 1", "2.1 … 3.1"]
    assert at.draw(y, digits=6).cards[-1].value.rows == (("3.14159", "2.0944"),)


@pytest.mark.parametrize("digits", [0, 18, 2.5, True, "two"])
def test_digits_that_no_number_has_are_refused(digits):
    message = f"draw: digits: expected an integer from 1 to 17; got {digits!r}"
    with pytest.raises(UnsupportedError, match=re.escape(message)):
        at.draw(at.Tensor(1.0) * 2, digits=digits)


@pytest.mark.parametrize("size", [5, 49, float("nan"), True, "large"])
def test_a_size_that_cannot_be_read_is_refused(size):
    message = f"draw: text_size: expected points from 6 to 48; got {size!r}"
    with pytest.raises(UnsupportedError, match=re.escape(message)):
        at.draw(at.Tensor(1.0) * 2, text_size=size)


def test_all_text_grows_in_proportion():
    y = np.tanh(at.Tensor([0.5, 1.0], name="x"))
    sizes = [set(re.findall(r'POINT-SIZE="([\d.]+)"', at.draw(y, text_size=points).dot)) for points in (9, 18)]
    assert {float(size) * 2 for size in sizes[0]} == set(map(float, sizes[1]))


@pytest.mark.parametrize(
    ("text", "lines"),
    [("sum(g, axis=1)", 2), ("× 1[Z1 > 0]", 1), ("× −1/8 × Y / A2", 2), ("∂E/∂Z2", 1), ("W2ᵀ ·", 1)],
)
def test_an_edge_label_is_broken_between_factors_and_arguments(text, lines):
    assert Labels(across=True).edge(text).count("<TR>") == lines
    assert Labels(across=False).edge(text).count("<TR>") == 1


def test_a_long_expression_takes_several_lines_of_a_card():
    texts = re.findall(r">([^<]*)</text>", two_layers().svg)
    assert {"exp(Z2 - max(Z2,", "axis=0))"} <= set(texts)
