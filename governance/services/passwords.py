"""The password that confirms a signature, and the lock after too many wrong ones."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import F, Q
from django.utils.timezone import now

from governance.models import SigningCounter
from projects.errors import NotPermitted

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_FAILURES = 5
WINDOW = timedelta(minutes=15)


def confirm_password(user: "User", password: str) -> None:
    """Check the password once; a try is counted before it is checked, so parallel ones add up.

    Raises:
        NotPermitted: code `signing_locked` after too many wrong ones, else `wrong_password`.
    """
    if not _take_try(user):
        raise NotPermitted(
            f"Signing is locked after {MAX_FAILURES} wrong passwords; wait "
            f"{WINDOW.seconds // 60} minutes.",
            code="signing_locked",
        )
    if not user.check_password(password):
        raise NotPermitted("The password is wrong; nothing was signed.", code="wrong_password")
    SigningCounter.objects.filter(user=user).update(failures=0)


def _take_try(user: "User") -> bool:
    at = now()
    SigningCounter.objects.get_or_create(user=user, defaults={"window_started_at": at})
    counter = SigningCounter.objects.filter(user=user)
    over = Q(failures=0) | Q(window_started_at__lte=at - WINDOW)
    counter.filter(over).update(failures=0, window_started_at=at)
    return counter.filter(failures__lt=MAX_FAILURES).update(failures=F("failures") + 1) == 1
