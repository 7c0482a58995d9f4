"""Checks of evidence: that it is there, fresh, complete, and says yes."""

from collections.abc import Mapping
from datetime import timedelta

from governance.rules.checks import (
    CheckContext,
    CheckOutcome,
    EvidenceFact,
    failed,
    missing,
    passed,
    stale,
)
from governance.rules.families.data import is_filled
from governance.rules.params import Name, Names, Whole
from governance.rules.registry import Params, check

#: What a model card says of a model, after Mitchell and others, "Model Cards for Model Reporting".
CARD_SECTIONS = (
    "details",
    "intended_use",
    "factors",
    "metrics",
    "evaluation_data",
    "training_data",
    "quantitative_analyses",
    "ethical_considerations",
    "limits",
)


@check(
    "evidence_present", needs=[("kind", "any_of")], kind=Name(), any_of=Names(),
    max_age_days=Whole("days"),
)  # fmt: skip
def evidence_present(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when evidence of a kind is on record and not too old."""
    kinds = [params["kind"]] if "kind" in params else list(params["any_of"])
    newest = context.newest_evidence(*kinds)
    if newest is None:
        return missing(f"There is no {_words(kinds)}.", context.subject, kinds=kinds)
    return _too_old(newest, params, context) or passed(
        f"{newest.title} is on record.", newest.source, **_age(newest, params, context)
    )


@check("evidence_passed", needs=[("kind",)], kind=Name(), max_age_days=Whole("days"))
def evidence_passed(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the newest evidence of a kind says `passed: true` and is not too old."""
    kind = params["kind"]
    newest = context.newest_evidence(kind)
    if newest is None:
        return missing(f"There is no {_words([kind])}.", context.subject, kinds=[kind])
    if old := _too_old(newest, params, context):
        return old
    said = newest.data.get("passed")
    compared = {**_age(newest, params, context), "value": said, "operator": "=", "threshold": True}
    if said is True:
        return passed(f"{newest.title} says that it passed.", newest.source, **compared)
    if said is False:
        return failed(f"{newest.title} says that it did not pass.", newest.source, **compared)
    message = f"{newest.title} does not say whether it passed; record it with passed true or false."
    return missing(message, newest.source, **compared)


@check("card_complete", sections=Names(), max_age_days=Whole("days"))
def card_complete(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the newest model card fills in every section that is asked for."""
    card = context.newest_evidence("model_card")
    if card is None:
        return missing("There is no model card.", context.subject)
    if old := _too_old(card, params, context):
        return old
    sections = list(params.get("sections") or CARD_SECTIONS)
    said = card.data.get("sections")
    filled = said if isinstance(said, Mapping) else card.data
    absent = [name for name in sections if not is_filled(filled.get(name))]
    if absent:
        names = ", ".join(name.replace("_", " ") for name in absent)
        message = f"The model card lacks: {names}."
        return missing(message, card.source, sections=sections, absent=absent)
    message = f"The model card has all {len(sections)} sections."
    return passed(message, card.source, sections=sections, absent=[])


def _too_old(one: EvidenceFact, params: Params, context: CheckContext) -> CheckOutcome | None:
    most = _most_days(one, params, context)
    age = context.now - one.produced_at
    if most is None or age <= timedelta(days=most):
        return None
    message = f"{one.title} is {age.days} days old; it may be {most} at most."
    return stale(message, one.source, **_age(one, params, context))


def _most_days(one: EvidenceFact, params: Params, context: CheckContext) -> int | None:
    """Return the days of the requirement, or those that the policy gives the kind."""
    days: int | None = params.get("max_age_days", context.evidence_ages.get(one.kind))
    return days


def _age(one: EvidenceFact, params: Params, context: CheckContext) -> dict[str, object]:
    return {
        "kind": one.kind,
        "produced_at": one.produced_at.isoformat(),
        "age_days": (context.now - one.produced_at).days,
        "max_age_days": _most_days(one, params, context),
    }


def _words(kinds: list[str]) -> str:
    return " or ".join(str(kind).replace("_", " ") for kind in kinds)
