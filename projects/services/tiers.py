"""Commands on the risk tier of a project: assess it anew, and agree to a lower one.

The tier follows from four answers by the scorecard of the readiness policy. An approved scope
brings its own answers, and those who signed it have agreed to them. Outside a scope the answers
come from a risk officer or a validator; a tier that is lower than before, or than the answers
give, takes a second person with an oversight role.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from ledger import services as ledger
from projects import access
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotPermitted, StaleState
from projects.models import Project, ScopingDocument, Stakeholder, TierAssessment, TierDecision
from projects.rules.readiness_policy import TIERS
from projects.rules.tier import ANSWERS, TierVerdict, decide
from projects.services.project_life import change_tier
from projects.services.readiness import readiness_policy

GRAVEST = 4


@dataclass(frozen=True, slots=True)
class NewAssessment:
    """New answers to the scorecard and why they are given; `chosen` empty takes what follows."""

    answers: Mapping[str, int]
    reason: str
    chosen: str = ""


@transaction.atomic
def assess_tier(project: Project, new: NewAssessment, *, actor: Actor) -> TierAssessment:
    """Assess the tier of a project outside a scope; a higher one holds at once.

    A lower one waits for the agreement of somebody else.

    Raises:
        NotPermitted: code `role_missing`, `builder_cannot_lower`, or `risk_officer_needed` for a
            tier below the one that the answers give.
        InvalidInput: code `invalid_answers`, `unknown_tier` or `reason_missing`.
        StaleState: somebody else changed the tier at the same time.
    """
    access.require(actor, "tier.assess", project)
    _check(new)
    _hold(project)
    content = {**new.answers, "tier_override": new.chosen}
    verdict = decide(content, readiness_policy(), present=project.tier)
    lowers = _lowers(verdict, project.tier)
    if lowers:
        _require_may_lower(project, verdict, actor=actor)
    row = _store(project, verdict, new.reason.strip(), needs_agreement=lowers, actor=actor)
    if not lowers:
        change_tier(project, verdict.chosen, actor=actor, because=f"{row.ref}: {verdict.reason}")
    return row


@transaction.atomic
def decide_assessment(
    assessment: TierAssessment, *, actor: Actor, is_agreed: bool, note: str = ""
) -> TierDecision:
    """Agree to a lower tier, which then holds, or decline it with a note.

    Raises:
        NotPermitted: code `role_missing`, `deciding_needs_session`, `own_assessment` or
            `builder_cannot_lower`.
        InvalidInput: code `reason_missing`.
        InvalidTransition: code `nothing_to_agree`, `assessment_decided` or `assessment_overtaken`.
        StaleState: somebody else decided it at the same time.
    """
    project = assessment.project
    access.require(actor, "tier.decide", project)
    _require_second_person(assessment, actor=actor)
    if not is_agreed and not note.strip():
        raise InvalidInput("Say why it is declined.", code="reason_missing")
    _hold(project)
    _require_waiting(assessment)
    decision = _decide(assessment, actor=actor, is_agreed=is_agreed, note=note.strip())
    ledger.append(
        "project.tier_lowering_decided",
        subject=project.ref,
        actor=actor,
        data={
            "assessment": assessment.ref,
            "agreed": is_agreed,
            "note": ledger.remember_personal_text(note.strip()) if note.strip() else None,
        },
    )
    if is_agreed:
        because = f"{assessment.ref}, agreed to by a second person"
        change_tier(project, str(assessment.chosen), actor=actor, because=because)
    return decision


def record_of_scope(
    document: ScopingDocument, verdict: TierVerdict, *, actor: Actor
) -> TierAssessment:
    """Write down the assessment in a scope that was just approved, and give the project its tier.

    Inside the transaction that approved it; those who signed the scope have agreed.
    """
    project = document.project
    row = _store(project, verdict, verdict.reason, scope=document, actor=actor)
    change_tier(project, verdict.chosen, actor=actor, because=f"{document.ref}: {verdict.reason}")
    return row


def assessments_of(project: Project) -> list[TierAssessment]:
    """Return every assessment of a project with what was decided about it, newest first."""
    rows = TierAssessment.objects.filter(project=project)
    return list(rows.select_related("assessed_by", "scope", "decision__decided_by"))


def assessment_in_force(project: Project) -> TierAssessment | None:
    """Return the assessment behind the present tier; None where nobody has made one."""
    rows = TierAssessment.objects.filter(project=project).in_force()
    return rows.select_related("assessed_by", "scope", "decision__decided_by").first()


def _check(new: NewAssessment) -> None:
    wrong = [
        name
        for name in ANSWERS
        if isinstance(new.answers.get(name), bool)
        or not isinstance(new.answers.get(name), int)
        or not 0 <= new.answers[name] <= GRAVEST
    ]
    if wrong or set(new.answers) - set(ANSWERS):
        raise InvalidInput(
            f"Answer each of {', '.join(ANSWERS)} with a whole number from 0 to {GRAVEST}.",
            code="invalid_answers",
            details={"fields": wrong},
        )
    if new.chosen and new.chosen not in TIERS:
        raise InvalidInput(
            f"{new.chosen!r} is no tier; use {', '.join(TIERS)}.", code="unknown_tier"
        )
    if not new.reason.strip():
        raise InvalidInput("Say why the tier is assessed anew.", code="reason_missing")


def _hold(project: Project) -> None:
    """Lock the row, so that the tier that is read here is the one that is changed."""
    Project.objects.select_for_update().get(pk=project.pk)
    project.refresh_from_db(fields=["tier"])


def _lowers(verdict: TierVerdict, present: str) -> bool:
    return verdict.is_lowered or TIERS.index(verdict.chosen) < TIERS.index(present)


def _require_may_lower(project: Project, verdict: TierVerdict, *, actor: Actor) -> None:
    _require_no_builder(project, actor=actor)
    held = access.roles_of(actor.user, project) if actor.user else frozenset()
    if verdict.is_lowered and Stakeholder.Role.RISK_OFFICER not in held:
        raise NotPermitted(
            f"The answers give {verdict.computed}; only a risk officer may choose a lower tier.",
            code="risk_officer_needed",
        )


def _require_no_builder(project: Project, *, actor: Actor) -> None:
    held = access.roles_of(actor.user, project) if actor.user else frozenset()
    if held & access.BUILDERS:
        raise NotPermitted(
            f"{actor.name} builds on {project.name}; who does the work cannot lower its tier.",
            code="builder_cannot_lower",
        )


def _require_second_person(assessment: TierAssessment, *, actor: Actor) -> None:
    if actor.method != "session":
        raise NotPermitted(
            "A lower tier is agreed to in a browser session; a token may not decide.",
            code="deciding_needs_session",
        )
    if actor.user_id == assessment.assessed_by_id:
        raise NotPermitted(
            "Who assessed the tier cannot agree to it as the second person.", code="own_assessment"
        )
    _require_no_builder(assessment.project, actor=actor)


def _require_waiting(assessment: TierAssessment) -> None:
    if not assessment.needs_agreement:
        raise InvalidTransition("It holds already; nobody has to agree.", code="nothing_to_agree")
    if TierDecision.objects.filter(assessment=assessment).exists():
        raise InvalidTransition("It was decided before.", code="assessment_decided")
    later = TierAssessment.objects.filter(project=assessment.project, pk__gt=assessment.pk)
    if later.in_force().exists() or assessment.former != assessment.project.tier:
        raise InvalidTransition(
            "A later assessment holds by now; assess the tier anew.", code="assessment_overtaken"
        )


def _decide(
    assessment: TierAssessment, *, actor: Actor, is_agreed: bool, note: str
) -> TierDecision:
    if actor.user is None:
        raise NotPermitted("Parts of the system agree to nothing.", code="person_required")
    try:
        with transaction.atomic():
            return TierDecision.objects.create(
                assessment=assessment, is_agreed=is_agreed, note=note, decided_by=actor.user
            )
    except IntegrityError as error:
        raise StaleState("Somebody else has just decided this; read it again.") from error


def _store(
    project: Project,
    verdict: TierVerdict,
    reason: str,
    *,
    actor: Actor,
    scope: ScopingDocument | None = None,
    needs_agreement: bool = False,
) -> TierAssessment:
    row = TierAssessment.objects.create(
        project=project,
        scope=scope,
        scorecard=readiness_policy().name,
        answers=dict(verdict.answers),
        former=project.tier,
        computed=verdict.computed,
        chosen=verdict.chosen,
        reason=reason,
        needs_agreement=needs_agreement,
        assessed_by=actor.user,
        assessed_as=actor.ref,
    )
    ledger.append(
        "project.tier_assessed",
        subject=project.ref,
        actor=actor,
        data={
            "assessment": row.ref,
            "scorecard": row.scorecard,
            "answers": row.answers,
            "from": str(row.former),
            "computed": row.computed,
            "chosen": row.chosen,
            "needs_agreement": needs_agreement,
            "reason": ledger.remember_personal_text(reason),
        },
    )
    return row
