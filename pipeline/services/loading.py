"""Load a deployed model only if a promotion stands and the files are the ones that were signed."""

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from governance.models import Finding, Promotion
from governance.services import findings
from governance.services.findings import NewFinding
from governance.services.standing import why_not_backed
from ledger import services as ledger
from pipeline.gateway.digest import tree_digest, tree_files
from pipeline.ml.problems import DataProblem
from pipeline.models import Deployment, ModelVersion
from pipeline.rules.states import DEPLOYMENT_TRANSITIONS
from pipeline.services import graph
from pipeline.services.scoring import Column, signature_columns
from projects.actors import system
from projects.errors import NotPermitted, StaleState
from projects.lifecycle import move

logger = logging.getLogger(__name__)

SERVING = system("serving")
MISMATCH_TITLE = "Files of a promoted model differ from those that were signed"
#: Name, size, change times and inode of every file: cheap to read at each request.
Fingerprint = tuple[tuple[str, int, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory with the decision that let it in."""

    estimator: Any
    columns: tuple[Column, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Serving:
    """What answers one request: the model, its version and the promotion that stands for it."""

    model: LoadedModel
    version: ModelVersion
    promotion: Promotion


_lock = threading.Lock()
_models: dict[str, LoadedModel] = {}
_digests: dict[Path, tuple[Fingerprint, str]] = {}
_MAX_MODELS = 8


def load(deployment: Deployment) -> Serving:
    """Return the model that may answer for the deployment now.

    The rows behind the decision are read with the deployment; the files are hashed again whenever
    a name, size or time among them changed since they were last hashed.

    Raises:
        NotPermitted: `deployment_stopped`, `promotion_not_standing` or `digest_mismatch`; the
            deployment is marked as refused, and a mismatch opens a finding once.
    """
    promotion, version = _standing(deployment)
    directory = model_directory(version)
    digest = _verified_digest(directory)
    if digest != promotion.files_digest:
        _refuse_files(deployment, promotion, version, digest)
    model = _models.get(digest) or _read(directory, version, digest)
    if deployment.status != Deployment.Status.SERVING:
        _mark_serving(deployment, promotion, version)
    return Serving(model, version, promotion)


def load_version(version: ModelVersion) -> LoadedModel:
    """Return a version's model for comparison, whether or not it may serve.

    Raises:
        NotPermitted: code `digest_mismatch`, the files are not those that were registered.
    """
    directory = model_directory(version)
    digest = _verified_digest(directory)
    if digest != version.files_digest:
        raise NotPermitted(
            f"The files of {version} are not those that were registered.", code="digest_mismatch"
        )
    return _models.get(digest) or _read(directory, version, digest)


def model_directory(version: ModelVersion) -> Path:
    """Return where the version's files lie, never outside the artifact root."""
    root = Path(settings.ARTIFACT_ROOT).resolve()
    path = (root / version.artifact_path).resolve()
    if not path.is_relative_to(root):
        raise NotPermitted(
            f"The files of {version} lie outside the artifact root.", code="files_outside_root"
        )
    return path


def _standing(deployment: Deployment) -> tuple[Promotion, ModelVersion]:
    if deployment.status == Deployment.Status.STOPPED:
        raise NotPermitted(f"{deployment.slug} was stopped.", code="deployment_stopped")
    promotion, version = deployment.promotion, deployment.version
    reason = why_not_standing(promotion)
    if promotion is None or version is None or reason:
        sentence = f"{deployment.slug} serves nothing: {reason or 'no version is promoted.'}"
        if promotion is not None:
            mark_refused(deployment, "promotion_not_standing", sentence)
        raise NotPermitted(sentence, code="promotion_not_standing")
    return promotion, version


def why_not_standing(promotion: Promotion | None) -> str:
    """Return why the promotion does not stand now; an empty text if it does."""
    if promotion is None:
        return "no version is promoted to its environment."
    if promotion.status != Promotion.Status.APPLIED:
        return f"the promotion of {promotion} is {promotion.status}. {promotion.status_reason}"
    return why_not_backed(promotion, timezone.now())


def _fingerprint(directory: Path) -> Fingerprint:
    """Return the stat data of every file; ctime is in it, since mtime can be set back."""
    stats = ((name, file.stat()) for name, file in tree_files(directory))
    return tuple((n, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for n, s in stats)


def _verified_digest(directory: Path) -> str:
    """Return the digest of the files, hashing them only when their stat data moved."""
    try:
        fingerprint = _fingerprint(directory)
        known = _digests.get(directory)
        if known and known[0] == fingerprint:
            return known[1]
        digest = tree_digest(directory)
    except OSError as error:
        logger.warning("The files in %s cannot be read: %s", directory, error)
        return ""
    _digests[directory] = (fingerprint, digest)
    return digest


def _read(directory: Path, version: ModelVersion, digest: str) -> LoadedModel:
    """Read the model into memory; one thread reads, the others wait for it."""
    from pipeline.ml.store import load_model

    with _lock:
        if digest in _models:
            return _models[digest]
        try:
            estimator = load_model(directory)
        except DataProblem as problem:
            raise NotPermitted(
                f"{version} may not be loaded: {problem.message}", code=problem.code
            ) from problem
        # Whoever swaps files between hashing and reading is caught here.
        if tree_digest(directory) != digest:
            raise NotPermitted(
                f"The files of {version} changed while they were read.", code="digest_mismatch"
            )
        if len(_models) >= _MAX_MODELS:
            _models.pop(next(iter(_models)))
        model = LoadedModel(estimator, signature_columns(version.signature), digest)
        _models[digest] = model
        return model


def forget_models() -> None:
    """Drop everything kept in memory."""
    _models.clear()
    _digests.clear()


def _mark_serving(deployment: Deployment, promotion: Promotion, version: ModelVersion) -> None:
    try:
        with transaction.atomic():
            move(
                deployment,
                Deployment.Status.SERVING,
                allowed=DEPLOYMENT_TRANSITIONS,
                status_reason="",
                verified_at=timezone.now(),
            )
            ledger.append(
                "deployment.verified",
                subject=deployment.ref,
                actor=SERVING,
                data={
                    "version": version.ref,
                    "promotion": promotion.ref,
                    "digest": promotion.files_digest,
                },
            )
            graph.record_serving(deployment, promotion, version)
    except StaleState:
        # Another process has just done the same; the decision was read by this one too.
        deployment.refresh_from_db(fields=["status", "status_reason", "version_lock"])


def mark_refused(deployment: Deployment, code: str, sentence: str) -> None:
    """Record that the deployment does not serve, and why; saying it twice records it once."""
    if deployment.status == Deployment.Status.REFUSED and deployment.status_reason == sentence:
        return
    try:
        with transaction.atomic():
            move(
                deployment,
                Deployment.Status.REFUSED,
                allowed=DEPLOYMENT_TRANSITIONS,
                status_reason=sentence,
            )
            ledger.append(
                "deployment.refused", subject=deployment.ref, actor=SERVING, data={"code": code}
            )
    except StaleState:
        deployment.refresh_from_db(fields=["status", "status_reason", "version_lock"])


def _refuse_files(
    deployment: Deployment, promotion: Promotion, version: ModelVersion, digest: str
) -> None:
    found = f"now hash to {digest[:12]}…" if digest else "cannot be read"
    sentence = (
        f"{deployment.slug} refuses to serve {version}: its files {found}, but "
        f"{promotion.files_digest[:12]}… was signed. Restore the files, or review a new version."
    )
    mark_refused(deployment, "digest_mismatch", sentence)
    _open_finding_once(deployment, version, sentence)
    raise NotPermitted(
        sentence,
        code="digest_mismatch",
        details={"signed": promotion.files_digest, "found": digest},
    )


def _open_finding_once(deployment: Deployment, version: ModelVersion, sentence: str) -> None:
    with transaction.atomic():
        same = Finding.objects.unresolved().filter(
            subject_kind="model_version", subject_ref=version.ref, title=MISMATCH_TITLE
        )
        if same.exists():
            return
        findings.open_finding(
            NewFinding(
                project=deployment.project,
                subject_kind="model_version",
                subject_ref=version.ref,
                title=MISMATCH_TITLE,
                description=sentence,
                severity=Finding.Severity.CRITICAL,
                data={"deployment": deployment.slug},
            ),
            actor=SERVING,
        )
