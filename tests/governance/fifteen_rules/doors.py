"""The doors through which people act on reviews: REST, and the page of a review.

Every act is offered by both under one name, so that a test of a rule tries both alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.messages import ERROR, get_messages
from django.utils import timezone

from governance.models import Condition, GateReview, Override, Promotion, SignOff, Waiver
from ledger.models import LedgerEntry
from projects.models import Project
from tests.factories import PASSWORD, StakeholderFactory, page_token_for, session_actor

DOORS = ("rest", "page")
V1 = "/api/v1"
Client = Callable[[User], Any]


@dataclass(frozen=True)
class Try:
    """One attempt to act through a door: its status and its words.

    A page tells most refusals as a message on the page that it leads back to: `is_told`.
    """

    status: int
    words: str
    is_told: bool = False

    @property
    def is_done(self) -> bool:
        return self.status in {200, 201, 302} and not self.is_told

    def is_refused_as(self, status: int, words: str) -> bool:
        return (self.is_told or self.status == status) and words in self.words


class Door:
    """What people do with reviews; `post` is a door's own way of sending it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def post(self, user: User, address: str, body: dict[str, Any]) -> Try:
        raise NotImplementedError

    def read(self, user: User, address: str) -> Try:
        return _tried(self.client(user).get(address))

    def sign(self, user: User, review: GateReview, role: str = "validator", **changes: Any) -> Try:
        """Sign with what the page of the moment shows."""
        review.refresh_from_db()
        body = {
            "role": role,
            "outcome": "approved",
            "meaning": "I approve.",
            "reason": "Read.",
            "password": PASSWORD,
            "bindings_digest": review.bindings_digest,
            **changes,
        }
        actor = session_actor(user)
        token = page_token_for(review, role, body["outcome"], actor=actor)
        body.setdefault("page_token", token)
        return self.send_signature(user, review, body)

    def send_signature(self, user: User, review: GateReview, body: dict[str, Any]) -> Try:
        return self.post(user, self.address_of(review, "sign/"), body)

    def address_of(self, review: GateReview, act: str = "") -> str:
        raise NotImplementedError

    def show(self, user: User, review: GateReview) -> Try:
        return self.read(user, self.address_of(review))

    def refresh(self, user: User, review: GateReview) -> Try:
        return self.post(user, self.address_of(review, "refresh/"), {})

    def evaluate(self, user: User, review: GateReview) -> Try:
        return self.post(user, self.address_of(review, "evaluate/"), {})


class Rest(Door):
    """REST in a browser's session."""

    name = "rest"

    def post(self, user: User, address: str, body: dict[str, Any]) -> Try:
        return _tried(self.client(user).post(address, body, format="json"))

    def address_of(self, review: GateReview, act: str = "") -> str:
        return f"{V1}/gate-reviews/{review.pk}/{act}"

    def request_promotion(self, user: User, project: Project, ref: str) -> Try:
        body = {
            "project": project.slug,
            "model_name": "term-deposit-calls",
            "model_version": 1,
            "subject_ref": ref,
            "environment": "production",
        }
        return self.post(user, f"{V1}/promotions/", body)

    def waive(self, user: User, review: GateReview, **changes: Any) -> Try:
        days = changes.pop("days", 30)
        body = {**_waiver(), "review": review.pk, **changes}
        body["expires_at"] = (timezone.now() + timedelta(days=days)).isoformat()
        return self.post(user, f"{V1}/waivers/", body)

    def revoke_waiver(self, user: User, waiver: Waiver) -> Try:
        return self.post(user, f"{V1}/waivers/{waiver.pk}/revoke/", {})

    def delegate(self, user: User, project: Project, to: User, **changes: Any) -> Try:
        first, last = changes.pop("days", (0, 7))
        start = timezone.now() + timedelta(days=first)
        body = {
            "project": project.slug,
            "role": "validator",
            "delegate": to.username,
            "reason": "On leave.",
            "valid_from": start.isoformat(),
            "valid_to": (timezone.now() + timedelta(days=last)).isoformat(),
            **changes,
        }
        return self.post(user, f"{V1}/delegations/", body)

    def break_glass(self, user: User, promotion: Promotion, **changes: Any) -> Try:
        body = {**_glass(), "promotion": promotion.pk, **changes}
        return self.post(user, f"{V1}/overrides/", body)

    def confirm(self, user: User, override: Override, role: str) -> Try:
        body = {"role": role, "password": PASSWORD}
        return self.post(user, f"{V1}/overrides/{override.pk}/confirm/", body)

    def meet(self, user: User, condition: Condition) -> Try:
        return self.post(user, f"{V1}/conditions/{condition.pk}/meet/", {"note": "It is there."})

    def overview(self, user: User) -> str:
        return self.read(user, f"{V1}/portfolio/").words

    def readiness(self, user: User, document: Any) -> str:
        return self.read(user, f"{V1}/scoping-documents/{document.pk}/readiness/").words


class Page(Door):
    """The pages, signed in with the password."""

    name = "page"

    def post(self, user: User, address: str, body: dict[str, Any]) -> Try:
        return _tried(self.client(user).post(address, body))

    def address_of(self, review: GateReview, act: str = "") -> str:
        return f"/reviews/{review.pk}/{act}"

    def send_signature(self, user: User, review: GateReview, body: dict[str, Any]) -> Try:
        promised = body.pop("conditions", [])
        if promised:
            body |= {"conditions-TOTAL_FORMS": len(promised), "conditions-INITIAL_FORMS": 0}
        for number, one in enumerate(promised):
            body |= {f"conditions-{number}-{name}": value for name, value in one.items()}
        return super().send_signature(user, review, body)

    def request_promotion(self, user: User, project: Project, ref: str) -> Try:
        address = "/lineage/term-deposit-calls/1/promotion/"
        return self.post(user, address, {"environment": "production"})

    def waive(self, user: User, review: GateReview, **changes: Any) -> Try:
        ends = {"ends_on": _day(changes.pop("days", 30))}
        return self.post(
            user, self.address_of(review, "waivers/"), {**_waiver(), **ends, **changes}
        )

    def revoke_waiver(self, user: User, waiver: Waiver) -> Try:
        return self.post(user, f"/waivers/{waiver.pk}/revoke/", {})

    def delegate(self, user: User, project: Project, to: User, **changes: Any) -> Try:
        first, last = changes.pop("days", (0, 7))
        body = {
            "project": project.pk,
            "role": "validator",
            "person": to.pk,
            "reason": "On leave.",
            "from_on": _day(first),
            "to_on": _day(last),
            **changes,
        }
        return self.post(user, "/delegations/give/", body)

    def break_glass(self, user: User, promotion: Promotion, **changes: Any) -> Try:
        address = f"/promotions/{promotion.pk}/break-glass/"
        return self.post(user, address, {**_glass(), **changes})

    def confirm(self, user: User, override: Override, role: str) -> Try:
        body = {"role": role, "password": PASSWORD}
        return self.post(user, f"/overrides/{override.pk}/confirm/", body)

    def meet(self, user: User, condition: Condition) -> Try:
        return self.post(user, f"/conditions/{condition.pk}/meet/", {"note": "It is there."})

    def overview(self, user: User) -> str:
        return self.read(user, "/projects/").words

    def readiness(self, user: User, document: Any) -> str:
        return self.read(user, f"/scopes/{document.pk}/").words


def give(review: GateReview, user: User, *roles: str) -> User:
    """Give a person roles on the project of a review."""
    for role in roles:
        StakeholderFactory(project=review.project, user=user, role=role)
    return user


def assert_refused(tried: Try, status: int, words: str, review: GateReview) -> None:
    """Assert that nothing was signed, with this status and these words."""
    assert tried.is_refused_as(status, words), (tried.status, tried.words[:2000])
    assert not SignOff.objects.filter(review=review).exists()
    assert not LedgerEntry.objects.filter(event="review.signed", subject=review.ref).exists()


def is_in_days(moment: datetime, days: int) -> bool:
    """Return whether a moment is so many days ahead, or at the end of that day."""
    ends = datetime.combine(_ahead(days), time.max, tzinfo=moment.tzinfo)
    return moment <= ends + timedelta(seconds=1) and moment > ends - timedelta(days=1, hours=1)


def _tried(answer: Any) -> Try:
    told = list(get_messages(answer.wsgi_request))
    words = " ".join([answer.content.decode().replace("&#x27;", "'"), *map(str, told)])
    return Try(answer.status_code, words, any(one.level >= ERROR for one in told))


def _waiver() -> dict[str, str]:
    return {
        "requirement_key": "criteria.ranks-later-months",
        "reason": "The season was odd.",
        "compensating_control": "Weekly look at the ranking.",
        "role": "risk_officer",
        "password": PASSWORD,
    }


def _glass() -> dict[str, Any]:
    return {
        "incident": "INC-7",
        "reason": "It burns.",
        "hours": 24,
        "role": "ml_engineer",
        "password": PASSWORD,
    }


def _ahead(days: int) -> date:
    return timezone.now().date() + timedelta(days=days)


def _day(days: int) -> str:
    return _ahead(days).isoformat()
