"""Running a draft policy over past reviews, and putting what it comes to on record."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from governance.models import Evidence, GateReview, PolicyVersion
from governance.rules.digests import digest_of
from governance.rules.past import PastReview, Replayed
from governance.rules.policy import PolicyRules
from governance.rules.replay import Replay
from governance.rules.replay_summary import (
    Summary,
    added_waiting,
    lacks_people,
    role_times,
    summarise,
)
from governance.services.check_registry import checks
from governance.services.evidence import Material, record_evidence
from governance.services.past import past_reviews
from governance.services.policies import parse_text
from projects.actors import Actor
from projects.models import Project

#: Kind of the evidence that a replay becomes on a policy version.
EVIDENCE_KIND = "policy_replay"
USUAL, MOST = 1_000, 5_000


@dataclass(frozen=True, slots=True)
class Selection:
    """Which past reviews: the newest `limit` that were requested from a day to a day."""

    limit: int = USUAL
    since: date | None = None
    until: date | None = None
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A replay: the text's digest, each review, the figures, and how many reviews were left out."""

    digest: str
    name: str
    selection: Selection
    reviews: Sequence[Replayed]
    summary: Summary
    left_out: int

    @property
    def changed(self) -> list[Replayed]:
        return [one for one in self.reviews if one.is_changed]


def replay_text(text: str, selection: Selection, *, actor: Actor) -> Outcome:
    """Run a policy's text over the past reviews that the actor may see; it changes nothing.

    Raises:
        InvalidInput: code `invalid_policy`; the text cannot be used.
    """
    draft = parse_text(text)
    chosen = GateReview.objects.visible_to(actor)
    if selection.gate:
        chosen = chosen.filter(gate=selection.gate)
    if selection.since:
        chosen = chosen.filter(requested_at__date__gte=selection.since)
    if selection.until:
        chosen = chosen.filter(requested_at__date__lte=selection.until)
    limit = min(max(selection.limit, 1), MOST)
    rows = list(chosen.select_related("project").order_by("-requested_at", "-pk")[:limit])
    replayed = _run(rows, draft)
    times = role_times(_taken(one.past for one in replayed))
    left_out = chosen.count() - len(rows) if len(rows) == limit else 0
    return Outcome(
        digest_of(text), draft.name, selection, replayed, summarise(replayed, times), left_out
    )


def replay_version(version: PolicyVersion, selection: Selection, *, actor: Actor) -> Outcome:
    """Run a version of a policy over the past reviews that the actor may see."""
    return replay_text(version.text, selection, actor=actor)


def record_replay(
    version: PolicyVersion, project: Project, selection: Selection, *, actor: Actor
) -> Evidence:
    """Put a replay of a version on record, where the signers of its review see and sign it.

    A review of the version that is open already has to be bound anew afterwards.

    Raises:
        NotPermitted: the actor has no part in the project that may put evidence on record.
    """
    outcome = replay_version(version, selection, actor=actor)
    count = outcome.summary.reviews
    material = Material(
        project=project,
        subject_kind=GateReview.SubjectKind.POLICY_VERSION,
        subject_ref=version.ref,
        kind=EVIDENCE_KIND,
        title=f"{version} over {count} past reviews: {outcome.summary.changed} would differ",
        data=_for_the_record(outcome),
    )
    return record_evidence(material, actor=actor)


def as_json(outcome: Outcome, *, only_changed: bool = False) -> dict[str, Any]:
    """Return a replay as plain data: figures first, then review by review."""
    shown = outcome.changed if only_changed else outcome.reviews
    roles = outcome.summary.roles
    return {**_figures(outcome), "reviews": [_review(one, roles) for one in shown]}


def _figures(outcome: Outcome) -> dict[str, Any]:
    selection = asdict(outcome.selection)
    return {
        "policy": outcome.name,
        "digest": outcome.digest,
        "selection": {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in selection.items()
        },
        "left_out": outcome.left_out,
        "summary": _summary(outcome.summary),
    }


def _for_the_record(outcome: Outcome) -> dict[str, Any]:
    """Return the figures, and which reviews would differ by number alone.

    Whoever reads the evidence may not see every project that the replay went over.
    """
    changed = [
        {"review": f"gate_review:{one.past.pk}", "then": one.past.decision, "draft": one.decision}
        for one in outcome.changed
    ]
    return {**_figures(outcome), "changed": changed}


def _run(rows: Sequence[GateReview], draft: PolicyRules) -> list[Replayed]:
    versions = PolicyVersion.objects.filter(pk__in={row.policy_version_id for row in rows})
    # A check that was installed when a version was written may be gone by now.
    texts = versions.values_list("pk", "text")
    known = checks()
    runs = {pk: Replay(parse_text(text, is_open=True), draft, known) for pk, text in texts}
    return [
        runs[row.policy_version_id].run(past)
        for row, past in zip(rows, past_reviews(rows), strict=True)
    ]


def _taken(reviews: Iterable[PastReview]) -> Iterable[tuple[str, timedelta]]:
    """Return how long after the request each role signed; a role counts once a review."""
    for review in reviews:
        seen: dict[str, timedelta] = {}
        for one in review.sign_offs:
            if not one.is_carried and one.signed_at is not None:
                seen.setdefault(one.facts.role, one.signed_at - review.requested_at)
        yield from seen.items()


def _summary(summary: Summary) -> dict[str, Any]:
    found = asdict(summary)
    for totals, one in zip(found["requirements"], summary.requirements, strict=True):
        totals |= {"never_fails": one.never_fails, "always_fails": one.always_fails}
    return found


def _review(one: Replayed, roles: Mapping[str, Any]) -> dict[str, Any]:
    wait = added_waiting(one, roles) if lacks_people(one) else None
    return {
        "review": f"gate_review:{one.past.pk}",
        "gate": one.past.gate,
        "tier": one.past.tier,
        "project": one.past.project,
        "subject": one.past.label,
        "at": one.past.at.isoformat(),
        "then": one.past.decision,
        "draft": one.decision,
        "changed": one.is_changed,
        "reasons": list(one.reasons),
        "unknown": list(one.unknown),
        "missing_roles": list(one.missing_roles),
        "added_hours": asdict(wait) if wait else None,
        "requirements": [asdict(line) for line in one.lines],
    }
