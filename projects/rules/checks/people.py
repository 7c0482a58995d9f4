"""Rules about who signs, who is accountable, who was asked and when people meet."""

from collections import Counter

from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import Circumstances, Content, listed, number, rows, text
from projects.rules.words import role_words


@rule("sign_off_role_unfilled", "stakeholders")
def _signers(_: Content, around: Circumstances) -> Said:
    for role in around.required_roles:
        if not around.eligible.get(role):
            yield (
                f"Nobody besides the authors holds the role of {role_words(role)}, which "
                f"has to sign at the {around.tier} tier."
            )


def _people_by_activity(content: Content, raci: str) -> Counter[str]:
    return Counter(
        text(row, "activity")
        for row in rows(content, "responsibilities")
        if text(row, "raci") == raci and row.get("person")
    )


def _activities(names: list[str]) -> str:
    return listed(name.replace("_", " ") for name in names)


@rule("raci_not_one_accountable", "responsibilities")
def _accountable(content: Content, around: Circumstances) -> Said:
    people = _people_by_activity(content, "accountable")
    activities = around.policy.lists["activities"]
    if nobody := [name for name in activities if not people[name]]:
        yield f"Name the one person who is accountable for: {_activities(nobody)}."
    if several := [name for name in activities if people[name] > 1]:
        yield f"Only one person can be accountable for: {_activities(several)}."


@rule("raci_nobody_responsible", "responsibilities")
def _responsible(content: Content, around: Circumstances) -> Said:
    people = _people_by_activity(content, "responsible")
    if nobody := [name for name in around.policy.lists["activities"] if not people[name]]:
        yield f"Name somebody who does the work of: {_activities(nobody)}."


@rule("expert_missing", "experts_interviewed", judges_absence=True)
def _expert(content: Content, _: Circumstances) -> Said:
    if not number(content, "experts_interviewed"):
        yield "Interview somebody who does the work today."


@rule("milestone_undecided", "milestones")
def _milestones(content: Content, around: Circumstances) -> Said:
    decided = {
        text(row, "kind")
        for row in rows(content, "milestones")
        if text(row, "planned_on") or text(row, "waived_because")
    }
    if undecided := [name for name in around.policy.lists["milestones"] if name not in decided]:
        yield (
            "Date every milestone meeting, or say why it is left out; missing: "
            f"{_activities(undecided)}."
        )
