"""What at.plot shows, saves and refuses; in the figure's own lines and words."""

import sys

import numpy as np
import pytest

import autotiny as at
from autotiny.errors import StaleError, UnsupportedError
from autotiny.plotting import MatplotlibMissingError


def network():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 8)), at.one_hot(rng.integers(0, 3, 8), 3)
    W1, b1 = at.Tensor(rng.normal(size=(5, 4)), name="W1"), at.Tensor(np.zeros((5, 1)), name="b1")
    W2 = at.Tensor(rng.normal(size=(3, 5)), name="W2")
    Z1 = W1 @ X + b1
    A2 = at.softmax(W2 @ np.maximum(Z1, 0))
    J = -np.sum(Y * np.log(A2)) / 8
    J.name, Z1.name = "J", "Z1"
    J.backward()
    return J, W1, W2, Z1


def drawn_slope(plot):
    """The slope of the straight line that the figure calls the tangent, and the point that it passes through."""
    (tangent,) = [line for line in plot.figure.axes[0].lines if line.get_label().startswith("tangent")]
    (x0, x1), (y0, y1) = tangent.get_data()
    return (y1 - y0) / (x1 - x0), ((x0 + x1) / 2, (y0 + y1) / 2)


def test_tangent_has_the_slope_of_the_gradient_and_of_differences():
    J, W1, *_ = network()
    plot = at.plot(J, (W1, (0, 1)))
    slope, (x, y) = drawn_slope(plot)
    f, at_, h = plot.shown.section, W1.data[0, 1], 1e-6
    assert slope == pytest.approx(W1.grad[0, 1], rel=1e-12)
    assert slope == pytest.approx((f(at_ + h) - f(at_ - h)) / (2 * h), rel=1e-6)
    assert (x, y) == (pytest.approx(at_), pytest.approx(J.item()))
    assert plot.slope == W1.grad[0, 1]


def test_contour_has_an_arrow_along_the_gradient():
    J, W1, W2, _ = network()
    plot = at.plot(J, (W1, (0, 1)), (W2, (0, 1)))
    (arrow,) = [text for text in plot.figure.axes[0].texts if text.get_text() == ""]
    da, db = np.subtract(arrow.xy, arrow.xyann)
    assert plot.slope == pytest.approx((W1.grad[0, 1], W2.grad[0, 1]), rel=1e-12)
    assert db / da == pytest.approx(W2.grad[0, 1] / W1.grad[0, 1])
    assert plot.figure.axes[0].get_aspect() == 1


def test_path_of_descent_goes_by_the_gradient_step_by_step():
    a, b = at.Tensor(1.0), at.Tensor(-2.0)
    plot = at.plot(a * a + 3 * b * b, a, b, rate=0.1, steps=3)
    assert [p[:2] for p in plot.path] == [pytest.approx((0.8**k, -2 * 0.4**k)) for k in range(4)]
    assert [p[2] for p in plot.path] == sorted((p[2] for p in plot.path), reverse=True)
    assert plot.figure.axes[1].get_xlabel() == "step"


def test_results_and_names_may_vary_too():
    J, W1, _, Z1 = network()
    assert at.plot(J, (Z1, (0, 0))).slope == Z1.grad[0, 0]
    assert at.plot(J, ("W1", (-1, 0))).shown.section.entries[0].name == "W1[4, 0]"
    assert at.plot(J, (W1, (-1, 0))).slope == W1.grad[4, 0]


def test_pair_in_a_tuple_is_a_contour_and_two_entries_of_one_tensor_too():
    x = at.Tensor([1.0, 2.0])
    y = np.sum(x**3)
    assert at.plot(y, ((x, 0), (x, 1))).slope == (3.0, 12.0)
    a, b = at.Tensor(1.0), at.Tensor(2.0)
    assert at.plot(a * b, (a, b)).slope == (2.0, 1.0)


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_saves_what_it_shows(tmp_path, ending):
    x = at.Tensor(3.0)
    path = tmp_path / f"plot.{ending}"
    at.plot(x * x, x).save(path)
    assert path.read_bytes()[:5] in (b"<?xml", b"\x89PNG\r", b"%PDF-")


def test_shows_itself_and_is_the_same_twice():
    x = at.Tensor(3.0)
    y = x * x
    shown = [at.plot(y, x)._repr_mimebundle_() for _ in range(2)]
    assert shown[0] == shown[1]
    assert "<svg" in shown[0]["image/svg+xml"]
    assert shown[0]["text/plain"] == "y = 9 at x = 3, with slope 6"


def test_without_matplotlib_it_is_a_sentence_and_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    x = at.Tensor(3.0)
    plot = at.plot(x * x, x)
    with pytest.raises(MatplotlibMissingError, match=r"pip install 'autotiny\[lab\]'"):
        plot.save(tmp_path / "plot.svg")
    assert "pip install" in plot._repr_mimebundle_()["text/plain"]


def test_undefined_and_overflowing_parts_are_shaded():
    x = at.Tensor(1.0)
    y = np.log(x) + np.exp(x)
    labels = at.plot(y, x, span=(-2, 1000)).figure.axes[0].get_legend_handles_labels()[1]
    assert {"nan", "overflows"} <= set(labels)


def test_loss_that_is_nan_has_no_tangent_and_says_so():
    x = at.Tensor(-1.0)
    with np.errstate(invalid="ignore"):
        y = np.sqrt(x)
    plot = at.plot(y, x)
    assert "nan at x = -1, so that there is no tangent" in repr(plot)
    assert "<svg" in plot.svg


def test_mask_that_stays_as_recorded_is_named():
    x = at.Tensor(0.5)
    y = np.where(x > 0, x, 0.1 * x)
    assert "masks and index arrays stay as they were recorded" in repr(at.plot(y, x))


def test_nothing_is_left_behind_in_the_graph():
    J, W1, *_ = network()
    before = W1.grad.copy(), W1.data.copy()
    at.plot(J, (W1, (0, 0)))
    assert (W1.grad == before[0]).all()
    assert (W1.data == before[1]).all()


x, W, b, data = (
    at.Tensor(3.0, name="x"),
    at.Tensor([[1.0, 2.0]], name="W"),
    at.Tensor([1.0, 2.0], name="b"),
    at.Tensor(2.0, requires_grad=False, name="data"),
)
other = at.Tensor(1.0, name="other")
vector = W[0] * x + b
vector.name = "vector"
J = np.sum(vector) * data
J.name = "J"
REFUSED = {
    "a number": (lambda: at.plot(2.0, x), "expected a Tensor, such as a loss; got float"),
    "not a scalar": (lambda: at.plot(vector, x), r"vector has shape \(2,\).*np.sum\(vector\)"),
    "untracked": (lambda: at.plot(data * 2, data), "depends on no tracked Tensor"),
    "complex": (lambda: at.plot(x * 1j, x), "np.real, np.imag or np.abs"),
    "nothing": (lambda: at.plot(J), r"at.plot\(J, x\) with one of W, x, b|at.plot\(J, x\)"),
    "three": (lambda: at.plot(J, x, (b, 0), (b, 1)), "two for a contour; got 3"),
    "twice": (lambda: at.plot(J, (b, 0), (b, -2)), r"two different numbers; got b\[0\] twice"),
    "an array": (lambda: at.plot(J, W), r"choose an entry, at.plot\(J, \(W, \(0, 0\)\)\)"),
    "a vector": (lambda: at.plot(J, b), r"choose an entry, at.plot\(J, \(b, 0\)\)"),
    "not used": (lambda: at.plot(J, other), "J does not depend on other; it is made of "),
    "unknown name": (lambda: at.plot(J, "y"), "J is made of nothing named 'y', but of "),
    "data": (lambda: at.plot(J, data), "data is data, which has no gradient"),
    "itself": (lambda: at.plot(J, J), "J along itself is a straight line"),
    "plain": (lambda: at.plot(J, 3.0), "expected a Tensor that J is made of; got float 3.0"),
    "new entry": (lambda: at.plot(J, W[0, 1]), r"W\[0, 1\] is a new Tensor.*write the entry as \(W, \(0, 1\)\)"),
    "index of a vector": (lambda: at.plot(J, (W, 1)), r"W has shape \(1, 2\): write an entry as \(W, \(0, 0\)\)"),
    "outside": (lambda: at.plot(J, (W, (0, 2))), r"there is no entry \(0, 2\)"),
    "not whole": (lambda: at.plot(J, (W, (0, 0.5))), "whole numbers"),
    "slice": (lambda: at.plot(J, (b, slice(None))), "whole numbers"),
    "span": (lambda: at.plot(J, x, span=(3, 1)), "span: expected how far to go on either side"),
    "negative span": (lambda: at.plot(J, x, span=-1), "span: expected how far to go on either side"),
    "rate": (lambda: at.plot(J, x, (b, 0), rate=-1), "rate: expected a number above 0"),
    "steps": (lambda: at.plot(J, x, (b, 0), rate=1, steps=0), "steps: expected a whole number"),
    "rate along one": (lambda: at.plot(J, x, rate=0.1), "gradient descent over two numbers"),
}


@pytest.mark.parametrize("call", REFUSED)
def test_refusals_say_what_to_write(call):
    with pytest.raises(UnsupportedError, match=r"^plot: ") as refused:
        REFUSED[call][0]()
    assert refused.match(REFUSED[call][1])


def test_refuses_other_endings_and_graphs_that_were_changed(tmp_path):
    x = at.Tensor([1.0, 2.0])
    y = np.sum(x * x)
    with pytest.raises(ValueError, match=r"plot: expected a file name that ends in one of \.svg, \.png, \.pdf"):
        at.plot(y, (x, 0)).save(tmp_path / "plot.jpg")
    x.data[0] = 5
    with pytest.raises(StaleError):
        at.plot(y, (x, 0))
