"""Sign-offs that outlive a change, as the policy allows.

They come from the approved scope when a new version of it is reviewed, and from the review itself
when it is bound to its subject anew. A carried sign-off is a row of its own, marked as carried and
naming the one it came from: nobody signed these bytes again, and the record says so. It is never
an author's, separation of duties is asked again, and carried sign-offs alone decide nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.timezone import now

from governance.models import GateReview, PolicyVersion, SignOff
from governance.rules.copying import survival
from governance.rules.policy import GateRules
from governance.rules.quorum import role_words
from governance.rules.staleness import Moved
from governance.services import lineage
from governance.services.evaluating import rules_for, standing_review
from governance.services.policies import published_policy, rules_of
from governance.services.signers import (
    Authors,
    People,
    people_at,
    reasons_against,
    signers_among_authors,
)
from governance.subjects import primary_key
from ledger import services as ledger
from projects.actors import Actor
from projects.facts import SurvivalFact
from projects.lifecycle import compare_and_swap
from projects.models import ScopingDocument
from projects.rules.carrying import RESET_ALL, Survival, survivals
from projects.services.scope_authors import approved_scope, author_ids
from projects.services.scope_changes import changes_between, signed_hash
from projects.services.scoping import assess, review_tier

METHOD = "carried over"
_KIND = GateReview.SubjectKind.SCOPING_DOCUMENT


@dataclass(frozen=True)
class Fate:
    """What becomes of one role's sign-off; `sign_off` is the earlier one, if there is any."""

    survival: Survival
    sign_off: SignOff | None

    @property
    def person(self) -> str:
        """Return who gave the sign-off; empty if there is none."""
        return "" if self.sign_off is None else self.sign_off.printed_name


def fates_of(review: GateReview, moved: Iterable[Moved], authors: Authors) -> list[Fate]:
    """Return what becomes of each sign-off of a review when the parts that moved are bound anew.

    Of several that one person gave in one role the newest counts.
    """
    gate = rules_for(review)
    parts = [one.part for one in moved]
    people = people_at(review)
    newest = {
        (one.signer_id, one.role): one
        for one in SignOff.objects.counting(review).select_related("signer")
    }
    return [
        _judged(review, survival(gate.copy_conditions, one.role, parts), one, people, authors)
        for one in newest.values()
    ]


def carry_along(review: GateReview, fates: Iterable[Fate], *, actor: Actor) -> list[SignOff]:
    """Carry over to a review that was bound anew what survived; the caller evaluates it."""
    origin = _Origin("what the review bound before", "what was bound before")
    return [_insert(review, fate, origin, actor=actor) for fate in _surviving(fates)]


def stands_throughout(review: GateReview, moved: Iterable[Moved], authors: Authors) -> bool:
    """Return whether an approval outlives a change: each of its sign-offs would be kept.

    An approval that stands is not decided again, so sign-offs that were carried themselves count
    here as they did when it was decided. A policy text that was edited decides nothing about its
    own edit: it might say that whatever changed is fine.
    """
    parts = [one.part for one in moved]
    if "policy" in parts:
        return False
    gate = rules_for(review)
    given = list(SignOff.objects.counting(review))
    if not given or signers_among_authors(review, authors):
        return False
    return all(survival(gate.copy_conditions, one.role, parts).survives for one in given)


def carry_over(review: GateReview, authors: Authors, *, actor: Actor) -> list[SignOff]:
    """Carry over to a new review of a scope what its policy lets stand; the caller evaluates it."""
    if review.subject_kind != _KIND or rules_for(review).carry_over == RESET_ALL:
        return []
    document = _document(review.subject_ref)
    agreed = approved_scope(document.project)
    if agreed is None or agreed.pk == document.pk:
        return []
    origin = _Origin(f"version {agreed.version}", str(agreed))
    fates = _fates(review, document, agreed, authors)
    return [_insert(review, fate, origin, actor=actor) for fate in _surviving(fates)]


def survivals_of(document: ScopingDocument) -> list[SurvivalFact]:
    """Return which sign-offs of the approved scope would outlive this version, role by role."""
    agreed = approved_scope(document.project)
    if agreed is None or agreed.pk == document.pk:
        return []
    policy = published_policy(document.project)
    gate = _scope_gate(policy)
    if gate is None or document.project.tier not in gate.sign_offs:
        return []
    # Never saved: it only says by which gate, policy and tier the question is asked.
    asked = GateReview(
        project=document.project,
        gate=gate.name,
        policy_version=policy,
        tier=review_tier(document.project, assess(document).tier),
        requested_by=document.submitted_by,
    )
    authors = {"scope": author_ids(document)}
    return [
        SurvivalFact(
            role=fate.survival.role,
            person=fate.person,
            survives=fate.survival.survives,
            reason=fate.survival.reason,
        )
        for fate in _fates(asked, document, agreed, authors)
    ]


def _fates(
    review: GateReview, document: ScopingDocument, agreed: ScopingDocument, authors: Authors
) -> Iterator[Fate]:
    gate = rules_for(review)
    touched = changes_between(agreed, document).material
    given = _given(agreed, review.gate)
    people = people_at(review)
    for one in survivals(gate.carry_over, gate.sign_offs[review.tier].roles, touched):
        yield _judged(review, one, given.get(one.role), people, authors)


def _judged(
    review: GateReview, told: Survival, sign_off: SignOff | None, people: People, authors: Authors
) -> Fate:
    """Return the fate that the policy tells, unless something else speaks against it."""
    reason = _objection(review, sign_off, people, authors) if told.survives else ""
    if reason:
        return Fate(Survival(told.role, survives=False, reason=reason), sign_off)
    return Fate(told, sign_off)


def _surviving(fates: Iterable[Fate]) -> list[Fate]:
    return [one for one in fates if one.survival.survives and one.sign_off is not None]


def _given(agreed: ScopingDocument, gate: str) -> dict[str, SignOff]:
    """Return the newest sign-off of each role on the approval that stands, if it still stands."""
    review = standing_review(_KIND, agreed.ref, gate)
    if review is None or review.bindings.get("scope") != signed_hash(agreed):
        return {}
    counting = SignOff.objects.counting(review).select_related("signer")
    return {one.role: one for one in counting}


def _objection(
    review: GateReview, sign_off: SignOff | None, people: People, authors: Authors
) -> str:
    if sign_off is None:
        return "No sign-off in this role stands."
    if sign_off.carried_from_id is not None:
        return "It was carried over itself; it takes one that is given in person."
    if sign_off.outcome != SignOff.Outcome.APPROVED:
        return "It was given on conditions, or withheld."
    claim = people.claim(sign_off.signer_id, sign_off.role)
    if claim is None or claim.on_behalf_of is not None or sign_off.on_behalf_of_id is not None:
        return f"{sign_off.printed_name} does not hold the role in person."
    return " ".join(reasons_against(review, claim, people, authors=authors, signed=()))


@dataclass(frozen=True, slots=True)
class _Origin:
    """What a sign-off was given to, in short and as a sentence names it."""

    short: str
    named: str


def _insert(review: GateReview, fate: Fate, origin: _Origin, *, actor: Actor) -> SignOff:
    # Each row takes a version of the review of its own, as a signature does.
    compare_and_swap(review, expected={"status": GateReview.Status.OPEN})
    earlier = fate.sign_off
    if earlier is None:
        raise ValueError("there is nothing to carry over")
    carried = SignOff.objects.create(
        review=review,
        signer=earlier.signer,
        printed_name=earlier.printed_name,
        role=earlier.role,
        outcome=earlier.outcome,
        meaning=f"Carried over from {origin.short}. {fate.survival.reason}"[:300],
        statement=_statement(review, earlier, origin),
        bindings_digest=review.bindings_digest,
        policy_digest=review.policy_version.digest,
        method=METHOD,
        carried_from=earlier,
        signed_at=now(),
        sequence=review.version_lock,
    )
    lineage.link_sign_off(review, carried)
    ledger.append(
        "review.sign_off_carried",
        subject=review.ref,
        actor=actor,
        data={
            "sign_off": carried.ref,
            "from": earlier.ref,
            "role": str(earlier.role),
            "signer": f"user:{earlier.signer_id}",
            "reason": fate.survival.reason,
            "bindings_digest": review.bindings_digest,
        },
    )
    return carried


def _statement(review: GateReview, earlier: SignOff, origin: _Origin) -> str:
    return (
        f"Nobody signed this: {earlier.printed_name}, as {role_words(earlier.role)}, approved "
        f"{origin.named} on {earlier.signed_at:%Y-%m-%d %H:%M} UTC ({earlier.ref}), and the policy "
        f"{review.policy_version} lets that stand for {review.subject_label}."
    )


def _document(ref: str) -> ScopingDocument:
    rows = ScopingDocument.objects.select_related("project")
    return rows.get(pk=primary_key(ref, "scoping_document"))


def _scope_gate(policy: PolicyVersion) -> GateRules | None:
    gates = rules_of(policy).gates.values()
    return next((gate for gate in gates if gate.subject == _KIND), None)
