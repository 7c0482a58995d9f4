"""A closed sprint at its gate: what is bound and counted, who may sign, what may start then."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.auth.models import User

from governance import guards
from governance.models import GateReview, RequirementResult
from governance.services import reviews
from governance.services.reviews import ReviewRequest
from governance.subjects import resolve
from projects.errors import NotFound, NotPermitted, RuleViolated
from projects.models import Ceremony, Project, ScopingDocument, Sprint, SprintSnapshot, WorkItem
from projects.services.snapshots import digest_of
from tests.factories import SprintFactory, WorkItemFactory, install_policies, session_actor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def shipped_policy(settings: Any, db: None) -> None:
    settings.POLICY_DIR = settings.BASE_DIR / "fixtures" / "policies"
    install_policies()


@pytest.fixture
def scope_content(scope_content: dict[str, Any]) -> dict[str, Any]:
    """Return the balanced scope with a matrix that scores its approaches."""
    names = [one["name"] for one in scope_content["approaches"]]
    scope_content["decision_weights"] = [{"role": "lead", "criterion": "upkeep", "weight": 100}]
    scope_content["decision_scores"] = [
        {"approach": name, "criterion": "upkeep", "score": 3, "evidence": "notes"} for name in names
    ]
    return scope_content


@pytest.fixture
def sprint(
    project: Project, approved_scope: ScopingDocument, lead: User, data_scientist: User
) -> Sprint:
    """A closed sprint with a baseline, two concluded approaches and the decision to go on."""
    sprint = SprintFactory(project=project, scope=approved_scope, status="closed", created_by=lead)
    experiment = {"project": project, "kind": "experiment", "status": "done",
                  "outcome": "concluded", "assignee": data_scientist}  # fmt: skip
    items = [
        WorkItemFactory(
            title="Rules", details={"makes_baseline": True}, run_ids=["r0"], **experiment
        ),
        WorkItemFactory(title="Trees", details={"approach": "Boosting"}, **experiment),
        WorkItemFactory(title="Trees again", details={"approach": "boosting "}, **experiment),
        WorkItemFactory(title="Logistic regression", **experiment),
    ]
    freeze(sprint, done=items)
    return sprint


def freeze(
    sprint: Sprint, done: Iterable[WorkItem] = (), carried_over: Iterable[WorkItem] = ()
) -> None:
    data = {
        "done": [entry(one) for one in done],
        "carried_over": [entry(one) for one in carried_over],
    }
    SprintSnapshot.objects.create(sprint=sprint, data=data, digest=digest_of(data))


def entry(item: WorkItem) -> dict[str, Any]:
    return {"item": item.ref, "kind": item.kind, "outcome": item.outcome, "title": item.title}


def decide(sprint: Sprint, decision: str, by: User) -> Ceremony:
    return Ceremony.objects.create(
        project=sprint.project,
        kind="post_experimentation",
        held_on=sprint.ends_on,
        decision=decision,
        notes="The trees.",
        recorded_by=by,
    )


def person(username: str) -> User:
    return User.objects.get(username=username)


def ask(sprint: Sprint, user: User) -> GateReview:
    request = ReviewRequest("experiment_review", sprint.project, "sprint", sprint.ref)
    return reviews.request_review(request, actor=session_actor(user))


def test_what_was_tried_is_counted_by_approach(sprint: Sprint, lead: User) -> None:
    decide(sprint, "go", lead)
    facts = resolve("sprint", sprint.ref)
    assert facts.attributes["approaches_tried"] == 2
    assert facts.attributes["baseline_run"] is True
    assert facts.attributes["open_time_boxes"] == []
    assert facts.attributes["decision"] == "Go: The trees."
    assert facts.bindings["sprint"] == sprint.snapshot.digest
    assert set(facts.bindings) == {"sprint", "scope", "decision"}


def test_experiments_and_spikes_that_go_on_are_open_time_boxes(project: Project) -> None:
    other = SprintFactory(project=project, status="closed")
    spike = WorkItemFactory(project=project, kind="spike", title="Join", status="doing")
    over = WorkItemFactory(
        project=project, kind="experiment", title="Deep net", status="done",
        outcome="time_box_expired",
    )  # fmt: skip
    freeze(other, done=[over], carried_over=[spike])
    attributes = resolve("sprint", other.ref).attributes
    assert attributes["open_time_boxes"] == ["Join", "Deep net"]
    assert attributes["approaches_tried"] == 0
    assert attributes["baseline_run"] is False


def test_the_digest_is_computed_from_what_was_frozen(project: Project) -> None:
    other = SprintFactory(project=project, status="closed")
    data: dict[str, Any] = {"done": [], "carried_over": []}
    SprintSnapshot.objects.create(sprint=other, data=data, digest="0" * 64)
    assert resolve("sprint", other.ref).bindings["sprint"] == digest_of(data)


def test_another_decision_moves_what_is_signed(sprint: Sprint, lead: User) -> None:
    decide(sprint, "go", lead)
    before = resolve("sprint", sprint.ref).bindings
    decide(sprint, "stop", lead)
    after = resolve("sprint", sprint.ref).bindings
    assert {part for part in after if after[part] != before[part]} == {"decision"}


def test_a_sprint_that_runs_cannot_be_judged(sprint: Sprint, lead: User) -> None:
    Sprint.objects.filter(pk=sprint.pk).update(status="active")
    with pytest.raises(RuleViolated) as error:
        ask(sprint, lead)
    assert error.value.code == "sprint_not_closed"
    assert not GateReview.objects.exists()


def test_only_who_may_asks_for_the_review(sprint: Sprint, validator: User, outsider: User) -> None:
    with pytest.raises(NotPermitted):
        ask(sprint, validator)
    with pytest.raises(NotFound):
        ask(sprint, outsider)
    assert not GateReview.objects.exists()


def test_without_a_decision_the_gate_stays_shut(sprint: Sprint, lead: User) -> None:
    review = ask(sprint, lead)
    first = RequirementResult.objects.get(review=review, key="decision")
    assert first.outcome == "missing"
    decide(sprint, "go", lead)
    assert reviews.refresh_review(review, actor=session_actor(lead)) != []
    results = {one.key: one.outcome for one in reviews.evaluate_review(
        review, actor=session_actor(lead)
    )}  # fmt: skip
    assert results["decision"] == "pass"


def test_who_tried_it_does_not_sign(
    sprint: Sprint, lead: User, data_scientist: User, ml_engineer: User
) -> None:
    WorkItem.objects.filter(title="Trees").update(assignee=ml_engineer)
    decide(sprint, "go", lead)
    with pytest.raises(RuleViolated) as error:
        ask(sprint, lead)
    assert error.value.code == "no_eligible_signer"
    assert error.value.details["roles"] == ["ml_engineer"]


@pytest.mark.parametrize(
    ("decision", "reason"),
    [("go", ""), ("stop", "approved another outcome"), ("rescope", "Re-scope")],
)
def test_building_starts_once_going_on_is_approved(
    sprint: Sprint, sign: Any, decision: str, reason: str
) -> None:
    build = SprintFactory(project=sprint.project, kind="build")
    (waiting,) = guards.require_experiment_review(build)
    assert "The gate experiment_review of" in waiting
    decide(sprint, decision, person("lena"))
    review = ask(sprint, person("lena"))
    sign(review, person("mia"), "ml_engineer")
    sign(review, person("bruno"), "business_owner")
    assert review.status == "approved"
    assert reason in " ".join(guards.require_experiment_review(build))
    assert bool(guards.require_experiment_review(build)) is bool(reason)


def test_at_low_risk_building_waits_for_nothing(sprint: Sprint) -> None:
    build = SprintFactory(project=sprint.project, kind="build", dataset_refs=["dataset_version:9"])
    assert guards.require_experiment_review(build)
    assert guards.require_approved_data(build)
    Project.objects.filter(pk=sprint.project_id).update(tier="low")
    build.project.refresh_from_db()
    assert guards.require_experiment_review(build) == []
    assert guards.require_approved_data(build) == []


def test_the_page_of_a_closed_sprint_leads_to_its_review(
    sprint: Sprint, lead: User, client_for: Any
) -> None:
    decide(sprint, "go", lead)
    browser = client_for(lead)
    address = f"/reviews/of/sprint/{sprint.pk}/"
    closing = browser.get(f"/sprints/{sprint.pk}/closing/")
    assert f'href="{address}"' in closing.content.decode()
    page = browser.get(address).content.decode()
    assert "Nobody has asked for one yet." in page
    assert "Ask for: experiment review" in page
    answer = browser.post(address, {"gate": "experiment_review"}, follow=True)
    review = GateReview.objects.get()
    assert answer.redirect_chain[-1][0] == f"/reviews/{review.pk}/"
    shown = answer.content.decode()
    assert "What the sprint came to" in shown
    assert "Boosting, Logistic regression" in shown


def test_the_page_refuses_in_words_and_hides_from_strangers(
    sprint: Sprint, validator: User, outsider: User, client_for: Any
) -> None:
    address = f"/reviews/of/sprint/{sprint.pk}/"
    assert client_for(outsider).get(address).status_code == 404
    assert client_for(outsider).post(address, {"gate": "experiment_review"}).status_code == 404
    page = client_for(validator).get(address).content.decode()
    assert "can ask for it" in page
    assert 'name="gate"' not in page
    told = client_for(validator).post(address, {"gate": "experiment_review"}, follow=True)
    assert told.redirect_chain[-1][0] == address
    assert not GateReview.objects.exists()
