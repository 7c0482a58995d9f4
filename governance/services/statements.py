"""What a signature says: the words, every bound part, and what moved since the last approval."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from governance.models import GateReview, SignOff
from governance.rules.quorum import APPROVING, role_words
from governance.services import page_tokens
from governance.services.differences import (
    Change,
    difference_between,
    digest_of_difference,
    last_approval,
)
from governance.services.signers import Claim
from projects.actors import Actor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Outcome = SignOff.Outcome
_VERBS = {
    Outcome.APPROVED: "approve",
    Outcome.APPROVED_WITH_CONDITIONS: "approve on conditions",
    Outcome.CHANGES_REQUESTED: "ask for changes to",
    Outcome.REJECTED: "reject",
}


@dataclass(frozen=True)
class Since:
    """The last approval before a review, and what moved since; `prior` is None for the first."""

    prior: SignOff | None
    changes: list[Change]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the difference as it is shown; empty without a prior approval."""
        if self.prior is None:
            return ""
        return digest_of_difference(self.changes)


@dataclass(frozen=True)
class Statement:
    """All that is shown above the password, and the token of the page that shows it."""

    text: str
    role: str
    outcome: str
    bindings: Mapping[str, str]
    bindings_digest: str
    since: Since
    page_token: str


def statement_of(review: GateReview, claim: Claim, outcome: str, *, actor: Actor) -> Statement:
    """Return what somebody would sign now, with a fresh token for it."""
    since = since_last_approval(review, claim.role)
    page = page_tokens.page_of(review, claim.role, outcome, since.digest, actor=actor)
    return Statement(
        text=statement_for(review, claim.role, outcome, printed_name(actor, claim.on_behalf_of)),
        role=claim.role,
        outcome=outcome,
        bindings=dict(sorted(review.bindings.items())),
        bindings_digest=review.bindings_digest,
        since=since,
        page_token=page_tokens.issue(page),
    )


def statement_for(review: GateReview, role: str, outcome: str, name: str) -> str:
    """Return the words that are shown above the password and kept with the sign-off."""
    return (
        f"I, {name}, as {role_words(role)}, {_VERBS[Outcome(outcome)]} {review.subject_label} at "
        f"the gate {review.gate}. I sign exactly what the digest {review.bindings_digest} names, "
        f"under the policy {review.policy_version}."
    )


def printed_name(actor: Actor, holder: "User | None") -> str:
    """Return the name beside a signature, such as `Vera Vance for Rita Rossi`."""
    if holder is None:
        return actor.name
    return f"{actor.name} for {holder.get_full_name() or holder.get_username()}"


def since_last_approval(review: GateReview, role: str) -> Since:
    """Return what moved since the last approval of the same subject, or of the version before."""
    earlier = last_approval(review)
    if earlier is None:
        return Since(None, [])
    given = SignOff.objects.filter(
        review_id=earlier.pk, bindings_digest=earlier.bindings_digest, outcome__in=APPROVING
    ).order_by("-sequence")
    prior = given.filter(role=role).first() or given.first()
    if prior is None:
        return Since(None, [])
    return Since(prior, difference_between(earlier, review))
