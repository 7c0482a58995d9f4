"""Who could sign a review, who may, and whose sign-offs count."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.timezone import now

from governance.models import Delegation, GateReview, SignOff
from governance.rules.policy import GateRules
from governance.rules.quorum import BLOCKING, Vote, judge_quorum
from governance.rules.separation import Refusal, SigningFacts, judge
from governance.services.binding import stored_authors
from governance.services.evaluating import quorum_rule, rules_for
from projects.models import Project, Stakeholder

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Authors = Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Claim:
    """A person's right to sign in a role: their own, or passed on by its holder."""

    user: "User"
    role: str
    on_behalf_of: "User | None" = None


@dataclass(frozen=True)
class Eligibility:
    """Whether a person may sign in a role, which rules refuse it, and whether they have signed."""

    user: "User"
    role: str
    may_sign: bool
    refusals: list[Refusal]
    signed: bool
    on_behalf_of: "User | None" = None
    is_asked: bool = True

    @property
    def reasons(self) -> list[str]:
        """Return the sentences of the rules that refuse."""
        return _sentences(self.refusals)


@dataclass(frozen=True)
class People:
    """Roles and live delegations on a project at one moment.

    `lines` are the departments that people answer to, of those who left the project as well. Of
    delegations that were narrowed to a gate only those of `gate` give anybody a right.
    """

    users: Mapping[int, "User"]
    roles: Mapping[int, frozenset[str]]
    delegations: Sequence[Delegation]
    lines: Mapping[int, frozenset[str]]
    gate: str = ""

    def at(self, gate: str) -> "People":
        """Return the same people, asked for their rights at one gate."""
        return replace(self, gate=gate)

    def claims(self, role: str) -> list[Claim]:
        """Return everybody who could sign in the role, holders first."""
        holders = [Claim(self.users[who], role) for who, held in self.roles.items() if role in held]
        own = {claim.user.pk for claim in holders}
        passed_on = [
            Claim(one.delegate, role, one.holder)
            for one in self.delegations
            if one.role == role and one.counts_at(self.gate) and one.delegate_id not in own
        ]
        return [*holders, *passed_on]

    def claim(self, user_id: int | None, role: str) -> Claim | None:
        """Return the right of one person to sign in the role, if they have it."""
        return next((one for one in self.claims(role) if one.user.pk == user_id), None)

    def delegators_of(self, user_id: int) -> frozenset[int]:
        """Return who has passed a right on to a person, in whichever role and at any gate."""
        return frozenset(one.holder_id for one in self.delegations if one.delegate_id == user_id)

    def delegation_ref(self, claim: Claim) -> str:
        """Return the delegation that a claim rests on, if it rests on one."""
        if claim.on_behalf_of is None:
            return ""
        wanted = (claim.role, claim.on_behalf_of.pk, claim.user.pk)
        here = (one for one in self.delegations if one.counts_at(self.gate))
        found = (d for d in here if (d.role, d.holder_id, d.delegate_id) == wanted)
        return next(found).ref


def people_of(project: Project) -> People:
    """Return who holds which role today, and the delegations that hold now.

    A delegation counts while its holder still holds the role, and only for people on the project.
    """
    at = now()
    users: dict[int, User] = {}
    roles: dict[int, frozenset[str]] = {}
    lines: dict[int, frozenset[str]] = {}
    rows = Stakeholder.objects.filter(project=project).select_related("user")
    for row in rows.order_by("user__username", "pk"):
        if row.reporting_line:
            lines[row.user_id] = lines.get(row.user_id, frozenset()) | {row.reporting_line}
        if row.user.is_active and row.is_valid_on(at.date()):
            users[row.user_id] = row.user
            roles[row.user_id] = roles.get(row.user_id, frozenset()) | {row.role}
    live = Delegation.objects.live(at).filter(project=project)
    standing = [
        one
        for one in live.select_related("holder", "delegate")
        if one.role in roles.get(one.holder_id, frozenset()) and one.delegate_id in roles
    ]
    return People(users, roles, standing, lines)


def people_at(review: GateReview) -> People:
    """Return who holds which role today, asked for their rights at the gate of a review."""
    return people_of(review.project).at(review.gate)


def refusals_against(
    review: GateReview, claim: Claim, people: People, *, authors: Authors, signed: Iterable[SignOff]
) -> list[Refusal]:
    """Return the rules that refuse the person behind a claim; empty when they may sign."""
    holder = claim.on_behalf_of.pk if claim.on_behalf_of else None
    facts = SigningFacts(
        person=claim.user.pk,
        role=claim.role,
        tier=review.tier,
        requester=review.requested_by_id,
        authors=authors,
        on_behalf_of=holder,
        held_roles=people.roles.get(claim.user.pk, frozenset()),
        holder_roles=people.roles.get(holder, frozenset()) if holder else frozenset(),
        signed_roles=frozenset(one.role for one in signed if one.signer_id == claim.user.pk),
        delegators=people.delegators_of(claim.user.pk),
        lines=people.lines,
        traces=_traces(review),
    )
    return judge(facts, rules_for(review).separation_at(review.tier))


def reasons_against(
    review: GateReview, claim: Claim, people: People, *, authors: Authors, signed: Iterable[SignOff]
) -> list[str]:
    """Return why the person behind a claim may not sign the review; empty when they may."""
    return _sentences(refusals_against(review, claim, people, authors=authors, signed=signed))


def eligibility(review: GateReview) -> list[Eligibility]:
    """Return everybody whom the gate's roles could ask, with what speaks against each.

    Computed from the authors copied into the review; signing asks the subject afresh.
    """
    people = people_at(review)
    authors = stored_authors(review)
    signed = list(SignOff.objects.counting(review)) if review.pk else []
    found = []
    for role in quorum_rule(review).roles:
        for claim in people.claims(role):
            has_signed = any(one.signer_id == claim.user.pk and one.role == role for one in signed)
            refusals = refusals_against(review, claim, people, authors=authors, signed=signed)
            found.append(
                Eligibility(
                    user=claim.user,
                    role=role,
                    may_sign=not refusals and review.status == GateReview.Status.OPEN,
                    refusals=refusals,
                    signed=has_signed,
                    on_behalf_of=claim.on_behalf_of,
                )
            )
    return found


def counted_sign_offs(review: GateReview, *, authors: Authors) -> list[SignOff]:
    """Return the sign-offs that count now: same bindings, right still held, still independent.

    People lose roles and others turn out to be authors after they signed, so both are asked
    again whenever the review may be decided. That takes approvals away and never a block: who
    asked for changes is not silenced by losing the role.
    """
    people = people_at(review)
    found = list(SignOff.objects.counting(review).select_related("signer", "on_behalf_of"))
    counted: list[SignOff] = []
    for one in found:
        if one.outcome in BLOCKING:
            counted.append(one)
            continue
        claim = people.claim(one.signer_id, one.role)
        if claim is None:
            continue
        others = [other for other in counted if other.signer_id == one.signer_id]
        if not reasons_against(review, claim, people, authors=authors, signed=others):
            counted.append(one)
    return counted


def signers_among_authors(review: GateReview, authors: Authors) -> list[str]:
    """Return what speaks against the signers of a decided review, going by the authors of now.

    Of roles those count that were held when signing: who held one then has signed for good.
    """
    named = rules_for(review).separation_at(review.tier)
    lines = people_at(review).lines
    found = []
    for one in SignOff.objects.counting(review):
        facts = SigningFacts(
            person=one.signer_id,
            role=one.role,
            tier=review.tier,
            requester=review.requested_by_id,
            authors=authors,
            on_behalf_of=one.on_behalf_of_id,
            held_roles=frozenset(one.circumstances.get("held_roles", ())),
            holder_roles=frozenset(one.circumstances.get("holder_roles", ())),
            lines=lines,
        )
        reasons = _sentences(judge(facts, named))
        found += [f"{one.printed_name}: {reason}" for reason in reasons]
    return found


def roles_without_signer(
    review: GateReview, gate: GateRules, *, authors: Authors, people: People | None = None
) -> list[str]:
    """Return what could never be signed as things stand: roles that nobody independent holds.

    At a tier that the gate does not cover no role is asked; that it does not is said elsewhere.
    """
    people = people or people_at(review)
    rule = gate.sign_offs.get(review.tier)
    if rule is None:
        return []
    votes = [
        Vote(claim.user.pk, role, "approved")
        for role in rule.roles
        for claim in people.claims(role)
        if not reasons_against(review, claim, people, authors=authors, signed=())
    ]
    state = judge_quorum(rule, votes, tier=review.tier)
    if state.missing_people and not state.missing_roles:
        return [f"{state.missing_people} more independent people in {', '.join(rule.roles)}"]
    return list(state.missing_roles)


def _traces(review: GateReview) -> dict[str, str]:
    traces: dict[str, str] = dict(review.facts.get("traces") or {})
    traces.setdefault("request", f"requested the review on {review.requested_at:%Y-%m-%d}")
    traces.setdefault("evidence", f"evidence about {review.subject_ref}")
    return traces


def _sentences(refusals: Iterable[Refusal]) -> list[str]:
    return list(dict.fromkeys(refusal.sentence for refusal in refusals))
