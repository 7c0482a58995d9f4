"""Checks of a sprint whose outcome is decided on: what was tried, what is open, what was said."""

from collections.abc import Sequence

from governance.rules.checks import CheckContext, CheckOutcome, failed, missing, passed
from governance.rules.params import Whole
from governance.rules.registry import Params, check


@check("approaches_tried", least=Whole("approaches"))
def approaches_tried(params: Params, context: CheckContext) -> Sequence[CheckOutcome]:
    """Hold when enough approaches were tried, and the baseline among the runs."""
    return [_tried(params.get("least", 2), context), _baseline(context)]


def _tried(least: int, context: CheckContext) -> CheckOutcome:
    tried = context.attributes.get("approaches_tried")
    if tried is None:
        return missing("Nobody counted the approaches that were tried.", context.subject)
    compared = {"value": tried, "operator": ">=", "threshold": least}
    if tried < least:
        message = f"{tried} approaches were tried; this gate asks for {least}."
        return failed(message, context.subject, **compared)
    message = f"{tried} approaches were tried, of at least {least}."
    return passed(message, context.subject, **compared)


def _baseline(context: CheckContext) -> CheckOutcome:
    has_run = context.attributes.get("baseline_run")
    outcome, message = {
        True: ("pass", "A run of the baseline is on record."),
        False: ("fail", "No run of the baseline is on record."),
    }.get(has_run, ("missing", "Nobody looked for a run of the baseline."))  # type: ignore[arg-type]
    compared = {"value": has_run, "operator": "=", "threshold": True}
    title = "The baseline was run"
    return CheckOutcome(outcome, message, compared, (context.subject,), "baseline", title)


@check("time_boxes_closed")
def time_boxes_closed(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when no time box of the sprint is still open."""
    open_boxes = context.attributes.get("open_time_boxes")
    if open_boxes is None:
        return missing("Nobody looked at the time boxes.", context.subject)
    names = [str(one) for one in open_boxes]
    compared = {"value": len(names), "operator": "=", "threshold": 0, "open": names}
    if names:
        return failed(f"Still open: {', '.join(names)}.", context.subject, **compared)
    return passed("Every time box is closed.", context.subject, **compared)


@check("decision_recorded")
def decision_recorded(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when somebody wrote down what was decided, and the matrix that led to it is filled."""
    decision = str(context.attributes.get("decision") or "").strip()
    if not decision:
        return missing("No decision is written down.", context.subject)
    if context.attributes.get("decision_matrix") is not True:
        return missing("The decision matrix of the scope holds no scores.", context.subject)
    message = "A decision is written down, and the approaches were scored."
    return passed(message, context.subject, value=decision[:200])
