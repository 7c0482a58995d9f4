"""Who may sign and which rule refuses whom, for everybody on a project; before a review as well."""

from collections.abc import Sequence
from dataclasses import dataclass

from governance import access
from governance.models import GateReview
from governance.rules.quorum import role_words
from governance.rules.separation import Refusal
from governance.services import notices
from governance.services.binding import stored_authors
from governance.services.evaluating import quorum_rule, rules_for
from governance.services.policies import published_policy, rules_of
from governance.services.reviews import ReviewRequest, prepare
from governance.services.signers import (
    Authors,
    Eligibility,
    People,
    eligibility,
    people_at,
    people_of,
    refusals_against,
    roles_without_signer,
)
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import DomainError
from projects.facts import SignerFact
from projects.lifecycle import compare_and_swap
from projects.models import ScopingDocument
from projects.services.scope_authors import author_ids
from projects.services.scoping import assess, review_tier

NOT_ASKED = "role_not_asked"
_NOBODY = "Nobody can sign as"


@dataclass(frozen=True)
class Lack:
    """A role that nobody independent can sign in, and what to do about it."""

    role: str
    sentence: str


@dataclass(frozen=True)
class Outlook:
    """Who could sign a review that nobody has requested yet."""

    review: GateReview
    people: Sequence[Eligibility]
    lacks: Sequence[Lack]


def everybody(review: GateReview) -> list[Eligibility]:
    """Return whom the gate asks, then everybody else on the project with the roles they hold."""
    asked = eligibility(review)
    roles = quorum_rule(review).roles
    people = people_at(review)
    words = ", ".join(role_words(role) for role in roles)
    unasked = Refusal(NOT_ASKED, f"This gate asks for {words}.", f"policy {review.policy_version}")
    others = [
        Eligibility(
            user=people.users[who],
            role=role,
            may_sign=False,
            refusals=[unasked],
            signed=False,
            is_asked=False,
        )
        for who, held in people.roles.items()
        for role in sorted(held - set(roles))
    ]
    return [*asked, *others]


def look_ahead(request: ReviewRequest, *, actor: Actor) -> Outlook:
    """Return who could sign if the actor requested this review now; nothing is written.

    Raises:
        InvalidInput: code `unknown_gate`, `wrong_subject` or `unknown_subject_kind`.
        NotFound: there is no such subject in the project.
        RuleViolated: code `tier_not_covered` or `subject_not_bound`.
    """
    access.require(actor, "governance.view", request.project)
    review = prepare(request, actor=actor).review
    return Outlook(review, everybody(review), lacks_of(review, authors=stored_authors(review)))


def signers_lacking(document: ScopingDocument) -> list[SignerFact]:
    """Return the roles that a scope's later gates ask for and nobody independent holds.

    Of later work nobody knows yet who does it; what is known is who wrote the scope and who builds.
    """
    try:
        policy = published_policy(document.project)
    except DomainError:
        return []
    people = people_of(document.project)
    tier = review_tier(document.project, assess(document).tier)
    found = []
    for gate in rules_of(policy).gates.values():
        # Never saved: it only says by which gate, policy and tier the question is asked.
        asked = GateReview(
            project=document.project,
            gate=gate.name,
            policy_version=policy,
            subject_kind=gate.subject,
            subject_ref=document.ref,
            tier=tier,
        )
        if tier not in gate.sign_offs:
            continue
        here = people.at(gate.name)
        lacks = lacks_of(asked, authors={"scope": author_ids(document)}, people=here)
        found += [SignerFact(gate.name, gate.title, one.role, one.sentence) for one in lacks]
    return found


def lacks_of(review: GateReview, *, authors: Authors, people: People | None = None) -> list[Lack]:
    """Return the roles of an undecided review that nobody independent can sign in."""
    people = people or people_at(review)
    lacking = roles_without_signer(review, rules_for(review), authors=authors, people=people)
    found = []
    for role in lacking:
        held = [
            f"{claim.user.get_full_name() or claim.user.get_username()}: {refusals[0].sentence}"
            for claim in people.claims(role)
            if (refusals := refusals_against(review, claim, people, authors=authors, signed=()))
        ]
        who = f"Held back: {' '.join(held)}" if held else "Nobody holds it."
        found.append(
            Lack(
                role,
                f"{_NOBODY} {role_words(role)}. {who} Give the role to somebody who did "
                "not do the work.",
            )
        )
    return found


def reason_of(lacks: Sequence[Lack]) -> str:
    """Return what a review says that nobody can sign."""
    return " ".join(lack.sentence for lack in lacks)


def says_otherwise(review: GateReview, lacks: Sequence[Lack]) -> bool:
    """Return whether a review does not say that nobody can sign, or says it no longer rightly."""
    if lacks:
        return review.status_reason != reason_of(lacks)
    return review.status_reason.startswith(_NOBODY)


def escalate(review: GateReview, *, actor: Actor) -> list[Lack]:
    """Say on an open review that nobody can sign it as things stand, and tell the lead; once."""
    lacks = lacks_of(review, authors=stored_authors(review))
    reason = reason_of(lacks)
    if not says_otherwise(review, lacks):
        return lacks
    compare_and_swap(review, expected={"status": GateReview.Status.OPEN}, status_reason=reason)
    if not lacks:
        return lacks
    ledger.append(
        "review.signers_lacking",
        subject=review.ref,
        actor=actor,
        data={"roles": [lack.role for lack in lacks]},
    )
    notices.tell_blocked(review, [lack.role for lack in lacks], actor=actor)
    return lacks


def of_person(entries: Sequence[Eligibility], username: str) -> list[Eligibility]:
    """Keep what is said of one person."""
    return [entry for entry in entries if entry.user.get_username() == username]
