"""Deviations: criteria that a new version makes easier, each with a decision of its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from ledger import services as ledger
from projects import access, facts
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotPermitted, RuleViolated, StaleState
from projects.lifecycle import compare_and_swap, move
from projects.models import Deviation, ScopingDocument
from projects.rules.criterion_facts import slice_suffix
from projects.rules.transitions import DEVIATION_TRANSITIONS
from projects.services.scope_authors import approved_scope, author_ids
from projects.services.scope_changes import loosened_criteria

Status = Deviation.Status


def propose_deviations(document: ScopingDocument, *, actor: Actor) -> list[Deviation]:
    """Record a deviation for every criterion that a submission loosens; the scope's submit calls.

    Whether a result had been seen by then is computed from the project's runs.
    """
    agreed = approved_scope(document.project)
    if agreed is None or actor.user is None:
        return []
    proposed = [
        Deviation.objects.create(
            scope=document,
            criterion_key=key,
            before=before,
            after=after,
            is_result_seen=result_was_seen(agreed, before),
            proposed_by=actor.user,
        )
        for key, (before, after) in loosened_criteria(agreed, document).items()
    ]
    for one in proposed:
        _record("deviation.proposed", one, actor=actor, result_seen=bool(one.is_result_seen))
    return proposed


def result_was_seen(agreed: ScopingDocument, criterion: Mapping[str, Any]) -> bool:
    """Return whether a run that ended since the criterion was locked logged its metric."""
    name = str(criterion["metric_key"])
    names = {name, name + slice_suffix(criterion.get("slice") or "")}
    names |= {criterion.get("confidence_key") or name}
    return any(
        run.status == "FINISHED"
        and _is_since(agreed.decided_at, run.ended_at or run.started_at)
        and any(key in names or key.startswith(f"{name}/") for key in run.metrics)
        for run in facts.runs_of(agreed.project)
    )


@transaction.atomic
def explain_deviation(
    deviation: Deviation, *, actor: Actor, reason: str, is_result_seen: bool
) -> Deviation:
    """Say why a criterion was loosened, and whether a result had been seen by then.

    Who explains stands behind the deviation and cannot decide it.

    Raises:
        InvalidInput: code `reason_missing`.
        RuleViolated: code `result_was_seen`; the record shows a result that the claim denies.
        InvalidTransition: code `deviation_decided` or `scope_not_submitted`.
    """
    access.require(actor, "deviation.explain", deviation.scope.project)
    _require_open(deviation)
    if not reason.strip():
        raise InvalidInput("Give the reason.", code="reason_missing")
    if _computed(deviation) and not is_result_seen:
        raise RuleViolated(
            f"Runs with a result on {deviation.before['metric_key']} ended after it was locked, "
            "so the result counts as seen.",
            code="result_was_seen",
            reasons=["A finished run logged the criterion's metric since it was locked."],
        )
    compare_and_swap(
        deviation,
        expected={"status": Status.PROPOSED},
        reason=reason.strip(),
        is_result_seen=is_result_seen,
        proposed_by=actor.user,
    )
    remembered = ledger.remember_personal_text(deviation.reason)
    _record(
        "deviation.explained", deviation, actor=actor, reason=remembered, result_seen=is_result_seen
    )
    return deviation


@transaction.atomic
def decide_deviation(
    deviation: Deviation, *, actor: Actor, is_accepted: bool, note: str = ""
) -> Deviation:
    """Accept or refuse a loosened criterion; a refusal needs a note.

    Raises:
        NotPermitted: code `deciding_needs_session`, or `author_cannot_decide` for whoever wrote,
            submitted or explained it.
        RuleViolated: code `deviation_unexplained`.
        InvalidInput: code `reason_missing`.
        InvalidTransition: code `deviation_decided` or `scope_not_submitted`.
        StaleState: somebody else explained or decided it at the same time.
    """
    access.require(actor, "deviation.decide", deviation.scope.project)
    _require_independent(deviation, actor=actor)
    _require_open(deviation)
    _require_explained(deviation)
    if not is_accepted and not note.strip():
        raise InvalidInput("Say why it is refused.", code="reason_missing")
    _hold_explanation(deviation, is_result_seen=_computed(deviation) or deviation.is_result_seen)
    move(
        deviation,
        Status.ACCEPTED if is_accepted else Status.REFUSED,
        allowed=DEVIATION_TRANSITIONS,
        decided_by=actor.user,
        decided_at=now(),
        decision_note=note.strip(),
    )
    remembered = ledger.remember_personal_text(deviation.decision_note) if note.strip() else None
    seen = bool(deviation.is_result_seen)
    if is_accepted:
        _record("deviation.accepted", deviation, actor=actor, note=remembered, result_seen=seen)
    else:
        _record("deviation.refused", deviation, actor=actor, note=remembered, result_seen=seen)
    return deviation


def unsettled(document: ScopingDocument) -> list[str]:
    """Return, in sentences, what stands against approving a document that loosens criteria.

    Asked against the scope that is agreed now: another version may have been approved since the
    submission, and its criteria are the ones that must not be loosened unseen.
    """
    agreed = approved_scope(document.project)
    if agreed is None or agreed.pk == document.pk:
        return []
    decided = {one.criterion_key: one for one in document.deviations.all()}
    loosened = loosened_criteria(agreed, document)
    sentences = (_unsettled(key, before, decided.get(key)) for key, (before, _) in loosened.items())
    return [sentence for sentence in sentences if sentence]


def require_settled(document: ScopingDocument) -> None:
    """Refuse to approve a document while a deviation of it is undecided or refused.

    Raises:
        RuleViolated: code `deviation_undecided`.
    """
    reasons = unsettled(document)
    if reasons:
        raise RuleViolated(
            f"{document} makes locked criteria easier, and not every deviation was accepted.",
            code="deviation_undecided",
            reasons=reasons,
        )


def _unsettled(key: str, before: Mapping[str, Any], found: Deviation | None) -> str:
    if found is None or not _same_criterion(found.before, before):
        return (
            f"{key} is easier than in the scope approved meanwhile; withdraw this version and "
            "submit it again."
        )
    if found.status == Status.REFUSED:
        return f"The deviation of {key} was refused."
    return f"The deviation of {key} is not decided." if found.status == Status.PROPOSED else ""


def _same_criterion(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return {**one, "title": "", "rationale": ""} == {**other, "title": "", "rationale": ""}


def _computed(deviation: Deviation) -> bool:
    agreed = approved_scope(deviation.scope.project)
    return agreed is not None and result_was_seen(agreed, deviation.before)


def _is_since(locked: datetime | None, at: datetime) -> bool:
    # Without a time of locking nobody can say that the result came before it.
    return locked is None or at >= locked


def _require_open(deviation: Deviation) -> None:
    if deviation.status != Status.PROPOSED:
        raise InvalidTransition(
            f"The deviation of {deviation.criterion_key} was {deviation.status} already.",
            code="deviation_decided",
            details={"status": str(deviation.status)},
        )
    if deviation.scope.status != ScopingDocument.Status.SUBMITTED:
        raise InvalidTransition(
            f"{deviation.scope} is {deviation.scope.status}; deviations are settled while it is "
            "submitted.",
            code="scope_not_submitted",
            details={"status": str(deviation.scope.status)},
        )


def _require_independent(deviation: Deviation, *, actor: Actor) -> None:
    if actor.method != "session":
        raise NotPermitted(
            "A deviation is decided in a browser session; a token may not decide.",
            code="deciding_needs_session",
        )
    if actor.user_id in author_ids(deviation.scope) | {deviation.proposed_by_id}:
        raise NotPermitted(
            f"{actor.name} wrote, submitted or explained this and cannot decide it.",
            code="author_cannot_decide",
        )


def _require_explained(deviation: Deviation) -> None:
    if not deviation.reason.strip():
        raise RuleViolated(
            f"Nobody has said yet why {deviation.criterion_key} was made easier.",
            code="deviation_unexplained",
            reasons=["The reason is missing."],
        )


def _hold_explanation(deviation: Deviation, *, is_result_seen: bool | None) -> None:
    """Keep the explanation that was read from being exchanged while it is decided."""
    try:
        compare_and_swap(
            deviation,
            expected={"status": Status.PROPOSED, "reason": deviation.reason},
            is_result_seen=bool(is_result_seen),
        )
    except StaleState as error:
        raise StaleState(
            "Somebody explained or decided this deviation meanwhile; read it again."
        ) from error


def _record(event: str, deviation: Deviation, *, actor: Actor, **data: object) -> None:
    ledger.append(
        event,
        subject=deviation.ref,
        actor=actor,
        data={"scope": deviation.scope.ref, "criterion": deviation.criterion_key, **data},
    )
