"""Past reviews with the facts of then, read in bulk: as many queries for thousands as for one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Max, Q

from governance.models import (
    Delegation,
    Evidence,
    Finding,
    GateReview,
    RequirementResult,
    SignOff,
    Waiver,
)
from governance.rules.checks import CheckContext, EvidenceFact, FindingFact, WaiverFact
from governance.rules.past import (
    APPROVED,
    REJECTED,
    UNDECIDED,
    PastResult,
    PastReview,
    PastSignOff,
)
from governance.rules.recorded import Recorded, Trace, unrecorded, unrecorded_rows
from governance.rules.separation import SigningFacts
from governance.services.past_record import Record
from projects.models import Stakeholder

Status = GateReview.Status
#: Statuses that follow an approval; undecided ones have no time of decision.
_AFTER_APPROVAL = frozenset({Status.APPROVED, Status.SUSPENDED, Status.EXPIRED, Status.STALE})


def past_reviews(reviews: Sequence[GateReview]) -> list[PastReview]:
    """Return reviews as they stood when each was decided, or last evaluated."""
    return list(_Past(reviews).all())


class _Past:
    """Everything that the reviews need, read once and kept by what it belongs to."""

    def __init__(self, reviews: Sequence[GateReview]) -> None:
        self.reviews = reviews
        self.pks = [review.pk for review in reviews]
        self.subjects = {(one.subject_kind, one.subject_ref) for one in reviews}
        projects = {review.project_id for review in reviews}
        self.results = self._results()
        self.sign_offs = _grouped(self._sign_offs(), lambda one: one.review_id)
        self.waivers = _grouped(self._waivers(), _subject_of_waiver)
        self.evidence = _grouped(self._of_subjects(Evidence), _subject)
        self.findings = _grouped(self._of_subjects(Finding), _subject)
        self.roles = _grouped(
            Stakeholder.objects.filter(project__in=projects), lambda one: one.project_id
        )
        self.delegations = _grouped(
            Delegation.objects.filter(project__in=projects), lambda one: one.project_id
        )
        self.record = Record(reviews)

    def all(self) -> Iterator[PastReview]:
        for review in self.reviews:
            yield self._past(review)

    def _past(self, review: GateReview) -> PastReview:
        results = self.results.get(review.pk, [])
        at = self._moment(review)
        waivers = [one for one in self.waivers[_subject(review)] if _is_live(one, at)]
        return PastReview(
            pk=review.pk,
            gate=review.gate,
            tier=str(review.tier),
            subject_kind=review.subject_kind,
            label=review.subject_label,
            project=review.project.name,
            decision=_decision(review),
            at=at,
            requested_at=review.requested_at,
            results=results,
            sign_offs=[self._sign_off(review, one, at) for one in self._counting(review, at)],
            waived=frozenset(one.requirement_key for one in waivers if one.review_id == review.pk),
            context=lambda trace: self._context(review, at, waivers, trace),
        )

    def _moment(self, review: GateReview) -> datetime:
        """Return when the decision was asked the last time."""
        asked = self.asked.get(review.pk)
        if review.decided_at is not None and _decision(review) != UNDECIDED:
            return review.decided_at if asked is None else min(asked, review.decided_at)
        return asked or review.requested_at

    def _counting(self, review: GateReview, at: datetime) -> Iterator[SignOff]:
        for one in self.sign_offs[review.pk]:
            if one.bindings_digest == review.bindings_digest and one.signed_at <= at:
                yield one

    def _sign_off(self, review: GateReview, one: SignOff, at: datetime) -> PastSignOff:
        held = self._roles_on(review, one.signer_id, at)
        holder = one.on_behalf_of_id
        kept = one.circumstances
        holders = self._roles_on(review, holder, at) if holder else frozenset[str]()
        passed_on = [
            d
            for d in self.delegations[review.project_id]
            if d.delegate_id == one.signer_id and _held_then(d, at)
        ]
        facts = SigningFacts(
            person=one.signer_id,
            role=one.role,
            tier=str(review.tier),
            requester=review.requested_by_id,
            authors={part: frozenset(who) for part, who in review.facts.get("authors", {}).items()},
            on_behalf_of=holder,
            held_roles=frozenset(kept.get("held_roles", held)),
            holder_roles=frozenset(kept.get("holder_roles", holders)),
            delegators=frozenset(d.holder_id for d in passed_on),
        )
        for_whom = {d.holder_id for d in passed_on if d.counts_at(review.gate)}
        right = one.role in (holders if holder in for_whom else held)
        counted = self.record.counted(review)
        return PastSignOff(
            facts=facts,
            outcome=str(one.outcome),
            name=one.printed_name,
            counted=None if counted is None else one.ref in counted,
            signed_at=one.signed_at,
            held_the_role=right,
            is_carried=one.carried_from_id is not None,
        )

    def _roles_on(self, review: GateReview, user: int | None, at: datetime) -> frozenset[str]:
        day = at.date()
        return frozenset(
            one.role
            for one in self.roles[review.project_id]
            if one.user_id == user
            and one.valid_from <= day
            and (one.valid_to is None or one.valid_to >= day)
        )

    def _context(
        self, review: GateReview, at: datetime, waivers: Sequence[Waiver], trace: Trace
    ) -> CheckContext:
        held, subject = review.facts, _subject(review)
        datasets = self.record.datasets(review, at)
        champion = self.record.champion(review, at)
        return CheckContext(
            now=at,
            gate=review.gate,
            subject_kind=review.subject_kind,
            subject_ref=review.subject_ref,
            attributes=Recorded(held.get("attributes", {}), trace, ""),
            metrics=held.get("metrics", {}),
            bindings=review.bindings,
            bound=review.bindings,
            bindings_digest=review.bindings_digest,
            authors={part: frozenset(who) for part, who in held.get("authors", {}).items()},
            unmapped=tuple(held.get("unmapped", ())),
            evidence=tuple(_evidence(self.evidence[subject], at)),
            findings=tuple(_findings(self.findings[subject], at)),
            datasets=(
                unrecorded_rows(trace, "approvals of its datasets")
                if datasets is None
                else datasets
            ),
            scope=self.record.scope(review, at),
            sprints_ended=self.record.sprints_ended(review, at),
            approvals=unrecorded(trace, "approvals at other gates"),
            waivers=tuple(WaiverFact(one.ref, one.requirement_key) for one in waivers),
            work=unrecorded(trace, "runs of this check"),
            **_champion(champion, trace),
        )

    # --- Reading --------------------------------------------------------------------------------

    def _results(self) -> dict[int, list[PastResult]]:
        newest = {
            pk: (evaluation, at)
            for pk, evaluation, at in RequirementResult.objects.filter(review__in=self.pks)
            .order_by()
            .values_list("review")
            .annotate(Max("evaluation"), Max("evaluated_at"))
        }
        self.asked = {pk: at for pk, (_, at) in newest.items()}
        fields = (
            "review", "evaluation", "key", "title", "check_name", "outcome", "message",
            "is_blocking",
        )  # fmt: skip
        rows = RequirementResult.objects.filter(review__in=self.pks).order_by("pk")
        found: dict[int, list[PastResult]] = defaultdict(list)
        for pk, evaluation, *values in rows.values_list(*fields).iterator():
            if newest[pk][0] == evaluation:
                found[pk].append(PastResult(*values))
        return found

    def _sign_offs(self) -> Iterable[SignOff]:
        rows = SignOff.objects.filter(review__in=self.pks).order_by("review", "sequence")
        return rows.defer("statement", "reason", "meaning")

    def _waivers(self) -> Iterable[Waiver]:
        refs = {ref for _, ref in self.subjects}
        rows = Waiver.objects.filter(review__subject_ref__in=refs).order_by("pk")
        return rows.select_related("review").only(
            "requirement_key", "granted_at", "expires_at", "revoked_at", "review_id",
            "review__subject_kind", "review__subject_ref",
        )  # fmt: skip

    def _of_subjects(self, model: Any) -> Iterable[Any]:
        refs = {ref for _, ref in self.subjects}
        return model.objects.filter(Q(subject_ref__in=refs)).order_by("pk")  # type: ignore[no-any-return]


def _grouped(rows: Iterable[Any], key: Callable[[Any], Any]) -> Mapping[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return found


def _subject(row: Any) -> tuple[str, str]:
    return row.subject_kind, row.subject_ref


def _subject_of_waiver(waiver: Waiver) -> tuple[str, str]:
    return _subject(waiver.review)


def _decision(review: GateReview) -> str:
    if review.status == Status.REJECTED:
        return REJECTED
    is_decided = review.decided_at is not None and review.status in _AFTER_APPROVAL
    return APPROVED if is_decided else UNDECIDED


def _is_live(waiver: Waiver, at: datetime) -> bool:
    is_revoked = waiver.revoked_at is not None and waiver.revoked_at <= at
    return waiver.granted_at <= at < waiver.expires_at and not is_revoked


def _held_then(delegation: Delegation, at: datetime) -> bool:
    is_revoked = delegation.revoked_at is not None and delegation.revoked_at <= at
    return delegation.valid_from <= at < delegation.valid_to and not is_revoked


def _evidence(rows: Iterable[Evidence], at: datetime) -> Iterator[EvidenceFact]:
    for one in rows:
        if one.produced_at <= at:
            yield EvidenceFact(
                one.kind, one.title, one.produced_at, one.data, one.ref, one.digest,
                one.produced_by_id,
            )  # fmt: skip


def _findings(rows: Iterable[Finding], at: datetime) -> Iterator[FindingFact]:
    for one in rows:
        if one.opened_at <= at and (one.closed_at is None or one.closed_at > at):
            yield FindingFact(one.title, one.severity, "open", one.ref)


def _champion(found: Mapping[str, Any] | None, trace: Trace) -> dict[str, Any]:
    """Return what is known of the champion of then; who looks at an unknown one is noted."""
    if found is not None:
        return dict(found)
    return {
        "champion": _UnknownName(trace),
        "champion_metrics": unrecorded(trace, "the champion of then"),
    }


class _UnknownName(str):
    """The name of a champion that no record tells."""

    trace: Trace

    def __new__(cls, trace: Trace) -> "_UnknownName":
        name = super().__new__(cls)
        name.trace = trace
        return name

    def __bool__(self) -> bool:
        self.trace.unrecorded.add("the champion of then")
        return False
