"""Which sign-offs of a past review a draft policy would count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from governance.rules.past import PastReview, PastSignOff
from governance.rules.policy import GateRules
from governance.rules.quorum import role_words
from governance.rules.recorded import Recorded, Trace, unrecorded
from governance.rules.separation import Refusal, SigningFacts, judge


@dataclass(frozen=True, slots=True)
class Votes:
    """Sign-offs that the draft counts, all that it may count, and why others fall away."""

    sure: Sequence[PastSignOff]
    all: Sequence[PastSignOff]
    reasons: Sequence[str]
    unknown: Sequence[str]


def votes_under(past: PastReview, gate: GateRules, former: GateRules) -> Votes:
    """Ask separation of duties again, by the rules of the draft.

    A rule that was asked then has its answer on record: the sign-off counted. Only what the draft
    newly asks is judged, and a sign-off that a dropped rule refused comes back.
    """
    before, named = former.separation_at(past.tier), gate.separation_at(past.tier)
    sure, every = list[PastSignOff](), list[PastSignOff]()
    reasons, unknown = list[str](), list[str]()
    for one in past.sign_offs:
        counted, is_told = _counted_then(one, before, every)
        against, untold = _newly_asked(one, [n for n in named if n not in before], every)
        if not counted:
            if not _only_rules_spoke(one, before, every):
                continue
            against += _refusals(one, [n for n in named if n in before], every)
        words = f"{one.name}, {role_words(one.facts.role)}"
        if against:
            sentences = dict.fromkeys(refusal.sentence for refusal in against)
            reasons += [f"{words}, would not count: {' '.join(sentences)}"] if counted else []
        elif untold or not is_told:
            unknown.append(f"Whether the sign-off of {words}, would count.")
            every.append(one)
        else:
            sure.append(one)
            every.append(one)
    return Votes(sure, every, reasons, unknown)


def _counted_then(
    one: PastSignOff, before: Sequence[str], counted: Sequence[PastSignOff]
) -> tuple[bool, bool]:
    """Return whether a sign-off counted then, and whether that can be told."""
    if one.counted is None:
        # It was accepted when it was given; only what is on record can have spoken against it.
        against, _ = _newly_asked(one, before, counted)
        refused = bool(against) or bool(_refusals(one, [], counted))
        return one.held_the_role and not refused, True
    trace = Trace()
    judge(_facts(one, counted, trace), before)
    return one.counted, one.counted or not trace.unrecorded


def _only_rules_spoke(
    one: PastSignOff, before: Sequence[str], counted: Sequence[PastSignOff]
) -> bool:
    """Return whether nothing but a rule spoke against a sign-off that did not count then."""
    return one.held_the_role and bool(_refusals(one, before, counted))


def _newly_asked(
    one: PastSignOff, fresh: Iterable[str], counted: Sequence[PastSignOff]
) -> tuple[list[Refusal], bool]:
    """Return which new rules refuse a sign-off, and whether one could not be answered."""
    against, untold = list[Refusal](), False
    for name in fresh:
        trace = Trace()
        found = [r for r in judge(_facts(one, counted, trace), [name]) if r.rule == name]
        if trace.absent or trace.unrecorded:
            untold = True
        else:
            against += found
    return against, untold


def _refusals(
    one: PastSignOff, names: Sequence[str], counted: Sequence[PastSignOff]
) -> list[Refusal]:
    return judge(_facts(one, counted, Trace()), names)


def _facts(one: PastSignOff, counted: Iterable[PastSignOff], trace: Trace) -> SigningFacts:
    """Return the facts of a signature, telling the trace where they were not recorded."""
    signed = frozenset(
        other.facts.role for other in counted if other.facts.person == one.facts.person
    )
    authors = Recorded(one.facts.authors, trace, "who made")
    return replace(
        one.facts,
        authors=authors,
        lines=unrecorded(trace, "reporting lines"),
        signed_roles=signed,
    )
