"""Graphs to draw."""

import numpy as np
import pytest

import autotiny as at
from drawing.browser import launched

HOSTILE = [
    '<script>alert("1")</script>',
    "a & b &amp; &#x41; 'quoted'",
    "]]> --> <!-- </svg>",
    "\\N \\G \\L \\",
    "bell \x07 escape \x1b[31m null \x00",
    "right-to-left \u202e שלום",
    "surrogate \ud800 \ufffe",
    'id="n0" -> n1 {} [] ; "',
    "w" * 5000,
    "日本語 😀",
]


@pytest.fixture
def flagship():
    rng = np.random.default_rng(0)
    m, X = 32, at.Tensor(rng.normal(size=(4, 32)), requires_grad=False, name="X")
    Y = at.one_hot(rng.integers(3, size=m), 3)
    W1, b1 = at.Tensor(rng.normal(size=(16, 4)), name="W1"), at.Tensor(np.zeros((16, 1)), name="b1")
    W2, b2 = at.Tensor(rng.normal(size=(3, 16)), name="W2"), at.Tensor(np.zeros((3, 1)), name="b2")
    Z2 = W2 @ np.maximum(W1 @ X + b1, 0) + b2
    E = np.exp(Z2 - np.max(Z2, axis=0))
    J = -(1 / m) * np.sum(Y * np.log(E / np.sum(E, axis=0)))
    Z2.name, J.name = "Z2", "J"
    return J


@pytest.fixture
def square():
    x = at.Tensor(3.0, name="x")
    y = x * x
    y.name = "y"
    return y


@pytest.fixture
def hostile():
    return np.sum(np.stack([at.Tensor(1.0, name=name) for name in HOSTILE]))


# ----- a real browser -----
@pytest.fixture(scope="module")
def browser():
    yield from launched()


@pytest.fixture
def visit(browser, tmp_path):
    """Opens a page of steps; in the end nothing was loaded and nothing complained."""
    said, contexts = [], []

    def visit(steps, width=1280, height=800, **options):
        (tmp_path / "net.html").write_text(steps if isinstance(steps, str) else steps.html, encoding="utf-8")
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if "net.html" not in request.url else None)
        page.goto((tmp_path / "net.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert said == []
