"""How the organisation's closed projects came out against their estimates."""

from collections import defaultdict

from projects.models import Project, ScopingDocument, SprintSnapshot
from projects.rules.estimates import expected_days


def overruns(*, without: Project) -> tuple[float, ...]:
    """Return actual effort divided by estimated effort of every closed project.

    Actual effort is what the sprints' snapshots hold, the estimate is that of the agreed scope;
    projects that lack either do not count.
    """
    actual = _actual_days()
    ratios = []
    for scope in _agreed_scopes(without):
        estimated = expected_days([vars(row) for row in scope.estimates.all()])
        if estimated and actual.get(scope.project_id):
            ratios.append(actual[scope.project_id] / estimated)
    return tuple(sorted(ratios))


def _agreed_scopes(without: Project) -> list[ScopingDocument]:
    closed = ScopingDocument.objects.approved().filter(project__status=Project.Status.CLOSED)
    return list(closed.exclude(project=without).prefetch_related("estimates"))


def _actual_days() -> dict[int, float]:
    snapshots = SprintSnapshot.objects.filter(sprint__project__status=Project.Status.CLOSED)
    total: dict[int, float] = defaultdict(float)
    for project_id, data in snapshots.values_list("sprint__project", "data"):
        total[project_id] += data.get("person_days") or 0.0
    return total
