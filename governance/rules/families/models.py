"""Checks of the model version itself, and of it against the champion."""

from governance.rules.checks import (
    CheckContext,
    CheckOutcome,
    Source,
    failed,
    missing,
    passed,
    stale,
)
from governance.rules.registry import Params, check


@check("signature_present")
def signature_present(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the model says which columns go in and out."""
    if context.attributes.get("signature"):
        return passed("The model declares its inputs and outputs.", context.subject)
    message = "The model declares no signature; log it with an input example."
    return missing(message, context.subject)


@check("files_unchanged")
def files_unchanged(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the files hash to what the review bound."""
    bound, now = context.bound.get("model_files"), context.bindings.get("model_files")
    if not bound or not now:
        return missing("The model version's files have no digest.", context.subject)
    compared = {"value": now, "operator": "=", "threshold": bound}
    if bound != now:
        message = f"The files were {bound[:12]} when the review opened and are {now[:12]} now."
        return CheckOutcome("mismatch", message, compared, (context.subject,))
    return passed(f"The files still have the digest {now[:12]}.", context.subject, **compared)


@check("format_safe")
def format_safe(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the files were examined and load without running foreign code."""
    problem = context.attributes.get("format_problem")
    if problem is None:
        return missing("Nobody examined the format of the files.", context.subject)
    if problem:
        return failed(str(problem), context.subject)
    return passed("The files load without running foreign code.", context.subject)


@check("champion_compared")
def champion_compared(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the newest comparison is with the present champion, if there is one."""
    if not context.champion:
        return passed("There is no champion to compare with yet.", context.subject)
    champion = Source(context.champion_ref, label=context.champion)
    newest = context.newest_evidence("champion_comparison")
    if newest is None:
        message = f"It was not compared with the champion, {context.champion}."
        return missing(message, champion)
    against = newest.data.get("champion_version")
    compared = {"value": against, "operator": "=", "threshold": context.champion_version}
    if against is not None and against != context.champion_version:
        message = f"It was compared with v{against}; the champion is {context.champion} now."
        return stale(message, newest.source, champion, **compared)
    message = f"It was compared with the champion, {context.champion}."
    return passed(message, newest.source, champion, **compared)
