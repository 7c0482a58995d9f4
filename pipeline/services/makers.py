"""Whose hands were on a model version, part by part, and where that is recorded.

Who calls is authenticated; who committed is what the run says in its tags. A false tag can hide a
committer and never clears anybody of what is recorded elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from governance.models import Promotion
from pipeline.adapters.source_control import COMMIT, COMMITTERS
from pipeline.models import DatasetVersion, Job, ModelVersion, Run
from pipeline.services.mirror import RunFacts
from projects.models import ScopingDocument

_UNKNOWN_AUTHORS = frozenset({"", "system:unidentified"})
_SHOWN = 12


@dataclass(frozen=True)
class Makers:
    """People by the part they made, where that is recorded, and the parts by unknown hands."""

    authors: dict[str, frozenset[int]]
    traces: dict[str, str]
    unmapped: tuple[str, ...]


def makers_of(
    version: ModelVersion,
    run: Run | None,
    facts: RunFacts | None,
    datasets: Sequence[DatasetVersion],
    scope: ScopingDocument | None,
) -> Makers:
    """Return everybody who had a part in a model version."""
    committed = committers_of(facts)
    item = run.work_item if run else None
    deployed = list(_deployments(version))
    places = ", ".join(sorted({str(one.environment) for one in deployed}))
    authors = {
        "run": people(run.launched_by_id if run else None, *_who_asked_for(version)),
        "registration": people(version.registered_by_id),
        "dataset": people(*(dataset.registered_by_id for dataset in datasets)),
        "commit": committed.known,
        "assignee": people(item.assignee_id if item else None),
        "deployment": people(*(one.requested_by_id for one in deployed)),
    }
    traces = {
        "run": f"launched run {run} or asked for it" if run else "",
        "registration": f"registered {version}",
        "dataset": f"registered {', '.join(str(dataset) for dataset in datasets)}",
        "commit": f"commit {committed.commit[:_SHOWN]} of run {run}",
        "assignee": f"assigned to {item.title!r} (item {item.pk})" if item else "",
        "deployment": f"asked for {version} in {places}",
    }
    if scope is not None:
        editors = scope.editors.values_list("pk", flat=True)
        authors["scope"] = people(scope.created_by_id, scope.submitted_by_id, *editors)
        traces["scope"] = f"wrote, edited or submitted {scope}"
    return Makers(authors, traces, _unmapped(version, run, committed))


@dataclass(frozen=True)
class Committers:
    """Who a run says committed its code: the people known here, and the names that are not."""

    commit: str = ""
    known: frozenset[int] = frozenset()
    unknown: tuple[str, ...] = ()
    is_named: bool = False


def committers_of(facts: RunFacts | None) -> Committers:
    """Return the people behind the commit of a run, by e-mail address or user name."""
    if facts is None:
        return Committers()
    named = [name.strip() for name in facts.tags.get(COMMITTERS, "").split(",") if name.strip()]
    found = {name: _person(name) for name in dict.fromkeys(named)}
    return Committers(
        commit=facts.tags.get(COMMIT, ""),
        known=people(*found.values()),
        unknown=tuple(name for name, person in found.items() if person is None),
        is_named=bool(named),
    )


def people(*ids: int | None) -> frozenset[int]:
    """Return the ids that there are."""
    return frozenset(key for key in ids if key is not None)


def _person(name: str) -> int | None:
    known = settings.COMMIT_IDENTITIES.get(name.casefold(), name)
    found = User.objects.filter(Q(email__iexact=known) | Q(username__iexact=known))
    keys = list(found.values_list("pk", flat=True)[:2])
    # An address that two accounts share names neither.
    return keys[0] if len(keys) == 1 else None


def _deployments(version: ModelVersion) -> Iterable[Promotion]:
    return Promotion.objects.filter(
        model_name=version.model.name, model_version=version.number, applied_at__isnull=False
    ).select_related("environment")


def _who_asked_for(version: ModelVersion) -> list[int]:
    """Return who had the version trained by a job: pressing the button is launching the run."""
    asked = Job.objects.filter(result__model_version=version.ref, requested_by__isnull=False)
    return list(asked.values_list("requested_by", flat=True))


def _unmapped(version: ModelVersion, run: Run | None, committed: Committers) -> tuple[str, ...]:
    """Return the parts whose maker is neither a person nor a known part of the system."""
    parts = []
    if run is None or run.launched_as in _UNKNOWN_AUTHORS:
        parts.append("run")
    if version.registered_as in _UNKNOWN_AUTHORS:
        parts.append("registration")
    # What the service trains is its own code; people's code was committed by somebody.
    is_untold = bool(committed.commit) and not committed.is_named
    if committed.unknown or (is_untold and run is not None and run.launched_by_id is not None):
        parts.append("commit")
    return tuple(parts)
