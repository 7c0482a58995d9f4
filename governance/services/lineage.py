"""The graph from scope to prediction: recording is idempotent, tracing is two queries a level."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from django.db import IntegrityError, transaction

from governance.models import GateReview, LineageEdge, LineageNode, Promotion, SignOff
from projects.errors import InvalidInput, NotFound
from projects.models import Project, ScopingDocument, Stakeholder

Direction = Literal["up", "down", "both"]
_MAX_LEVELS = 50
#: Kind of node for each kind of subject.
NODE_KINDS = {
    "scoping_document": LineageNode.Kind.SCOPE,
    "sprint": LineageNode.Kind.SPRINT,
    "dataset_version": LineageNode.Kind.DATASET,
    "model_version": LineageNode.Kind.MODEL_VERSION,
    "policy_version": LineageNode.Kind.POLICY,
}
#: The bound part whose digest names the subject itself.
SUBJECT_PARTS = {
    "scoping_document": "scope",
    "sprint": "sprint",
    "model_version": "model_files",
    "policy_version": "policy_text",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A thing to be recorded, as it is now."""

    kind: str
    ref: str
    label: str
    digest: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """Part of the graph, in the order of recording."""

    nodes: list[LineageNode] = field(default_factory=list)
    edges: list[LineageEdge] = field(default_factory=list)


def record_node(node: Node, *, project: Project) -> LineageNode:
    """Return the node of this kind, reference and digest, recording it where it is new."""
    if node.kind not in LineageNode.Kind.values:
        raise InvalidInput(f"{node.kind!r} is no kind of lineage node.", code="unknown_node_kind")
    key = {"kind": node.kind, "ref": node.ref, "digest": node.digest}
    found = LineageNode.objects.filter(**key).first()
    if found is not None:
        return found
    values = {"label": node.label[:200], "url": node.url, "project": project}
    try:
        with transaction.atomic():
            return LineageNode.objects.create(**key, **values)
    except IntegrityError:
        return LineageNode.objects.get(**key)


def record_edge(source: LineageNode, target: LineageNode, kind: str) -> LineageEdge:
    """Return the edge by which `source` led to `target`, recording it where it is new."""
    key = {"source": source, "target": target, "kind": kind}
    found = LineageEdge.objects.filter(**key).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return LineageEdge.objects.create(**key)
    except IntegrityError:
        return LineageEdge.objects.get(**key)


def trace(start: LineageNode, *, direction: Direction = "both") -> Graph:
    """Return what led to `start`, what it led to, or both, with all edges in between.

    What led to it comes with the reviews that judged it and those who signed them.
    """
    nodes = {start.pk: start}
    edges: dict[int, LineageEdge] = {}
    if direction in {"up", "both"}:
        _walk(start, nodes, edges, upwards=True)
        _add_decisions(nodes, edges)
    if direction in {"down", "both"}:
        _walk(start, nodes, edges, upwards=False)
    return Graph(
        nodes=[nodes[key] for key in sorted(nodes)], edges=[edges[key] for key in sorted(edges)]
    )


def model_version_node(ref: str) -> LineageNode:
    """Return the newest node of a model version.

    Raises:
        NotFound: nothing was recorded about it.
    """
    return subject_node("model_version", ref)


def subject_node(kind: str, ref: str) -> LineageNode:
    """Return the newest node of a subject, such as `dataset_version` `dataset_version:3`.

    Raises:
        NotFound: nothing was recorded about it.
    """
    found = LineageNode.objects.filter(kind=NODE_KINDS[kind], ref=ref).order_by("-pk").first()
    if found is None:
        raise NotFound(f"Nothing is recorded about {ref}.", code="no_lineage")
    return found


def review_node(review: GateReview) -> LineageNode:
    """Return the node of a gate review, linked from the subject that it judges."""
    node = Node(LineageNode.Kind.GATE_REVIEW, review.ref, str(review), url=f"/reviews/{review.pk}/")
    target = record_node(node, project=review.project)
    record_edge(_subject_node_of(review), target, "judged_by")
    return target


def link_sign_off(review: GateReview, sign_off: SignOff) -> None:
    """Record a sign-off as a node, linked from the review that it was given to."""
    label = f"{sign_off.printed_name} ({Stakeholder.Role(sign_off.role).label})"
    node = Node(LineageNode.Kind.SIGN_OFF, sign_off.ref, label)
    target = record_node(node, project=review.project)
    record_edge(review_node(review), target, "signed_by")


def scope_node(document: ScopingDocument) -> LineageNode:
    """Return the node of a version of the scope."""
    url = f"/scopes/{document.pk}/"
    node = Node(LineageNode.Kind.SCOPE, document.ref, str(document), document.content_hash, url)
    return record_node(node, project=document.project)


def promotion_node(promotion: Promotion) -> LineageNode:
    """Return the node of a promotion, linked from the review that decides it."""
    label = f"Promotion of {promotion}"
    node = Node(LineageNode.Kind.PROMOTION, promotion.ref, label)
    target = record_node(node, project=promotion.project)
    record_edge(review_node(promotion.review), target, "decides")
    return target


def _subject_node_of(review: GateReview) -> LineageNode:
    """Return the newest node of the subject, recording one where its owner recorded none."""
    kind, ref = review.subject_kind, review.subject_ref
    try:
        return subject_node(kind, ref)
    except NotFound:
        digest = review.bindings.get(SUBJECT_PARTS.get(kind, ""), "")
        node = Node(NODE_KINDS[kind], ref, review.subject_label, digest=digest)
        return record_node(node, project=review.project)


def _walk(
    start: LineageNode,
    nodes: dict[int, LineageNode],
    edges: dict[int, LineageEdge],
    *,
    upwards: bool,
) -> None:
    seen = {start.pk}
    level = {start.pk}
    for _ in range(_MAX_LEVELS):
        found = list(_edges_of(level, upwards=upwards))
        edges.update((edge.pk, edge) for edge in found)
        ends = [edge.source if upwards else edge.target for edge in found]
        nodes.update((node.pk, node) for node in ends)
        level = {node.pk for node in ends} - seen
        if not level:
            return
        seen |= level


def _add_decisions(nodes: dict[int, LineageNode], edges: dict[int, LineageEdge]) -> None:
    level = set(nodes)
    for kind in ("judged_by", "signed_by"):
        found = [edge for edge in _edges_of(level, upwards=False) if edge.kind == kind]
        edges.update((edge.pk, edge) for edge in found)
        nodes.update((edge.target.pk, edge.target) for edge in found)
        level = {edge.target.pk for edge in found}


def _edges_of(level: set[int], *, upwards: bool) -> Iterable[LineageEdge]:
    side = "target" if upwards else "source"
    return LineageEdge.objects.filter(**{f"{side}__in": level}).select_related("source", "target")
