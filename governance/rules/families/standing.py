"""Checks of what stands around the subject: findings, other gates, monitors, waivers."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from governance.rules.checks import (
    CheckContext,
    CheckOutcome,
    Source,
    failed,
    missing,
    passed,
    stale,
)
from governance.rules.params import Name, OneOf, Whole
from governance.rules.registry import Params, check
from governance.rules.staleness import compare_bindings, is_evidence

SEVERITIES = ("low", "medium", "high", "critical")


@check("no_open_findings", severity=OneOf(SEVERITIES))
def no_open_findings(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when no finding of a severity or a graver one waits to be verified."""
    least = SEVERITIES.index(params.get("severity", "high"))
    grave = [one for one in context.findings if SEVERITIES.index(one.severity) >= least]
    compared = {"value": len(grave), "operator": "=", "threshold": 0, "severity": SEVERITIES[least]}
    if grave:
        titles = "; ".join(f"{one.title} ({one.severity}, {one.status})" for one in grave)
        sources = [one.source for one in grave]
        return failed(f"Not yet verified and closed: {titles}.", *sources, **compared)
    message = f"No finding of severity {SEVERITIES[least]} or graver is open."
    return passed(message, context.subject, **compared)


@check("gate_passed", needs=[("passed",)], passed=Name())
def gate_passed(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when the same subject, unchanged, stands approved at another gate now."""
    gate = params["passed"]
    approval = context.approvals.get(gate)
    if approval is None:
        message = f"It does not stand approved at the gate {gate}."
        return missing(message, context.subject, gate=gate)
    if moved := compare_bindings(_fixed(approval.bound), _fixed(context.bindings)):
        reasons = " ".join(part.sentence for part in moved)
        message = f"It changed after the gate {gate} approved it. {reasons}"
        parts = [part.part for part in moved]
        return stale(message, Source(approval.ref), gate=gate, moved=parts)
    message = f"It stands approved at the gate {gate}."
    return passed(message, Source(approval.ref), gate=gate, moved=[])


def _fixed(bindings: Mapping[str, str]) -> dict[str, str]:
    # Later gates ask for evidence of their own, and under another version of the policy at times.
    return {
        part: digest
        for part, digest in bindings.items()
        if part != "policy" and not is_evidence(part)
    }


@check("monitoring_live", max_age_days=Whole("days"))
def monitoring_live(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when an active monitor watches the version and its newest report is recent."""
    monitors = list(context.attributes.get("monitors") or ())
    if not monitors:
        return missing("No active monitor watches a deployment of this version.", context.subject)
    reported = [one for one in monitors if one.get("last_report_at")]
    sources = [Source(str(one["ref"]), label=str(one.get("name", ""))) for one in monitors]
    if not reported:
        return missing("A monitor watches it and has not reported on it yet.", *sources)
    newest = max(datetime.fromisoformat(str(one["last_report_at"])) for one in reported)
    most = params.get("max_age_days", max(int(one.get("window_days", 30)) for one in reported))
    compared = {
        "value": newest.isoformat(),
        "age_days": (context.now - newest).days,
        "max_age_days": most,
    }
    if context.now - newest > timedelta(days=most):
        message = f"The newest report on it is {compared['age_days']} days old; {most} at most."
        return stale(message, *sources, **compared)
    return passed(
        f"It is watched; the newest report is of {newest:%Y-%m-%d}.", *sources, **compared
    )


@check("waivers_within", most=Whole("waivers", least=0))
def waivers_within(params: Params, context: CheckContext) -> CheckOutcome:
    """Hold when no more than so many requirements of the subject are waived now."""
    most = params.get("most", 0)
    waived = sorted({one.requirement for one in context.waivers})
    compared = {"value": len(waived), "operator": "<=", "threshold": most, "waived": waived}
    sources = [Source(one.ref, label=one.requirement) for one in context.waivers]
    if len(waived) > most:
        message = f"{len(waived)} requirements are waived: {', '.join(waived)}; {most} at most."
        return failed(message, *sources, **compared)
    return passed(f"{len(waived)} of at most {most} requirements are waived.", *sources, **compared)
