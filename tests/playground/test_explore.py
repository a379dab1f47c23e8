import numpy as np
import pytest

import autotiny as at
from autotiny.drawing import GraphvizMissingError
from autotiny.errors import UnsupportedError
from autotiny.language import ExpressionError
from autotiny.playground.explore import answer, reply


def neuron(x, w, b):
    return np.tanh(w @ x + b)


@pytest.fixture
def explorer():
    return at.explore(neuron, x=at.Tensor([1.0, -2.0], requires_grad=False), w=[0.5, 0.3], b=(-3, 3))


def test_values_start_in_the_middle_and_as_they_are_given(explorer):
    values = {name: value.tolist() for name, value in explorer.values.items()}
    assert values == {"x": [1, -2], "w": [0.5, 0.3], "b": 0}
    assert explorer.output.item() == pytest.approx(np.tanh(-0.1))


def test_gradients_follow_the_values(explorer):
    explorer.set(b=1.0, w=[1.0, 1.0])
    slope = 1 - np.tanh(0.0) ** 2
    assert {name: g.tolist() for name, g in explorer.gradients.items()} == {"w": [slope, -2 * slope], "b": slope}


def test_a_formula_as_text_is_explored_too():
    e = at.explore("Z = W @ X\nsum(tanh(Z))", W=[[1.0, 2.0]], X=at.Tensor([[1.0], [0.5]], requires_grad=False))
    e.set(W=[[0.0, 0.0]])
    assert e.gradients["W"].tolist() == [[1, 0.5]]
    assert e.output.name == "J"
    assert "Z " in repr(e)


def test_the_function_is_called_anew_so_its_branches_follow():
    e = at.explore(lambda a: a * a if a > 0 else -a, a=(-3, 3, 2))
    assert e.gradients["a"] == 4
    e.set(a=-2.0)
    assert e.gradients["a"] == -1


def test_defaults_and_arguments_of_any_name_are_left_alone():
    assert at.explore(lambda a, k=2.0: k * a, a=1.0).gradients["a"] == 2
    assert at.explore(lambda **given: given["a"] * given["b"], a=1.0, b=3.0).gradients["a"] == 3


def test_a_number_gets_a_slider_around_it():
    e = at.explore(lambda a, b: a * b, a=0.5, b=100)
    sliders = [c.description for c in e.controls.values()]
    assert [(c["low"], c["high"], c["step"]) for c in sliders] == [(-3, 3, 0.05), (-200, 200, 2)]


def test_large_arrays_are_used_and_not_shown_as_cells():
    e = at.explore(lambda W: np.sum(W**2), W=np.ones((100, 100)))
    assert not e.controls["W"].shown
    assert e.gradients["W"].max() == 2


def test_an_output_of_many_numbers_has_a_picture_and_no_gradients():
    e = at.explore(lambda w: w * w, w=[1.0, 2.0])
    assert e.gradients == {"w": None}
    assert answer(e)["gradients"] == {"w": ""}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: at.explore(neuron, b=(3, -3)), r"b: expected \(low, high\) or .* with low < high; got \(3, -3\)"),
        (lambda: at.explore(neuron, b=(0, np.inf)), "b: expected"),
        (lambda: at.explore(neuron, b=(0, 1, 2)), "b: the start 2 lies outside of 0 … 1"),
        (lambda: at.explore(neuron, b="text"), "b: expected numbers"),
        (
            lambda: at.explore(lambda a: 3, a=(0, 1)),
            "explore: expected f to return a Tensor .*; got int",
        ),
        (lambda: at.explore(lambda a: at.Tensor(1.0, requires_grad=False), a=1), "expected f to return a Tensor"),
        (lambda: at.explore(neuron), r"explore: neuron needs x, w, b: .*explore\(neuron, x=\(-3, 3\), w=.*, b="),
        (
            lambda: at.explore(lambda a: a * 2),
            r"explore: f needs a: give a number, .*explore\(f, a=\(-3, 3\)\)",
        ),
        (lambda: at.explore(lambda a: a * 2, a=1.0, b=1.0), "explore: f has no argument b; it takes a"),
        (lambda: at.explore(lambda rate: rate, rat=1.0), "no argument rat; did you mean rate.; it takes rate"),
        (lambda: at.explore(lambda: 3, a=1.0), "explore: f has no argument a; it takes none"),
        (lambda: at.explore(lambda a, /: a, a=1.0), r"f takes a only by position, .* wrap it, as in lambda a: f\(a\)"),
        (lambda: at.explore(3, a=(0, 1)), "explore: expected a function, or a formula as text; got int"),
        (lambda: at.explore(neuron, x=[1.0], w=[1.0], b=0).set(c=1), "explore: there is no c, only x, w, b"),
        (lambda: at.explore(neuron, x=[1.0], w=[1.0], b=0).set(w=[1, 2]), r"w: expected shape \(1,\); got \(2,\)"),
    ],
)
def test_invalid_arguments_are_refused(make, words):
    with pytest.raises(UnsupportedError, match=words):
        make()


def test_a_formula_that_cannot_be_read_points_at_its_place():
    with pytest.raises(ExpressionError, match="did you mean tanh"):
        at.explore("tanhh(a)", a=(0, 1))


def test_values_that_fail_leave_all_as_it_was(explorer):
    before = repr(explorer)
    with pytest.raises(UnsupportedError):
        explorer.set(b=2.0, w=[1, 2, 3])
    assert repr(explorer) == before
    assert explorer.values["b"] == 0


def test_it_is_saved_as_the_page_that_steps(explorer, tmp_path):
    explorer.save(tmp_path / "neuron.html")
    assert "∂neuron/∂b" in (tmp_path / "neuron.html").read_text(encoding="utf-8")


def test_without_anywidget_a_notebook_shows_the_picture_that_steps(explorer, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    bundle = explorer._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "<iframe" in bundle["text/html"]


def test_without_anywidget_it_says_what_is_missing(explorer, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for shown in explorer._repr_mimebundle_().values():
        assert "pip install 'autotiny[widget]'" in shown


# ----- where it starts, and the slope -----
def test_sliders_start_where_no_gradient_is_zero():
    e = at.explore(lambda a, b: a * b, a=(-3, 3), b=(-1, 1))
    assert e.values == {"a": 1.0, "b": 0.33}
    assert at.explore(lambda a, b: a * b, a=(-3, 3, 0), b=(-1, 1, 0)).values == {"a": 0, "b": 0}
    assert at.explore(lambda a: np.tanh(a), a=(-3, 3)).values == {"a": 0}


def test_sliders_start_where_the_function_is_defined():
    assert at.explore(lambda a: np.linalg.inv(a * np.eye(2))[0, 0], a=(-3, 3)).values == {"a": 1.0}


def test_answer_has_the_curve_along_what_is_asked_for(explorer):
    chart = reply(explorer, {"number": 1, "values": {}, "along": [{"name": "w", "place": [1]}]})["chart"]
    assert (chart["names"], chart["point"]) == (["w[1]"], [0.3])
    assert chart["slope"] == pytest.approx(explorer.gradients["w"][1], rel=1e-7)


def test_answer_has_a_contour_over_two(explorer):
    along = [{"name": "w", "place": [0]}, {"name": "b", "place": []}]
    chart = reply(explorer, {"number": 1, "values": {}, "along": along})["chart"]
    assert chart["slope"] == pytest.approx([explorer.gradients["w"][0], float(explorer.gradients["b"])], rel=1e-7)


def test_branches_of_the_function_follow_the_values():
    e = at.explore(lambda a: 3 * a if a > 1 else np.where(a > 0, a, -a), a=(-3, 3, 0.5))
    line = reply(e, {"number": 1, "values": {}, "spans": [[-2, 2]]})["chart"]["line"]
    smooth = [(x, y) for x, y in line if y is not None and abs(x - 1) > 1e-6]
    assert [y for _, y in smooth] == pytest.approx([3 * x if x > 1 else abs(x) for x, _ in smooth], abs=1e-7)


def test_step_downhill_goes_against_the_gradient(explorer):
    before, slopes = explorer.values, explorer.gradients
    explorer.step(0.5)
    np.testing.assert_allclose(explorer.values["w"], before["w"] - 0.5 * slopes["w"])
    np.testing.assert_allclose(explorer.values["b"], before["b"] - 0.5 * slopes["b"])


def test_output_of_several_numbers_has_no_chart_and_no_step():
    e = at.explore(lambda a: a * np.ones(3), a=(-3, 3))
    assert answer(e)["chart"] is None
    with pytest.raises(UnsupportedError, match="those are of a single number"):
        e.step()


def test_without_graphviz_a_notebook_shows_the_steps_as_text(explorer, monkeypatch):
    def missing(*args):
        raise GraphvizMissingError("there is none here")

    monkeypatch.setattr("autotiny.drawing.composition.render", missing)
    assert set(explorer._repr_mimebundle_()) == {"text/plain"}


# ----- the widget, where anywidget is installed -----
@pytest.fixture
def widget(explorer):
    pytest.importorskip("anywidget", reason="no anywidget: pip install -e '.[widget]'")
    return explorer.widget


def test_a_notebook_gets_the_widget_and_the_picture_for_who_cannot_run_it(explorer, widget):
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(explorer._repr_mimebundle_())


def test_the_widget_shows_what_can_be_turned(widget):
    assert [control["name"] for control in widget.controls] == ["w", "b"]
    assert widget.answer["values"] == {"w": [0.5, 0.3], "b": 0}
    assert widget.answer["gradients"] == {"w": "∂neuron/∂w = [0.99, −1.98]", "b": "∂neuron/∂b = 0.9901"}


def test_what_the_page_asks_for_is_answered_under_its_number(explorer, widget):
    widget.asked = {"number": 7, "values": {"b": 1.5}}
    assert (widget.answer["number"], widget.answer["values"]["b"], explorer.values["b"]) == (7, 1.5, 1.5)


@pytest.mark.parametrize("values", [{"w": [1, 2, 3]}, {"w": "text"}, {"b": None}, {"nope": 1}])
def test_an_invalid_value_from_the_page_is_reported_and_changes_nothing(values, explorer, widget):
    page = widget.answer["page"]
    widget.asked = {"number": 1, "values": values}
    assert widget.answer["problem"]
    assert widget.answer["page"] == page


def test_python_turns_the_widget_too(explorer, widget):
    explorer.set(b=2.0)
    assert widget.answer["values"]["b"] == 2
