"""What a check gets to see and what it answers, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: The binding that tells what each kind of subject is.
_SUBJECT_PARTS = {
    "scoping_document": "scope",
    "dataset_version": "dataset",
    "sprint": "sprint",
    "model_version": "model_files",
    "policy_version": "policy_text",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a compared fact was read: a reference, and the digest it had then."""

    ref: str
    digest: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The outcome of one check; `part` tells several outcomes of one requirement apart."""

    outcome: str
    message: str
    compared: Mapping[str, Any] = field(default_factory=dict)
    source: tuple[Source, ...] = ()
    part: str = ""
    title: str = ""
    is_blocking: bool = True


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """One piece of evidence about the subject; `produced_by` is None for parts of the system."""

    kind: str
    title: str
    produced_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    ref: str = ""
    digest: str = ""
    produced_by: int | None = None

    @property
    def source(self) -> Source:
        return Source(self.ref, self.digest, self.title)


@dataclass(frozen=True, slots=True)
class FindingFact:
    """One finding about the subject that is not closed."""

    title: str
    severity: str
    status: str
    ref: str = ""

    @property
    def source(self) -> Source:
        return Source(self.ref, label=self.title)


@dataclass(frozen=True, slots=True)
class DatasetFact:
    """A dataset that the subject was made from, and whether its own review stands."""

    ref: str
    label: str
    is_approved: bool
    reason: str = ""
    review_ref: str = ""


@dataclass(frozen=True, slots=True)
class ScopeFact:
    """The approved scope as it was submitted, and when its criteria were locked."""

    label: str
    content: Mapping[str, Any]
    locked_at: datetime | None
    ref: str = ""
    digest: str = ""

    @property
    def source(self) -> Source:
        return Source(self.ref, self.digest, self.label)


@dataclass(frozen=True, slots=True)
class ApprovalFact:
    """An approval of the same subject at another gate that has not ended, and what it bound."""

    gate: str
    ref: str
    bound: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PromiseFact:
    """A condition of an earlier sign-off that was not met and stands before this gate."""

    ref: str
    text: str
    review_ref: str


@dataclass(frozen=True, slots=True)
class WaiverFact:
    """A live waiver on a requirement of the subject, at this gate or another."""

    ref: str
    requirement: str


@dataclass(frozen=True, slots=True)
class WorkFact:
    """The newest run of a check that takes work, and the bindings that it holds for."""

    ref: str
    status: str
    message: str
    bindings_digest: str
    params: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckContext:
    """Everything a check may look at; `bound` is what the review binds, `bindings` what is now.

    `key` is the requirement that is judged. `champion_metrics` are the champion's as they were
    when it was approved. `evidence_ages` are the days that the policy gives each kind of evidence.
    """

    now: datetime
    gate: str
    subject_kind: str
    subject_ref: str = ""
    key: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    bindings: Mapping[str, str] = field(default_factory=dict)
    bound: Mapping[str, str] = field(default_factory=dict)
    bindings_digest: str = ""
    authors: Mapping[str, frozenset[int]] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    evidence: tuple[EvidenceFact, ...] = ()
    evidence_ages: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[FindingFact, ...] = ()
    datasets: tuple[DatasetFact, ...] = ()
    scope: ScopeFact | None = None
    champion: str = ""
    champion_version: int | None = None
    champion_metrics: Mapping[str, float] | None = None
    champion_ref: str = ""
    sprints_ended: int | None = None
    approvals: Mapping[str, ApprovalFact] = field(default_factory=dict)
    promises: tuple[PromiseFact, ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    work: Mapping[str, WorkFact] = field(default_factory=dict)

    @property
    def subject(self) -> Source:
        """Return the subject as a place where facts were read."""
        digest = self.bindings.get(_SUBJECT_PARTS.get(self.subject_kind, ""), "")
        return Source(self.subject_ref, digest)

    @property
    def run(self) -> Source:
        """Return the training run as a place where facts were read; the subject if it has none."""
        run_id = self.attributes.get("run_id")
        return Source(f"run:{run_id}", self.bindings.get("run", "")) if run_id else self.subject

    def newest_evidence(self, *kinds: str) -> EvidenceFact | None:
        """Return the newest evidence of some kinds."""
        found = [one for one in self.evidence if one.kind in kinds]
        return max(found, key=lambda one: one.produced_at, default=None)


def passed(message: str, *source: Source, **compared: Any) -> CheckOutcome:
    """Return the outcome `pass`, with what was compared and where it was read."""
    return CheckOutcome("pass", message, compared, source)


def failed(message: str, *source: Source, **compared: Any) -> CheckOutcome:
    """Return the outcome `fail`, with what was compared and where it was read."""
    return CheckOutcome("fail", message, compared, source)


def missing(message: str, *source: Source, **compared: Any) -> CheckOutcome:
    """Return the outcome `missing`: there is nothing to judge, which is never a pass."""
    return CheckOutcome("missing", message, compared, source)


def stale(message: str, *source: Source, **compared: Any) -> CheckOutcome:
    """Return the outcome `stale`: what there is was made before something it speaks of changed."""
    return CheckOutcome("stale", message, compared, source)
