"""What is said at each door of REST."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from projects.rules.tier import ANSWERS
from tests.access.members import MEMBERS
from tests.access.words import (
    SAID,
    Body,
    backlog_file,
    day,
    file,
    later,
    meeting,
    model,
    override,
    policy_text,
    scope_file,
    signature,
    stand_in,
    text_file,
    waiver,
)
from tests.factories import PASSWORD, scope_content_of
from tests.pipeline.conftest import csv_of, rows_of

if TYPE_CHECKING:
    from tests.access.things import Things

REST: dict[str, Callable[["Things", str], Body]] = {
    # --- questions over REST
    "gate-eligibility": lambda t, u: model(t),
    "gate-review-signing-statement": lambda t, u: {"role": MEMBERS.get(u, "lead")},
    "lineage-trace": lambda t, u: {"model": "term-deposit-calls", "version": 1},
    "may-deploy": lambda t, u: {
        "model": "term-deposit-calls", "version": 1, "environment": "production",
    },
    "work-item-export": lambda t, u: {"project": t.project.pk},
    "review-notice-mark-read": lambda t, u: {},
    # --- projects over REST
    "api-token-list": lambda t, u: {"name": "script", "days": 3},
    "ceremony-list": meeting,
    "deviation-decide": lambda t, u: {"is_accepted": True},
    "deviation-explain": lambda t, u: {"reason": "A crisis.", "is_result_seen": True},
    "project-list": lambda t, u: {"slug": "churn", "name": "Churn", "tier": "low"},
    "project-tier-assessment-decide": lambda t, u: {"is_agreed": True},
    "project-tier-assessments": lambda t, u: {
        "answers": dict(zip(ANSWERS, (4, 4, 1, 1), strict=True)), "reason": "Asked anew.",
    },
    "project-wip-limits": lambda t, u: {"limits": {"doing": {"most": 9, "mode": "warn"}}},
    "scope-template-start": lambda t, u: {"project": t.project.pk},
    "scoping-document-copy": lambda t, u: {"project": t.project.pk},
    "scoping-document-detail": lambda t, u: {"content": scope_content_of()},
    "scoping-document-edit-editorially": lambda t, u: {"fields": {"title": "In other words"}},
    "scoping-document-import-file": lambda t, u: {"project": t.project.pk, "file": scope_file()},
    "scoping-document-list": lambda t, u: {
        "project": t.project.pk, "content": scope_content_of(),
    },
    "scoping-document-metric-thresholds": lambda t, u: {
        "thresholds": {"test_roc_auc": {"threshold": 0.6, "greater_is_better": True}},
    },
    "sprint-capacity": lambda t, u: {"people": [{"person": "sam", "days": 5.0, "points": 8}]},
    "sprint-close": lambda t, u: {"review_notes": "Shown.", "force_reason": "Time is over."},
    "sprint-cancel": lambda t, u: {},
    "sprint-list": lambda t, u: {
        "project": t.project.pk, "name": "Next", "kind": "discovery", "goal": "Learn.",
        "starts_on": day(1), "ends_on": day(10),
    },
    "stakeholder-end": lambda t, u: {"on": day(1)},
    "stakeholder-list": lambda t, u: {
        "project": t.project.pk, "user": "nina", "role": "data_engineer",
    },
    "work-item-attachments": lambda t, u: {"file": text_file()},
    "work-item-comments": lambda t, u: {"body": "I think so."},
    "work-item-conclude": lambda t, u: {
        "outcome": "abandoned", "conclusion": "It cannot be told.",
    },
    "work-item-depend": lambda t, u: {"on": t.pk("other")},
    "work-item-undepend": lambda t, u: {"on": t.pk("other")},
    "work-item-detail": lambda t, u: {"title": "In other words"},
    "work-item-extend": lambda t, u: {"hours": 4, "reason": "Nearly done."},
    "work-item-import-file": lambda t, u: {"project": t.project.pk, "file": backlog_file()},
    "work-item-link-run": lambda t, u: {"run": "r" * 32},
    "work-item-unlink-run": lambda t, u: {"run": "tied"},
    "work-item-list": lambda t, u: {"project": t.project.pk, "kind": "task", "title": "Read it"},
    "work-item-move": lambda t, u: {"to": "review"},
    "work-item-rank": lambda t, u: {"before": t.pk("other")},
    "work-item-schedule": lambda t, u: {"sprint": t.pk("sprint")},
    "work-item-stop": lambda t, u: {"conclusion": "Half of it."},
    "work-item-watch": lambda t, u: {"watching": True},
    # --- governance over REST
    "delegation-list": lambda t, u: {
        "project": t.project.slug, "role": MEMBERS.get(u, "lead"), "delegate": stand_in(u),
        "reason": "Away.", "valid_from": later(20), "valid_to": later(29),
    },
    "evidence-list": lambda t, u: {
        **model(t), "kind": "note", "title": "A note", "data": {"text": "x"},
    },
    "finding-list": lambda t, u: {**model(t), **SAID},
    "finding-plan": lambda t, u: {"owner": "sam", "due_on": day(5)},
    "gate-review-assign": lambda t, u: {"role": "validator", "user": "noa", "note": "Please."},
    "gate-review-due": lambda t, u: {"due_on": day(5), "reason": "Holidays."},
    "gate-review-sign": signature,
    "gate-review-list": lambda t, u: {**model(t), "gate": "validation"},
    "override-list": lambda t, u: {"promotion": t.pk("promotion"), **override(u)},
    "override-confirm": lambda t, u: override(u),
    "policy-replay": lambda t, u: {"version": t.pk("policy-draft")},
    "policy-version-check": lambda t, u: {"text": policy_text(t)},
    "policy-version-detail": lambda t, u: {
        "text": policy_text(t), "version_lock": t.of("policy-draft").version_lock,
    },
    "policy-version-list": lambda t, u: {
        "name": "standard", "title": "x", "text": policy_text(t), "note": "Pilot.",
    },
    "policy-version-publish": lambda t, u: {"password": PASSWORD},
    "policy-version-record-replay": lambda t, u: {"project": t.project.slug},
    "promotion-list": lambda t, u: {
        **model(t), "model_name": "term-deposit-calls", "model_version": 2,
        "environment": "production",
    },
    "waiver-list": lambda t, u: {
        "review": t.pk("review"), "expires_at": later(9), **waiver(u),
    },
    # --- the pipeline
    "dataset-list": lambda t, u: {
        "project": t.project.slug, "name": "new", "target": "y",
        "file": file("calls.csv", csv_of(rows_of(50), ","), "text/csv"),
    },
    "deployment-list": lambda t, u: {
        "slug": "new", "environment": "production", "model": "another",
    },
    "monitor-list": lambda t, u: {"deployment": "calls"},
    "monitor-run": lambda t, u: {
        "window_start": "2009-06-01T00:00:00Z", "window_end": "2009-07-01T00:00:00Z",
    },
    "retraining-policy-list": lambda t, u: {"deployment": "calls"},
}  # fmt: skip
