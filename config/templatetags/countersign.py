"""Template tags of the shell: navigation, badges, digests and rendered text."""

from datetime import date
from functools import cache
from typing import Any, NamedTuple

from django import template
from django.template import Context
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.services.inbox import waiting_reviews
from projects import markdown as markdowns
from projects.services.notices import unread_count

register = template.Library()

#: Words that states, outcomes and severities use, by the colour they are shown in.
TONES: dict[str, str] = {
    **dict.fromkeys(
        ["pass", "approved", "applied", "published", "done", "closed", "supported", "succeeded",
         "live", "loaded", "finished", "enforce", "healthy", "granted", "low", "ok", "met"],
        "ok",
    ),
    **dict.fromkeys(
        ["open", "requested", "applying", "submitted", "approved_with_conditions", "waived",
         "changes_requested", "review", "doing", "active", "running", "queued", "warn", "medium",
         "stale", "suspended", "missing", "resolved", "must", "guardrail", "overdue"],
        "warn",
    ),
    **dict.fromkeys(
        ["fail", "failed", "rejected", "error", "mismatch", "critical", "high", "breach",
         "refused", "killed", "bad", "kill"],
        "bad",
    ),
}  # fmt: skip


class Link(NamedTuple):
    """One entry of the main navigation."""

    label: str
    path: str
    staff_only: bool = False
    permission: str = ""
    is_tool: bool = False


LINKS = (
    Link("Inbox", "inbox/"),
    Link("Notices", "notices/"),
    Link("Projects", "projects/"),
    Link("Reviews", "reviews/"),
    Link("Due", "duties/"),
    Link("Models", "lineage/"),
    Link("Deployments", "deployments/"),
    Link(
        "Ledger", "admin/ledger/ledgerentry/", staff_only=True, permission="ledger.view_ledgerentry"
    ),
    Link("Admin", "admin/", staff_only=True),
    Link("API", "api/docs/", is_tool=True),
    Link("MLflow", "mlflow/", is_tool=True),
)


#: What the number beside an entry counts.
COUNT_WORDS = {"inbox/": "waiting for you", "notices/": "not read"}


@cache
def _exists(path: str) -> bool:
    # MLflow is mounted beside Django, where Django's resolver does not see it.
    if path == "mlflow/":
        return True
    try:
        resolve("/" + path)
    except Resolver404:
        return False
    return True


@register.inclusion_tag("countersign/navigation.html", takes_context=True)
def navigation(context: Context) -> dict[str, Any]:
    """Render the main navigation with what waits for the reader and what they have not read."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if request is None or user is None or not user.is_authenticated:
        return {"links": []}
    here = request.path_info.lstrip("/")
    current = _current(here)
    waiting = waiting_reviews(user)
    counts = {"inbox/": len(waiting.ids), "notices/": unread_count(user)}
    late = {"inbox/": waiting.overdue}
    links = [
        {"label": link.label, "url": get_script_prefix() + link.path, "is_tool": link.is_tool,
         "is_current": link is current, "count": counts.get(link.path, 0),
         "late": late.get(link.path, 0),
         "count_words": COUNT_WORDS.get(link.path, "")}
        for link in LINKS
        if _exists(link.path) and _is_for(user, link)
    ]  # fmt: skip
    return {"links": links}


def _is_for(user: Any, link: Link) -> bool:
    if link.staff_only and not user.is_staff:
        return False
    return not link.permission or bool(user.has_perm(link.permission))


def _current(here: str) -> Link | None:
    """Return the entry with the longest path that the address starts with."""
    matching = [link for link in LINKS if here.startswith(link.path)]
    return max(matching, key=lambda link: len(link.path), default=None)


@register.filter
def tone(value: object) -> str:
    """Return `ok`, `warn`, `bad` or `muted` for a state, an outcome or a severity."""
    return TONES.get(str(value).lower(), "muted")


@register.simple_tag
def badge(value: object, label: str = "", colour: str = "") -> SafeString:
    """Show a state as a badge; its words are the state's own unless `label` is given."""
    text = label or str(value).replace("_", " ")
    return format_html('<span class="badge badge--{}">{}</span>', colour or tone(value), text)


@register.simple_tag
def digest(value: str, length: int = 12) -> SafeString:
    """Show a digest short; it opens to the whole value, which one click selects."""
    if not value:
        return format_html('<span class="muted">{}</span>', "none")
    return format_html(
        '<details class="digest"><summary title="{0}"><code>{1}</code></summary>'
        '<code class="digest__whole">{0}</code></details>',
        value,
        value[:length],
    )


@register.simple_tag
def today() -> date:
    """Return the day by which the service decides what is overdue."""
    return timezone.now().date()


@register.filter
def words(value: object) -> str:
    """Show an identifier such as `model_version` as words."""
    return str(value).replace("_", " ")


@register.filter
def plain(value: object) -> str:
    """Show a JSON value as a reader would write it, with at most four significant digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{words(key)}: {plain(item)}" for key, item in value.items())
    return "none" if value is None else str(value)


@register.filter
def markdown(text: str) -> SafeString:
    """Show what somebody wrote as HTML that can do no harm."""
    return markdowns.render(text)


@register.filter
def signed(value: object) -> str:
    """Show a difference with its sign."""
    return f"{value:+.4g}" if isinstance(value, int | float) else plain(value)


@register.filter
def condition(criterion: Any) -> str:
    """Show what a criterion asks of its metric, in words."""
    at_least = "at least" if criterion.greater_is_better else "at most"
    better = "above" if criterion.greater_is_better else "below"
    base = criterion.baseline or "the baseline"
    parts = []
    if criterion.threshold is not None:
        parts.append(f"{at_least} {plain(criterion.threshold)}")
    if criterion.min_absolute_change is not None:
        parts.append(f"{plain(criterion.min_absolute_change)} {better} {base}")
    if criterion.min_relative_change is not None:
        parts.append(f"{criterion.min_relative_change:.1%} {better} {base}")
    if criterion.max_absolute_drop is not None:
        parts.append(f"not worse than {base} by more than {plain(criterion.max_absolute_drop)}")
    if criterion.max_relative_drop is not None:
        parts.append(f"not worse than {base} by more than {criterion.max_relative_drop:.1%}")
    return ", ".join(parts)
