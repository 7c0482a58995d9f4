"""Rank approaches by weighted scores, role by role, and find where each role's choice flips.

Roles weigh differently on purpose, so there is no total over roles. Numbers are exact fractions:
two totals that should be equal are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby

from projects.rules.scope_terms import Content, rows, text

FULL_WEIGHT = 100
SCORES = range(1, 6)
_LEAST_APPROACHES = 2

Weights = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """How well one approach does on one criterion, and what says so."""

    value: int
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """What was written down: weights by role and criterion, scores by approach and criterion.

    `preferred` names the approach that the document itself ranks first, if it does.
    """

    approaches: tuple[str, ...]
    criteria: tuple[str, ...]
    weights: Mapping[str, Weights]
    scores: Mapping[tuple[str, str], Score]
    preferred: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.weights and not self.scores


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something in the matrix cannot be judged yet; `row` says which list to mend."""

    row: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One approach in one role's ranking; approaches of equal total share a place."""

    place: int
    approach: str
    total: Fraction


@dataclass(frozen=True, slots=True)
class Ranking:
    """How one role would choose."""

    role: str
    standings: tuple[Standing, ...]

    @property
    def winners(self) -> tuple[str, ...]:
        """Return who comes first: several where they tie."""
        return tuple(one.approach for one in self.standings if one.place == 1)

    @property
    def runner_up(self) -> Standing | None:
        """Return the best approach behind the winners, if any is behind."""
        return next((one for one in self.standings if one.place > 1), None)

    @property
    def lead(self) -> Fraction | None:
        """Return by how much the first total exceeds the next one; zero where they tie."""
        if len(self.standings) < _LEAST_APPROACHES:
            return None
        return self.standings[0].total - self.standings[1].total


@dataclass(frozen=True, slots=True)
class Flip:
    """The weight of one criterion past which another approach wins for one role.

    The role's other weights keep their proportions. `rises` says on which side of `at` the
    newcomer wins: above it, or below it.
    """

    role: str
    criterion: str
    weight: int
    at: Fraction
    rises: bool
    winner: str
    newcomer: str

    @property
    def distance(self) -> Fraction:
        return abs(self.at - self.weight)


@dataclass(frozen=True, slots=True)
class Band:
    """Between which weights of one criterion one role's winner stays the winner."""

    role: str
    criterion: str
    weight: int
    low: Fraction
    high: Fraction
    below: str = ""
    above: str = ""

    @property
    def is_whole(self) -> bool:
        """Return whether no weight of this criterion alone changes the choice."""
        return not self.below and not self.above


@dataclass(frozen=True, slots=True)
class Verdict:
    """The matrix with everything that follows from it."""

    grid: Grid
    problems: tuple[Problem, ...]
    rankings: tuple[Ranking, ...]
    flips: tuple[Flip, ...]
    bands: tuple[Band, ...]
    without_evidence: tuple[tuple[str, str], ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def is_agreed(self) -> bool:
        """Return whether one approach is the first, or ties for it, with every ranked role."""
        return any(len(roles) == len(self.rankings) for roles in self.choices.values())


def grid_of(content: Content) -> Grid:
    """Return the matrix held in a scoping document's content; approaches by their rank."""
    ranked = sorted(rows(content, "approaches"), key=lambda row: row.get("rank") or 0)
    weights: dict[str, dict[str, int]] = {}
    for row in rows(content, "decision_weights"):
        weights.setdefault(row["role"], {})[row["criterion"]] = int(row["weight"])
    scores = {
        (row["approach"], row["criterion"]): Score(int(row["score"]), text(row, "evidence"))
        for row in rows(content, "decision_scores")
    }
    named = [criterion for held in weights.values() for criterion in held]
    named += [criterion for _, criterion in scores]
    first = [row["name"] for row in ranked if row.get("rank") == 1]
    return Grid(
        approaches=tuple(dict.fromkeys(row["name"] for row in ranked)),
        criteria=tuple(dict.fromkeys(named)),
        weights=weights,
        scores=scores,
        preferred=first[0] if len(first) == 1 else "",
    )


def judge(grid: Grid) -> Verdict:
    """Rank what can be ranked and say what cannot; a role with a gap is left out, not guessed."""
    rankings = tuple(rank(grid, role) for role in grid.weights if _is_rankable(grid, role))
    bands = tuple(
        band_of(grid, ranking, criterion) for ranking in rankings for criterion in grid.criteria
    )
    choices = {
        name: tuple(one.role for one in rankings if name in one.winners)
        for name in grid.approaches
        if any(name in one.winners for one in rankings)
    }
    return Verdict(
        grid,
        tuple(_problems(grid)),
        rankings,
        tuple(sorted(_flips(rankings, bands), key=lambda flip: flip.distance)),
        bands,
        tuple(key for key, score in grid.scores.items() if not score.evidence),
        choices,
    )


def total(grid: Grid, approach: str, shares: Mapping[str, Fraction]) -> Fraction:
    """Return the weighted mean score of an approach, 1 to 5, for shares that add up to 1."""
    return sum(
        (
            share * grid.scores[approach, criterion].value
            for criterion, share in shares.items()
            if share
        ),
        Fraction(0),
    )


def rank(grid: Grid, role: str) -> Ranking:
    """Return one role's ranking, best first; approaches of equal total share a place."""
    shares = _shares(grid.weights[role])
    totals = [(total(grid, name, shares), name) for name in grid.approaches]
    standings: list[Standing] = []
    for value, tied in groupby(sorted(totals, key=lambda one: -one[0]), key=lambda one: one[0]):
        place = len(standings) + 1
        standings += [Standing(place, name, value) for _, name in tied]
    return Ranking(role, tuple(standings))


def shares_at(
    weights: Weights, criteria: Sequence[str], criterion: str, weight: Fraction
) -> dict[str, Fraction]:
    """Return the shares with one criterion's weight set anew, the others in their proportions.

    Where the others weigh nothing there is no proportion to keep, and they share equally.
    """
    others = [name for name in criteria if name != criterion]
    rest = sum(weights.get(name, 0) for name in others)
    left = 1 - Fraction(weight) / FULL_WEIGHT
    shares = {
        name: left * (Fraction(weights.get(name, 0), rest) if rest else Fraction(1, len(others)))
        for name in others
    }
    return {**shares, criterion: Fraction(weight) / FULL_WEIGHT}


def band_of(grid: Grid, ranking: Ranking, criterion: str) -> Band:
    """Return between which weights of a criterion the role's winner stays the winner.

    Totals are straight lines over the weight, so each rival overtakes the winner at one weight
    or never; the nearest on either side ends the band.
    """
    weights = grid.weights[ranking.role]
    weight = weights.get(criterion, 0)
    winner = ranking.winners[0]
    low, high = (Fraction(0), ""), (Fraction(FULL_WEIGHT), "")
    if not _can_vary(grid, ranking.role, criterion):
        return Band(ranking.role, criterion, weight, low[0], high[0])
    for crossing, slope, rival in _crossings(grid, ranking, winner, criterion):
        # A rival that is ahead only at the very end of the scale never gets to win.
        if slope < 0 and weight <= crossing < high[0]:
            high = (crossing, rival)
        elif slope > 0 and low[0] < crossing <= weight:
            low = (crossing, rival)
    return Band(ranking.role, criterion, weight, low[0], high[0], low[1], high[1])


def _crossings(
    grid: Grid, ranking: Ranking, winner: str, criterion: str
) -> Iterator[tuple[Fraction, Fraction, str]]:
    """Yield where each rival's total meets the winner's, with the slope of the winner's lead.

    Rivals that meet it at one point come steepest first: that one is ahead behind the point.
    """
    weights = grid.weights[ranking.role]
    ends = [shares_at(weights, grid.criteria, criterion, Fraction(end)) for end in (0, FULL_WEIGHT)]
    found = []
    for rival in grid.approaches:
        at_nothing, at_all = (
            total(grid, winner, shares) - total(grid, rival, shares) for shares in ends
        )
        if (slope := at_all - at_nothing) != 0:
            found.append((-at_nothing / slope * FULL_WEIGHT, slope, rival))
    yield from sorted(found, key=lambda one: -abs(one[1]))


def _flips(rankings: Sequence[Ranking], bands: Sequence[Band]) -> Iterator[Flip]:
    winners = {ranking.role: ranking.winners[0] for ranking in rankings}
    for band in bands:
        for at, rises, newcomer in (
            (band.low, False, band.below),
            (band.high, True, band.above),
        ):
            if newcomer:
                yield Flip(
                    band.role,
                    band.criterion,
                    band.weight,
                    at,
                    rises,
                    winners[band.role],
                    newcomer,
                )


def _shares(weights: Weights) -> dict[str, Fraction]:
    return {name: Fraction(weight, FULL_WEIGHT) for name, weight in weights.items()}


def _is_rankable(grid: Grid, role: str) -> bool:
    weighed = [name for name, weight in grid.weights[role].items() if weight]
    return (
        len(grid.approaches) >= _LEAST_APPROACHES
        and sum(grid.weights[role].values()) == FULL_WEIGHT
        and all(_is_scored(grid, name, one) for one in weighed for name in grid.approaches)
    )


def _can_vary(grid: Grid, role: str, criterion: str) -> bool:
    """Tell whether every score is there that the total needs when the criterion's weight moves."""
    weights = grid.weights[role]
    alone = weights.get(criterion, 0) == FULL_WEIGHT
    needed = grid.criteria if alone else [name for name in grid.criteria if weights.get(name)]
    is_known = all(
        _is_scored(grid, name, one) for one in {*needed, criterion} for name in grid.approaches
    )
    return is_known and len(grid.criteria) > 1


def _is_scored(grid: Grid, approach: str, criterion: str) -> bool:
    score = grid.scores.get((approach, criterion))
    return score is not None and score.value in SCORES


def _problems(grid: Grid) -> Iterator[Problem]:
    if grid.is_empty:
        return
    if len(grid.approaches) < _LEAST_APPROACHES:
        yield Problem("approaches", "A choice takes at least two approaches; name them first.")
    if not grid.weights:
        yield Problem("decision_weights", "No role has said what it cares for; add its weights.")
    for role, weights in grid.weights.items():
        if (found := sum(weights.values())) != FULL_WEIGHT:
            yield Problem(
                "decision_weights",
                f"The weights of {role} add up to {found}, not {FULL_WEIGHT}; they are not ranked.",
            )
    yield from _score_problems(grid)


def _score_problems(grid: Grid) -> Iterator[Problem]:
    for (approach, criterion), score in grid.scores.items():
        if approach not in grid.approaches:
            yield Problem(
                "decision_scores",
                f"{approach} is scored on {criterion} and is no approach of this document.",
            )
        elif score.value not in SCORES:
            yield Problem(
                "decision_scores",
                f"{approach} has {score.value} on {criterion}; scores go from 1 to 5.",
            )
    weighed = {name for held in grid.weights.values() for name, weight in held.items() if weight}
    for criterion in grid.criteria:
        absent = [name for name in grid.approaches if (name, criterion) not in grid.scores]
        if absent and criterion in weighed:
            yield Problem(
                "decision_scores",
                f"{', '.join(absent)} {'has' if len(absent) == 1 else 'have'} no score on "
                f"{criterion}; roles that weigh it are not ranked.",
            )
