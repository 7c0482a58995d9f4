"""What is posted at each page."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from projects.rules.tier import ANSWERS
from tests.access.members import MEMBERS
from tests.access.words import (
    Body,
    backlog_file,
    day,
    held,
    number_of,
    override,
    policy_text,
    scope_file,
    signature,
    stand_in,
    text_file,
    waiver,
)
from tests.factories import PASSWORD
from tests.pipeline.conftest import rows_of, split_of

if TYPE_CHECKING:
    from tests.access.things import Things

PAGES: dict[str, Callable[["Things", str], Body]] = {
    # --- pages of projects
    "projects:backlog-add": lambda t, u: {"title": "Read it", "kind": "task"},
    "projects:deviation-decide": lambda t, u: {"decision": "accept"},
    "projects:deviation-explain": lambda t, u: {"reason": "A crisis.", "is_result_seen": "yes"},
    "projects:import": lambda t, u: {"file": backlog_file(), "confirm": "1"},
    "projects:import-scope": lambda t, u: {"file": scope_file(), "confirm": "1"},
    "projects:item-attach": lambda t, u: {"file": text_file()},
    "projects:item-comment": lambda t, u: {"body": "I think so."},
    "projects:item-conclude": lambda t, u: {
        "outcome": "abandoned", "conclusion": "It cannot be told.",
    },
    "projects:item-depend": lambda t, u: {"on": t.pk("other")},
    "projects:item-edit": lambda t, u: {
        "title": "In other words", "version": t.of("item").version_lock,
    },
    "projects:item-extend": lambda t, u: {"hours": "4", "reason": "Nearly done."},
    "projects:item-link-run": lambda t, u: {"run": "r" * 32},
    "projects:item-move": lambda t, u: {"to": "review"},
    "projects:item-new": lambda t, u: {"title": "Read it"},
    "projects:item-schedule": lambda t, u: {"sprint": t.pk("sprint")},
    "projects:item-stop": lambda t, u: {"conclusion": "Half of it."},
    "projects:item-unlink-run": lambda t, u: {"run": "tied"},
    "projects:matrix": lambda t, u: {
        "read_version": t.of("draft").version_lock, "role-0": "lead", "criterion-0": "Cost",
        "weight-0-0": "100",
    },
    "projects:meetings": lambda t, u: {
        **held(t), "kind": "post_research", "output_approaches": "Rules", "output_risks": "Few",
        "output_prototype_date": "Soon.", "decision": "go", "decider": "bruno",
    },
    "projects:planning[capacity]": lambda t, u: {"set_capacity": "1", "days-1": "5"},
    "projects:planning[meeting]": lambda t, u: {**held(t), "output_goal": "Learn."},
    "projects:retrospective": lambda t, u: {
        **held(t), "note_kind": ["keep", "change", "try"], "note_text": ["a", "b", "c"],
        "output_no_actions_because": "All is well.",
    },
    "projects:retro-action": lambda t, u: {"note": "No more."},
    "projects:scope-attach": lambda t, u: {"file": text_file()},
    "projects:scope-words": lambda t, u: {"title": "In other words"},
    "projects:sprint-command": lambda t, u: {
        "review_notes": "Shown.", "force_reason": "Time is over.",
    },
    "projects:sprint-review": lambda t, u: {
        **held(t), "output_shown": "The ranked list.", "decision": "go", "decider": "bruno",
        "demo_dataset": "Calls of November 2010", "feedback_sentiment": "positive",
        "feedback_text": "Good.", "feedback_said_by": "Bruno",
    },
    "projects:tier": lambda t, u: {
        **dict(zip(ANSWERS, (4, 4, 1, 1), strict=True)), "reason": "Asked anew.",
    },
    "projects:tier-decide": lambda t, u: {"decision": "agree"},
    "projects:wip-limits": lambda t, u: {"doing-most": "9", "doing-mode": "warn"},
    # --- pages of governance
    "governance:sign": signature,
    "governance:assign": lambda t, u: {
        "role": "validator", "person": number_of("noa"), "note": "Please.",
    },
    "governance:break-glass": lambda t, u: override(u),
    "governance:check-policy": lambda t, u: {
        "text": policy_text(t), "policy": t.pk("policy"),
    },
    "governance:confirm-override": lambda t, u: override(u),
    "governance:delegate": lambda t, u: {
        "role": MEMBERS.get(u, "lead"), "person": number_of(stand_in(u)),
        "note": "Away.", "days": "5",
    },
    "governance:give-delegation": lambda t, u: {
        "project": t.project.pk, "role": MEMBERS.get(u, "lead"), "person": number_of(stand_in(u)),
        "from_on": day(20), "to_on": day(29), "reason": "Away.",
    },
    "governance:grant-waiver": lambda t, u: {"ends_on": day(9), **waiver(u)},
    "governance:move-due-date": lambda t, u: {"due_on": day(5), "reason": "Holidays."},
    "governance:plan-finding": lambda t, u: {"owner": number_of("sam"), "due_on": day(5)},
    "governance:publish-policy": lambda t, u: {"password": PASSWORD},
    "governance:record-replay": lambda t, u: {"project": t.project.slug},
    "governance:request-policy-review": lambda t, u: {"project": t.project.pk},
    "governance:reviews-of": lambda t, u: {"gate": "experiment_review"},
    "governance:start-check": lambda t, u: {"key": "floor"},
    # --- pages of the pipeline
    "pipeline:invocations": lambda t, u: {"dataframe_split": split_of(rows_of(1))},
    "pipeline:labels": lambda t, u: {"labels": {"who": 1}},
}  # fmt: skip
