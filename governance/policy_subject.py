"""A policy version as something to be judged: its text, who wrote on it, and what it loosens."""

from typing import Any

from governance.models import PolicyVersion
from governance.rules.digests import digest_of
from governance.services.policy_drafts import standing_of
from governance.services.policy_publishing import STRICTEST, author_ids
from governance.subjects import SubjectFacts, primary_key
from projects.errors import NotFound


class PolicyVersionResolver:
    """Facts of a policy version; it belongs to no project, any project's people may review it.

    One that loosens anything is reviewed at the strictest tier, whatever the project's is.
    """

    def resolve(self, ref: str) -> SubjectFacts:
        """Return the facts as they are now; the digest is of the text, not of a column."""
        version = _version(ref)
        return SubjectFacts(
            label=str(version),
            project=None,
            bindings={"policy_text": digest_of(version.text)},
            attributes=_attributes(version),
            authors={"policy": author_ids(version)},
        )

    def project_of(self, ref: str) -> None:
        """Return that it belongs to no project."""
        _version(ref)


def _version(ref: str) -> PolicyVersion:
    rows = PolicyVersion.objects.select_related("policy")
    version = rows.filter(pk=primary_key(ref, "policy_version")).first()
    if version is None:
        raise NotFound("There is no such policy version.", code="no_such_subject")
    return version


def _attributes(version: PolicyVersion) -> dict[str, Any]:
    standing = standing_of(version)
    attributes: dict[str, Any] = {
        "status": str(version.status),
        "parses": standing.is_usable,
        "problems": [problem.sentence for problem in standing.problems],
        "note": version.note,
        "replaces": str(standing.former) if standing.former else "",
        "looser": list(standing.changes.looser),
        "stricter": list(standing.changes.stricter),
    }
    if standing.changes.looser:
        attributes["review_tier"] = STRICTEST
    return attributes
