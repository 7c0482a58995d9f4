"""Hard time boxes: they run by the clock from the start of the work, and are extended once.

Going back to an earlier column does not stop the clock, so nobody wins time by moving a card.
"""

from datetime import datetime, timedelta


class NoExtension(ValueError):
    """The time box may not be extended like this; `code` says why in one word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def first_end(started: datetime, hours: int) -> datetime:
    """Return when a box of so many hours ends that starts now."""
    return started + timedelta(hours=hours)


def is_over(ends_at: datetime | None, now: datetime) -> bool:
    """Tell whether a running box has ended; a box that never started has not."""
    return ends_at is not None and ends_at <= now


def extended_end(ends_at: datetime, now: datetime, *, hours: int, allowed_hours: int) -> datetime:
    """Return the new end: the hours count from the old end, or from now if that is over.

    Raises:
        NoExtension: code `extension_too_long`; the extension is longer than the box was.
    """
    if not 1 <= hours <= allowed_hours:
        raise NoExtension(
            "extension_too_long",
            f"An extension takes 1 to {allowed_hours} hours, the length of the time box itself.",
        )
    return max(ends_at, now) + timedelta(hours=hours)


def time_left(ends_at: datetime, now: datetime) -> str:
    """Say how much is left of a box, or how long it is over, in its two largest units."""
    seconds = int(abs((ends_at - now).total_seconds()))
    minutes = seconds // 60
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = [(days, "day"), (hours, "hour"), (rest, "minute")]
    shown = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in parts if count][:2]
    words = " ".join(shown) or "less than a minute"
    return f"{words} left" if ends_at > now else f"over for {words}"
