"""Drafts of policies: written and edited with whatever is wrong in them, so nothing is lost."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from governance.models import Policy, PolicyVersion
from governance.rules.digests import digest_of
from governance.rules.policy_changes import PolicyChanges, changes_between
from governance.services.policy_texts import PlacedProblem, read_text
from ledger import services as ledger
from projects.actors import Actor
from projects.errors import InvalidInput, InvalidTransition, NotPermitted, StaleState
from projects.lifecycle import compare_and_swap

#: The policy that every project works by, and the only one that declares environments.
STANDARD = "standard"
#: Longer than any policy; a text of megabytes would only keep the reader busy.
LONGEST_TEXT = 200_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How a version stands: what is wrong with it, and what it changes against the published."""

    problems: tuple[PlacedProblem, ...]
    former: PolicyVersion | None
    changes: PolicyChanges

    @property
    def is_usable(self) -> bool:
        """Return whether it can be put up for review."""
        return not self.problems


@transaction.atomic
def write_draft(name: str, *, title: str, text: str, actor: Actor, note: str = "") -> PolicyVersion:
    """Write the next version of a policy as a draft; it may be wrong still.

    Raises:
        NotPermitted: code `may_not_write_policies`.
        InvalidInput: code `text_too_long`.
        StaleState: somebody else wrote the next version at the same time.
    """
    require_permission(actor, "add_policyversion", code="may_not_write_policies")
    text = cleaned(text)
    policy, _ = Policy.objects.get_or_create(name=name, defaults={"title": title})
    version = _next_version(policy, text, note, actor=actor)
    if actor.user is not None:
        version.editors.add(actor.user)
    _record("policy.installed", version, actor=actor)
    return version


@transaction.atomic
def edit_draft(
    version: PolicyVersion, *, text: str, actor: Actor, read_version: int, note: str | None = None
) -> PolicyVersion:
    """Replace the text of a draft; who edits it becomes one of its editors for good.

    A review that is open binds the text as it was and goes stale.

    Raises:
        NotPermitted: code `may_not_write_policies`.
        InvalidInput: code `text_too_long`.
        InvalidTransition: code `policy_not_draft`.
        StaleState: somebody saved or published it since `read_version`.
    """
    require_permission(actor, "add_policyversion", code="may_not_write_policies")
    text = cleaned(text)
    require_draft(version)
    version.version_lock = read_version
    compare_and_swap(
        version,
        expected={"status": PolicyVersion.Status.DRAFT},
        text=text,
        digest=digest_of(text),
        note=version.note if note is None else note.strip(),
    )
    if actor.user is not None:
        version.editors.add(actor.user)
    _record("policy.draft_saved", version, actor=actor)
    return version


def standing_of(version: PolicyVersion) -> Standing:
    """Return what is wrong with a version's text and what it changes against the published one."""
    former = former_of(version)
    return standing_of_text(version.policy, version.text, former)


def standing_of_text(policy: Policy | None, text: str, former: PolicyVersion | None) -> Standing:
    """Return how a text would stand as a version of a policy, without saving anything."""
    found = read_text(text.replace("\r\n", "\n"))
    problems = list(found.problems)
    if found.rules is not None and policy is not None and found.rules.name != policy.name:
        problems.append(_other_name(found.rules.name, policy.name, text))
    # What was published before is read openly: a check that it names may be gone since.
    before = read_text(former.text, is_open=True).rules if former is not None else None
    changes = PolicyChanges()
    if found.rules is not None and before is not None:
        changes = changes_between(before, found.rules)
    return Standing(tuple(problems), former, changes)


def former_of(version: PolicyVersion) -> PolicyVersion | None:
    """Return the published version that this one would replace, if there is one."""
    published = version.policy.versions.published().select_related("policy")
    return published.exclude(pk=version.pk).first()


def require_draft(version: PolicyVersion) -> None:
    """Refuse a version that is published, retired or discarded.

    Raises:
        InvalidTransition: code `policy_not_draft`.
    """
    if version.status != PolicyVersion.Status.DRAFT:
        raise InvalidTransition(
            f"{version} is {version.status} and never changes; write the next version.",
            code="policy_not_draft",
            details={"status": str(version.status)},
        )


def require_permission(actor: Actor, permission: str, *, code: str) -> None:
    """Refuse whoever was not granted a permission; setting up an instance needs none."""
    if not is_setup(actor) and not is_permitted(actor, permission):
        raise NotPermitted(
            f"{actor.name} may not do this; an administrator can grant `{permission}`.", code=code
        )


def is_permitted(actor: Actor, permission: str) -> bool:
    """Return whether a person was granted a permission of this app."""
    return actor.user is not None and actor.user.has_perm(f"governance.{permission}")


def is_setup(actor: Actor) -> bool:
    """Return whether the actor is the setting up of an instance."""
    return actor.is_system and actor.name == "setup"


def cleaned(text: str) -> str:
    """Return a text as it is kept.

    Raises:
        InvalidInput: code `text_too_long`.
    """
    # Browsers send lines ended by CR LF; the digest is of the text as it is kept.
    kept = text.replace("\r\n", "\n")
    if len(kept) > LONGEST_TEXT:
        raise InvalidInput(
            f"The text has {len(kept):,} characters; {LONGEST_TEXT:,} at most.",
            code="text_too_long",
        )
    return kept


def _other_name(found: str, wanted: str, text: str) -> PlacedProblem:
    lines = text.splitlines()
    line = next((n for n, one in enumerate(lines, 1) if one.startswith("name:")), 1)
    message = f"the text is of the policy {found!r}, not {wanted!r}"
    return PlacedProblem("name", line, 1, message, f"Write `name: {wanted}`.")


def _record(event: str, version: PolicyVersion, *, actor: Actor) -> None:
    ledger.append(
        event,
        subject=version.ref,
        actor=actor,
        data={
            "policy": version.policy.name,
            "number": version.number,
            "digest": version.digest,
            "problems": len(read_text(version.text).problems),
            "note": ledger.remember_personal_text(version.note) if version.note else None,
        },
    )


def _next_version(policy: Policy, text: str, note: str, *, actor: Actor) -> PolicyVersion:
    newest = policy.versions.order_by("-number").first()
    number = newest.number + 1 if newest else 1
    try:
        with transaction.atomic():
            return PolicyVersion.objects.create(
                policy=policy,
                number=number,
                text=text,
                note=note.strip(),
                digest=digest_of(text),
                created_by=actor.user,
            )
    except IntegrityError as error:
        raise StaleState(f"Somebody else has just written {policy.name} v{number}.") from error
