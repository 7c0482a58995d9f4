"""Checks that take work: scripts of the policy, and a training run done again.

The work runs elsewhere; here its newest result is held against what the review is about now.
"""

from typing import Any

from governance.rules.checks import (
    CheckContext,
    CheckOutcome,
    EvidenceFact,
    Source,
    WorkFact,
    failed,
    missing,
    passed,
    stale,
)
from governance.rules.params import Name, Number
from governance.rules.registry import Params, check

#: By how much a metric of the run done again may differ from the logged one.
DEFAULT_TOLERANCE = 0.001
#: Kind of the evidence by which somebody vouches for a run that only its author's code can redo.
REPRODUCTION = "reproduction"


@check("script_passes", needs=[("script",)], script=Name())
def script_passes(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the script of the policy ran on the subject as it is now and said yes."""
    work = context.work.get(context.key)
    if work is None:
        message = f"The script {params['script']} has not run; start it on this page."
        return missing(message, context.subject, script=params["script"])
    return _unfinished(work, context) or _answer(work, script=params["script"])


@check("reproducible", tolerance=Number(0, 1))
def reproducible(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when training again gave the logged metrics, here or in somebody else's hands."""
    tolerance = params.get("tolerance", DEFAULT_TOLERANCE)
    claimed = [one for one in context.evidence if one.kind == REPRODUCTION]
    independent = [one for one in claimed if _is_independent(one, context)]
    if independent:
        return _vouched(max(independent, key=lambda one: one.produced_at), context)
    work = context.work.get(context.key)
    if work is None and claimed:
        return _own_word(claimed[0], context)
    if work is None:
        return missing("The run was not done again; start it on this page.", context.run)
    return _unfinished(work, context) or _answer(work, tolerance=tolerance)


def _is_independent(one: EvidenceFact, context: CheckContext) -> bool:
    launched = context.authors.get("run", frozenset())
    return one.produced_by is not None and one.produced_by not in launched


def _own_word(one: EvidenceFact, context: CheckContext) -> CheckOutcome:
    message = f"{one.title} comes from who launched the run; somebody else has to redo it."
    return failed(message, one.source, context.run)


def _vouched(one: EvidenceFact, context: CheckContext) -> CheckOutcome:
    said = one.data.get("passed")
    compared = {"value": said, "operator": "=", "threshold": True}
    if said is True:
        message = f"{one.title} says that training again gave the same result."
        return passed(message, one.source, context.run, **compared)
    message = f"{one.title} does not say that training again gave the same result."
    return failed(message, one.source, context.run, **compared)


def _unfinished(work: WorkFact, context: CheckContext) -> CheckOutcome | None:
    """Return why the newest run says nothing about the subject as it is now, if it does not."""
    source = Source(work.ref, work.bindings_digest)
    if work.bindings_digest != context.bindings_digest:
        message = "It ran before something that the review binds changed; run it again."
        return stale(message, source, status=work.status)
    if work.status in {"queued", "running"}:
        message = f"It is {work.status}; the result will count when it is there."
        return missing(message, source, status=work.status)
    if work.status == "cancelled":
        return missing("It was cancelled; run it again.", source, status=work.status)
    if work.status == "failed":
        return CheckOutcome("error", work.message, {"status": work.status}, (source,))
    return None


def _answer(work: WorkFact, **asked: Any) -> CheckOutcome:
    source = Source(work.ref, work.bindings_digest)
    outcome = str(work.result.get("outcome", ""))
    values = dict(work.result.get("values") or {})
    known = {"pass": passed, "fail": failed, "missing": missing}
    if outcome not in known:
        return CheckOutcome("error", "The run ended without an answer.", asked, (source,))
    return known[outcome](work.message, source, **{**asked, "values": values})
