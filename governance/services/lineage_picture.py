"""A lineage graph as boxes and curves, ready for a template to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from governance.models import LineageEdge, LineageNode
from governance.rules.layout import Layout, Spot, layered

BOX_WIDTH, BOX_HEIGHT = 204, 50
COLUMN, ROW, MARGIN = 224, 92, 12
LABEL_LENGTH = 25
#: More pieces of evidence about one thing than this are drawn as one box.
FOLD_ABOVE = 2


class Traced(Protocol):
    """What `lineage.trace` answers."""

    @property
    def nodes(self) -> Sequence[LineageNode]: ...
    @property
    def edges(self) -> Sequence[LineageEdge]: ...


@dataclass(frozen=True)
class Box:
    """A node on the sheet."""

    node: LineageNode
    x: float
    y: float
    label: str

    @property
    def middle(self) -> float:
        return self.x + BOX_WIDTH / 2


@dataclass(frozen=True)
class Curve:
    """An edge on the sheet, as SVG path data, and where its word stands."""

    path: str
    kind: str
    title: str


@dataclass(frozen=True)
class Picture:
    """Everything that the template draws."""

    width: float
    height: float
    boxes: Sequence[Box]
    curves: Sequence[Curve]
    start: int | None = None
    box_width: int = BOX_WIDTH
    box_height: int = BOX_HEIGHT


def picture(graph: Traced, *, start: LineageNode | None = None) -> Picture:
    """Lay a graph out in layers from the first cause at the top to the last effect below."""
    folded = _folded(graph)
    hidden = {pk for pk, label in folded.items() if not label}
    nodes = [node for node in graph.nodes if node.pk not in hidden]
    edges = [edge for edge in graph.edges if edge.target_id not in hidden]
    layout = layered(
        [node.pk for node in nodes], [(edge.source_id, edge.target_id) for edge in edges]
    )
    widest = max(layout.sizes, default=1)
    boxes = {node.pk: _box(node, layout, widest, folded.get(node.pk)) for node in nodes}
    return Picture(
        width=2 * MARGIN + widest * COLUMN - (COLUMN - BOX_WIDTH),
        height=2 * MARGIN + max(len(layout.sizes) - 1, 0) * ROW + BOX_HEIGHT,
        boxes=list(boxes.values()),
        curves=_curves(edges, layout, boxes, widest),
        start=None if start is None else start.pk,
    )


def _folded(graph: Traced) -> Mapping[int, str]:
    """Return the label of each box that stands for many, and "" for those it stands for."""
    sources = {edge.source_id for edge in graph.edges}
    evidence = {node.pk for node in graph.nodes if node.kind == LineageNode.Kind.EVIDENCE}
    leaves: dict[int, list[int]] = {}
    for edge in graph.edges:
        if edge.target_id in evidence - sources:
            leaves.setdefault(edge.source_id, []).append(edge.target_id)
    folded: dict[int, str] = {}
    for found in leaves.values():
        if len(found) > FOLD_ABOVE:
            folded |= dict.fromkeys(found, "")
            folded[found[0]] = f"{len(found)} pieces of evidence"
    return folded


def _left(spot: Spot, layout: Layout, widest: int) -> float:
    """Return the left edge of a box; every layer is centred on the sheet."""
    indent = (widest - layout.sizes[spot.layer]) * COLUMN / 2
    return MARGIN + indent + spot.position * COLUMN


def _box(node: LineageNode, layout: Layout, widest: int, label: str | None) -> Box:
    spot = layout.spots[node.pk]
    label = label or node.label
    if len(label) > LABEL_LENGTH:
        label = label[: LABEL_LENGTH - 1].rstrip() + "…"
    return Box(
        node=node,
        x=_left(spot, layout, widest),
        y=MARGIN + spot.layer * ROW,
        label=label,
    )


def _curves(
    edges: Sequence[LineageEdge], layout: Layout, boxes: dict[int, Box], widest: int
) -> list[Curve]:
    """Draw each edge once from box to box through its bends, named by all kinds it has."""
    words: dict[tuple[int, int], list[str]] = {}
    for edge in edges:
        pair = (edge.source_id, edge.target_id)
        words.setdefault(pair, []).append(edge.kind.replace("_", " "))
    curves = []
    for pair, names in words.items():
        if pair not in layout.routes:
            continue
        source, target = boxes[pair[0]], boxes[pair[1]]
        bends = [_middle_of(spot, layout, widest) for spot in layout.routes[pair]]
        kind = ", ".join(names)
        title = f"{source.node.label}: {kind} → {target.node.label}"
        curves.append(Curve(path=_path(source, target, bends), kind=kind, title=title))
    return curves


def _middle_of(spot: Spot, layout: Layout, widest: int) -> tuple[float, float]:
    return _left(spot, layout, widest) + BOX_WIDTH / 2, MARGIN + spot.layer * ROW


def _path(source: Box, target: Box, bends: Sequence[tuple[float, float]]) -> str:
    """Return a path from the lower edge of one box to the upper edge of another.

    Between layers it swings; beside the boxes of a layer that it passes it runs straight down.
    """
    x, y = source.middle, source.y + BOX_HEIGHT
    data = f"M{x:g} {y:g}"
    for next_x, next_y in (*bends, (target.middle, target.y)):
        half = (y + next_y) / 2
        data += f"C{x:g} {half:g} {next_x:g} {half:g} {next_x:g} {next_y:g}"
        x, y = next_x, next_y + BOX_HEIGHT
        data += f"V{y:g}"
    return data.rpartition("V")[0]
