"""A decision matrix in sentences."""

from collections.abc import Iterator, Sequence

from projects.rules.decision_matrix import Flip, Ranking, Verdict
from projects.rules.words import role_words


def sentences_of(verdict: Verdict) -> list[str]:
    """Say who chooses what, whether the roles agree, and where each choice flips."""
    return list(_sentences(verdict))


def _sentences(verdict: Verdict) -> Iterator[str]:
    for ranking in verdict.rankings:
        yield _choice(ranking)
    if len(verdict.rankings) > 1:
        yield _agreement(verdict)
    for flip in verdict.flips:
        yield flip_sentence(flip)
    unsettled = {flip.role for flip in verdict.flips}
    for ranking in verdict.rankings:
        if ranking.role not in unsettled:
            yield (
                f"{_named(ranking.role)} keeps its choice whatever the weight of any single "
                "criterion."
            )


def _choice(ranking: Ranking) -> str:
    first, role = ranking.standings[0], _named(ranking.role)
    if len(ranking.winners) > 1:
        return f"{role}: {_listed(ranking.winners)} tie at {float(first.total):.2f}."
    behind = ranking.runner_up
    rest = f", {float(first.total - behind.total):.2f} ahead of {behind.approach}" if behind else ""
    return f"{role} chooses {first.approach} ({float(first.total):.2f}){rest}."


def _agreement(verdict: Verdict) -> str:
    if not verdict.is_agreed:
        sides = "; ".join(
            f"{name} for {_listed([role_words(role) for role in roles])}"
            for name, roles in verdict.choices.items()
        )
        return f"The roles disagree: {sides}."
    shared = [
        name for name, roles in verdict.choices.items() if len(roles) == len(verdict.rankings)
    ]
    preferred = verdict.grid.preferred
    if preferred and preferred not in shared:
        return f"All roles choose {_listed(shared)}, yet the document ranks {preferred} first."
    return f"All roles agree on {_listed(shared)}."


def flip_sentence(flip: Flip) -> str:
    """Say where one role's choice changes, and to what."""
    side = "more" if flip.rises else "less"
    at = f"{float(flip.at):.4g}"
    if flip.distance == 0:
        return (
            f"{_named(flip.role)}: any {side} weight than {at} on {flip.criterion} decides the tie "
            f"for {flip.newcomer}."
        )
    return (
        f"{_named(flip.role)} gives {flip.criterion} {flip.weight}; with {side} than {at} it "
        f"would choose {flip.newcomer} instead of {flip.winner}."
    )


def _named(role: str) -> str:
    said = role_words(role)
    return said[:1].upper() + said[1:]


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
