"""Stand-ins for the subjects that the layer above plugs in."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from governance.subjects import SubjectFacts
from projects.actors import Actor, person
from projects.errors import NotFound
from projects.models import Project

MODEL = "model_version:7"
DATASET = "dataset_version:3"
GOOD_METRICS = {
    "test_roc_auc": 0.79,
    "test_lift_top_decile": 3.4,
    "latency_p95_ms": 40.0,
    "test_calibration_error": 0.05,
}
DATASHEET = {
    "motivation": "To order calls.",
    "composition": "Calls of a bank.",
    "collection": "By the bank.",
    "preprocessing": "None.",
    "uses": "Research.",
    "distribution": "CC BY 4.0.",
    "maintenance": "Closed.",
    "columns": {"duration": {"known_at_prediction": False}, "age": {"known_at_prediction": True}},
}


def sha(letter: str) -> str:
    """Return something that looks like a digest."""
    return letter * 64


@dataclass
class Subjects:
    """The world outside governance: facts by reference, changed by tests."""

    facts: dict[str, SubjectFacts] = field(default_factory=dict)
    error: Exception | None = None

    def change(self, ref: str, **changes: Any) -> None:
        """Change facts of a subject; mappings are merged into what is there."""
        old = self.facts[ref]
        merged = {
            name: {**getattr(old, name), **value} if isinstance(value, dict) else value
            for name, value in changes.items()
        }
        self.facts[ref] = replace(old, **merged)


WORLD = Subjects()


class FakeResolver:
    """Resolver of the tests; reads what the running test has set up."""

    def resolve(self, ref: str) -> SubjectFacts:
        if WORLD.error is not None:
            raise WORLD.error
        if ref not in WORLD.facts:
            raise NotFound("There is no such thing.", code="no_such_subject")
        return WORLD.facts[ref]

    def project_of(self, ref: str) -> Project | None:
        return self.resolve(ref).project


def model_facts(project: Project, author: int, scope_hash: str) -> SubjectFacts:
    """Return the facts of a model version that meets every requirement of the standard policy."""
    return SubjectFacts(
        label="term-deposit-calls v1",
        project=project,
        bindings={
            "model_files": sha("a"),
            "run": sha("b"),
            "dataset:train": sha("c"),
            "scope": scope_hash,
        },
        metrics=dict(GOOD_METRICS),
        attributes={
            "run_id": "r1",
            "run_status": "FINISHED",
            "run_started_at": timezone.now().isoformat(),
            "commit": "f" * 40,
            "commit_dirty": False,
            "signature": True,
            "format_problem": "",
            "dataset_refs": [DATASET],
            "model_name": "term-deposit-calls",
            "model_number": 1,
        },
        authors={"run": frozenset({author}), "registration": frozenset({author})},
    )


def dataset_facts(project: Project, author: int) -> SubjectFacts:
    """Return the facts of a dataset version that may pass its gate."""
    return SubjectFacts(
        label="bank-marketing v1",
        project=project,
        bindings={"dataset": sha("c"), "datasheet": sha("d")},
        attributes={"datasheet": DATASHEET, "leaks": ["duration"], "columns": [], "target": "y"},
        authors={"dataset": frozenset({author})},
    )


def acting(user: User, method: str = "session") -> Actor:
    """Return the actor of a user who came through a door."""
    return person(user, method=method)
