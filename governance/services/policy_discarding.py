"""Giving a draft of a policy up: the row and its text stay, and nothing happens to it any more."""

from django.db import transaction

from governance.models import GateReview, PolicyVersion
from governance.rules.transitions import POLICY_VERSION_TRANSITIONS
from governance.services import deciding
from governance.services.policy_drafts import is_permitted, require_draft
from governance.services.policy_publishing import author_ids
from governance.services.standing import UNDECIDED
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import NotPermitted
from projects.lifecycle import move


@transaction.atomic
def discard_draft(version: PolicyVersion, *, actor: Actor) -> PolicyVersion:
    """Give a draft up, and withdraw its reviews that are not decided.

    Whoever wrote on it may, and whoever may publish. Its number is never given again.

    Raises:
        NotPermitted: code `may_not_discard_policies`.
        InvalidTransition: code `policy_not_draft`.
        StaleState: somebody edited, published or signed it at the same time.
    """
    if not may_discard(version, actor):
        raise NotPermitted(
            f"{actor.name} may not discard this draft; who wrote on it may, and who may publish.",
            code="may_not_discard_policies",
        )
    require_draft(version)
    move(version, PolicyVersion.Status.DISCARDED, allowed=POLICY_VERSION_TRANSITIONS)
    reason = f"The draft {version} was discarded."
    for review in _undecided(version):
        deciding.withdraw_along(review, actor=actor, reason=reason)
    ledger.append(
        "policy.discarded",
        subject=version.ref,
        actor=actor,
        data={
            "policy": version.policy.name,
            "number": version.number,
            "digest": version.digest,
        },
    )
    return version


def may_discard(version: PolicyVersion, actor: Actor) -> bool:
    """Return whether the actor may give this version up while it is a draft."""
    if is_permitted(actor, "publish_policyversion"):
        return True
    return is_permitted(actor, "add_policyversion") and actor.user_id in author_ids(version)


def _undecided(version: PolicyVersion) -> list[GateReview]:
    rows = GateReview.objects.of_subject("policy_version", version.ref)
    return list(rows.filter(status__in=UNDECIDED).select_related("project"))
