"""Any order of roles, edits, revocations, signatures and time, against a small reference model."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from governance.models import Delegation, Override, Promotion, SignOff
from governance.services import (
    delegations,
    evaluating,
    expiry,
    findings,
    overrides,
    promotions,
    reviews,
    waivers,
)
from governance.services.delegations import NewDelegation
from governance.services.evidence import Material, record_evidence
from governance.services.findings import NewFinding
from governance.services.overrides import Confirmation, NewOverride
from governance.services.reviews import Signature
from governance.services.waivers import NewWaiver
from governance.subjects import SubjectFacts
from ledger.models import LedgerEntry
from projects.actors import system
from projects.errors import DomainError
from projects.models import Stakeholder
from tests.factories import PASSWORD, StakeholderFactory, UserFactory, page_token_for, session_actor
from tests.governance import fakes
from tests.governance.reference_model import ROLES, UNDECIDED, Reference, Vote

pytestmark = pytest.mark.django_db
CAST = ("vera", "bruno", "viktor", "olga", "sam", "mia", "rita")
PEOPLE = st.sampled_from(CAST)
SIGNING_ROLES = st.sampled_from(sorted(ROLES))
PARTS = st.sampled_from(["run", "scope", "dataset:train"])
OUTCOMES = st.sampled_from(["approved", "approved", "approved", "changes_requested", "rejected"])
#: Which entry has to stand beside a change of status; an opened review was bound anew.
REVIEW_EVENTS = {
    "open": {"review.rebound"},
    "stale": {"review.went_stale"},
    "approved": {"review.approved"},
    "rejected": {"review.rejected"},
    "withdrawn": {"review.withdrawn"},
    "suspended": {"review.suspended"},
    "expired": {"review.expired"},
}
ON_ITS_WAY = {"approved", "applying", "applied"}
MONTH = timedelta(days=30)


class Governed(RuleBasedStateMachine):
    """Every rule does one thing to both worlds, and the invariants compare them.

    It starts from one requested promotion that lacks nothing but signatures.
    """

    start: ClassVar[Promotion]
    world: ClassVar[fakes.Subjects]
    facts: ClassVar[dict[str, SubjectFacts]]

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.savepoint()
        self.world.facts.clear()
        self.world.facts.update(self.facts)
        self.clock = timezone.now()
        self.edits = 0
        self.promotion = Promotion.objects.get(pk=self.start.pk)
        self.review = self.promotion.review
        self.seen = self._entries()
        self.before = (self.review.status, self.promotion.status)
        self.reference = Reference(
            roles={
                "vera": {"validator"},
                "bruno": {"business_owner"},
                "rita": {"risk_officer"},
            },
            authors={"sam"},
            requester="mia",
        )

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    @initialize()
    def second_people_in_each_role(self) -> None:
        self._give("viktor", "validator")
        self._give("olga", "business_owner")

    # --- People ------------------------------------------------------------------------------

    @rule(person=PEOPLE, role=SIGNING_ROLES)
    def give_role(self, person: str, role: str) -> None:
        self._give(person, role)

    @rule(person=PEOPLE, role=SIGNING_ROLES)
    def take_role(self, person: str, role: str) -> None:
        held = Stakeholder.objects.filter(user=self._user(person), role=role)
        held.update(valid_to=timezone.localdate() - timedelta(days=1))
        self.reference.roles.get(person, set()).discard(role)

    @rule(holder=PEOPLE, to=PEOPLE, role=SIGNING_ROLES)
    def delegate(self, holder: str, to: str, role: str) -> None:
        now = timezone.now()
        given = NewDelegation(self.start.project, role, self._user(to), "Away.", now, now + MONTH)
        if self._done(lambda: delegations.delegate(given, actor=self._actor(holder))):
            assert role in self.reference.roles.get(holder, set()), "a chain of delegations"
            self.reference.delegations.add((holder, to, role))

    @rule()
    def revoke_delegations(self) -> None:
        for row in Delegation.objects.filter(revoked_at__isnull=True).select_related("holder"):
            actor = session_actor(row.holder)
            if self._done(lambda row=row, actor=actor: delegations.revoke_delegation(
                row, actor=actor
            )):  # fmt: skip
                gone = (row.holder.username, row.delegate.username, str(row.role))
                self.reference.delegations.discard(gone)

    # --- What is bound -----------------------------------------------------------------------

    @rule(part=PARTS)
    def edit(self, part: str) -> None:
        self.edits += 1
        self.world.change(fakes.MODEL, bindings={part: f"{self.edits:064x}"})
        self.reference.now += 1

    @rule(person=PEOPLE)
    def add_evidence(self, person: str) -> None:
        self.edits += 1
        material = Material(
            self.start.project, "model_version", fakes.MODEL, "note", "A note",
            data={"number": self.edits},
        )  # fmt: skip
        if self._done(lambda: record_evidence(material, actor=self._actor(person))):
            self.reference.authors.add(person)
            if self.review.status in UNDECIDED:
                self.reference.now += 1

    @rule(person=PEOPLE)
    def refresh(self, person: str) -> None:
        if self._done(lambda: reviews.refresh_review(self.review, actor=self._actor(person))):
            self.reference.bound = self.reference.now

    @rule(person=PEOPLE)
    def evaluate(self, person: str) -> None:
        self._done(lambda: reviews.evaluate_review(self.review, actor=self._actor(person)))

    @rule()
    def open_finding(self) -> None:
        found = NewFinding(
            self.start.project, "model_version", fakes.MODEL, "It leaks.", "See.", "high"
        )
        if self._done(lambda: findings.open_finding(found, actor=self._actor("rita"))):
            self.reference.is_blocked = True

    @rule()
    def waive_findings(self) -> None:
        waiver = NewWaiver(
            "findings", "It is known.", "A person looks.", "risk_officer",
            timezone.now() + MONTH, PASSWORD,
        )  # fmt: skip
        if self._done(lambda: waivers.grant_waiver(
            self.review, waiver, actor=self._actor("rita")
        )):  # fmt: skip
            self.reference.is_waived = True

    # --- Decisions ---------------------------------------------------------------------------

    @rule(person=PEOPLE, role=SIGNING_ROLES, outcome=OUTCOMES)
    def sign(self, person: str, role: str, outcome: str) -> None:
        self._sign(person, role, outcome)

    @rule()
    def both_who_are_asked_sign(self) -> None:
        self._sign("vera", "validator", "approved")
        self._sign("bruno", "business_owner", "approved")

    @rule(person=PEOPLE)
    def withdraw(self, person: str) -> None:
        self._done(lambda: reviews.withdraw_review(self.review, actor=self._actor(person)))

    @rule(person=PEOPLE)
    def suspend(self, person: str) -> None:
        self._done(lambda: reviews.suspend_review(
            self.review, actor=self._actor(person), reason="Doubt."
        ))  # fmt: skip

    # --- Break-glass, time and the worker ----------------------------------------------------

    @rule(first=PEOPLE, second=PEOPLE)
    def break_glass(self, first: str, second: str) -> None:
        wanted = NewOverride("INC-1", "It burns.", 4, self._glass_role(first), PASSWORD)
        asked = self._done(lambda: overrides.request_override(
            self.promotion, wanted, actor=self._actor(first)
        ))  # fmt: skip
        if not asked:
            return
        row = Override.objects.get(status="requested")
        said = Confirmation(self._glass_role(second), PASSWORD)
        if self._done(lambda: overrides.confirm_override(
            row, said, actor=self._actor(second)
        )):  # fmt: skip
            assert first != second, "one person broke the glass alone"
            self.reference.glass = "active"
        else:
            overrides.decline_override(row, actor=self._actor(first), reason="Nobody came.")

    @rule(days=st.sampled_from([1, 40, 400]))
    def time_passes(self, days: int) -> None:
        was = self.review.status
        self.clock += timedelta(days=days)
        expiry.expire_due(self.clock, actor=system("governance"))
        self._read()
        assert self.review.status != "approved" or was == "approved", "time approved it"
        live = Override.objects.filter(status="active").exists()
        self.reference.glass = "active" if live else ""

    @precondition(lambda self: self.promotion.status in {"approved", "applying"})
    @rule()
    def worker(self) -> None:
        self._read()
        allowed = self.reference.may_move()
        claimed = self._done(self._claim)
        if claimed and self.promotion.status == "applying":
            assert allowed, "a worker moved what nobody signed"
            promotions.mark_applied(self.promotion, actor=system("promotion"))

    def _claim(self) -> None:
        promotions.claim_promotion(self.promotion, worker="here:1")

    # --- What must hold after every step -----------------------------------------------------

    @invariant()
    def every_change_of_status_has_its_entry(self) -> None:
        self._read()
        statuses = (self.review.status, self.promotion.status)
        entries = self._entries()
        fresh = {event for pk, event in entries.items() if pk not in self.seen}
        if statuses[0] != self.before[0]:
            assert fresh & REVIEW_EVENTS[statuses[0]], (self.before, statuses, fresh)
        if statuses[1] != self.before[1]:
            assert any(event.startswith("promotion.") for event in fresh), (statuses, fresh)
        if statuses[0] == "approved" != self.before[0]:
            assert self.reference.may_be_approved(), self.reference
        self.before, self.seen = statuses, entries
        self.reference.status = statuses[0]

    @invariant()
    def what_is_approved_was_signed_by_two_who_may(self) -> None:
        if self.review.status != "approved":
            return
        votes = SignOff.objects.filter(
            review=self.review, bindings_digest=self.review.bindings_digest, outcome="approved"
        ).select_related("signer")
        assert {vote.role for vote in votes} >= ROLES
        assert len({vote.signer_id for vote in votes}) > 1
        assert not {vote.signer.username for vote in votes} & {"sam", "mia"}

    @invariant()
    def nothing_stands_on_a_review_that_does_not_stand(self) -> None:
        glass = Override.objects.filter(promotion=self.promotion, status="active").exists()
        if self.promotion.status in ON_ITS_WAY:
            backed = self.review.status == "approved" or (glass and self.review.status in UNDECIDED)
            assert backed, (self.review.status, self.promotion.status)
        standing = promotions.standing_promotion(self.promotion.model_name, "production")
        assert standing is None or self.promotion.status == "applied"

    # --- Helpers -----------------------------------------------------------------------------

    def _sign(self, person: str, role: str, outcome: str) -> None:
        self._read()
        model, was = self.reference, self.review.status
        holder = model.holds(person, role)
        allowed = was == "open" and not model.has_moved and model.may_sign(person, role)
        is_first = not [v for v in model.votes if (v.person, v.role) == (person, role)]
        objects = any(v.outcome != "approved" for v in model.counting())
        actor = self._actor(person)
        token = page_token_for(self.review, role, outcome, actor=actor)
        said = Signature(
            role, outcome, "", "I looked.", PASSWORD, self.review.bindings_digest,
            page_token=token,
        )  # fmt: skip
        if self._done(lambda: reviews.sign(self.review, said, actor=actor)):
            assert allowed, (person, role, outcome, model)
            model.votes.append(Vote(person, role, outcome, model.bound, str(holder)))
        else:
            # What the rules allow is not refused, or the safest system would refuse everything.
            assert not (allowed and is_first and not objects), (person, role, outcome, model)

    def _done(self, command: Callable[[], object]) -> bool:
        """Carry out a command as a door does: what it refuses leaves nothing behind."""
        try:
            command()
        except DomainError:
            return False
        finally:
            self._read()
        return True

    def _read(self) -> None:
        self.promotion.refresh_from_db()
        self.review.refresh_from_db()

    def _entries(self) -> dict[int, str]:
        about = [self.review.ref, self.promotion.ref]
        return dict(LedgerEntry.objects.filter(subject__in=about).values_list("pk", "event"))

    def _give(self, person: str, role: str) -> None:
        user = self._user(person)
        live = Stakeholder.objects.current().filter(
            project=self.start.project, user=user, role=role
        )
        if not live.exists():
            StakeholderFactory(project=self.start.project, user=user, role=role)
        self.reference.roles.setdefault(person, set()).add(role)

    def _user(self, person: str) -> User:
        return UserFactory(username=person)

    def _actor(self, person: str) -> Any:
        return session_actor(self._user(person))

    def _glass_role(self, person: str) -> str:
        return {"mia": "ml_engineer", "rita": "risk_officer"}.get(person, "business_owner")


def machine_of(promotion: Promotion, world: fakes.Subjects) -> type[RuleBasedStateMachine]:
    """Return the machine around a promotion and the facts that the test has put down."""
    known = {"start": promotion, "world": world, "facts": dict(world.facts)}
    return type("GovernedHere", (Governed,), known)


def play(machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_order_of_acts_breaks_the_rules(promotion: Promotion, world: fakes.Subjects) -> None:
    play(machine_of(promotion, world), examples=6, steps=15)


@pytest.mark.slow
def test_no_long_order_of_acts_breaks_the_rules(
    promotion: Promotion, world: fakes.Subjects
) -> None:
    play(machine_of(promotion, world), examples=60, steps=40)


@pytest.mark.slow
def test_the_machine_would_notice_an_approval_that_nobody_signed(
    promotion: Promotion, world: fakes.Subjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a quorum that one person meets is found."""
    real = evaluating.quorum_state

    def careless(review: Any, counted: Any = None) -> Any:
        return replace(real(review, counted), missing_roles=(), missing_people=0)

    monkeypatch.setattr(evaluating, "quorum_state", careless)
    with pytest.raises(AssertionError):
        play(machine_of(promotion, world), examples=20, steps=15)
