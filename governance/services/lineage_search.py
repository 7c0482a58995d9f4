"""Finding model versions in the lineage graph, and the part of the graph a person may see."""

from django.db.models import Q, QuerySet

from governance.models import GateReview, LineageNode
from governance.services.lineage import Graph, trace
from projects.actors import Actor
from projects.errors import NotFound
from projects.models import Project


def versions(actor: Actor, *, wanted: str = "") -> QuerySet[LineageNode]:
    """Return the model versions the actor may see, newest first, by part of name or digest."""
    nodes = LineageNode.objects.visible_to(actor).filter(kind=LineageNode.Kind.MODEL_VERSION)
    if wanted:
        nodes = nodes.filter(Q(label__icontains=wanted) | Q(digest__startswith=wanted.lower()))
    return nodes.select_related("project").order_by("-pk")


def find_version(actor: Actor, name: str, number: int) -> LineageNode:
    """Return the newest node of a model version, known by its label or by a review of it.

    Raises:
        NotFound: nothing is recorded about it, or the actor may not know.
    """
    reviewed = GateReview.objects.filter(model_name=name, model_version=number)
    known = Q(label=f"{name} v{number}") | Q(ref__in=reviewed.values("subject_ref"))
    node = versions(actor).filter(known).first()
    if node is None:
        raise NotFound(f"Nothing is recorded about {name} v{number}.", code="no_lineage")
    return node


def name_and_number(node: LineageNode) -> tuple[str, int] | None:
    """Return what a model version's label says, or None for a label of another form."""
    name, _, number = node.label.rpartition(" v")
    return (name, int(number)) if name and number.isdecimal() else None


def visible_trace(start: LineageNode, *, actor: Actor) -> Graph:
    """Return the graph around `start` without what lies in projects the actor cannot see."""
    graph = trace(start, direction="both")
    projects = set(Project.objects.visible_to(actor).values_list("pk", flat=True))
    nodes = [node for node in graph.nodes if node.project_id in projects]
    seen = {node.pk for node in nodes}
    edges = [edge for edge in graph.edges if {edge.source_id, edge.target_id} <= seen]
    return Graph(nodes=nodes, edges=edges)
