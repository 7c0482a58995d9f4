"""Environments as they stand: mode, gate, which version serves each model, what was let through."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from governance.models import Environment, GateReview, PolicyVersion, Promotion, SignOff
from governance.services.letting_through import EVENT
from governance.subjects import primary_key
from ledger.models import LedgerEntry
from projects.actors import Actor

_DECLARED = ("environment.declared", "environment.changed")
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Origin:
    """Which policy version set the mode, when, and who had signed that version."""

    version: PolicyVersion
    at: datetime
    signers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passed:
    """One change that a weaker mode let through; its model is told to its project only."""

    at: datetime
    actor: str
    change: str
    mode: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One environment with the versions that stand there, as far as the reader may see them."""

    environment: Environment
    origin: Origin | None
    promotions: tuple[Promotion, ...]
    let_through: int
    last_let_through: datetime | None


def overview(actor: Actor) -> list[Standing]:
    """Return every environment as it stands, in as many queries however many there are."""
    environments = list(Environment.objects.all())
    origins = _origins(environments)
    standing = _standing(actor)
    counted = _let_through(environments)
    return [
        Standing(
            one,
            origins.get(one.ref),
            tuple(standing[one.pk]),
            *counted.get(one.ref, (0, None)),
        )
        for one in environments
    ]


def recently_let_through(environment: Environment, *, actor: Actor) -> list[Passed]:
    """Return the newest changes that were let through; other projects' models stay unnamed."""
    entries = list(
        LedgerEntry.objects.filter(subject=environment.ref, event=EVENT).order_by("-seq")[:SHOWN]
    )
    names = set(
        GateReview.objects.visible_to(actor)
        .filter(model_name__in={one.data.get("model", "") for one in entries})
        .values_list("model_name", flat=True)
    )
    return [_passed(one, names) for one in entries]


def _passed(entry: LedgerEntry, names: set[str]) -> Passed:
    data = entry.data
    is_ours = data.get("model") in names
    change = str(data["change"]) if is_ours else "a model of another project, or never reviewed"
    return Passed(entry.recorded_at, entry.actor_name or entry.actor, change, str(data["mode"]))


def _standing(actor: Actor) -> Mapping[int, list[Promotion]]:
    rows = Promotion.objects.visible_to(actor).filter(status=Promotion.Status.APPLIED)
    found: dict[int, list[Promotion]] = defaultdict(list)
    for one in rows.select_related("project", "review").order_by("model_name"):
        found[one.environment_id].append(one)
    return found


def _let_through(environments: Iterable[Environment]) -> Mapping[str, tuple[int, datetime]]:
    entries = LedgerEntry.objects.filter(event=EVENT, subject__in=[one.ref for one in environments])
    counted = entries.order_by().values_list("subject")
    rows = counted.annotate(times=Count("pk"), last=Max("recorded_at"))
    return {subject: (times, last) for subject, times, last in rows}


def _origins(environments: Iterable[Environment]) -> Mapping[str, Origin]:
    """Return by environment which policy version gave it the mode that it has."""
    setting: dict[str, LedgerEntry] = {}
    refs = [one.ref for one in environments]
    entries = LedgerEntry.objects.filter(event__in=_DECLARED, subject__in=refs)
    for entry in entries.order_by("seq"):
        if entry.subject not in setting or _changes_mode(entry.data):
            setting[entry.subject] = entry
    versions = _versions(setting.values())
    signers = _signers(versions.values())
    return {
        subject: Origin(version, entry.recorded_at, signers.get(version.ref, ()))
        for subject, entry in setting.items()
        if (version := versions.get(str(entry.data.get("policy_version")))) is not None
    }


def _changes_mode(data: Mapping[str, Any]) -> bool:
    return bool(data.get("from", {}).get("mode") != data["to"]["mode"])


def _versions(entries: Iterable[LedgerEntry]) -> Mapping[str, PolicyVersion]:
    refs = {str(one.data["policy_version"]) for one in entries if one.data.get("policy_version")}
    keys = [primary_key(ref, "policy_version") for ref in refs]
    found = PolicyVersion.objects.filter(pk__in=keys).select_related("policy")
    return {one.ref: one for one in found}


def _signers(versions: Iterable[PolicyVersion]) -> Mapping[str, tuple[str, ...]]:
    """Return who approved each version at the gate for policies; nobody for the first ones."""
    signed = SignOff.objects.filter(
        review__subject_kind="policy_version",
        review__subject_ref__in=[one.ref for one in versions],
        review__decided_at__isnull=False,
        outcome__in=[SignOff.Outcome.APPROVED, SignOff.Outcome.APPROVED_WITH_CONDITIONS],
    )
    found: dict[str, list[str]] = defaultdict(list)
    for ref, name, role in signed.order_by("signed_at").values_list(
        "review__subject_ref", "printed_name", "role"
    ):
        found[ref].append(f"{name} ({role.replace('_', ' ')})")
    return {ref: tuple(names) for ref, names in found.items()}
