"""Rules about assumptions, risks, the tier, law, ethics, explanation, security and questions."""

from projects.rules import tier
from projects.rules.checks.base import Said, rule
from projects.rules.scope_terms import (
    Circumstances,
    Content,
    Row,
    lines,
    listed,
    residual_score,
    risk_score,
    rows,
    text,
)

_RISK_OFFICER = "risk_officer"
_SLICE_SEPARATOR = ":"


def _risks(content: Content) -> list[Row]:
    return list(rows(content, "risks"))


def _titles(found: list[Row]) -> str:
    return listed(f"“{text(row, 'title')}”" for row in found)


def _is_treated(risk: Row) -> bool:
    return bool(text(risk, "mitigation") and risk.get("owner"))


@rule("assumption_unowned", "assumptions", need="verified_assumptions")
def _assumptions(content: Content, _: Circumstances) -> Said:
    loose = [
        row
        for row in rows(content, "assumptions")
        if not row.get("is_verified") and not (row.get("owner") and text(row, "spike"))
    ]
    if loose:
        yield (
            "An assumption that is not verified needs an owner and the spike that verifies it: "
            f"{_statements(loose)}."
        )


def _statements(found: list[Row]) -> str:
    return listed(f"“{text(row, 'statement')}”" for row in found)


@rule("risks_too_few", "risks")
def _few(content: Content, around: Circumstances) -> Said:
    count, least = len(_risks(content)), int(around.policy.limit("risks_min"))
    if count < least:
        yield f"Name at least {least} risks; there {'is one' if count == 1 else f'are {count}'}."


@rule("risks_one_sided", "risks")
def _one_sided(content: Content, around: Circumstances) -> Said:
    kinds = int(around.policy.limit("risk_categories_min"))
    if len({text(row, "category") for row in _risks(content)}) < kinds:
        yield f"Name risks of at least {kinds} different categories."


@rule("risk_untreated", "risks")
def _untreated(content: Content, around: Circumstances) -> Said:
    grave = around.policy.limit("risk_blocks_untreated")
    for row in _risks(content):
        if risk_score(row) >= grave and not _is_treated(row):
            yield (
                f"The risk “{text(row, 'title')}” scores {risk_score(row)} and has no mitigation "
                "with an owner."
            )


@rule("risk_without_mitigation", "risks")
def _unmitigated(content: Content, around: Circumstances) -> Said:
    least, grave = (
        around.policy.limit(name) for name in ("risk_needs_treatment", "risk_blocks_untreated")
    )
    open_risks = [
        row for row in _risks(content) if least <= risk_score(row) < grave and not _is_treated(row)
    ]
    if open_risks:
        yield f"A risk of {least:g} or more needs a mitigation and an owner: {_titles(open_risks)}."


@rule("risk_not_accepted", "risks")
def _accepted(content: Content, around: Circumstances) -> Said:
    grave = around.policy.limit("risk_needs_acceptance")
    today = around.today.isoformat() if around.today else ""
    for row in _risks(content):
        if residual_score(row) < grave or not _is_treated(row):
            continue
        title, until = text(row, "title"), text(row, "accepted_until")
        if not (text(row, "accepted_because") and until):
            yield (
                f"The risk “{title}” is still at {residual_score(row)} after treatment; accept it "
                "with a reason and a last day, or reduce it further."
            )
        elif until < today:
            yield f"The acceptance of the risk “{title}” ended on {until}; renew or reduce it."


@rule("risk_treatment_missing", "risks")
def _treatment(content: Content, _: Circumstances) -> Said:
    if bare := [row for row in _risks(content) if not text(row, "treatment")]:
        yield f"Say whether it is avoided, reduced, transferred or accepted: {_titles(bare)}."


@rule("risk_owner_missing", "risks")
def _owner(content: Content, _: Circumstances) -> Said:
    if bare := [row for row in _risks(content) if not row.get("owner")]:
        yield f"Name an owner of {_titles(bare)}."


@rule("tier_override_unreasoned", "tier_override")
def _override_reason(content: Content, around: Circumstances) -> Said:
    verdict = tier.decide(content, around.policy, present=around.tier)
    if verdict.is_overridden and not text(content, "tier_override_reason"):
        yield f"Say why the tier is {verdict.chosen} although the answers give {verdict.computed}."


@rule("tier_override_unwitnessed", "tier_override")
def _override_witness(content: Content, around: Circumstances) -> Said:
    verdict = tier.decide(content, around.policy, present=around.tier)
    if verdict.is_lowered and not around.eligible.get(_RISK_OFFICER):
        yield (
            f"A tier below the computed one ({verdict.computed}) needs a risk officer on the "
            "project who did not write this document."
        )


@rule("regulation_prohibited", "regulations")
def _prohibited(content: Content, _: Circumstances) -> Said:
    for row in rows(content, "regulations"):
        if text(row, "risk_class") == "prohibited" and text(row, "applies") != "no":
            yield f"{text(row, 'framework')} prohibits this use; it cannot go on."


def _frameworks(found: list[Row]) -> str:
    return listed(text(row, "framework") for row in found)


@rule("regulation_unclear", "regulations", need="clear_regulations")
def _unclear(content: Content, around: Circumstances) -> Said:
    open_ones = [row for row in rows(content, "regulations") if text(row, "applies") == "unclear"]
    if open_ones:
        yield (
            f"Find out whether it applies: {_frameworks(open_ones)}. The {around.tier} tier does "
            "not start in the unclear."
        )


@rule("regulation_unclassified", "regulations")
def _unclassified(content: Content, _: Circumstances) -> Said:
    open_ones = [
        row
        for row in rows(content, "regulations")
        if text(row, "applies") == "yes"
        and (not text(row, "risk_class") or text(row, "part") in {"", "not_applicable"})
    ]
    if open_ones:
        yield f"It applies; say as what part and in which risk class: {_frameworks(open_ones)}."


@rule("regulation_unreasoned", "regulations")
def _unreasoned(content: Content, _: Circumstances) -> Said:
    if bare := [row for row in rows(content, "regulations") if not text(row, "rationale")]:
        yield f"Say why it applies or does not: {_frameworks(bare)}."


@rule("regulation_above_tier", "regulations")
def _above_tier(content: Content, around: Circumstances) -> Said:
    high = [
        row
        for row in rows(content, "regulations")
        if text(row, "applies") == "yes" and text(row, "risk_class") == "high"
    ]
    if high and around.tier != "high":
        yield (
            f"{_frameworks(high)} puts this use into its high class, yet the tier is "
            f"{around.tier}; answer the questions on the tier again."
        )


@rule("ethics_refused", "ethics_outcome")
def _refused(content: Content, _: Circumstances) -> Said:
    if text(content, "ethics_outcome") == "refused":
        yield "The ethics review refused this use; it cannot go on."


@rule("ethics_outstanding", "ethics_outcome")
def _outstanding(content: Content, _: Circumstances) -> Said:
    if text(content, "ethics_outcome") == "needed":
        yield "An ethics review is needed and has not come to an outcome."


@rule("ethics_conditions_missing", "ethics_outcome")
def _conditions(content: Content, _: Circumstances) -> Said:
    if text(content, "ethics_outcome") == "conditions" and not lines(content, "ethics_conditions"):
        yield "List the conditions under which the ethics review agreed."


@rule("ethics_unsigned", "ethics_outcome")
def _unsigned(content: Content, _: Circumstances) -> Said:
    decided = text(content, "ethics_outcome") in {"clear", "conditions"}
    if decided and not (content.get("ethics_reviewer") and text(content, "ethics_reviewed_on")):
        yield "Name who reviewed the ethics, and when."


@rule("fairness_slice_unjudged", "fairness_slices")
def _slices(content: Content, _: Circumstances) -> Said:
    judged = {_feature(text(row, "slice")) for row in rows(content, "criteria")}
    loose = [name for name in lines(content, "fairness_slices") if _feature(name) not in judged]
    if loose:
        yield f"A criterion has to look at every slice of the fairness plan: {listed(loose)}."


def _feature(name: str) -> str:
    """Return the feature of a slice: `region` of `region=north` and of `all_slices:region`."""
    return name.rpartition(_SLICE_SEPARATOR)[2].partition("=")[0].strip().lower()


@rule("explainability_undelivered", "explainability")
def _delivered(content: Content, _: Circumstances) -> Said:
    wanted = text(content, "explainability") == "per_decision"
    if wanted and not text(content, "explainability_deliverable"):
        yield "Name what explains a single decision to those whom it is about."


@rule("explainability_without_audience", "explainability")
def _audience(content: Content, _: Circumstances) -> Said:
    wanted = text(content, "explainability") in {"global", "per_decision"}
    if wanted and not text(content, "explainability_audience"):
        yield "Say who reads the explanations."


@rule("dpia_outstanding", "dpia")
def _dpia(content: Content, _: Circumstances) -> Said:
    if text(content, "dpia") == "needed":
        yield "A data protection impact assessment is needed; no data is released without it."


def _unanswered(content: Content, *, blocking: bool) -> list[Row]:
    return [
        row
        for row in rows(content, "open_questions")
        if not text(row, "answer") and bool(row.get("is_blocking")) == blocking
    ]


@rule("question_blocking", "open_questions")
def _blocking(content: Content, _: Circumstances) -> Said:
    for row in _unanswered(content, blocking=True):
        yield f"Answer the blocking question “{text(row, 'question')}”."


@rule("question_unanswered", "open_questions")
def _question(content: Content, _: Circumstances) -> Said:
    for row in _unanswered(content, blocking=False):
        yield f"Answer the open question “{text(row, 'question')}”."
