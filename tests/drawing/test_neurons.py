"""Networks that are written number by number, without scopes, are read as neurons and layers."""

import numpy as np
import pytest

import autotiny as at

ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": at.relu,
    "maximum": lambda z: np.maximum(0, z),
    "written out": lambda z: (np.exp(2 * z) - 1) / (np.exp(2 * z) + 1),
    "swish": lambda z: z / (1 + np.exp(-z)),
    "none": lambda z: z,
}


class Neuron:
    """Micrograd's, with a way to add up."""

    def __init__(self, rng, n, activation, add_up):
        self.w, self.b = [at.Tensor(x) for x in rng.normal(size=n)], at.Tensor(0.0)
        self.activation, self.add_up = activation, add_up

    def __call__(self, x):
        return self.activation(self.add_up(self.w, x, self.b))


WAYS = {
    "from the bias": lambda w, x, b: sum((wi * xi for wi, xi in zip(w, x, strict=True)), b),
    "the bias last": lambda w, x, b: sum(xi * wi for wi, xi in zip(w, x, strict=True)) + b,
    "no bias": lambda w, x, b: sum(wi * xi for wi, xi in zip(w, x, strict=True)),
}


class Network:
    def __init__(self, sizes, seed=0, hidden="tanh", last="tanh", way="from the bias"):
        rng = np.random.default_rng(seed)
        kinds = [hidden] * (len(sizes) - 2) + [last]
        self.layers = [
            [Neuron(rng, n, ACTIVATIONS[kind], WAYS[way]) for _ in range(m)]
            for n, m, kind in zip(sizes, sizes[1:], kinds, strict=False)
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0] if len(x) == 1 else x


def groups(picture):
    return {group.name: group for group in picture.root.children if not isinstance(group, int)}


def names(picture):
    return [card.name for card in picture.cards]


def test_a_small_network_is_shown_by_its_neurons_in_their_layers():
    y = Network((3, 4, 4, 1))([2.0, 3.0, -1.0])
    loss = (y - 1) ** 2
    picture = at.draw(loss)
    boxes = {box.label: [card.name for card in box.boxes] for box in picture.scene.boxes if hasattr(box, "boxes")}
    four = [f"neuron {k}" for k in (1, 2, 3, 4)]
    assert boxes == {"layer 1": four, "layer 2": four, "layer 3": ["y"]}
    assert names(picture)[-4:] == ["1", "t114", "2", "loss"]
    assert {card.origin for card in picture.cards if card.kind == "group"} == {
        "⊞ 14 values, 4 parameters",
        "⊞ 14 values, 5 parameters",
    }


def test_a_large_network_is_shown_by_its_layers():
    loss = (Network((2, 16, 16, 1), hidden="relu", last="none")([1.0, -1.0]) - 1) ** 2
    picture = at.draw(loss)
    assert names(picture)[:3] == ["layer 1 × 16", "layer 2 × 16", "layer 3"]
    assert picture.cards[0].origin == "⊞ 16 neurons, 10 values each"
    opened = at.draw(loss, expand="layer 2/neuron 16")
    assert [box.label for box in opened.scene.boxes if hasattr(box, "boxes")] == ["neuron 16"]
    assert "layer 2 × 15" in names(opened)


def test_a_network_at_work_on_several_examples_has_each_neuron_once():
    network, examples = Network((3, 4, 4, 1)), np.random.default_rng(1).normal(size=(4, 3)).tolist()
    picture = at.draw(sum((network(x) - 1) ** 2 for x in examples))
    assert {"parameters × 41", "layer 1 × 4", "layer 2 × 4", "layer 3 × 4"} < set(names(picture))
    origins = {card.name: (card.origin, card.shape) for card in picture.cards}
    assert origins["layer 1 × 4"] == ("⊞ 4 neurons, 40 values each", (16,))
    assert origins["layer 3 × 4"] == ("⊞ 4 examples, 9 values each", (4,))


def test_a_penalty_on_the_weights_is_outside_of_the_layers():
    network = Network((3, 4, 4, 1))
    weights = [w for layer in network.layers for neuron in layer for w in neuron.w]
    loss = (network([2.0, 3.0, -1.0]) - 1) ** 2 + 0.01 * sum(w * w for w in weights)
    assert {"layer 1 × 4", "layer 2 × 4"} <= set(names(at.draw(loss, depth=1)))


def test_a_loop_with_one_set_of_weights_has_no_layers():
    w, u, b, h = (at.Tensor(x) for x in (0.5, 0.3, 0.1, 0.0))
    for x in range(20):
        h = np.tanh(w * h + u * x + b)
    assert not any(name.startswith("layer") for name in groups(at.draw(h)))


def test_a_polynomial_has_no_layers():
    x = at.Tensor(0.5, name="x", requires_grad=False)
    y = sum(at.Tensor(1.0 / k) * x**k for k in range(1, 30))
    assert not any(name.startswith("layer") for name in groups(at.draw(y)))


@pytest.mark.parametrize("seed", range(20))
def test_each_neuron_of_a_random_network_is_a_group(seed):
    rng = np.random.default_rng(seed)
    sizes = [int(n) for n in rng.integers(2, 6, size=rng.integers(3, 6))]
    hidden, last = rng.choice([kind for kind in ACTIVATIONS if kind != "none"]), rng.choice(["tanh", "relu", "none"])
    network = Network(sizes, seed, hidden, last, rng.choice(list(WAYS)))
    outputs = network(rng.normal(size=sizes[0]).tolist())
    loss = sum((y - 1) ** 2 for y in outputs) if sizes[-1] > 1 else (outputs - 1) ** 2
    picture = at.draw(loss)
    layers = [group for name, group in groups(picture).items() if name.startswith("layer")]
    assert [len(layer.children) for layer in layers] == sizes[1:]
    for layer, written in zip(layers, network.layers, strict=True):
        for group, neuron in zip(layer.children, written, strict=True):
            inside = {picture.graph.values[node] for node in group.nodes}
            assert inside.issuperset(neuron.w)
            assert not any(inside.intersection(other.w) for other in written if other is not neuron)
