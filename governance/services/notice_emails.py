"""Sending notices by e-mail: at least once each, a few tries, in the rhythm that people chose."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from smtplib import SMTPException
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F, Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from governance.models import NoticePreference, ReviewNotice
from projects.models import Stakeholder

if TYPE_CHECKING:
    from django.contrib.auth.models import User

log = logging.getLogger(__name__)

BATCH = 200
MOST_ATTEMPTS = 5
#: A failed message waits this long, and a worker that died with one is taken over.
PAUSE = timedelta(minutes=10)
#: Digests go out after this hour, UTC.
DIGEST_HOUR = time(7)

Skipped = ReviewNotice.Skipped
Rhythm = NoticePreference.Rhythm


@dataclass(slots=True)
class Sent:
    """What one round did, in notices."""

    sent: int = 0
    skipped: int = 0
    failed: int = 0


def send_due(now: datetime) -> Sent:
    """Send what is due by e-mail at `now`.

    A row is claimed before its message goes out and marked after, so that a crash in between
    sends it again later rather than never; two workers at once do not send it twice.
    """
    done = Sent()
    for user, rows in _by_person(_due(now)).items():
        kept = _preference(user)
        for group in _messages(user, rows, kept, done):
            _send(user, [row for row in group if _claim(row, now)], done, now)
    return done


def _due(now: datetime) -> QuerySet[ReviewNotice]:
    """Return the oldest rows to be sent; those of a digest only when it is time for it."""
    today = datetime.combine(now.date(), DIGEST_HOUR, tzinfo=now.tzinfo)
    waits = Q(user__notice_preference__rhythm=Rhythm.DAILY)
    if now >= today:
        waits &= Q(user__notice_preference__last_digest_at__gte=today)
    rows = ReviewNotice.objects.to_email().filter(
        Q(email_tried_at__isnull=True) | Q(email_tried_at__lte=now - PAUSE)
    )
    # Not `exclude(waits)`: a person without a preference must stay in.
    unwanted = ReviewNotice.objects.filter(waits).values("pk")
    found = rows.exclude(pk__in=unwanted)
    found = found.select_related("user__notice_preference", "project", "review")
    return found.order_by("pk")[:BATCH]


def _by_person(rows: Iterable[ReviewNotice]) -> dict["User", list[ReviewNotice]]:
    found: dict[User, list[ReviewNotice]] = defaultdict(list)
    for row in rows:
        found[row.user].append(row)
    return found


def _preference(user: "User") -> NoticePreference:
    return getattr(user, "notice_preference", None) or NoticePreference(user=user)


def _messages(
    user: "User", rows: Sequence[ReviewNotice], kept: NoticePreference, done: Sent
) -> list[list[ReviewNotice]]:
    """Return what goes into each message; what must not be sent is marked with the reason."""
    held = Stakeholder.objects.current().filter(user=user, user__is_active=True)
    projects = set(held.values_list("project", flat=True))
    wanted = []
    for row in rows:
        reason = _reason_against(row, user, kept, projects)
        if reason:
            done.skipped += (
                ReviewNotice.objects.to_email().filter(pk=row.pk).update(email_skipped=reason)
            )
        else:
            wanted.append(row)
    if kept.rhythm == Rhythm.DAILY:
        return [wanted] if wanted else []
    return [[row] for row in wanted]


def _reason_against(
    row: ReviewNotice, user: "User", kept: NoticePreference, projects: set[int]
) -> str:
    if row.project_id not in projects:
        return Skipped.LEFT
    if not user.email:
        return Skipped.NO_ADDRESS
    if not kept.wants(row.kind):
        return Skipped.NOT_WANTED
    return ""


def _claim(row: ReviewNotice, now: datetime) -> bool:
    """Take a row for this worker; False if another has it."""
    unclaimed = ReviewNotice.objects.to_email().filter(pk=row.pk, email_attempts=row.email_attempts)
    return bool(unclaimed.update(email_attempts=F("email_attempts") + 1, email_tried_at=now))


def _send(user: "User", rows: Sequence[ReviewNotice], done: Sent, now: datetime) -> None:
    if not rows:
        return
    own = ReviewNotice.objects.to_email().filter(pk__in=[row.pk for row in rows])
    try:
        message_of(user, rows).send()
    except (SMTPException, OSError) as error:
        log.warning("An e-mail with %d notices was not sent: %s", len(rows), error)
        done.failed += len(rows)
        own.filter(email_attempts__gte=MOST_ATTEMPTS).update(email_skipped=Skipped.GAVE_UP)
        return
    done.sent += own.update(emailed_at=timezone.now())
    if len(rows) > 1 or _preference(user).rhythm == Rhythm.DAILY:
        NoticePreference.objects.filter(user=user).update(last_digest_at=now)


def message_of(user: "User", rows: Sequence[ReviewNotice]) -> EmailMultiAlternatives:
    """Return the message that tells of these notices, with one link and no way to decide."""
    subject = _subject(rows)
    context = {
        "notices": rows,
        "link": _link(rows),
        "subject": subject,
        "invitation": _invitation(rows),
    }
    text = render_to_string("governance/email/notices.txt", context)
    message = EmailMultiAlternatives(subject, text, to=[user.email])
    message.attach_alternative(
        render_to_string("governance/email/notices.html", context), "text/html"
    )
    return message


def _link(rows: Sequence[ReviewNotice]) -> str:
    if _are_several(rows):
        return f"{settings.BASE_URL}{reverse('governance:inbox')}"
    role = next((row.role for row in rows if row.role), "")
    address = f"{settings.BASE_URL}{rows[0].address}"
    return f"{address}?role={role}" if role else address


def _are_several(rows: Sequence[ReviewNotice]) -> bool:
    """Return whether they are about more than one thing."""
    return len({row.address for row in rows}) > 1


def _subject(rows: Sequence[ReviewNotice]) -> str:
    if len(rows) > 1:
        return f"Countersign: {len(rows)} notices"
    about = rows[0].review.subject_label if rows[0].review else rows[0].project.name
    words = f"Countersign: {rows[0].get_kind_display()}: {about}"
    # A name may hold line breaks; a header must not.
    return " ".join(words.split())


def _invitation(rows: Sequence[ReviewNotice]) -> str:
    if _are_several(rows):
        return "Open your inbox"
    if rows[0].review is None:
        return "Open the project"
    is_asked = any(row.kind == ReviewNotice.Kind.ASKED for row in rows)
    return "Open the review and sign" if is_asked else "Open the review"
