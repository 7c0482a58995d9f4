"""Telling people about reviews: rows written inside the transaction of the act that they tell of.

Nobody is told of what they did themselves, nor of a project that they have left. The words name
things and people and repeat nothing that anybody wrote.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from django.utils import timezone

from governance.models import (
    GateReview,
    NoticePreference,
    ReviewAssignment,
    ReviewNotice,
    SignOff,
)
from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import Project, Stakeholder
from projects.rules.words import review_words, role_words

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Kind = ReviewNotice.Kind
LONGEST = 300


def tell_asked(assignment: ReviewAssignment, *, actor: Actor) -> None:
    """Tell somebody that their signature is asked for."""
    review = assignment.review
    text = f"You are asked to sign as {role_words(assignment.role)}: {named(review)}."
    _tell(review, Kind.ASKED, [assignment.user_id], text, actor=actor, role=assignment.role)


def tell_changes_requested(sign_off: SignOff, *, actor: Actor) -> None:
    """Tell who asked for the review, and the lead, that a signer wants changes."""
    review = sign_off.review
    text = f"The {role_words(sign_off.role)} asked for changes: {named(review)}."
    _tell(review, Kind.CHANGES, [review.requested_by_id, *_leads(review)], text, actor=actor)


def tell_blocked(review: GateReview, roles: Collection[str], *, actor: Actor) -> None:
    """Tell the lead, who asked for a review and who holds the roles that nobody can sign it."""
    text = f"Nobody independent can sign as {_words(roles)}: {named(review)}. "
    text += "Give somebody else the role."
    told = [review.requested_by_id, *_leads(review), *_holders(review.project_id, roles)]
    _tell(review, Kind.BLOCKED, told, text, actor=actor)


def tell_refused(
    project: Project, subject: str, gate: str, roles: Collection[str], *, actor: Actor
) -> None:
    """Tell the lead, who asked and who holds the roles that a review was refused for want of them.

    The one who asked is told as well: what is missing stays in the inbox until somebody sees to
    it. While it does, asking again tells nobody twice.
    """
    text = _shortened(
        f"Refused, since nobody independent can sign as {_words(roles)}: "
        f"{review_words(gate)} of {subject}. Give somebody else the role."
    )
    wanted = {actor.user_id, *_leads_of(project.pk), *_holders(project.pk, roles)}
    known = ReviewNotice.objects.unread().filter(project=project, review=None, text=text)
    fresh = wanted - {None} - set(known.values_list("user", flat=True))
    ReviewNotice.objects.bulk_create(
        ReviewNotice(project=project, user_id=user, kind=Kind.BLOCKED, text=text)
        for user in _present(project.pk, fresh)
    )


def tell_decided(review: GateReview, *, actor: Actor) -> None:
    """Tell everybody who had a part in it how a review was decided."""
    text = f"{_begun(review)} was {review.get_status_display().lower()}."
    _tell(review, Kind.DECIDED, _concerned(review), text, actor=actor)


def tell_stale(review: GateReview, parts: Collection[str], *, actor: Actor) -> None:
    """Tell everybody who had a part in it that what they looked at has moved."""
    moved = ", ".join(part.replace("_", " ").replace(":", " ") for part in parts)
    text = f"{_begun(review)} went stale, its signatures count no more. Moved: {moved}."
    _tell(review, Kind.STALE, _concerned(review), text, actor=actor)


def tell_overdue(review: GateReview, *, actor: Actor) -> None:
    """Tell the lead, who asked for it and who is asked to sign that a review is late."""
    told = [review.requested_by_id, *_leads(review), *_asked(review)]
    due = f" since {review.due_on:%d %B %Y}" if review.due_on else ""
    _tell(review, Kind.OVERDUE, told, f"{_begun(review)} is overdue{due}.", actor=actor)


def tell_ending(review: GateReview, *, actor: Actor) -> None:
    """Tell everybody who had a part in it that an approval is about to end."""
    ends = f" on {review.expires_at:%d %B %Y}" if review.expires_at else ""
    text = f"The approval ends{ends}: {named(review)}. Ask for it again before that."
    _tell(review, Kind.ENDING, _concerned(review), text, actor=actor)


def tell_ended(review: GateReview, *, actor: Actor) -> None:
    """Tell everybody who had a part in it that an approval was suspended or has run out."""
    text = f"The approval no longer stands, it is {review.status}: {named(review)}."
    _tell(review, Kind.ENDED, _concerned(review), text, actor=actor)


def mark_read(user: "User", numbers: Collection[int] | None = None) -> int:
    """Mark a person's notices as read, all of them or those with the given numbers."""
    unread = ReviewNotice.objects.unread().filter(user=user)
    if numbers is not None:
        unread = unread.filter(pk__in=numbers)
    return unread.update(read_at=timezone.now())


def set_preference(user: "User", *, rhythm: str, muted: Collection[str]) -> NoticePreference:
    """Keep what a person wants by e-mail; it says nothing about what the inbox shows.

    Raises:
        InvalidInput: code `unknown_rhythm` or `unknown_kind`.
    """
    if rhythm not in NoticePreference.Rhythm.values:
        raise InvalidInput(f"{rhythm!r} is no rhythm.", code="unknown_rhythm")
    if unknown := sorted(set(muted) - set(Kind.values)):
        raise InvalidInput(f"{unknown[0]!r} is no kind of notice.", code="unknown_kind")
    kept, _ = NoticePreference.objects.update_or_create(
        user=user, defaults={"rhythm": rhythm, "muted": sorted(set(muted))}
    )
    return kept


def named(review: GateReview) -> str:
    """Return what a review is called in a sentence."""
    return f"{review_words(review.gate)} of {review.subject_label}"


def _begun(review: GateReview) -> str:
    return f"The {named(review)}"


def _words(roles: Collection[str]) -> str:
    return ", ".join(role_words(role) for role in roles)


def _concerned(review: GateReview) -> list[int | None]:
    signers = review.sign_offs.values_list("signer", flat=True)
    return [review.requested_by_id, *_leads(review), *_asked(review), *signers]


def _asked(review: GateReview) -> Iterable[int]:
    return ReviewAssignment.objects.current().filter(review=review).values_list("user", flat=True)


def _leads(review: GateReview) -> Iterable[int]:
    return _leads_of(review.project_id)


def _leads_of(project: int) -> Iterable[int]:
    return _holders(project, [Stakeholder.Role.LEAD])


def _holders(project: int, roles: Collection[str]) -> Iterable[int]:
    held = Stakeholder.objects.current().filter(project=project, role__in=roles)
    return held.values_list("user", flat=True)


def _present(project: int, users: Collection[int | None]) -> list[int]:
    """Return those who are on the project still, in a fixed order."""
    held = Stakeholder.objects.current().filter(
        project=project, user__in=users, user__is_active=True
    )
    return sorted(set(held.values_list("user", flat=True)))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _tell(
    review: GateReview,
    kind: str,
    users: Iterable[int | None],
    text: str,
    *,
    actor: Actor,
    role: str = "",
) -> None:
    wanted = {user for user in users if user is not None and user != actor.user_id}
    if not wanted:
        return
    about = {"project_id": review.project_id, "review": review, "kind": kind, "role": role}
    shown = _shortened(text)
    ReviewNotice.objects.bulk_create(
        ReviewNotice(user_id=user, text=shown, **about)
        for user in _present(review.project_id, wanted)
    )
