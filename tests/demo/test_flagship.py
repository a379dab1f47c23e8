import numpy as np
import pytest

from autotiny.checking import closed_form
from autotiny.demo import flagship
from autotiny.demo.findings import Experiment


@pytest.fixture(scope="module")
def check():
    experiment = Experiment.on_digits()
    return flagship.check(*experiment.batch(), experiment.training.network.values())


def test_recorded_arrays_have_the_shapes_of_the_textbook(check):
    sizes = {name: check.tensors[name].shape for name in ("X", "Y", "W1", "W2", "Z1", "Z2")}
    assert sizes == {"X": (64, 100), "Y": (10, 100), "W1": (32, 64), "W2": (10, 32), "Z1": (32, 100), "Z2": (10, 100)}


def test_plain_arrays_give_the_same_numbers_as_tensors(check):
    arrays = {name: check.tensors[name].data for name in ("X", "Y", "W1", "b1", "W2", "b2")}
    for name, value in flagship.forward(**arrays).items():
        np.testing.assert_allclose(value, check.tensors[name].data, rtol=1e-14, atol=1e-15)


def test_gradient_at_the_logits_is_a_minus_y_in_the_textbooks_convention(check):
    A2, Y = check.tensors["A2"].data, check.tensors["Y"].data
    np.testing.assert_allclose(check.dZ2, A2 - Y, rtol=0, atol=1e-14)


def test_worst_gradient_is_the_one_that_is_wrong(monkeypatch):
    right = closed_form.two_layer
    monkeypatch.setattr(closed_form, "two_layer", lambda *a, **b: (passes := right(*a, **b)) | {"db2": -passes["db2"]})
    experiment = Experiment.on_digits()
    check = flagship.check(*experiment.batch(), experiment.training.network.values())
    assert not check.report.ok
    assert check.worst.name == "b2"
    assert check.worst.error == pytest.approx(2)


def test_equations_are_the_lines_that_ran():
    assert [line.split(" = ")[0] for line in flagship.equations().splitlines()] == ["Z1", "A1", "Z2", "E", "A2", "J"]
