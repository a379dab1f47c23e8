"""The graph in Graphviz's DOT language: one card for each value, one edge for each use of it."""

from typing import Any

from autotiny.drawing.card import Card
from autotiny.drawing.edge import Edge
from autotiny.drawing.label import CLUSTER, escape, label, pill
from autotiny.drawing.view import Box, Scene
from autotiny.notation.palette import LINE, TEXT, VERMILLION

LONGEST_ROW = 7
"""Cards that a picture may have side by side: a longer graph runs from top to bottom, since a page scrolls that way."""

LAYOUT = {
    "bgcolor": "transparent",
    "ordering": "in",  # operands from left to right
    "nodesep": "0.18",
    "ranksep": "0.04",
    "newrank": "true",  # ranks across boxes
    # Limits to the search for a good layout: ordinary graphs never meet them, tangled ones would search for minutes.
    "nslimit": "1",
    "nslimit1": "1",
    "mclimit": "0.3",
}


def dot(scene: Scene, **attributes: str) -> str:
    """DOT text of the graph, the same in every run; `attributes` are more of Graphviz's for the graph.

    Each card and edge bears its id as the SVG's id and class.
    """
    import graphviz  # type: ignore[import-untyped]

    across = not scene.downward and runs_across(scene)
    apart = {} if any(edge.label for edge in scene.edges) else {"ranksep": "0.28"}
    digraph = graphviz.Digraph(
        "autotiny",
        graph_attr=LAYOUT | apart | {"rankdir": "LR" if across else "TB"} | attributes,
        # A list of fonts would be measured as Times by some builds of Graphviz.
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11", "fontcolor": TEXT},
        edge_attr={"color": LINE, "arrowsize": "0.55", "fontname": "Helvetica", "fontsize": "9"},
    )
    for box in scene.boxes:
        _enter(digraph, box, across)
    for edge in scene.edges:
        _connect(digraph, edge, scene)
    for row in _rows(scene):
        with digraph.subgraph(graph_attr={"rank": "same"}) as same:
            for name in row:
                same.node(name)
    for source, leaf in _precedences(scene):
        digraph.edge(source, leaf, style="invis", weight="0")
    return str(digraph.source)


def _enter(digraph: Any, box: Box | Card, across: bool) -> None:
    if isinstance(box, Card):
        digraph.node(box.id, label=f"<{label(box, across)}>", id=box.id, **{"class": f"{box.kind} {box.id}"})
        return
    with digraph.subgraph(name=f"cluster_{box.id}", graph_attr=CLUSTER | {"id": box.id, "class": box.id}) as cluster:
        title = f'<FONT COLOR="{LINE}">{escape(box.label)}</FONT>'
        cluster.attr(label=f"<{title}>", fontname="Helvetica", fontsize="10")
        for inner in box.boxes:
            _enter(cluster, inner, across)


def _connect(digraph: Any, edge: Edge, scene: Scene) -> None:
    told = _edge_attributes(edge, scene)
    if edge.kind == "gradient":  # it flows up
        digraph.edge(edge.target, edge.source, dir="back", color=VERMILLION, **told)
    elif edge.kind == "link":
        digraph.edge(edge.source, edge.target, style="dotted", constraint="false", arrowhead="none", **told)
    else:
        digraph.edge(edge.source, edge.target, **told)


def _edge_attributes(edge: Edge, scene: Scene) -> dict[str, str]:
    told = {"id": edge.id, "class": edge.id, "penwidth": f"{scene.width(edge):.1f}"}
    if edge.is_dead:
        told["style"] = "dashed"
    if edge.label:
        told["label"] = f"<{pill(edge.label)}>"
    return told


def _rows(scene: Scene) -> list[tuple[str, str]]:
    """Each operation with the first that its rules recorded."""
    first: dict[str, str] = {}
    for edge in scene.edges:
        if edge.kind == "link":
            first.setdefault(edge.source, edge.target)
    return list(first.items())


def _precedences(scene: Scene) -> list[tuple[str, str]]:
    """From what goes into a box to the leaves in it, so that boxes stand one after the other and not side by side."""
    results = {edge.target for edge in scene.edges}
    pairs: dict[tuple[str, str], None] = {}
    for box in () if scene.downward else scene.boxes:
        if isinstance(box, Box):
            inside = set(box.ids)
            entering = [edge.source for edge in scene.edges if edge.target in inside and edge.source not in inside]
            pairs |= {(source, leaf): None for source in entering for leaf in box.ids if leaf not in results}
    return list(pairs)


def runs_across(scene: Scene) -> bool:
    """Whether the graph is short enough to be read from left to right."""
    before: dict[str, list[str]] = {card.id: [] for card in scene.cards}
    for edge in scene.edges:
        before[edge.target].append(edge.source)
    depth: dict[str, int] = {}
    for card in scene.cards:
        depth[card.id] = 1 + max((depth.get(source, 0) for source in before[card.id]), default=0)
    return max(depth.values(), default=1) <= LONGEST_ROW
