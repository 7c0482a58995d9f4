"""What a review meets when its project takes another risk tier, in words and as a result."""

from collections.abc import Sequence

from governance.rules.policy import GateRules
from governance.rules.quorum import QuorumState, role_words
from governance.rules.requirements import Judged


def cover_problem(gate: GateRules, tier: str) -> str:
    """Return why a gate cannot judge a project of this tier; empty when it can."""
    if tier in gate.sign_offs:
        return ""
    covered = ", ".join(gate.sign_offs)
    return (
        f"The gate {gate.name} covers {covered} risk and the project is of {tier} risk: nobody "
        "can approve it here. It takes a policy version that covers this tier, or another tier."
    )


def judge_cover(gate: GateRules, tier: str) -> list[Judged]:
    """Judge the condition that holds at every gate: somebody is named who may decide."""
    problem = cover_problem(gate, tier)
    if not problem:
        return []
    title = "The gate covers the project's risk tier"
    detail = {"tier": tier, "covered": list(gate.sign_offs)}
    return [Judged("tier", title, "tier_covered", "fail", problem, is_blocking=True, detail=detail)]


def rerouted_sentence(former: str, tier: str, state: QuorumState, problem: str) -> str:
    """Return what a change of tier means for an open review, for people.

    `problem` says why nobody could complete it as things stand.
    """
    begun = f"The review is at {tier} risk now, as its project is; it was at {former} risk."
    if state.is_met and not problem:
        return f"{begun} Everybody has signed; evaluate it again to let it be decided."
    return " ".join(part for part in (begun, _lacking(state), problem) if part)


def outgrown_sentence(approved_at: str, tier: str, lacking: Sequence[str], ends_on: str) -> str:
    """Return why an approval needs renewal after its project's tier was raised."""
    return (
        f"The project is of {tier} risk now and this was approved at {approved_at} risk. "
        f"{' '.join(lacking)} Have it approved anew: this approval ends on {ends_on}."
    )


def _lacking(state: QuorumState) -> str:
    if state.is_met:
        return ""
    if not state.missing_roles:
        return " ".join(state.sentences)
    names = ", ".join(role_words(role) for role in state.missing_roles)
    blocks = [one for one in state.sentences if "missing" not in one]
    return " ".join([*blocks, f"Missing now: the sign-off of {names}."])
