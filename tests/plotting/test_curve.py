"""Kinks, jumps and ranges of curves."""

import numpy as np
import pytest

import autotiny as at
from autotiny.plotting import section
from autotiny.plotting.curve import refined


def curve(f, x, span=None):
    x = at.Tensor(x)
    return at.plot(f(x), x, span=span).shown


@pytest.mark.parametrize("x", [0.0, 0.3, -2.0])
def test_kinks_stand_where_the_slope_jumps(x):
    shown = curve(lambda x: np.abs(x) + np.maximum(x, 1), x, span=(-3, 3))
    assert [kink.x for kink in shown.kinks] == pytest.approx([0, 1], abs=1e-8)
    assert [(kink.left, kink.right) for kink in shown.kinks] == [(-1, 1), (1, 2)]


@pytest.mark.parametrize("f", [np.sin, np.exp, lambda x: np.tanh(30 * x), at.elu, lambda x: np.log(x * x + 1e-3)])
def test_smooth_curves_have_no_kinks(f):
    assert curve(f, 0.4, span=(-2, 2)).kinks == []


@pytest.mark.parametrize("f", [lambda x: 1 / x, lambda x: np.floor(x + 0.5) + 0 * x + np.sign(x) * 2])
def test_poles_and_steps_are_jumps_where_the_line_is_broken(f):
    kinks = curve(f, 0.4, span=(-0.45, 0.49)).kinks
    assert all(kink.jump for kink in kinks)


@pytest.mark.parametrize("x", [1e-8, 0.3, 2.0])
def test_steep_curves_and_rounding_errors_are_no_kinks(x):
    assert curve(lambda x: 1e4 * np.sqrt(x), x).kinks == []
    assert curve(lambda x: (1 + x) / 3 - x / 3, x).kinks == []


def test_constant_is_a_straight_line_in_the_middle():
    low, high = curve(lambda x: (1 + x) / 3 - x / 3, 0.4).limits
    assert high - low > 0.1


def test_slope_at_a_kink_names_both_sides():
    x = at.Tensor(0.0)
    y = at.relu(x)
    assert repr(at.plot(y, x)).endswith("with slope 0: a kink, slope 0 on its left and 1 on its right")


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_range_shows_that_the_curve_bends_at_any_scale(scale):
    shown = curve(lambda x: np.tanh(x / scale), 0.2 * scale)
    assert 0.3 * scale < shown.span[1] - shown.span[0] < 64 * scale


def test_range_reaches_a_minimum_far_away_and_avoids_an_explosion():
    low, high = curve(lambda x: (x - 100) ** 2, 3.0).span
    assert low < 3 < 100 < high + 30
    low, high = curve(lambda x: np.exp(1000 * x), 0.0).span
    assert high < 0.02


def test_range_reaches_to_where_the_function_is_defined():
    with np.errstate(invalid="ignore"):
        low, high = curve(lambda x: np.log(x - 3), 0.5).span
    assert low < 0.5 < 3 < high < 10


def test_few_outputs_that_are_huge_do_not_flatten_the_rest():
    shown = curve(lambda x: 1 / x, 0.7, span=(-1, 2))
    assert shown.limits[1] < 100


def test_slopes_are_those_of_differences_on_random_graphs():
    rng = np.random.default_rng(1)
    steps = [np.sin, np.tanh, at.softplus, lambda t: t * t, lambda t: np.exp(-t), lambda t: 1 / (2 + t * t)]
    for _ in range(20):
        x = at.Tensor(rng.normal(size=3))
        pool = [x[0] * 1.0, x[1] + x[0], x[2] * x[1]]
        for _ in range(8):
            a, b = rng.choice(len(pool), 2)
            pool.append(steps[rng.integers(len(steps))](pool[a]) * 0.7 + pool[b])
        section = at.plot(pool[-1], (x, 1), span=1).shown.section
        at_, h = x.data[1] + 0.3, 1e-6
        numeric = (section(at_ + h) - section(at_ - h)) / (2 * h)
        assert section.slopes(at_)[0] == pytest.approx(numeric, rel=1e-5, abs=1e-7)
        assert section(x.data[1]) == pytest.approx(pool[-1].item(), rel=1e-14)


# ----- graphs that take long -----
@pytest.fixture
def slow(monkeypatch):
    """Every evaluation counts as one that takes a minute."""
    monkeypatch.setattr(section, "QUICK", 0)
    monkeypatch.setattr(section, "PER_SECOND", 2**50)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("f", [np.sin, np.exp, lambda x: np.tanh(3 * x), lambda x: 1 / (1 + x * x)])
def test_slow_curve_is_computed_at_few_places_and_drawn_smooth(f):
    shown = curve(f, 0.4, span=(-2, 2))
    xs, ys = shown.line
    assert (len(shown.xs), len(xs)) == (9, 161)
    assert np.abs(ys - f(xs)).max() < 0.03 * np.ptp(ys)


@pytest.mark.usefixtures("slow")
def test_slow_landscape_is_computed_at_few_places_and_drawn_smooth():
    a, b = at.Tensor(0.6), at.Tensor(-0.4)
    shown = at.plot(np.sin(a) * np.cosh(b), a, b, span=2).shown
    across, up, heights = shown.surface
    assert shown.heights.shape == (9, 9)
    assert heights.shape == (41, 41)
    assert np.abs(heights - np.sin(across) * np.cosh(up)[:, None]).max() < 0.05 * np.ptp(heights)


def test_each_place_is_computed_once(monkeypatch):
    computed = []
    forward = section.Section._values
    monkeypatch.setattr(section.Section, "_values", lambda self, values: computed.append(1) or forward(self, values))
    shown = curve(np.sin, 0.4)
    _ = shown.ys, shown.slopes, shown.line
    assert len(computed) < 161 + 40 * 2


def test_undefined_places_keep_their_neighbours():
    xs, ys = np.array([0.0, 1.0, 2.0]), np.array([0.0, np.nan, 4.0])
    assert refined(xs, ys, np.array([0.0, np.nan, 4.0]), 2)[1].tolist() == pytest.approx(
        [0, np.nan, np.nan, np.nan, 4], nan_ok=True
    )
