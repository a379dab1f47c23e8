"""Reading a recorded graph: order, names, dependence, replay."""

import gc

import numpy as np
import pytest

import autotiny as at
from autotiny.engine.call_site import caller_scope
from autotiny.engine.graph import leading_to, names, replay, topological_order


def test_operands_come_before_results_and_each_tensor_once():
    x, y = at.Tensor(2.0), at.Tensor(3.0, requires_grad=False)
    a = x * y
    b = a + x
    c = b * a
    order = topological_order(c)
    assert order == sorted(order, key=lambda t: t._number)
    assert set(order) == {x, y, a, b, c}
    assert len(order) == 5
    for t in order:
        assert all(order.index(parent) < order.index(t) for parent in t.parents)


def test_several_outputs_share_one_order():
    x = at.Tensor(2.0)
    a, b = x * 2, x * 3
    assert topological_order(b, a, b, x) == [x, a, b]


def test_an_output_that_leads_to_another_stands_once():
    x = at.Tensor(2.0)
    a = x * 2
    b = a * 3
    assert topological_order(a, b) == [x, a, b]


def test_a_leaf_is_its_own_order_and_nothing_has_none():
    x = at.Tensor(2.0)
    assert topological_order(x) == [x]
    assert topological_order() == []


def test_a_deep_graph_is_walked_without_recursion():
    y = at.Tensor(1.0)
    for _ in range(10**5):
        y = y + y
        y = y * 0.5
    assert len(topological_order(y)) == 2 * 10**5 + 1


def test_reading_holds_nothing():
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(3):
        y = at.Tensor(1.0) * 2
        names(topological_order(y), caller_scope())
        replay(topological_order(y), {})
    del y
    gc.collect()
    assert len(gc.get_objects()) - before < 50


# ----- leading_to -----
def test_leading_to_keeps_what_depends_on_the_sources():
    x, y = at.Tensor(2.0), at.Tensor(3.0)
    a, b = x * 2, y * 2
    c = a * b
    order = topological_order(c)
    assert leading_to(order, [x]) == {x, a, c}
    assert leading_to(order, [b]) == {b, c}
    assert leading_to(order, [x, y]) == set(order)


# ----- names -----
def named(*outputs, **scope):
    return list(names(topological_order(*outputs), scope).values())


def test_a_given_name_wins_over_the_variable():
    W = at.Tensor(1.0, name="weights")
    assert named(W, W=W) == ["weights"]


def test_results_are_named_by_assignment():
    x = at.Tensor(1.0)
    Z1 = x * 2
    Z1.name = "pre-activation"
    assert named(Z1, x=x, Z1=Z1) == ["x", "pre-activation"]


def test_the_variable_wins_over_a_short_name():
    x = at.Tensor(1.0)
    y = x * 2 + 1
    assert named(y, loss=y, x=x) == ["x", "t1", "loss"]


def test_keys_and_attributes_name_what_no_variable_holds():
    class Layer:
        def __init__(self, W):
            self.W = W

    a, b, c, d = (at.Tensor(float(i)) for i in range(4))
    scope = {"params": {"W1": a, "b1": b}, "layers": [Layer(c), Layer(d)], "b": b}
    assert named(a * b * c * d, **scope) == ["W1", "b", "W[0]", "W[1]", "t1", "t2", "t3"]


def test_places_in_a_list_are_names_of_leaves_alone():
    x, y = at.Tensor(1.0), at.Tensor(2.0)
    product = x * y
    assert named(product, xs=[x, y], results=[product]) == ["xs[0]", "xs[1]", "t1"]


def test_a_variable_names_a_leaf_before_a_list_does():
    x = at.Tensor(1.0)
    assert named(x, xs=[x], x=x) == ["x"]


def test_the_first_of_two_variables_names_a_tensor():
    x = at.Tensor(1.0)
    assert named(x, first=x, second=x) == ["first"]


@pytest.mark.parametrize("hidden", ["_", "__", "_1", "_x", "__builtins__"])
def test_variables_that_a_shell_keeps_name_nothing(hidden):
    x = at.Tensor(1.0)
    assert named(x, **{hidden: x}) == ["t1"]


def test_short_names_are_counted_in_order():
    x = at.Tensor(1.0)
    y = np.exp(x * 2) + x
    assert named(y) == ["t1", "t2", "t3", "t4"]


def test_short_names_avoid_names_that_are_taken():
    x, y = at.Tensor(1.0, name="t1"), at.Tensor(2.0)
    z = x * y
    assert named(z, t3=z) == ["t1", "t2", "t3"]


def test_equal_names_are_told_apart_by_primes():
    layers = [at.Tensor(1.0, name="W") for _ in range(3)]
    assert named(layers[0] * layers[1] * layers[2]) == ["W", "W′", "W′′", "t1", "t2"]


def test_a_variable_gives_way_to_a_given_name_that_came_first():
    a, b = at.Tensor(1.0, name="b"), at.Tensor(2.0)
    result = named(a * b, b=b)
    assert result == ["b", "b′", "t1"]


@pytest.mark.parametrize("n", [1, 30])
def test_names_are_unique(n):
    rng = np.random.default_rng(n)
    tensors = [at.Tensor(1.0, name=rng.choice([None, "a", "a′", "t1", "t2"])) for _ in range(n)]
    order = topological_order(np.sum(np.stack(tensors)))
    result = names(order, {"a": tensors[0], "t1": tensors[-1]})
    assert list(result) == order
    assert len(set(result.values())) == len(order)


def test_names_do_not_depend_on_the_run():
    def build():
        x = at.Tensor(1.0)
        y = np.sum(np.tanh(x * 2) + x)
        return named(y, x=x)

    kept = [build() for _ in range(5)]
    assert all(result == kept[0] for result in kept)
    assert not any(str(id(name)) in name for name in kept[0])


def test_the_scope_of_the_caller_is_the_users():
    x = at.Tensor(1.0)
    assert caller_scope()["x"] is x
    assert caller_scope()["topological_order"] is topological_order


# ----- replay -----
def network(dtype=np.float64):
    rng = np.random.default_rng(0)
    W, b = at.Tensor(rng.normal(size=(3, 2)).astype(dtype)), at.Tensor(rng.normal(size=(3, 1)).astype(dtype))
    X = rng.normal(size=(2, 4)).astype(dtype)
    Z = W @ X + b
    A = at.softmax(np.tanh(Z))
    return W, b, Z, A, -np.mean(np.log(A) * np.eye(3)[:, [0, 2, 1, 1]].astype(dtype))


def test_replay_on_its_own_values_gives_the_same_bits():
    *_, loss = network()
    order = topological_order(loss)
    for t, value in replay(order, {}).items():
        np.testing.assert_array_equal(value, t.data)


def test_replay_on_other_values_is_recording_anew():
    W, b, *_, loss = network()
    other = 2 * W.data
    replayed = replay(topological_order(loss), {W: other})[loss]
    W.data = other
    again = -np.mean(np.log(at.softmax(np.tanh(W @ rebuilt_input() + b))) * np.eye(3)[:, [0, 2, 1, 1]])
    np.testing.assert_allclose(replayed, again.data, rtol=1e-15)


def rebuilt_input():
    rng = np.random.default_rng(0)
    rng.normal(size=(3, 2)), rng.normal(size=(3, 1))
    return rng.normal(size=(2, 4))


def test_replay_on_another_value_of_a_result_forgets_what_led_to_it():
    W, _, Z, A, loss = network()
    order = topological_order(loss)
    other = np.zeros(Z.shape)
    result = replay(order, {Z: other, W: np.full(W.shape, np.nan)})
    assert result[Z] is other
    np.testing.assert_allclose(result[A], 1 / 3)
    np.testing.assert_allclose(result[loss], np.log(3) / 3)


def test_replay_on_another_value_of_a_softmax_takes_its_logarithm():
    *_, A, loss = network()
    other = np.full(A.shape, 0.5)
    np.testing.assert_allclose(replay(topological_order(loss), {A: other})[loss], np.log(2) / 3)


def test_replay_on_another_value_of_an_exponential_takes_its_logarithm():
    x = at.Tensor(3.0)
    y = np.exp(x)
    z = np.log(y)
    assert replay(topological_order(z), {y: 1.0})[z] == 0
    assert replay(topological_order(z), {x: 600.0})[z] == 600


@pytest.mark.parametrize("dtype", [np.longdouble, np.complex128])
def test_replay_computes_in_the_precision_that_it_is_given(dtype):
    W, _, Z, *_ = network()
    result = replay(topological_order(Z), {W: W.data.astype(dtype)})
    assert result[Z].dtype == dtype
    np.testing.assert_allclose(result[Z], Z.data, rtol=1e-14)


def test_a_complex_step_is_the_derivative():
    x = at.Tensor(0.7)
    y = np.exp(x) * np.sin(x)
    step = replay(topological_order(y), {x: 0.7 + 1e-200j})[y].imag / 1e-200
    np.testing.assert_allclose(step, np.exp(0.7) * (np.sin(0.7) + np.cos(0.7)), rtol=1e-15)


def test_replay_leaves_the_graph_as_it_was():
    W, *_, loss = network()
    before = loss.item()
    replay(topological_order(loss), {W: np.zeros(W.shape)})
    loss.backward()
    assert loss.item() == before
    assert np.any(W.grad)
