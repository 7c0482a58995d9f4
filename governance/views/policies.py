"""A policy version's page: its text with whatever is wrong, what it changes, review, publishing."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from governance import access
from governance.models import GateReview, Policy, PolicyVersion
from governance.rules.differences import LINES, Change, text_rows
from governance.services import policies, policy_discarding, policy_drafts, policy_publishing
from governance.services.reviews import ReviewRequest
from governance.views.base import attempt, page, request_and_show, visible_or_404
from projects import markdown
from projects.actors import Actor
from projects.models import Project

_KIND = GateReview.SubjectKind.POLICY_VERSION
_REQUEST = f"review.request.{_KIND}"


@require_safe
@page
def policy_version(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Show one version: problems, what it loosens, what differs, its reviews, and what is next."""
    version = _version_or_404(actor, pk)
    found = GateReview.objects.visible_to(actor).of_subject(_KIND, version.ref)
    is_draft = version.status == PolicyVersion.Status.DRAFT
    context = {
        "version": version,
        "is_draft": is_draft,
        "editors": version.editors.order_by("username"),
        "reviews": found.select_related("project", "requested_by").order_by("-pk"),
        "projects": _projects_to_ask(actor) if is_draft else [],
        "is_approved": is_draft and policy_publishing.approving_review(version) is not None,
        "is_author": actor.user_id in policy_publishing.author_ids(version),
        "may_publish": policy_drafts.is_permitted(actor, "publish_policyversion"),
        "may_edit": policy_drafts.is_permitted(actor, "add_policyversion"),
        "may_discard": is_draft and policy_discarding.may_discard(version, actor),
        **checked(version.policy, version.text, policy_drafts.former_of(version)),
    }
    return render(request, "governance/policy_version.html", context)


@require_POST
@page
def check_policy(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Check a text that is being written, and save nothing; htmx gets the result alone."""
    policy_drafts.require_permission(actor, "add_policyversion", code="may_not_write_policies")
    text = policy_drafts.cleaned(request.POST.get("text", ""))
    policy = _policy_named(request.POST.get("policy", ""))
    former = policy.versions.published().first() if policy else None
    context = checked(policy, text, former)
    is_part = bool(request.headers.get("HX-Request"))
    template = "_policy_check" if is_part else "policy_check"
    return render(request, f"governance/{template}.html", context)


@require_POST
@page
def request_policy_review(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Put a draft up for review in one of the actor's projects."""
    version = _version_or_404(actor, pk)
    number = request.POST.get("project", "")
    chosen = int(number) if number.isdecimal() else 0
    project = visible_or_404(Project.objects.all(), actor, pk=chosen)
    wanted = ReviewRequest(policy_publishing.GATE, project, _KIND, version.ref)
    return request_and_show(request, actor, wanted, back=_address(version))


@sensitive_post_parameters("password")
@require_POST
@page
def publish_policy(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Publish a draft with the password entered again."""
    version = _version_or_404(actor, pk)
    password = request.POST.get("password", "")
    return attempt(
        request,
        lambda: policies.publish_policy_version(version, actor=actor, password=password),
        done=f"{version} is published; reviews that are open stay on their version.",
        back=_address(version),
    )


@require_POST
@page
def discard_policy(request: HttpRequest, actor: Actor, pk: int) -> HttpResponse:
    """Give a draft up."""
    version = _version_or_404(actor, pk)
    return attempt(
        request,
        lambda: policy_discarding.discard_draft(version, actor=actor),
        done=f"{version} is discarded. Its text stays on record.",
        back=_address(version),
    )


def checked(policy: Policy | None, text: str, former: PolicyVersion | None) -> dict[str, Any]:
    """Return what the pages say of a text: problems, its lines, what it changes."""
    standing = policy_drafts.standing_of_text(policy, text, former)
    wrong: dict[int, list[str]] = {}
    for problem in standing.problems:
        wrong.setdefault(problem.line, []).append(problem.message)
    lines = [
        {"number": number, "text": line, "problems": wrong.get(number, [])}
        for number, line in enumerate(text.splitlines(), 1)
    ]
    rows = text_rows(former.text, text) if former is not None else ()
    changed = [Change("policy_text", "Text", str(former), "this text", rows, LINES)] if rows else []
    return {"standing": standing, "lines": lines, "text_changes": changed}


def _version_or_404(actor: Actor, pk: int) -> PolicyVersion:
    rows = PolicyVersion.objects.select_related("policy", "created_by")
    found: PolicyVersion = visible_or_404(rows, actor, pk=pk)
    return found


def _address(version: PolicyVersion) -> str:
    return reverse("governance:policy-version", args=[version.pk])


def _policy_named(number: str) -> Policy | None:
    return Policy.objects.filter(pk=int(number)).first() if number.isdecimal() else None


def _projects_to_ask(actor: Actor) -> list[Project]:
    mine = Project.objects.visible_to(actor).order_by("name")
    return [one for one in mine if access.can(actor, _REQUEST, one)]


@require_safe
@page
def policy_language(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the page of the documentation that describes the language."""
    text = (Path(settings.BASE_DIR) / "docs" / "policies.md").read_text(encoding="utf-8")
    # The page has a title of its own.
    body = text.partition("\n")[2]
    context = {"language": markdown.render(body)}
    return render(request, "governance/policy_language.html", context)
