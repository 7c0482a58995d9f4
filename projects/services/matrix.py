"""The decision matrix of a scoping document: judged from what it says, and written into drafts."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from projects.actors import Actor
from projects.errors import InvalidInput
from projects.models import DecisionScore, DecisionWeight, ScopingDocument
from projects.rules.decision_matrix import Verdict, grid_of, judge
from projects.services.content import parse
from projects.services.scoping import claim_draft, record_draft_saved

Rows = Sequence[Mapping[str, Any]]


def matrix_of(document: ScopingDocument) -> Verdict:
    """Return the document's decision matrix with its rankings and where they flip."""
    return judge(grid_of(_matrix_rows(document)))


def digest_of(verdict: Verdict) -> str:
    """Return a text that changes whenever a picture of the matrix would."""
    return hashlib.sha256(repr(verdict.grid).encode()).hexdigest()


@transaction.atomic
def write_matrix(
    document: ScopingDocument, *, actor: Actor, weights: Rows, scores: Rows, read_version: int
) -> ScopingDocument:
    """Replace the weights and scores of a draft; everything else in it stays.

    A draft may have gaps: weights that do not add up are saved, and not ranked.

    Raises:
        InvalidInput: code `invalid_scope`, with every wrong field.
        InvalidTransition: code `scope_not_draft`.
        StaleState: somebody saved or submitted the draft since `read_version`.
    """
    document.version_lock = read_version
    claim_draft(document, actor=actor)
    parsed = parse(
        {
            "title": document.title,
            "decision_weights": list(weights),
            "decision_scores": list(scores),
        }
    )
    _require_once(weights, scores)
    for model, name in ((DecisionWeight, "decision_weights"), (DecisionScore, "decision_scores")):
        rows = parsed.children[name]
        for row in rows:
            row.scope = document
        model.objects.filter(scope=document).delete()
        model._default_manager.bulk_create(rows)  # type: ignore[arg-type]
    return record_draft_saved(document, actor=actor)


def _matrix_rows(document: ScopingDocument) -> Mapping[str, Any]:
    """Return the three lists that a matrix is made of; what was submitted is what counts."""
    if document.snapshot is not None:
        return dict(document.snapshot)
    return {
        "approaches": list(document.approaches.values("name", "rank")),
        "decision_weights": list(document.decision_weights.values("role", "criterion", "weight")),
        "decision_scores": list(
            document.decision_scores.values("approach", "criterion", "score", "evidence")
        ),
    }


def _require_once(weights: Rows, scores: Rows) -> None:
    """Refuse two cells for one place, which the database would refuse without naming them."""
    errors = [
        {"field": f"{name}[{number}]", "message": f"{' and '.join(key)} have a value already."}
        for name, rows, keys in (
            ("decision_weights", weights, ("role", "criterion")),
            ("decision_scores", scores, ("approach", "criterion")),
        )
        for number, key in _repeated(rows, keys)
    ]
    if errors:
        said = " ".join(f"{one['field']}: {one['message']}" for one in errors)
        raise InvalidInput(said, code="invalid_scope", details={"errors": errors})


def _repeated(rows: Rows, keys: Sequence[str]) -> list[tuple[int, tuple[str, ...]]]:
    places = [tuple(str(row[key]) for key in keys) for row in rows]
    return [(number, key) for number, key in enumerate(places) if key in places[:number]]
