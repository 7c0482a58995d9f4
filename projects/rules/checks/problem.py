"""Rules about the problem, its users and what a prediction changes."""

import re

from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import Circumstances, Content, amount, listed, rows, text

#: Texts that have to say something, besides those about use.
PROSE = (
    "problem_statement",
    "current_process",
    "decision_informed",
    "action_on_output",
    "why_ml",
    "simplest_alternative",
    "error_cost_basis",
    "benefit_basis",
    "fallback",
    "rollback",
    "retraining_policy",
)
USES = ("intended_use", "out_of_scope_use", "foreseeable_misuse")
#: Has a least length of its own.
_MEASURED_APART = "problem_statement"
_NOTHING = re.compile(r"^(nothing|none|not at all|it is not done)\b", re.IGNORECASE)


@rule("text_is_placeholder", "problem_statement", judges_absence=True)
def _placeholder(content: Content, around: Circumstances) -> Said:
    for name in (*PROSE, *USES):
        if text(content, name).lower().strip(" .!") in around.policy.lists["placeholders"]:
            yield name, f"“{text(content, name)}” holds the place of a text; write the text."


@rule("text_short", "problem_statement", judges_absence=True)
def _short(content: Content, around: Circumstances) -> Said:
    least = int(around.policy.limit("short_text_chars"))
    for name in PROSE:
        length = len(text(content, name))
        if name != _MEASURED_APART and 0 < length < least:
            yield name, f"{length} characters say little here; {least} are the least that do."


@rule("use_short", "intended_use", judges_absence=True)
def _use_short(content: Content, around: Circumstances) -> Said:
    least = int(around.policy.limit("use_chars"))
    for name in USES:
        length = len(text(content, name))
        if 0 < length < least:
            use = name.replace("_", " ")
            yield name, f"The {use} has {length} characters; a model card needs {least}."


@rule("problem_statement_short", "problem_statement")
def _statement(content: Content, around: Circumstances) -> Said:
    length = len(text(content, "problem_statement"))
    least = int(around.policy.limit("problem_statement_chars"))
    if length < least:
        yield (
            f"The problem statement has {length} characters; {least} are the least that lets an "
            "outsider follow."
        )


@rule("summary_jargon", "summary")
def _jargon(content: Content, around: Circumstances) -> Said:
    summary = text(content, "summary").lower()
    found = [
        word
        for word in around.policy.lists["jargon"]
        if re.search(rf"\b{re.escape(word)}\b", summary)
    ]
    if found:
        yield f"Say the summary without terms of the trade: {listed(found)}."


@rule("current_process_nothing", "current_process")
def _nothing(content: Content, around: Circumstances) -> Said:
    today = text(content, "current_process")
    if _NOTHING.match(today) and len(today) < around.policy.limit("short_text_chars"):
        yield "If it is not done today, say why and what that costs."


@rule("affected_party_without_effect", "affected_parties")
def _effect(content: Content, _: Circumstances) -> Said:
    silent = [row for row in rows(content, "affected_parties") if not text(row, "effect")]
    if silent:
        yield f"Say what it does to {listed(text(row, 'group') for row in silent)}."


@rule("vulnerable_party_light_purpose", "affected_parties")
def _vulnerable(content: Content, around: Circumstances) -> Said:
    vulnerable = [row for row in rows(content, "affected_parties") if row.get("is_vulnerable")]
    if vulnerable and amount(content, "tier_purpose") < around.policy.limit(
        "vulnerable_purpose_min"
    ):
        yield (
            f"A vulnerable group is touched ({listed(text(row, 'group') for row in vulnerable)}), "
            "yet the tier's answer on the purpose calls the decision light; answer it again."
        )
