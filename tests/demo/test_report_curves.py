import re
from xml.etree import ElementTree

import pytest

from autotiny import nn
from autotiny.demo import report

SVG = "{http://www.w3.org/2000/svg}"
CURVES = [report.loss_curve, report.accuracy_curve]


@pytest.fixture(scope="module")
def training():
    train, validation = nn.digits().split(0.2)
    training = nn.Training(nn.Network((64, 8, 10)))
    training.run(train, validation, epochs=7)
    return training


def lines(svg):
    """The points of the two curves, in the picture's own coordinates."""
    paths = [path for path in ElementTree.fromstring(svg).iter(f"{SVG}path") if "var(--" in path.get("style", "")]
    long = [re.findall(r"[ML] ([\d.]+) ([\d.]+)", path.get("d")) for path in paths]
    return [[(float(x), float(y)) for x, y in points] for points in long if len(points) == 7]


@pytest.mark.parametrize("curve", CURVES)
def test_curves_have_a_point_for_each_epoch(curve, training):
    both = lines(curve(training))
    assert len(both) == 2
    assert all(points == sorted(points) for points in both)


def test_a_loss_that_falls_goes_down_and_an_accuracy_that_rises_goes_up(training):
    loss, accuracy = lines(report.loss_curve(training))[0], lines(report.accuracy_curve(training))[0]
    assert training.history[0].loss > training.history[-1].loss
    assert loss[0][1] < loss[-1][1]  # SVG counts from the top
    assert accuracy[0][1] > accuracy[-1][1]


def test_colours_and_fonts_are_the_pages(training):
    svg = report.loss_curve(training)
    assert {"var(--training)", "var(--validation)", "var(--rule)"} <= set(re.findall(r"var\(--\w+\)", svg))
    assert not re.search(r"#[0-9a-f]{6}|font-family|<style|http://(?!www.w3.org/)", svg)


def test_two_charts_of_a_page_share_no_id(training):
    loss, accuracy = (
        set(re.findall(r'\bid="([^"]+)"', curve(training))) for curve in (report.loss_curve, report.accuracy_curve)
    )
    assert loss
    assert loss.isdisjoint(accuracy)


def test_same_training_gives_the_same_text(training):
    assert report.loss_curve(training) == report.loss_curve(training)
