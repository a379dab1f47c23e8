"""The graph in Graphviz's DOT language: one card for each value, one edge for each use of it."""

from collections.abc import Sequence

from autotiny.drawing.card import Card
from autotiny.drawing.label import EDGE, TEXT, label

LONGEST_ROW = 7
"""Cards that a picture may have side by side: a longer graph runs from top to bottom, since a page scrolls that way."""

LAYOUT = {
    "bgcolor": "transparent",
    "ordering": "in",  # operands from left to right
    "nodesep": "0.2",
    "ranksep": "0.3",
    # Limits to the search for a good layout: ordinary graphs never meet them, tangled ones would search for minutes.
    "nslimit": "1",
    "nslimit1": "1",
    "mclimit": "0.3",
}


def dot(cards: Sequence[Card], **attributes: str) -> str:
    """DOT text of the graph, the same in every run; `attributes` are more of Graphviz's for the graph.

    The i-th card is the node n{i}, its use as operand number k of the j-th the edge e{i}-{j}-{k}: by id and by class.
    """
    import graphviz  # type: ignore[import-untyped]

    digraph = graphviz.Digraph(
        "autotiny",
        graph_attr=LAYOUT | {"rankdir": _direction(cards)} | attributes,
        # A list of fonts would be measured as Times by some builds of Graphviz.
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11", "fontcolor": TEXT},
        edge_attr={"color": EDGE, "arrowsize": "0.6"},
    )
    for position, card in enumerate(cards):
        digraph.node(name := f"n{position}", label=f"<{label(card)}>", id=name, **{"class": name})
        for place, operand in enumerate(card.operands):
            use = f"e{operand}-{position}-{place}"
            digraph.edge(f"n{operand}", name, id=use, **{"class": use})
    return str(digraph.source)


def _direction(cards: Sequence[Card]) -> str:
    depth: list[int] = []
    for card in cards:
        depth.append(1 + max((depth[operand] for operand in card.operands), default=0))
    return "LR" if max(depth) <= LONGEST_ROW else "TB"
