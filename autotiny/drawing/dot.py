"""The graph in Graphviz's DOT language: an HTML-like label for each card, an edge for each use of a value."""

from typing import Any

from autotiny.drawing.card import Card
from autotiny.drawing.edge import Edge
from autotiny.drawing.label import Labels, escape
from autotiny.drawing.scene import Box, Scene
from autotiny.notation.palette import LINE, TEXT, VERMILLION

LONGEST_ROW = 7
"""The number of cards that a picture may have side by side: a longer graph runs down, as a page scrolls that way."""
LAYOUT = {
    "bgcolor": "transparent",
    "ordering": "in",  # operands from left to right
    "nodesep": "0.18",
    "ranksep": "0.02",
    "newrank": "true",  # ranks across boxes
    # Limits to the search for a good layout: ordinary graphs never meet them, tangled ones would search for minutes.
    "nslimit": "1",
    "nslimit1": "1",
    "mclimit": "0.3",
}
SPINE = "20"
"""The weight of edges between results: heavy ones are straight, so that the way to the output is a line."""
CLUSTER = {"color": LINE, "style": "rounded", "penwidth": "0.8", "labeljust": "l", "margin": "8"}


def dot(scene: Scene, **attributes: str) -> str:
    """Return the graph as DOT text, the same in every run; `attributes` are further graph attributes of Graphviz.

    Each card and edge has its id as the id and the last class of its SVG group.
    """
    import graphviz  # type: ignore[import-untyped]

    short = max(scene.heights.values(), default=1) <= LONGEST_ROW
    across = short if scene.style.direction is None else scene.style.direction == "across"
    labels = Labels(across, scene.style.text_scale)
    apart = {} if any(edge.label for edge in scene.edges) else {"ranksep": "0.28"}
    digraph = graphviz.Digraph(
        "autotiny",
        graph_attr=LAYOUT | apart | {"rankdir": "LR" if across else "TB"} | attributes,
        # A list of fonts would be measured as Times by some builds of Graphviz.
        node_attr={"shape": "plain", "fontname": "Helvetica", "fontsize": "11", "fontcolor": TEXT},
        edge_attr={"color": LINE, "arrowsize": "0.55", "fontname": "Helvetica", "fontsize": "9"},
    )
    for box in scene.boxes:
        _add_box(digraph, box, labels)
    for edge in scene.edges:
        _add_edge(digraph, edge, scene, labels)
    for row in _rows(scene):
        with digraph.subgraph(graph_attr={"rank": "same"}) as same:
            for name in row:
                same.node(name)
    for source, leaf in _precedences(scene):
        digraph.edge(source, leaf, style="invis", weight="0")
    if scene.style.legend:
        digraph.attr(label=f"<{labels.legend()}>", labelloc="b", labeljust="l", fontname="Helvetica")
    return str(digraph.source)


def _add_box(digraph: Any, box: Box | Card, labels: Labels) -> None:
    if isinstance(box, Card):
        digraph.node(box.id, label=f"<{labels.card(box)}>", id=box.id, **{"class": f"{box.kind} {box.id}"})
        return
    with digraph.subgraph(name=f"cluster_{box.id}", graph_attr=CLUSTER | {"id": box.id, "class": box.id}) as cluster:
        title = f'<FONT COLOR="{LINE}">{escape(box.label)}</FONT>'
        cluster.attr(label=f"<{title}>", fontname="Helvetica", fontsize=f"{10 * labels.scale:g}")
        for inner in box.boxes:
            _add_box(cluster, inner, labels)


def _add_edge(digraph: Any, edge: Edge, scene: Scene, labels: Labels) -> None:
    attributes = {"id": edge.id, "class": edge.id, "penwidth": f"{scene.width(edge):.1f}"}
    if scene.is_spine(edge):
        attributes["weight"] = SPINE
    if edge.is_dead:
        attributes["style"] = "dashed"
    if scene.stands_out(edge):
        attributes["color"] = VERMILLION
    if edge.label:
        attributes["label"] = f"<{labels.edge(edge.label)}>"
    source = edge.source
    if edge.id in scene.later_uses:
        source, card = name_again(edge.id), scene.later_uses[edge.id]
        digraph.node(source, label=f"<{labels.again(card)}>", id=source, **{"class": f"again {card.id}"})
    if edge.kind == "gradient":  # it flows up
        digraph.edge(edge.target, source, dir="back", color=VERMILLION, **attributes)
    elif edge.kind == "bypass":
        digraph.edge(source, edge.target, arrowtail="odot", dir="both", **attributes)
    elif edge.kind == "link":
        digraph.edge(edge.source, edge.target, style="dotted", constraint="false", arrowhead="none", **attributes)
    else:
        digraph.edge(source, edge.target, **attributes)


def _rows(scene: Scene) -> list[tuple[str, str]]:
    """Pair each operation with the first gradient that its rules recorded."""
    first: dict[str, str] = {}
    for edge in scene.edges:
        if edge.kind == "link":
            first.setdefault(edge.source, edge.target)
    return list(first.items())


def _precedences(scene: Scene) -> list[tuple[str, str]]:
    """Pair the sources of edges into a box with the leaves in it, so that boxes follow one another on the page."""
    results = {edge.target for edge in scene.edges}
    pairs: dict[tuple[str, str], None] = {}
    for box in () if scene.style.direction == "down" else scene.boxes:
        if isinstance(box, Box):
            inside = set(box.ids)
            entering = [edge.source for edge in scene.edges if edge.target in inside and edge.source not in inside]
            pairs |= {(source, leaf): None for source in entering for leaf in box.ids if leaf not in results}
    return list(pairs)


def name_again(edge_id: str) -> str:
    """Return the id of the name that stands for a card which is used far away."""
    return f"{edge_id}-again"
