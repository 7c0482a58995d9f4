"""Checks of the training run: that it can be trusted and done again."""

from governance.rules.checks import CheckContext, CheckOutcome, Source, failed, missing, passed
from governance.rules.params import Flag
from governance.rules.registry import Params, check


@check("run_finished")
def run_finished(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the run ended by itself and was not deleted."""
    status = context.attributes.get("run_status")
    if not status:
        return missing("The model version names no training run.", context.subject)
    compared = {"value": status, "operator": "=", "threshold": "FINISHED"}
    if status != "FINISHED":
        return failed(f"The training run is {status}, not FINISHED.", context.run, **compared)
    return passed("The training run finished.", context.run, **compared)


@check("commit_recorded", allow_dirty=Flag())
def commit_recorded(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the run names its commit, without changes beside it unless they are allowed."""
    commit = context.attributes.get("commit")
    if not commit:
        return missing("The run records no commit of the code.", context.run)
    is_dirty = context.attributes.get("commit_dirty")
    compared = {"commit": commit, "is_dirty": is_dirty}
    if is_dirty and not params.get("allow_dirty", False):
        message = f"The code was changed after commit {commit[:12]} without being committed."
        return failed(message, context.run, **compared)
    return passed(f"The run records commit {commit[:12]}.", context.run, **compared)


@check("seed_recorded")
def seed_recorded(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the run logs the seed of its random numbers."""
    seed = context.attributes.get("seed")
    if seed is None or not str(seed).strip():
        return missing(
            "The run records no seed; log the parameter seed or random_state.", context.run
        )
    return passed(f"The run records the seed {seed}.", context.run, value=seed)


@check("dataset_logged")
def dataset_logged(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the run logs data that are registered here."""
    refs = [str(ref) for ref in context.attributes.get("dataset_refs") or ()]
    if not refs:
        return missing("The run logs no registered dataset version.", context.run)
    message = f"The run logs {len(refs)} registered dataset version(s)."
    return passed(message, context.run, *map(Source, refs), value=len(refs), datasets=refs)


@check("dataset_approved")
def dataset_approved(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when every dataset of the run stands approved at the data gate."""
    if not context.datasets:
        return missing("The run logs no registered dataset version.", context.run)
    sources = [Source(one.ref, label=one.label) for one in context.datasets]
    sources += [Source(one.review_ref) for one in context.datasets if one.review_ref]
    approved = {one.ref: one.is_approved for one in context.datasets}
    if refused := [one for one in context.datasets if not one.is_approved]:
        message = " ".join(f"{one.label}: {one.reason}" for one in refused)
        return failed(message, *sources, approved=approved)
    names = ", ".join(one.label for one in context.datasets)
    return passed(f"The data gate stands approved for {names}.", *sources, approved=approved)
