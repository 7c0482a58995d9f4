"""Checks of what was agreed: the scoping document, its criteria, a policy's own text."""

from governance.rules.checks import CheckContext, CheckOutcome, failed, missing, passed
from governance.rules.criteria_check import criteria_met
from governance.rules.params import Name
from governance.rules.registry import Params, check

check("criteria_met", gate=Name())(criteria_met)


@check("scope_ready")
def scope_ready(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold the readiness score against the tier's threshold; any blocker fails."""
    score, threshold = (
        context.attributes.get("readiness_score"),
        context.attributes.get("threshold"),
    )
    if score is None or threshold is None:
        return missing("The scope was not assessed.", context.subject)
    compared = {"value": score, "operator": ">=", "threshold": threshold}
    blockers = list(context.attributes.get("blockers") or ())
    if blockers:
        return failed(" ".join(blockers), context.subject, blockers=blockers, **compared)
    if deviations := list(context.attributes.get("deviations") or ()):
        return failed(" ".join(deviations), context.subject, deviations=deviations)
    if score < threshold:
        message = f"The readiness score is {score}; this tier needs {threshold}."
        return failed(message, context.subject, **compared)
    message = f"The readiness score is {score} of at least {threshold}, and nothing blocks."
    return passed(message, context.subject, **compared)


@check("policy_parses")
def policy_parses(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the text under review can be used as a policy."""
    if context.attributes.get("parses"):
        return passed("The text is a policy that can be used.", context.subject)
    return failed("The text is no policy that can be used.", context.subject)
