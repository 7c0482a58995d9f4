"""A world with a signed scope, released data and a model version ready for review."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from governance.models import GateReview, Promotion, SignOff
from governance.services import policies, promotions, reviews
from governance.services.evidence import Material, record_evidence
from governance.services.promotions import PromotionRequest
from governance.services.reviews import ReviewRequest, Signature
from projects.actors import system
from projects.models import Project, ScopingDocument
from tests.factories import PASSWORD, install_policies, page_token_for, session_actor
from tests.governance import faces, fakes
from tests.remembering import remembered

Signer = Callable[..., SignOff]


@pytest.fixture(autouse=True)
def stand_ins(settings: Any) -> None:
    """Let stand-ins answer for the pipeline wherever a reference is looked up."""
    settings.SUBJECT_RESOLVERS = faces.RESOLVERS


@pytest.fixture
def policy(db: None) -> Any:
    install_policies()
    return policies.PolicyVersion.objects.get(policy__name="standard")


@pytest.fixture
def world(settings: Any) -> Iterator[fakes.Subjects]:
    """Facts of datasets and model versions, which a test may change."""
    settings.SUBJECT_RESOLVERS = {
        **settings.SUBJECT_RESOLVERS,
        "dataset_version": "tests.governance.fakes.FakeResolver",
        "model_version": "tests.governance.fakes.FakeResolver",
    }
    fakes.WORLD.facts.clear()
    fakes.WORLD.error = None
    yield fakes.WORLD
    fakes.WORLD.facts.clear()
    fakes.WORLD.error = None


@pytest.fixture
def sign() -> Signer:
    """Sign a review as somebody: `sign(review, vera, "validator")`."""

    def sign_as(review: GateReview, user: User, role: str, **changes: Any) -> SignOff:
        method = changes.pop("method", "session")
        review.refresh_from_db()
        values = {
            "role": role,
            "outcome": "approved",
            "meaning": "",
            "reason": "",
            "password": PASSWORD,
            "bindings_digest": review.bindings_digest,
            **changes,
        }
        actor = fakes.acting(user, method)
        values.setdefault(
            "page_token", page_token_for(review, role, values["outcome"], actor=actor)
        )
        signed = reviews.sign(review, Signature(**values), actor=actor)
        review.refresh_from_db()
        return signed

    return sign_as


@pytest.fixture
@remembered
def scope_review(
    policy: Any, project: Project, submitted_scope: ScopingDocument, lead: User
) -> GateReview:
    request = ReviewRequest("scope", project, "scoping_document", submitted_scope.ref)
    return reviews.request_review(request, actor=session_actor(lead))


@pytest.fixture
def candidate(
    policy: Any,
    world: fakes.Subjects,
    project: Project,
    approved_scope: ScopingDocument,
    data_scientist: User,
) -> str:
    """Reference of a documented model version that was trained on dataset `fakes.DATASET`."""
    pk = data_scientist.pk
    world.facts[fakes.DATASET] = fakes.dataset_facts(project, pk)
    world.facts[fakes.MODEL] = fakes.model_facts(project, pk, approved_scope.content_hash)
    _documented(project=project, author=data_scientist)
    return fakes.MODEL


@remembered
def _documented(project: Project, author: User) -> None:
    for kind, ref, title in (
        ("dataset_version", fakes.DATASET, "eda_report"),
        ("model_version", fakes.MODEL, "model_card"),
    ):
        material = Material(project, kind, ref, title, title, data={"text": title})
        record_evidence(material, actor=session_actor(author))


@pytest.fixture
@remembered
def data_review(candidate: str, project: Project, data_scientist: User) -> GateReview:
    request = ReviewRequest("data", project, "dataset_version", fakes.DATASET)
    return reviews.request_review(request, actor=session_actor(data_scientist))


@pytest.fixture
@remembered
def released_data(
    data_review: GateReview, sign: Signer, data_owner: User, lead: User
) -> GateReview:
    sign(data_review, data_owner, "data_owner")
    sign(data_review, lead, "lead")
    assert data_review.status == "approved"
    return data_review


@pytest.fixture
@remembered
def promotion(
    released_data: GateReview, candidate: str, project: Project, ml_engineer: User
) -> Promotion:
    """A requested promotion that lacks nothing but its sign-offs."""
    request = PromotionRequest(
        project, "term-deposit-calls", 1, candidate, "production", "It is better."
    )
    return promotions.request_promotion(request, actor=session_actor(ml_engineer))


@pytest.fixture
def review(promotion: Promotion) -> GateReview:
    return promotion.review


@pytest.fixture
@remembered
def approved(
    promotion: Promotion, sign: Signer, validator: User, business_owner: User
) -> Promotion:
    sign(promotion.review, validator, "validator")
    sign(promotion.review, business_owner, "business_owner")
    promotion.refresh_from_db()
    assert promotion.status == "approved"
    return promotion


@pytest.fixture
def promote_second(
    world: fakes.Subjects,
    sign: Signer,
    data_scientist: User,
    ml_engineer: User,
    validator: User,
    business_owner: User,
) -> Callable[[Promotion], Promotion]:
    """Take version 2 of the same model through review and apply it."""

    def promote(first: Promotion) -> Promotion:
        ref = "model_version:8"
        scope = first.review.bindings["scope"]
        world.facts[ref] = fakes.model_facts(first.project, data_scientist.pk, scope)
        world.change(ref, attributes={"model_number": 2}, bindings={"model_files": fakes.sha("8")})
        compared = {"champion_version": 1}
        material = Material(
            first.project, "model_version", ref, "champion_comparison", "Against v1", data=compared
        )
        record_evidence(material, actor=session_actor(data_scientist))
        wanted = PromotionRequest(first.project, first.model_name, 2, ref, "production")
        second = promotions.request_promotion(wanted, actor=session_actor(ml_engineer))
        sign(second.review, validator, "validator")
        sign(second.review, business_owner, "business_owner")
        assert promotions.claim_promotion(second, worker="here:1")
        return promotions.mark_applied(second, actor=system("promotion"))

    return promote


@pytest.fixture
@remembered
def applied(approved: Promotion) -> Promotion:
    assert promotions.claim_promotion(approved, worker="here:1")
    return promotions.mark_applied(approved, actor=system("promotion"))


@pytest.fixture
def second(
    world: fakes.Subjects, applied: Promotion, data_scientist: User, ml_engineer: User
) -> GateReview:
    """The open review of version 2, better by two points and trained deeper."""
    ref = "model_version:8"
    facts = fakes.model_facts(applied.project, data_scientist.pk, applied.review.bindings["scope"])
    world.facts[ref] = replace(facts, label="term-deposit-calls v2")
    world.change(
        ref,
        attributes={"model_number": 2, "params": {"depth": "5"}},
        bindings={"model_files": fakes.sha("8"), "run": fakes.sha("7")},
        metrics={"test_roc_auc": 0.81},
    )
    wanted = PromotionRequest(applied.project, applied.model_name, 2, ref, "production")
    return promotions.request_promotion(wanted, actor=session_actor(ml_engineer)).review
