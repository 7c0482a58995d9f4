"""What addresses of governance name."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from config.tokens import create_token
from governance.models import (
    CheckRun,
    Condition,
    Delegation,
    DeniedAttempt,
    Environment,
    GateReview,
    LineageNode,
    Override,
    Policy,
    PolicyVersion,
    Promotion,
    ReviewNotice,
    SignOff,
    Waiver,
)
from governance.services import dossiers, findings, policies
from governance.services.evidence import Material, record_evidence
from governance.services.findings import NewFinding
from governance.services.lineage import Node, record_node
from governance.services.reviews import ReviewRequest, request_review
from ledger.models import LedgerEntry
from projects.models import Project
from tests.factories import session_actor
from tests.governance import fakes
from tests.governance.faces import PIXEL

#: A version of the same model that nobody has asked a review for.
SECOND = "model_version:8"
#: An earlier version that is still approved.
GOOD = "model_version:90"


def build(promotion: Promotion) -> dict[str, Any]:
    """Return one of everything that addresses of governance name, around a promotion."""
    return {
        "second": _second_version(promotion),
        "good": _good_version(promotion).review,
        **_on_the_review(promotion),
        **_exceptions(promotion),
        **_policies(promotion.project),
        **_of_persons(promotion),
    }


def _person(username: str) -> User:
    return User.objects.get(username=username)


def _second_version(promotion: Promotion) -> dict[str, Any]:
    facts = fakes.WORLD.facts
    facts[SECOND] = replace(facts[fakes.MODEL], label="term-deposit-calls v2")
    fakes.WORLD.change(SECOND, attributes={"model_number": 2}, bindings={"run": fakes.sha("e")})
    project = promotion.project
    node = Node("model_version", SECOND, "term-deposit-calls v2", fakes.sha("a"))
    record_node(node, project=project)
    return {"name": promotion.model_name, "number": 2}


def _good_version(promotion: Promotion) -> Promotion:
    """Return the promotion of an earlier version that is still approved, to go back to."""
    now = timezone.now()
    review = GateReview.objects.get(pk=promotion.review_id)
    about = {"subject_ref": GOOD, "model_version": 90, "subject_label": "v90"}
    fakes.WORLD.facts[GOOD] = replace(fakes.WORLD.facts[SECOND], label="term-deposit-calls v90")
    fakes.WORLD.change(GOOD, attributes={"model_number": 90})
    decided = {"status": "approved", "decided_at": now, "expires_at": now + timedelta(days=90)}
    for name, value in {"pk": None, **about, **decided}.items():
        setattr(review, name, value)
    review.save()
    return Promotion.objects.create(
        project=promotion.project, environment=promotion.environment, review=review,
        model_name=promotion.model_name, model_version=90, subject_ref=GOOD,
        files_digest=promotion.files_digest, status="superseded", requested_as="user:1",
        approved_at=now, applied_at=now,
    )  # fmt: skip


def _on_the_review(promotion: Promotion) -> dict[str, Any]:
    project, review = promotion.project, promotion.review
    rita, sam = session_actor(_person("rita")), session_actor(_person("sam"))
    new = NewFinding(project, "model_version", fakes.MODEL, "It drifts.", "See.", "low")
    plot = Material(
        project, "model_version", fakes.MODEL, "plot", "Gain", content=PIXEL,
        media_type="image/svg+xml",
    )  # fmt: skip
    signed = SignOff.objects.order_by("pk").first()
    assert signed is not None
    soon = timezone.now().date() + timedelta(days=9)
    run = CheckRun(
        review=review, key="floor", kind="script", bindings_digest=review.bindings_digest,
        requested_as=sam.ref, status="cancelled",
    )  # fmt: skip
    run.save()
    return {
        "finding": findings.open_finding(new, actor=rita),
        "evidence": record_evidence(plot, actor=sam),
        "sign-off": signed,
        "condition": Condition.objects.create(sign_off=signed, text="Publish it.", due_on=soon),
        "check-run": run,
        "dossier": dossiers.issue_dossier(review, actor=sam),
        "node": LineageNode.objects.filter(project=project).first(),
        "version": {"name": promotion.model_name, "number": promotion.model_version},
    }


def _exceptions(promotion: Promotion) -> dict[str, Any]:
    now = timezone.now()
    later = now + timedelta(days=9)
    return {
        "waiver": Waiver.objects.create(
            review=promotion.review, requirement_key="findings", reason="Known.",
            compensating_control="A person looks.", granted_by=_person("rita"),
            granted_role="risk_officer", expires_at=later,
        ),
        "delegation": Delegation.objects.create(
            project=promotion.project, role="data_owner", holder=_person("dora"),
            delegate=_person("sam"), reason="Away.", valid_from=now, valid_to=later,
            revoked_at=now,
        ),
        "override": Override.objects.create(
            promotion=promotion, incident="INC-7", reason="It burns.", hours=24,
            requested_by=_person("mia"), requested_role="ml_engineer", status="declined",
        ),
    }  # fmt: skip


def _policies(project: Project) -> dict[str, Any]:
    published = PolicyVersion.objects.get(policy__name="standard")
    text = published.text + "\n# A remark.\n"
    draft = policies.write_draft(
        "standard", title="x", text=text, note="Pilot.", actor=session_actor(_person("rita"))
    )
    asked = ReviewRequest("policy", project, "policy_version", draft.ref)
    review = request_review(asked, actor=session_actor(_person("lena")))
    GateReview.objects.filter(pk=review.pk).update(status="approved", decided_at=timezone.now())
    return {
        "policy": Policy.objects.get(name="standard"),
        "policy-version": published,
        "policy-draft": draft,
        "environment": Environment.objects.get(name="production"),
    }


def _of_persons(promotion: Promotion) -> dict[str, Any]:
    mia = _person("mia")
    refused = DeniedAttempt.objects.create(
        actor="system:gateway", actor_name="x", action="alias.set", target="m/1",
        code="promotion_not_approved", message="No.", project=promotion.project,
    )  # fmt: skip
    token, _ = create_token(mia, actor=session_actor(mia))
    return {
        "notice": ReviewNotice.objects.create(
            project=promotion.project,
            review=promotion.review,
            user=mia,
            kind="decided",
            text="It is decided.",
        ),
        "token": token,
        "refusal": refused,
        "entry": LedgerEntry.objects.order_by("seq").first(),
    }
