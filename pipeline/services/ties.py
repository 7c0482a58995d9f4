"""What a run is tied to: sprint, work item and dataset, named by its launcher and checked here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from pipeline.models import DatasetVersion, Run
from projects.actors import Actor
from projects.errors import InvalidInput, NotPermitted
from projects.models import Project, Sprint, WorkItem

SPRINT = "countersign.sprint"
WORK_ITEM = "countersign.work_item"
DATASET = "countersign.dataset"
#: Where the item's page is; written by the service beside the tie, never by a client.
WORK_ITEM_URL = "countersign.work_item.url"

#: MLflow keeps 36 characters of a digest; fewer than this name no file for certain.
_SHORTEST_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Ties:
    """What a run belongs to and learns from."""

    sprint: Sprint | None = None
    work_item: WorkItem | None = None
    dataset: DatasetVersion | None = None

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield each tie by its name."""
        yield from (
            ("sprint", self.sprint),
            ("work_item", self.work_item),
            ("dataset", self.dataset),
        )

    def refs(self) -> dict[str, str]:
        """Return the references of the ties that are set."""
        return {name: thing.ref for name, thing in self.items() if thing is not None}


def check(project: Project, tags: Mapping[str, str]) -> Ties:
    """Return the things that a run's tags name, or say why it cannot be tied to them.

    Raises:
        InvalidInput: a tag names nothing on this project.
        NotPermitted: code `sprint_not_active`, the sprint takes no runs now.
    """
    item = _find(WorkItem, project, tags, WORK_ITEM)
    sprint = _find(Sprint, project, tags, SPRINT) or (item.sprint if item else None)
    if sprint is not None and sprint.status != Sprint.Status.ACTIVE:
        raise NotPermitted(
            f"Sprint {sprint.name!r} is {sprint.status}: only an active sprint takes runs.",
            code="sprint_not_active",
        )
    return Ties(sprint, item, tagged_dataset(project, tags))


def tagged_dataset(project: Project, tags: Mapping[str, str]) -> DatasetVersion | None:
    """Return the dataset version that the tag names; refuse a name that is not the project's."""
    found: DatasetVersion | None = _find(DatasetVersion, project, tags, DATASET)
    return found


def dataset_by_digest(project: Project, name: str, digest: str) -> DatasetVersion | None:
    """Return the registered version that a logged dataset input is, going by its digest."""
    if len(digest) < _SHORTEST_DIGEST:
        return None
    versions = DatasetVersion.objects.filter(project=project)
    by_file = versions.filter(digest__startswith=digest)
    by_content = versions.filter(content_digest__startswith=digest)
    return (by_file.filter(name=name) or by_file or by_content).first()


def url_of(item: WorkItem) -> str:
    """Return the address of an item's page, for the tag that MLflow's page of the run shows."""
    return f"{settings.BASE_URL}/work-items/{item.pk}/"


def unlink_work_item(run: Run, item: WorkItem, *, actor: Actor) -> None:
    """Take the run off an item that it no longer names."""
    from projects.services.work_items import unlink_run

    if run.run_id in item.run_ids:
        unlink_run(item, run.run_id, actor=actor)


def link_work_item(run: Run, *, actor: Actor) -> None:
    """Put the run on its work item, so that the board shows it."""
    from projects.services.work_items import link_run

    if run.work_item is not None and run.run_id not in run.work_item.run_ids:
        link_run(run.work_item, run.run_id, actor=actor)


def _find(model: Any, project: Project, tags: Mapping[str, str], key: str) -> Any:
    value = tags.get(key, "").strip()
    if not value:
        return None
    kind, _, number = value.rpartition(":")
    expected = {SPRINT: "sprint", WORK_ITEM: "work_item", DATASET: "dataset_version"}[key]
    if kind in {"", expected} and number.isdecimal():
        found = model.objects.filter(project=project, pk=int(number)).first()
        if found is not None:
            return found
    raise InvalidInput(
        f"The tag {key}={value!r} names nothing on {project.name}. "
        f"Give a reference such as '{expected}:1'.",
        code="unknown_tie",
    )
