"""Compare what MLflow and the disk hold with what was decided, and say so where they differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from governance.models import Environment, Finding, Promotion
from governance.services import findings
from governance.services.findings import NewFinding
from ledger import services as ledger
from pipeline.adapters import registry
from pipeline.gateway.digest import tree_digest
from pipeline.models import Job, ModelVersion, RegisteredModel
from pipeline.services import jobs
from pipeline.services.loading import model_directory
from projects.actors import Actor, system
from projects.models import Project

RECONCILER = system("reconciler")
#: An alias may still point at a version whose approval was suspended: serving refuses it.
STANDING = (Promotion.Status.APPLIED, Promotion.Status.SUSPENDED)


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the registry or the disk does not hold what was decided."""

    project: Project
    subject_ref: str
    title: str
    description: str


def reconcile(*, actor: Actor) -> list[Difference]:
    """Compare all governed models; open a finding for each difference that has none yet.

    Raises:
        Unavailable: MLflow cannot be reached; nothing is concluded then.
    """
    differences = [*alias_differences(), *file_differences()]
    for difference in differences:
        _report(difference, actor=actor)
    return differences


def alias_differences() -> Iterator[Difference]:
    """Yield every alias of an environment that points elsewhere than the decisions say."""
    environments = list(Environment.objects.all())
    expected = _expected_aliases()
    for model in RegisteredModel.objects.filter(is_governed=True).select_related("project"):
        for environment in environments:
            wanted = expected.get((model.name, environment.pk), set())
            found = registry.get_alias(model.name, environment.alias)
            if _moving(model, environment) or found in wanted or (found is None and not wanted):
                continue
            yield _alias_difference(model, environment, wanted, found)


def _expected_aliases() -> dict[tuple[str, int], set[int]]:
    """Return the version that stands for each model and environment: the last one applied."""
    expected: dict[tuple[str, int], set[int]] = {}
    applied = Promotion.objects.filter(status__in=STANDING, applied_at__isnull=False)
    for promotion in applied.order_by("-applied_at", "-pk"):
        key = (promotion.model_name, promotion.environment_id)
        expected.setdefault(key, {promotion.model_version})
    return expected


def _moving(model: RegisteredModel, environment: Environment) -> bool:
    return Promotion.objects.filter(
        model_name=model.name,
        environment=environment,
        status__in=[Promotion.Status.APPLYING, Promotion.Status.RETIRING],
    ).exists()


def _alias_difference(
    model: RegisteredModel, environment: Environment, wanted: set[int], found: int | None
) -> Difference:
    version = ModelVersion.objects.filter(model=model, number__in=[found or 0, *wanted]).first()
    decided = f"version {min(wanted)}" if wanted else "no version"
    holds = f"version {found}" if found is not None else "no version"
    return Difference(
        project=model.project,
        subject_ref=version.ref if version else f"model_version:{model.name}/{found}",
        title=f"Alias {environment.alias} of {model.name} was changed outside of Countersign",
        description=(
            f"MLflow's alias {environment.alias} names {holds}, but {decided} stands promoted to "
            f"{environment}. Set it back, or request a promotion."
        ),
    )


def file_differences() -> Iterator[Difference]:
    """Yield every standing promotion whose files differ from what was signed."""
    standing = Promotion.objects.filter(status=Promotion.Status.APPLIED).select_related("project")
    for promotion in standing:
        version = (
            ModelVersion.objects.select_related("model")
            .filter(model__name=promotion.model_name, number=promotion.model_version)
            .first()
        )
        found = _digest_of(version)
        if version is not None and found != promotion.files_digest:
            yield Difference(
                project=promotion.project,
                subject_ref=version.ref,
                title="Files of a promoted model differ from those that were signed",
                description=(
                    f"{version}: {promotion.files_digest[:12]}… was signed, the files "
                    f"{f'hash to {found[:12]}…' if found else 'cannot be read'}."
                ),
            )


def _digest_of(version: ModelVersion | None) -> str:
    if version is None:
        return ""
    try:
        return tree_digest(model_directory(version))
    except OSError:
        return ""


@transaction.atomic
def _report(difference: Difference, *, actor: Actor) -> None:
    same = Finding.objects.unresolved().filter(
        project=difference.project, subject_ref=difference.subject_ref, title=difference.title
    )
    if same.exists():
        return
    finding = findings.open_finding(
        NewFinding(
            project=difference.project,
            subject_kind="model_version",
            subject_ref=difference.subject_ref,
            title=difference.title,
            description=difference.description,
            severity=Finding.Severity.CRITICAL,
        ),
        actor=RECONCILER,
    )
    ledger.append(
        "registry.reconciled",
        subject=difference.subject_ref,
        actor=actor,
        data={"finding": finding.ref},
    )


def run_reconciliation(job: Job, actor: Actor) -> Mapping[str, Any]:
    """Reconcile as a background job."""
    jobs.step(job, 10, "Comparing aliases and files with the decisions.")
    differences = reconcile(actor=actor)
    return {"differences": [difference.description for difference in differences]}


def reconcile_on_schedule() -> int:
    """Reconcile for the scheduler; return how many differences there are."""
    return len(reconcile(actor=RECONCILER))
