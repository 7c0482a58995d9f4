"""Checks that take work: asked for here, done by whoever pulls them, held against what is bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.timezone import now

from governance import access
from governance.models import CheckRun, GateReview
from governance.rules.digests import digest_of
from governance.rules.policy import RequirementRule, Script
from governance.rules.transitions import CHECK_RUN_TRANSITIONS
from governance.services import evaluating
from governance.services.binding import SubjectNow, plain
from governance.services.policies import rules_of
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, RuleViolated, StaleState
from projects.lifecycle import move

Status = CheckRun.Status
#: Which checks take work, and of which kind.
KINDS: Mapping[str, CheckRun.Kind] = {
    "script_passes": CheckRun.Kind.SCRIPT,
    "reproducible": CheckRun.Kind.REPRODUCTION,
}
ANSWERS = frozenset({"pass", "fail", "missing"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the work found; `missing` where it cannot be done here."""

    outcome: str
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)


def working_requirements(review: GateReview) -> list[RequirementRule]:
    """Return the requirements of a review that take work."""
    rules = evaluating.rules_for(review).requirements_at(review.tier)
    return [rule for rule in rules if rule.check in KINDS]


@transaction.atomic
def request_check_run(review: GateReview, key: str, *, actor: Actor) -> CheckRun:
    """Ask for the work behind one requirement, on the subject as the review binds it.

    Raises:
        InvalidInput: code `takes_no_work`; the requirement is judged without any, or unknown.
        InvalidTransition: code `review_not_open`.
        RuleViolated: code `check_is_running`.
    """
    access.require(actor, "check.run", review.project)
    _require_open(review)
    rule = next((one for one in working_requirements(review) if one.key == key), None)
    if rule is None:
        keys = ", ".join(one.key for one in working_requirements(review)) or "none"
        raise InvalidInput(
            f"No requirement {key!r} of this review takes work; those that do: {keys}.",
            code="takes_no_work",
        )
    run = CheckRun(
        review=review,
        key=rule.key,
        kind=KINDS[rule.check],
        params=_params(review, rule),
        bindings_digest=review.bindings_digest,
        requested_as=actor.ref,
        message="Waiting for a worker.",
    )
    _save(run)
    _record("requested", run, actor=actor)
    return run


@transaction.atomic
def request_check_runs(review: GateReview, keys: Sequence[str], *, actor: Actor) -> list[CheckRun]:
    """Ask for the work behind several requirements: those named, or all without a result yet.

    Raises:
        RuleViolated: code `no_check_to_run`, besides what one alone raises.
    """
    wanted = list(dict.fromkeys(keys)) or _without_result(review)
    if not wanted:
        access.require(actor, "check.run", review.project)
        raise RuleViolated(
            "No requirement of this review waits for work to be done.",
            code="no_check_to_run",
            reasons=["Each check that takes work has a result, is on its way, or there is none."],
        )
    return [request_check_run(review, key, actor=actor) for key in wanted]


def _without_result(review: GateReview) -> list[str]:
    """Return the requirements whose work nobody asked for since the review was bound."""
    served = CheckRun.objects.filter(
        review=review,
        bindings_digest=review.bindings_digest,
        status__in=[Status.QUEUED, Status.RUNNING, Status.DONE],
    )
    known = set(served.values_list("key", flat=True))
    return [rule.key for rule in working_requirements(review) if rule.key not in known]


@transaction.atomic
def claim_check_run(run: CheckRun, *, worker: str, actor: Actor) -> bool:
    """Take a waiting run, or one that the same worker held before it died; tell whether it did."""
    access.require(actor, "check.work", run.review.project)
    run.refresh_from_db()
    is_own = run.status == Status.RUNNING and run.result.get("worker") == worker
    if run.status != Status.QUEUED and not is_own:
        return False
    try:
        move(
            run,
            Status.RUNNING,
            allowed=CHECK_RUN_TRANSITIONS,
            result={"worker": worker, "progress": 0},
            message="Started.",
        )
    except StaleState:
        return False
    return True


def report_progress(run: CheckRun, percent: int, message: str) -> bool:
    """Say how far a run is; return whether it is still wanted."""
    mine = CheckRun.objects.filter(pk=run.pk, status=Status.RUNNING, version_lock=run.version_lock)
    result = {**run.result, "progress": percent}
    return mine.update(message=message[:500], result=result) == 1


@transaction.atomic
def finish_check_run(run: CheckRun, answer: Answer, *, actor: Actor) -> CheckRun:
    """Store what the work found; it counts for what the run was bound to, and nothing else.

    Raises:
        StaleState: it was cancelled or taken over meanwhile.
    """
    access.require(actor, "check.work", run.review.project)
    if answer.outcome not in ANSWERS:
        raise InvalidInput(f"{answer.outcome!r} is no answer.", code="no_answer")
    move(
        run,
        Status.DONE,
        allowed=CHECK_RUN_TRANSITIONS,
        message=answer.message[:500],
        result={"outcome": answer.outcome, "values": dict(answer.values), "progress": 100},
        ended_at=now(),
    )
    _record("done", run, actor=actor, outcome=answer.outcome)
    return run


@transaction.atomic
def fail_check_run(run: CheckRun, message: str, *, actor: Actor) -> CheckRun:
    """Say that the work could not be done; the requirement stays an error until it is."""
    access.require(actor, "check.work", run.review.project)
    _end(run, Status.FAILED, message)
    _record("failed", run, actor=actor)
    return run


@transaction.atomic
def cancel_check_run(run: CheckRun, *, actor: Actor) -> CheckRun:
    """Cancel a run; one that is under way is dropped, and whoever works on it stops."""
    action = "check.work" if actor.is_system else "check.run"
    access.require(actor, action, run.review.project)
    _end(run, Status.CANCELLED, "Cancelled.")
    _record("cancelled", run, actor=actor)
    return run


@transaction.atomic
def retry_check_run(run: CheckRun, *, actor: Actor) -> CheckRun:
    """Queue a failed or cancelled run once more, for what the review binds now.

    Raises:
        InvalidTransition: it waits, runs or is done, or the review is not open.
        RuleViolated: code `check_is_running`.
    """
    access.require(actor, "check.run", run.review.project)
    _require_open(run.review)
    try:
        with transaction.atomic():
            move(
                run,
                Status.QUEUED,
                allowed=CHECK_RUN_TRANSITIONS,
                bindings_digest=run.review.bindings_digest,
                requested_as=actor.ref,
                requested_at=now(),
                ended_at=None,
                result={},
                message="Waiting for a worker.",
            )
    except IntegrityError as error:
        raise _is_running(run) from error
    _record("retried", run, actor=actor)
    return run


def require_bound(run: CheckRun, subject: SubjectNow) -> None:
    """Refuse to work on a subject that is not what the run was asked for.

    Raises:
        RuleViolated: code `subject_changed`.
    """
    if subject.digest != run.bindings_digest:
        raise RuleViolated(
            "Something that the review binds changed after this was asked for. Bind the review "
            "to the present state, then run it again.",
            code="subject_changed",
        )


def script_of(run: CheckRun) -> Script:
    """Return the script of a run, from the policy version of its review.

    Raises:
        RuleViolated: code `no_such_script`.
    """
    scripts = rules_of(run.review.policy_version).scripts
    script = scripts.get(str(run.params.get("script")))
    if script is None:
        raise RuleViolated(
            f"{run.review.policy_version} holds no script {run.params.get('script')!r}.",
            code="no_such_script",
        )
    return script


def facts_for_script(run: CheckRun, subject: SubjectNow) -> dict[str, Any]:
    """Return what a script gets to see of the subject, as JSON."""
    review = run.review
    context, _ = evaluating.context_of(review, subject)
    facts = {
        "gate": review.gate,
        "tier": review.tier,
        "subject": {
            "kind": review.subject_kind,
            "ref": review.subject_ref,
            "label": review.subject_label,
        },
        "attributes": context.attributes,
        "metrics": context.metrics,
        "bindings": context.bindings,
        "champion": context.champion,
        "champion_metrics": context.champion_metrics or {},
        "scope": context.scope.content if context.scope else {},
        "evidence": [
            {
                "ref": one.ref,
                "kind": one.kind,
                "title": one.title,
                "digest": one.digest,
                "produced_at": one.produced_at,
                "data": one.data,
            }
            for one in context.evidence
        ],
        "findings": [
            {"ref": one.ref, "title": one.title, "severity": one.severity, "status": one.status}
            for one in context.findings
        ],
    }
    return dict(plain(facts))


def _params(review: GateReview, rule: RequirementRule) -> dict[str, Any]:
    params = dict(rule.params)
    script = rules_of(review.policy_version).scripts.get(str(params.get("script")))
    return {**params, "source_digest": digest_of(script.source)} if script else params


def _save(run: CheckRun) -> None:
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError as error:
        raise _is_running(run) from error


def _is_running(run: CheckRun) -> RuleViolated:
    return RuleViolated(
        f"{run.key} waits or runs already; its result will count when it is there.",
        code="check_is_running",
        reasons=["A run of the same check is not finished."],
    )


def _end(run: CheckRun, to: str, message: str) -> None:
    move(run, to, allowed=CHECK_RUN_TRANSITIONS, message=message[:500], ended_at=now())


def _require_open(review: GateReview) -> None:
    if review.status != GateReview.Status.OPEN:
        raise InvalidTransition(
            f"The review is {review.status}; checks run for an open one.", code="review_not_open"
        )


def _record(event: str, run: CheckRun, *, actor: Actor, **more: Any) -> None:
    ledger.append(
        f"check_run.{event}",
        subject=run.ref,
        actor=actor,
        data={
            "review": run.review.ref,
            "key": run.key,
            "kind": str(run.kind),
            "bindings_digest": run.bindings_digest,
            **more,
        },
    )
