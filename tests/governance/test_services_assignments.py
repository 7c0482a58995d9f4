"""Who is asked to sign, who may pass that on, and to whom."""

import dataclasses
from datetime import timedelta

import pytest
from django.utils import timezone

from governance.models import ReviewAssignment, ReviewNotice
from governance.services import assignments, reviews
from governance.services.assignments import Handover
from ledger.models import LedgerEntry
from projects.errors import (
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotPermitted,
    RuleViolated,
    StaleState,
)
from projects.rules.working_days import WorkingDays
from tests.factories import StakeholderFactory, UserFactory, session_actor

pytestmark = pytest.mark.django_db
TODAY = timezone.now().date()


def asked(review):
    """Return who is asked in which role now."""
    current = ReviewAssignment.objects.current().filter(review=review)
    return {one.role: one.user.username for one in current.select_related("user")}


def entries(review, event="review.assigned"):
    return LedgerEntry.objects.filter(subject=review.ref, event=event)


@pytest.fixture
def second_owner(project):
    """Somebody else who may sign as business owner."""
    zora = UserFactory(username="zora")
    StakeholderFactory(project=project, user=zora, role="business_owner")
    return zora


class TestAtTheOpening:
    def test_each_role_with_one_holder_asks_that_person(self, scope_review):
        assert asked(scope_review) == {"business_owner": "bruno", "data_owner": "dora"}
        notes = {one.note for one in scope_review.assignments.all()}
        assert notes == {"The only one who may sign in this role."}
        assert [entry.data["chosen_by"] for entry in entries(scope_review)] == ["rule", "rule"]

    def test_the_people_asked_are_told_and_in_which_role(self, scope_review, business_owner):
        told = ReviewNotice.objects.get(user=business_owner)
        assert (told.kind, told.role) == ("asked", "business_owner")
        assert told.text.startswith("You are asked to sign as business owner: scope review of ")

    def test_of_several_the_one_with_the_least_to_sign_is_asked(
        self, scope_review, project, lead, second_owner
    ):
        reviews.withdraw_review(scope_review, actor=session_actor(lead))
        again = reviews.ReviewRequest(
            "scope", project, "scoping_document", scope_review.subject_ref
        )
        busy = reviews.request_review(again, actor=session_actor(lead))
        # Bruno's withdrawn review weighs nothing: of equals the first by name is taken.
        assert asked(busy)["business_owner"] == "bruno"
        # While it waits for Bruno, the next one of the same role goes to Zora.
        chosen = assignments._candidates("business_owner", assignments.eligibility(busy))
        assert {one.person: one.load for one in chosen}[second_owner.pk] == 0
        assert max(one.load for one in chosen) == 1

    def test_an_author_is_never_asked(self, project, policy, lead, submitted_scope, data_owner):
        # Lena wrote the scope; that she owns the data too asks nothing of her.
        StakeholderFactory(project=project, user=lead, role="data_owner")
        request = reviews.ReviewRequest("scope", project, "scoping_document", submitted_scope.ref)
        opened = reviews.request_review(request, actor=session_actor(lead))
        assert asked(opened)["data_owner"] == data_owner.username


class TestReassigning:
    @pytest.fixture
    def handover(self, second_owner):
        return Handover("business_owner", second_owner, "I am away until Monday.")

    @pytest.mark.parametrize("who", ["bruno", "lena"])
    def test_who_is_asked_and_the_lead_pass_it_on(self, scope_review, handover, who):
        by = UserFactory(username=who)
        row = assignments.reassign(scope_review, handover, actor=session_actor(by))
        assert (row.assigned_by, row.note) == (by, "I am away until Monday.")
        assert asked(scope_review)["business_owner"] == "zora"
        recorded = entries(scope_review).last().data
        assert recorded["chosen_by"] == "person"
        assert recorded["user"] == f"user:{handover.to.pk}"
        assert "away" not in str(recorded)
        assert ReviewNotice.objects.filter(user=handover.to, kind="asked").count() == 1

    @pytest.mark.parametrize(
        ("who", "error"), [("dora", NotPermitted), ("axel", NotPermitted), ("otto", NotFound)]
    )
    def test_others_do_not(self, scope_review, handover, who, error):
        with pytest.raises(error):
            assignments.reassign(
                scope_review, handover, actor=session_actor(UserFactory(username=who))
            )
        assert asked(scope_review)["business_owner"] == "bruno"
        assert entries(scope_review).count() == 2

    @pytest.mark.parametrize(
        ("role", "to", "words"),
        [
            ("business_owner", "vera", "neither hold the role"),
            ("data_owner", "lena", "may not sign"),
        ],
    )
    def test_nobody_whom_a_rule_refuses_is_asked(
        self, scope_review, project, lead, role, to, words
    ):
        StakeholderFactory(project=project, user=lead, role="data_owner")
        handover = Handover(role, UserFactory(username=to), "Please.")
        with pytest.raises(RuleViolated) as refused:
            assignments.reassign(scope_review, handover, actor=session_actor(lead))
        assert refused.value.code == "assignee_unfit"
        assert words in refused.value.message
        assert asked(scope_review) == {"business_owner": "bruno", "data_owner": "dora"}
        assert entries(scope_review).count() == 2

    def test_only_in_a_role_that_the_gate_asks_for(self, scope_review, lead, validator):
        with pytest.raises(RuleViolated) as refused:
            assignments.reassign(
                scope_review, Handover("validator", validator, "Please."), actor=session_actor(lead)
            )
        assert refused.value.code == "role_not_asked"
        assert "validator" not in asked(scope_review)

    @pytest.mark.parametrize(
        ("note", "code"), [(" ", "note_missing"), ("x" * 301, "note_too_long")]
    )
    def test_a_note_is_needed_and_short(self, scope_review, lead, second_owner, note, code):
        with pytest.raises(InvalidInput) as refused:
            assignments.reassign(
                scope_review,
                Handover("business_owner", second_owner, note),
                actor=session_actor(lead),
            )
        assert refused.value.code == code
        assert asked(scope_review)["business_owner"] == "bruno"

    def test_the_same_person_is_not_asked_twice(self, scope_review, lead, business_owner):
        with pytest.raises(InvalidTransition) as refused:
            assignments.reassign(
                scope_review,
                Handover("business_owner", business_owner, "Again."),
                actor=session_actor(lead),
            )
        assert refused.value.code == "already_assigned"
        assert scope_review.assignments.count() == 2

    def test_who_loses_the_race_is_told(self, scope_review, lead, handover, monkeypatch):
        read = ReviewAssignment.objects.get(review=scope_review, role="business_owner")
        assignments.reassign(scope_review, handover, actor=session_actor(lead))
        monkeypatch.setattr(assignments, "_current", lambda *_: read)
        late = Handover("business_owner", UserFactory(username="bruno"), "Back again.")
        read.user_id = handover.to.pk
        with pytest.raises(StaleState):
            assignments.reassign(scope_review, late, actor=session_actor(lead))
        assert asked(scope_review)["business_owner"] == "zora"

    def test_a_decided_review_asks_nobody(self, scope_review, lead, handover):
        reviews.withdraw_review(scope_review, actor=session_actor(lead))
        with pytest.raises(InvalidTransition) as refused:
            assignments.reassign(scope_review, handover, actor=session_actor(lead))
        assert refused.value.code == "review_not_open"
        assert asked(scope_review)["business_owner"] == "bruno"

    def test_others_of_the_role_may_sign_all_the_same(self, scope_review, sign, second_owner):
        assert asked(scope_review)["business_owner"] == "bruno"
        assert sign(scope_review, second_owner, "business_owner").signer == second_owner


class TestWhenThingsMove:
    def test_who_lost_the_role_is_asked_no_longer(
        self, scope_review, project, business_owner, second_owner, lead
    ):
        held = project.stakeholders.filter(user=business_owner)
        held.update(valid_to=TODAY - timedelta(days=1))
        reviews.refresh_review(scope_review, actor=session_actor(lead))
        assert asked(scope_review)["business_owner"] == "zora"
        ended = entries(scope_review, "review.assignment_ended").get()
        assert ended.data["user"] == f"user:{business_owner.pk}"


class TestDueDate:
    @pytest.mark.parametrize(
        "case",
        [
            (None, None, None),
            (10, None, WorkingDays().after(TODAY, 10)),
            (10, TODAY + timedelta(days=3), TODAY + timedelta(days=3)),
        ],
    )
    def test_the_policy_names_a_working_day_where_the_request_names_none(
        self, policy, submitted_scope, lead, monkeypatch, case
    ):
        days, wanted, due_on = case
        project = submitted_scope.project
        rules = reviews.gate_rules

        def with_days(version, gate):
            return dataclasses.replace(rules(version, gate), decide_within_days=days)

        monkeypatch.setattr(reviews, "gate_rules", with_days)
        request = reviews.ReviewRequest(
            "scope", project, "scoping_document", submitted_scope.ref, due_on=wanted
        )
        assert reviews.request_review(request, actor=session_actor(lead)).due_on == due_on

    NEXT_WEEK = TODAY + timedelta(days=7)

    @pytest.mark.parametrize("who", ["sam", "lena"])
    def test_requester_and_lead_move_it_on_record(self, data_review, who):
        by = session_actor(UserFactory(username=who))
        assignments.move_due_date(data_review, self.NEXT_WEEK, actor=by, reason="Dora is away.")
        assert data_review.due_on == self.NEXT_WEEK
        moved = entries(data_review, "review.due_date_moved").get().data
        assert moved["due_on"] == self.NEXT_WEEK.isoformat()
        assert "away" not in str(moved)

    def test_a_later_day_lets_the_lead_be_told_again(self, scope_review, lead):
        scope_review.escalated_at = timezone.now()
        scope_review.save(update_fields=["escalated_at"])
        assignments.move_due_date(
            scope_review, self.NEXT_WEEK, actor=session_actor(lead), reason="Dora is away."
        )
        assert scope_review.escalated_at is None

    @pytest.mark.parametrize(
        ("who", "error"), [("bruno", NotPermitted), ("axel", NotPermitted), ("otto", NotFound)]
    )
    def test_others_do_not(self, scope_review, who, error):
        by = session_actor(UserFactory(username=who))
        with pytest.raises(error):
            assignments.move_due_date(scope_review, self.NEXT_WEEK, actor=by, reason="Later.")
        scope_review.refresh_from_db()
        assert scope_review.due_on is None
        assert not entries(scope_review, "review.due_date_moved").exists()

    @pytest.mark.parametrize(
        ("day", "reason", "code"),
        [(NEXT_WEEK, " ", "reason_missing"), (TODAY - timedelta(days=1), "Now.", "wrong_dates")],
    )
    def test_needs_a_reason_and_a_day_to_come(self, scope_review, lead, day, reason, code):
        with pytest.raises(InvalidInput) as refused:
            assignments.move_due_date(scope_review, day, actor=session_actor(lead), reason=reason)
        assert refused.value.code == code
        scope_review.refresh_from_db()
        assert scope_review.due_on is None
