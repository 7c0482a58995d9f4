"""Who may sign and which rule refuses whom: for everybody, and before a review is requested."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from governance.models import Delegation, GateReview, ReviewNotice
from governance.services.eligibility import everybody
from governance.services.expiry import expire_due
from ledger.models import LedgerEntry
from projects.actors import system
from projects.models import Project, Stakeholder
from tests.factories import StakeholderFactory, write_scope
from tests.governance import fakes

pytestmark = pytest.mark.django_db
V1 = "/api/v1"


def test_each_refusal_names_its_rule_its_sentence_and_where_the_fact_is(
    api: Any, world: fakes.Subjects, review: GateReview, data_scientist: User
) -> None:
    review.facts["traces"] = {"run": "launched run r1"}
    review.save()
    StakeholderFactory(project=review.project, user=data_scientist, role="validator")
    answer = api(data_scientist).get(f"{V1}/gate-reviews/{review.pk}/eligibility/?user=sam")
    (validator,) = [one for one in answer.json() if one["role"] == "validator"]
    assert (validator["may_sign"], validator["is_asked"]) == (False, True)
    assert {
        "rule": "run_author_not_approver",
        "sentence": "Who launched the training run may not sign it off.",
        "recorded": "launched run r1",
    } in validator["refusals"]


def test_whom_the_gate_does_not_ask_is_listed_apart(
    api: Any, review: GateReview, risk_officer: User
) -> None:
    address = f"{V1}/gate-reviews/{review.pk}/eligibility/"
    asked = {one["user"] for one in api(risk_officer).get(address).json()}
    assert asked == {"vera", "bruno"}
    everyone = api(risk_officer).get(f"{address}?everybody=true").json()
    (rita,) = [one for one in everyone if one["user"] == "rita"]
    assert (rita["is_asked"], rita["may_sign"]) == (False, False)
    assert [refusal["rule"] for refusal in rita["refusals"]] == ["role_not_asked"]


def test_a_delegate_is_listed_with_whom_they_sign_for(
    review: GateReview, validator: User, risk_officer: User
) -> None:
    Delegation.objects.create(
        project=review.project, role="validator", holder=validator, delegate=risk_officer,
        reason="Leave.", valid_from=timezone.now(),
        valid_to=timezone.now() + timedelta(days=3),
    )  # fmt: skip
    entry = next(one for one in everybody(review) if one.user == risk_officer and one.is_asked)
    assert (entry.role, entry.on_behalf_of, entry.may_sign) == ("validator", validator, True)


def test_a_list_costs_the_same_whoever_is_on_it(
    review: GateReview, django_assert_num_queries: Any
) -> None:
    review = GateReview.objects.select_related("project", "policy_version__policy").get(
        pk=review.pk
    )
    everybody(review)
    with django_assert_num_queries(5):
        everybody(review)
    for number in range(4):
        StakeholderFactory(project=review.project, role="validator", user__username=f"v{number}")
    with django_assert_num_queries(5):
        everybody(review)


class TestBeforeThereIsAReview:
    @pytest.fixture
    def ask(self, api: Any, released_data: GateReview, project: Project) -> Any:
        def ask(caller: User, **changes: str) -> Any:
            query = {
                "project": project.slug,
                "subject_kind": "model_version",
                "subject_ref": fakes.MODEL,
                **changes,
            }
            return api(caller).get(f"{V1}/gates/validation/eligibility/", query)

        return ask

    def test_one_sees_who_could_sign(self, ask: Any, ml_engineer: User) -> None:
        answer = ask(ml_engineer)
        assert answer.status_code == 200
        found = answer.json()
        assert (found["gate"], found["tier"], found["lacks"]) == ("validation", "medium", [])
        assert {one["user"] for one in found["people"] if one["may_sign"]} == {"vera", "bruno"}
        assert not GateReview.objects.filter(gate="validation").exists()

    def test_one_sees_that_one_could_not_sign_what_one_asked_for(
        self, ask: Any, validator: User
    ) -> None:
        (own,) = ask(validator, user="vera").json()["people"]
        assert [refusal["rule"] for refusal in own["refusals"]] == ["requester_not_approver"]

    def test_a_role_that_nobody_independent_holds_is_named_with_the_way_out(
        self, ask: Any, ml_engineer: User, project: Project, data_scientist: User
    ) -> None:
        Stakeholder.objects.filter(project=project, role="validator").delete()
        StakeholderFactory(project=project, user=data_scientist, role="validator")
        (lack,) = ask(ml_engineer).json()["lacks"]
        assert lack["role"] == "validator"
        assert "Sam: Who launched the training run" in lack["sentence"]
        assert "Give the role to somebody" in lack["sentence"]

    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({"subject_kind": "dataset_version"}, 400),
            ({"subject_ref": "model_version:99"}, 404),
            ({"project": "nowhere"}, 404),
            ({"project": ""}, 400),
        ],
    )
    def test_nonsense_is_refused(
        self, ask: Any, ml_engineer: User, changes: dict[str, str], status: int
    ) -> None:
        assert ask(ml_engineer, **changes).status_code == status

    def test_strangers_learn_nothing(self, ask: Any, outsider: User) -> None:
        assert ask(outsider).status_code == 404


class TestNobodyLeft:
    @pytest.fixture
    def deserted(self, review: GateReview, validator: User) -> GateReview:
        Stakeholder.objects.filter(user=validator).delete()
        return review

    def round(self, review: GateReview) -> None:
        expire_due(timezone.now(), actor=system("governance"))
        review.refresh_from_db()

    def test_the_review_says_so_and_the_lead_is_told_once(
        self, deserted: GateReview, lead: User
    ) -> None:
        self.round(deserted)
        self.round(deserted)
        assert deserted.status_reason.startswith("Nobody can sign as validator. Nobody holds it.")
        told = ReviewNotice.objects.filter(user=lead, kind="blocked", review=deserted)
        assert told.count() == 1
        entries = LedgerEntry.objects.filter(event="review.signers_lacking")
        assert [entry.data["roles"] for entry in entries] == [["validator"]]

    def test_the_page_says_so_at_once(
        self, deserted: GateReview, client_for: Any, lead: User
    ) -> None:
        page = client_for(lead).get(f"/reviews/{deserted.pk}/").content.decode()
        assert "Nobody can sign as validator" in page

    def test_it_is_taken_back_when_somebody_holds_the_role(
        self, deserted: GateReview, risk_officer: User
    ) -> None:
        self.round(deserted)
        StakeholderFactory(project=deserted.project, user=risk_officer, role="validator")
        self.round(deserted)
        assert deserted.status_reason == ""


def test_the_page_shows_people_by_roles(
    client_for: Any, review: GateReview, data_scientist: User
) -> None:
    StakeholderFactory(project=review.project, user=data_scientist, role="validator")
    page = client_for(data_scientist).get(f"/reviews/{review.pk}/").content.decode()
    table = page[page.index("seats-table") :]
    assert "run_author_not_approver" in table
    assert "Who launched the training run may not sign it off." in table
    assert "more on the project, whom this gate does not ask" in page


class TestAtScopeTime:
    @pytest.fixture
    def lonely(self, policy: Any, project: Project, lead: User) -> Any:
        """A scope by a lead who is its only business owner, without a validator."""
        Stakeholder.objects.filter(
            project=project, role__in=["validator", "business_owner"]
        ).delete()
        StakeholderFactory(project=project, user=lead, role="business_owner")
        return write_scope(project, lead)

    def test_each_gate_says_which_roles_nobody_independent_holds(
        self, api: Any, lonely: Any, lead: User
    ) -> None:
        found = api(lead).get(f"{V1}/scoping-documents/{lonely.pk}/readiness/").json()
        lacking = {(one["gate"], one["role"]) for one in found["signers_lacking"]}
        assert {("scope", "business_owner"), ("validation", "validator")} <= lacking
        (scope,) = [one for one in found["signers_lacking"] if one["gate"] == "scope"]
        assert "Who wrote the scope may not sign it off." in scope["sentence"]

    def test_the_page_of_the_scope_says_so(self, client_for: Any, lonely: Any, lead: User) -> None:
        page = client_for(lead).get(f"/scopes/{lonely.pk}/").content.decode()
        assert "Who could sign is missing" in page
        assert "Nobody can sign as validator. Nobody holds it." in page

    def test_a_full_team_lacks_nobody_at_the_gates_it_can_reach(
        self, policy: Any, project: Project, lead: User, api: Any
    ) -> None:
        scope = write_scope(project, lead)
        found = api(lead).get(f"{V1}/scoping-documents/{scope.pk}/readiness/").json()
        gates = {one["gate"] for one in found["signers_lacking"]}
        assert not gates & {"scope", "data", "validation"}
