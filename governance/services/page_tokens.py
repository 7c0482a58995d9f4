"""The token of a page that shows what is to be signed: for one person, one decision, one use.

A form that was open too long, that somebody else got hold of, that shows what has changed since or
that was sent before signs nothing.
"""

import secrets
from dataclasses import dataclass

from django.core import signing

from governance.models import GateReview, SignOff
from projects.actors import Actor
from projects.errors import InvalidTransition, RuleViolated

#: How long what was read may wait for the signature.
MAX_AGE_SECONDS = 15 * 60
_SALT = "governance.page-to-sign"


@dataclass(frozen=True, slots=True)
class Page:
    """What a page showed to whom."""

    user: int | None
    review: int
    role: str
    outcome: str
    bindings_digest: str
    difference_digest: str


def issue(page: Page) -> str:
    """Return a new token for a page."""
    return signing.dumps([secrets.token_urlsafe(16), *_plain(page)], salt=_SALT)


def page_of(
    review: GateReview, role: str, outcome: str, difference_digest: str, *, actor: Actor
) -> Page:
    """Return the page as it has to be for this review to be signed now."""
    digest = review.bindings_digest
    return Page(actor.user_id, review.pk, role, outcome, digest, difference_digest)


def redeem(token: str, page: Page) -> str:
    """Return the nonce of a token that was issued for exactly this page and not used yet.

    Call it where signatures of the review come one after the other.

    Raises:
        RuleViolated: code `page_token_invalid`, `page_token_expired` or `subject_changed`.
        InvalidTransition: code `page_token_used`.
    """
    nonce, *shown = _read(token)
    if shown[:-2] != _plain(page)[:-2]:
        raise _invalid("It was made for another person, review, role or decision.")
    if shown != _plain(page):
        raise RuleViolated(
            "The page you signed shows an earlier state; read the review again.",
            code="subject_changed",
            reasons=["What was shown is not what would be signed now."],
        )
    if SignOff.objects.filter(review=page.review, circumstances__nonce=nonce).exists():
        raise InvalidTransition(
            "This form was sent before; each one signs once. Load the page again.",
            code="page_token_used",
        )
    return str(nonce)


def _read(token: str) -> list[object]:
    try:
        found: list[object] = signing.loads(token, salt=_SALT, max_age=MAX_AGE_SECONDS)
    except signing.SignatureExpired as error:
        minutes = MAX_AGE_SECONDS // 60
        raise RuleViolated(
            f"The page was open for longer than {minutes} minutes. Read it again, then sign.",
            code="page_token_expired",
            reasons=[f"A page can be signed for {minutes} minutes."],
        ) from error
    except signing.BadSignature as error:
        raise _invalid("It was not issued here, or it is missing.") from error
    return found


def _invalid(reason: str) -> RuleViolated:
    return RuleViolated(
        "Load the page with what is to be signed, and sign there (in REST: send the `page_token` "
        f"of `signing-statement/`). {reason}",
        code="page_token_invalid",
        reasons=[reason],
    )


def _plain(page: Page) -> list[object]:
    return [
        page.user,
        page.review,
        page.role,
        page.outcome,
        page.bindings_digest,
        page.difference_digest,
    ]
