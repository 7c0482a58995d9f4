"""What can be judged, and how its facts are found out.

Governance knows no dataset and no model: the apps above plug a resolver per kind of subject into
`settings.SUBJECT_RESOLVERS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from projects.errors import InvalidInput, NotFound
from projects.models import Project, ScopingDocument
from projects.services.deviations import unsettled
from projects.services.scope_changes import signed_criteria_hash, signed_hash
from projects.services.scoping import assess, author_ids, review_tier


@dataclass(frozen=True)
class SubjectFacts:
    """A subject as it is now.

    `bindings` maps each part that a sign-off binds to its SHA-256; `authors` maps each part to
    the people who made it, from authenticated facts alone; `traces` says of a part where it is
    recorded who made it; `unmapped` names makers who map to no person. `project` is None for what
    belongs to no project.
    """

    label: str
    project: Project | None
    bindings: Mapping[str, str]
    metrics: Mapping[str, float] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    authors: Mapping[str, frozenset[int]] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    traces: Mapping[str, str] = field(default_factory=dict)


class SubjectResolver(Protocol):
    """Finds out the facts of one kind of subject."""

    def resolve(self, ref: str) -> SubjectFacts:
        """Return the facts of `ref`, such as `model_version:7`, or raise NotFound."""
        ...

    def project_of(self, ref: str) -> Project | None:
        """Return the project that `ref` belongs to, without reading files, or raise NotFound."""
        ...


def resolve(kind: str, ref: str) -> SubjectFacts:
    """Return the facts of a subject as it is now; slow parts may read files.

    Raises:
        InvalidInput: code `unknown_subject_kind`.
        NotFound: there is no such subject.
    """
    return _resolver(kind).resolve(ref)


def project_of(kind: str, ref: str) -> Project | None:
    """Return the project of a subject, without reading files; None where it belongs to none.

    Raises:
        InvalidInput: code `unknown_subject_kind`.
        NotFound: there is no such subject.
    """
    return _resolver(kind).project_of(ref)


def require_of_project(kind: str, ref: str, project: Project) -> None:
    """Refuse a subject of another project: whoever works there may not put anything on it.

    Raises:
        InvalidInput: code `unknown_subject_kind`.
        NotFound: code `no_such_subject`.
    """
    if project_of(kind, ref) not in {None, project}:
        raise NotFound(f"{project.name} has no such subject.", code="no_such_subject")


def primary_key(ref: str, kind: str) -> int:
    """Return the key in a reference such as `scoping_document:4`.

    Everything about a subject is found by its reference, so each has one spelling only: `:04` would
    be a subject without evidence and findings.

    Raises:
        NotFound: the reference is of another kind or no reference at all.
    """
    key = ref.removeprefix(f"{kind}:")
    if not key.isdecimal() or ref != f"{kind}:{int(key)}":
        raise NotFound(f"{ref!r} names no {kind.replace('_', ' ')}.", code="no_such_subject")
    return int(key)


def _resolver(kind: str) -> SubjectResolver:
    dotted = {**_OWN_RESOLVERS, **settings.SUBJECT_RESOLVERS}.get(kind)
    if dotted is None:
        raise InvalidInput(f"Nothing here judges a {kind!r}.", code="unknown_subject_kind")
    return cast("SubjectResolver", import_string(dotted)())


class ScopingDocumentResolver:
    """Facts of a submitted scoping document: what was submitted, readiness and editors.

    Bound is the hash of the whole submission. It stands as long as the snapshot still hashes to
    it and the rows differ from the snapshot in editorial fields alone.
    """

    def resolve(self, ref: str) -> SubjectFacts:
        document = self._document(ref)
        return SubjectFacts(
            label=str(document),
            project=document.project,
            bindings={
                "scope": signed_hash(document),
                "criteria": signed_criteria_hash(document),
            },
            attributes=self._attributes(document),
            authors={"scope": author_ids(document)},
            traces={"scope": f"wrote, edited or submitted {document}"},
        )

    def project_of(self, ref: str) -> Project:
        return self._document(ref).project

    def _document(self, ref: str) -> ScopingDocument:
        rows = ScopingDocument.objects.select_related("project")
        document = rows.filter(pk=primary_key(ref, "scoping_document")).first()
        if document is None:
            raise NotFound("There is no such scoping document.", code="no_such_subject")
        return document

    def _attributes(self, document: ScopingDocument) -> dict[str, Any]:
        readiness = assess(document)
        return {
            "status": str(document.status),
            "version": document.version,
            "readiness_score": readiness.score,
            "threshold": readiness.threshold,
            "review_tier": review_tier(document.project, readiness.tier),
            "blockers": [blocker.sentence for blocker in readiness.blockers],
            "deviations": unsettled(document),
        }


_OWN_RESOLVERS = {
    "policy_version": "governance.policy_subject.PolicyVersionResolver",
    "sprint": "governance.sprint_subject.SprintResolver",
}
