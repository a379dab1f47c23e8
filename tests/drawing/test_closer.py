"""The data of "look closer": what a page holds of each card, that it adds up, and that its size is bounded."""

import html
import json
from functools import partial

import numpy as np
import pytest

import autotiny as at
from autotiny.drawing import closer
from autotiny.drawing.closer import MOST_BYTES, Excerpt, card_data, closer_data
from autotiny.drawing.graph_view import GraphView
from autotiny.drawing.groups import group_values
from autotiny.drawing.lines import put_into_lines
from autotiny.drawing.selection import groups_within
from autotiny.engine.graph import topological_order
from autotiny.engine.recording import value_of
from autotiny.ops.outputs import Outputs
from engine.test_random_graphs import random_graph
from ops.cases import CASES
from ops.declare import parts


def view(y):
    return GraphView(topological_order(y), {})


def read(text):
    return json.loads(html.unescape(text))


def at_place(entries, i):
    return float(entries[i] if isinstance(entries, list) else entries)


def listed(use, i):
    """The terms of an entry, as closer.js reads them."""
    counts = use["counts"] if isinstance(use["counts"], list) else [use["counts"]] * (i + 1)
    start = sum(max(n, 0) for n in counts[:i])
    terms = range(start, start + counts[i])
    rest = use.get("rest", {}).get(str(i), [0, 0.0])[1]
    return [at_place(use["arriving"], n) * at_place(use["slopes"], n) for n in terms] + [rest]


def lines_of(graph):
    """The lines of a graph in which every third result has a name."""
    for node, value in enumerate(graph.values):
        if getattr(value, "op", None) is not None and node % 3 == 0:
            value.name = f"v{node}"
    return lines_within(graph)


@pytest.mark.parametrize("in_lines", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_what_the_page_holds_of_every_entry_adds_up_to_the_gradient(seed, in_lines):
    y = random_graph(seed)[1]
    y.backward()
    graph = view(y)
    lines = lines_of(graph) if in_lines else []
    for card in read(closer_data(graph, range(len(graph.values)), lines))["cards"].values():
        for i in range(np.prod(card["shape"], dtype=int) if card.get("uses") else 0):
            terms = [term for use in card["uses"] for term in listed(use, i)]
            digits = 1e-4 * sum(map(abs, terms)) + 1e-12
            assert sum(terms) == pytest.approx(at_place(card["gradient"], i), abs=digits)


@pytest.mark.thorough
def test_every_operation_of_real_numbers_with_one_output_is_taken_apart():
    for case in CASES:
        f, args = case.draw()
        results = [
            y
            for y in parts(f(*map(at.Tensor, args)))
            if isinstance(y, at.Tensor) and y.requires_grad and y.dtype == float
        ]
        if not results:
            continue
        J = sum(np.sum(np.tanh(y * 0.3)) for y in results)
        with np.errstate(all="ignore"):
            J.backward()
        graph = view(J)
        plain = not any(isinstance(value_of(x), Outputs) or np.iscomplexobj(value_of(x)) for x in graph.values)
        for card in read(closer_data(graph, range(len(graph.values))))["cards"].values():
            assert not plain or all(-1 not in np.ravel(use["counts"]) for use in card.get("uses", [])), case


def test_a_card_has_its_value_its_gradient_and_its_uses():
    x = at.Tensor([[1.0, 2.0]], name="x")
    y = np.sum(x * x)
    y.backward()
    graph = view(y)
    data = card_data(graph, graph.ids[x])
    assert (data["name"], data["shape"], data["value"], data["gradient"]) == ("x", [1, 2], [1, 2], [2, 4])
    assert [(use["formula"], use["rule"], use["slopes"]) for use in data["uses"]] == [("x * x", "g * x", [1, 2])] * 2
    assert card_data(graph, graph.ids[y])["seed"]


def test_before_backward_and_after_two_the_card_says_so():
    x = at.Tensor(3.0, name="x")
    y = x * 2
    assert card_data(view(y), 0)["missing"]
    y.backward()
    assert "earlier" not in card_data(view(y), 0)
    y.backward()
    assert card_data(view(y), 0)["earlier"]


def test_data_and_constants_have_no_gradient():
    y = at.Tensor([1.0, 2.0], requires_grad=False) @ at.Tensor([3.0, 4.0])
    y.backward()
    assert "of" not in card_data(view(y), 0)


def test_of_many_terms_the_largest_are_listed_and_the_rest_summed():
    W, X = at.Tensor(np.ones((1, 1))), np.arange(1.0, 101).reshape(1, 100)
    y = np.sum(W @ X)
    y.backward()
    (use,) = card_data(view(y), 0)["uses"]
    assert use["slopes"] == list(range(77, 101))
    assert use["rest"] == {0: [76, sum(range(1, 77))]}


def test_of_many_uses_the_last_are_summed():
    x = at.Tensor([1.0, 2.0], name="x")
    y = sum(np.sum(x) * i for i in range(1, 21))
    y.backward()
    graph = view(y)
    data = card_data(graph, graph.ids[x])
    listed_sum = np.sum([use["contribution"] for use in data["uses"]], axis=0)
    assert (len(data["uses"]), data["others"]["count"]) == (12, 8)
    assert np.sum(listed_sum) + data["others"]["contribution"] == sum(range(1, 21))


@pytest.mark.parametrize(("rows", "columns"), [(784, 128), (1, 60_000), (60_000, 1), (300, 300)])
def test_large_arrays_are_cut_to_their_first_rows_and_columns(rows, columns):
    excerpt = Excerpt((rows, columns), 400)
    assert excerpt.is_cut
    assert 300 < len(excerpt.places) <= 400
    assert excerpt.places[-1] == (excerpt.rows - 1) * columns + excerpt.columns - 1


def test_size_of_the_data_is_bounded_and_excerpts_still_add_up():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 64))
    W, V = at.Tensor(rng.normal(size=(128, 300)) * 0.03, name="W"), at.Tensor(rng.normal(size=(10, 128)), name="V")
    J = np.mean(np.tanh(V @ np.tanh(W @ X)) ** 2)
    J.backward()
    graph = view(J)
    text = closer_data(graph, range(len(graph.values)))
    assert len(text) <= MOST_BYTES
    card = read(text)["cards"][f"n{graph.ids[W]}"]
    assert card["rows"] * card["columns"] < W.size
    assert sum(listed(card["uses"][0], 0)) == pytest.approx(W.grad[0, 0], rel=1e-3)


def test_entries_that_take_too_long_have_their_contribution_alone(monkeypatch):
    monkeypatch.setattr(closer, "MOST_WORK", 40)
    x = at.Tensor(np.arange(10.0))
    y = np.sum(np.tanh(x)) + x[0]
    y.backward()
    data = card_data(view(y), 0)
    tanh, first = sorted(data["uses"], key=lambda use: use["formula"], reverse=True)
    assert tanh["counts"] == [1, 1]
    assert len(tanh["contribution"]) == 10
    assert len(first["counts"]) == 3


def test_names_and_numbers_of_every_kind_are_plain_json():
    x = at.Tensor([np.inf, np.nan, -0.0], name="</div><script>")
    y = np.sum(x * np.array([True, False, True]))
    y.backward()
    text = closer_data(view(y), range(4))
    assert "<" not in text
    card = read(text)["cards"]["n0"]
    assert (card["name"], card["value"]) == ("</div><script>", ["inf", "nan", 0])
    z = at.Tensor([1.0 + 2j])
    w = np.sum(np.abs(z))
    w.backward()
    assert card_data(view(w), 0)["uses"][0]["counts"] == -1


def test_the_chain_rule_passes_through_a_line_at_once():
    W = at.Tensor([[1.0, 2.0]], name="W")
    Z = W @ np.array([[3.0], [4.0]]) + 1
    J = np.sum(np.tanh(Z) * 2)
    Z.name, J.name = "Z", "J"
    J.backward()
    graph = view(J)
    data = card_data(graph, graph.ids[W], {node: line for line in lines_within(graph) for node in line.nodes})
    (use,) = data["uses"]
    assert (use["name"], use["rule"], use["slopes"]) == ("Z", "g arrayᵀ", [3, 4])
    assert use["formula"].startswith("W @ array")


def lines_within(graph):
    root = group_values(graph, None, partial(put_into_lines, graph))
    return [group for group in groups_within(root) if group.result is not None]
