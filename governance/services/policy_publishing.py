"""Publishing a policy version: gated, signed for, and never by who wrote it."""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from governance.models import Environment, GateReview, PolicyVersion
from governance.rules.digests import digest_of
from governance.rules.policy import TIERS, EnvironmentRules, PolicyRules
from governance.rules.transitions import POLICY_VERSION_TRANSITIONS
from governance.services.denials import Attempt, refusals_recorded
from governance.services.passwords import confirm_password
from governance.services.policy_drafts import (
    STANDARD,
    former_of,
    is_setup,
    require_draft,
    require_permission,
    standing_of,
    write_draft,
)
from governance.services.policy_texts import parse_text
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import NotPermitted, RuleViolated
from projects.lifecycle import move

GATE = "policy"
STRICTEST = TIERS[-1]


def publish_policy_version(
    version: PolicyVersion, *, actor: Actor, password: str = ""
) -> PolicyVersion:
    """Publish a draft; the version before is retired, open reviews stay on theirs.

    The text must have passed the gate for policies as it stands, in a review that still stands,
    at the strictest tier if it loosens anything. Whoever wrote on it never publishes it.

    Raises:
        NotPermitted: code `may_not_publish_policies`, `author_cannot_publish`,
            `publishing_needs_session`, `wrong_password` or `signing_locked`.
        InvalidTransition: code `policy_not_draft`.
        InvalidInput: code `invalid_policy`.
        RuleViolated: code `policy_not_approved`.
        StaleState: somebody edited or published it at the same time.
    """
    attempt = Attempt("policy.publish", version.ref)
    with refusals_recorded(attempt, actor=actor):
        require_permission(actor, "publish_policyversion", code="may_not_publish_policies")
        require_draft(version)
        rules = parse_text(version.text)
        review = None
        if not _is_first_setup(version, actor):
            _require_other_hands(version, actor)
            review = _require_approval(version)
            _confirm(actor, password)
        return _publish(version, rules, review, actor=actor)


def approving_review(version: PolicyVersion) -> GateReview | None:
    """Return the newest review that approved exactly this text and whose time is not over."""
    approved = GateReview.objects.of_subject("policy_version", version.ref).filter(
        gate=GATE,
        status=GateReview.Status.APPROVED,
        bindings__policy_text=digest_of(version.text),
    )
    return approved.exclude(expires_at__lte=now()).order_by("-decided_at", "-pk").first()


def author_ids(version: PolicyVersion) -> frozenset[int]:
    """Return everybody who wrote on a version; none of them may sign it or publish it."""
    editors = version.editors.values_list("pk", flat=True)
    return frozenset(pk for pk in (version.created_by_id, *editors) if pk is not None)


@transaction.atomic
def load_standard_policies(*, actor: Actor) -> list[PolicyVersion]:
    """Write and publish each policy of `POLICY_DIR` that has no version yet."""
    loaded = []
    for file in sorted(Path(settings.POLICY_DIR).glob("*.yaml")):
        name = file.stem
        if PolicyVersion.objects.filter(policy__name=name).exists():
            continue
        text = file.read_text(encoding="utf-8")
        version = write_draft(name, title=parse_text(text).title, text=text, actor=actor)
        loaded.append(publish_policy_version(version, actor=actor))
    return loaded


@transaction.atomic
def _publish(
    version: PolicyVersion, rules: PolicyRules, review: GateReview | None, *, actor: Actor
) -> PolicyVersion:
    former = former_of(version)
    if former is not None:
        move(former, PolicyVersion.Status.RETIRED, allowed=POLICY_VERSION_TRANSITIONS)
        ledger.append("policy.retired", subject=former.ref, actor=actor)
    move(
        version,
        PolicyVersion.Status.PUBLISHED,
        allowed=POLICY_VERSION_TRANSITIONS,
        published_at=now(),
    )
    if version.policy.name == STANDARD:
        for declared in rules.environments:
            _declare(declared, version, actor=actor)
    ledger.append(
        "policy.published",
        subject=version.ref,
        actor=actor,
        data={
            "policy": version.policy.name,
            "number": version.number,
            "digest": version.digest,
            "replaces": former.ref if former else None,
            "review": review.ref if review else None,
        },
    )
    return version


def _is_first_setup(version: PolicyVersion, actor: Actor) -> bool:
    """Return whether an instance is being set up: there is no gate yet to pass."""
    return is_setup(actor) and former_of(version) is None


def _require_other_hands(version: PolicyVersion, actor: Actor) -> None:
    if actor.user_id is None or actor.user_id in author_ids(version):
        raise NotPermitted(
            "Who wrote on a policy version may not publish it; somebody else has to.",
            code="author_cannot_publish",
        )


def _require_approval(version: PolicyVersion) -> GateReview:
    """Return the review that lets a version be published."""
    review = approving_review(version)
    if review is None:
        reason = f"No review that stands approved {version} with the text as it is now."
        raise RuleViolated(
            f"{version} has not passed the gate for policies; request its review first.",
            code="policy_not_approved",
            reasons=[reason],
        )
    # Another version may have been published since the review: what it loosens is asked anew.
    looser = standing_of(version).changes.looser
    if looser and review.tier != STRICTEST:
        raise RuleViolated(
            f"{version} loosens what holds now, and was reviewed at {review.tier} risk; have it "
            f"reviewed at {STRICTEST} risk.",
            code="policy_not_approved",
            reasons=list(looser),
        )
    return review


def _confirm(actor: Actor, password: str) -> None:
    if actor.method != "session" or actor.user is None:
        raise NotPermitted(
            "Publishing takes a browser session and a password; a token may not publish.",
            code="publishing_needs_session",
        )
    confirm_password(actor.user, password)


def _declare(declared: EnvironmentRules, version: PolicyVersion, *, actor: Actor) -> None:
    """Create or change an environment; a weaker mode is thereby a signed policy change."""
    values = {
        "alias": declared.alias,
        "gate": declared.gate,
        "mode": declared.mode,
        "rank": declared.rank,
    }
    environment = Environment.objects.filter(name=declared.name).first()
    was: dict[str, str | int] = {}
    if environment is None:
        environment = Environment.objects.create(name=declared.name, **values)
        event = "environment.declared"
    else:
        was = {key: getattr(environment, key) for key in values}
        if was == values:
            return
        Environment.objects.declare(declared.name, **values)
        event = "environment.changed"
    ledger.append(
        event,
        subject=environment.ref,
        actor=actor,
        data={"from": was, "to": values, "policy_version": version.ref},
    )
