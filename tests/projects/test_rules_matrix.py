"""The decision matrix: totals, ties, and where a role's choice flips."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.decision_matrix import (
    FULL_WEIGHT,
    Grid,
    Score,
    grid_of,
    judge,
    shares_at,
    total,
)
from projects.rules.decision_words import sentences_of

CRITERIA = ("quality", "upkeep", "cost")


def grid(scores, weights, criteria=CRITERIA, preferred=""):
    """Return a grid from rows of scores by approach and of weights by role."""
    return Grid(
        approaches=tuple(scores),
        criteria=criteria,
        weights={role: dict(zip(criteria, row, strict=True)) for role, row in weights.items()},
        scores={
            (name, criterion): Score(value, "measured")
            for name, row in scores.items()
            for criterion, value in zip(criteria, row, strict=True)
        },
        preferred=preferred,
    )


RULES_OR_BOOSTING = {"rules": (2, 5, 5), "boosting": (5, 2, 2)}


def test_the_total_is_the_weighted_mean_of_the_scores():
    verdict = judge(grid(RULES_OR_BOOSTING, {"scientist": (60, 20, 20)}))
    assert [(one.approach, one.total) for one in verdict.rankings[0].standings] == [
        ("boosting", Fraction(38, 10)),
        ("rules", Fraction(32, 10)),
    ]


def test_roles_that_weigh_differently_disagree_and_the_verdict_says_so():
    verdict = judge(
        grid(RULES_OR_BOOSTING, {"data_scientist": (70, 20, 10), "ml_engineer": (20, 50, 30)})
    )
    assert not verdict.is_agreed
    assert verdict.choices == {"rules": ("ml_engineer",), "boosting": ("data_scientist",)}
    assert "The roles disagree: rules for ML engineer; boosting for data scientist." in (
        sentences_of(verdict)
    )


def test_a_tie_is_said_and_shares_the_place():
    verdict = judge(grid({"a": (3, 3, 3), "b": (3, 3, 3), "c": (1, 1, 1)}, {"lead": (50, 30, 20)}))
    ranking = verdict.rankings[0]
    assert ranking.winners == ("a", "b")
    assert [one.place for one in ranking.standings] == [1, 1, 3]
    assert ranking.lead == 0
    assert "Lead: a and b tie at 3.00." in sentences_of(verdict)


def test_the_flip_names_weight_side_and_newcomer():
    # boosting - rules = (3w - 3(100 - w)) / 100, which is zero at half the weight.
    verdict = judge(grid(RULES_OR_BOOSTING, {"scientist": (60, 20, 20)}))
    flip = next(one for one in verdict.flips if one.criterion == "quality")
    assert (flip.at, flip.rises, flip.newcomer) == (50, False, "rules")
    assert (
        "Scientist gives quality 60; with less than 50 it would choose rules instead of boosting."
        in sentences_of(verdict)
    )


def test_a_choice_that_nothing_changes_is_called_settled():
    verdict = judge(grid({"a": (5, 5, 5), "b": (1, 1, 1)}, {"lead": (50, 30, 20)}))
    assert verdict.flips == ()
    assert all(band.is_whole for band in verdict.bands)
    assert "Lead keeps its choice whatever the weight of any single criterion." in (
        sentences_of(verdict)
    )


def test_a_tie_at_the_very_end_of_the_scale_is_no_flip():
    # They meet where quality weighs everything, and b is never ahead.
    verdict = judge(grid({"a": (3, 5, 5), "b": (3, 1, 1)}, {"lead": (50, 25, 25)}))
    assert verdict.flips == ()


def test_steepest_of_two_rivals_at_one_point_wins_behind_it():
    scores = {"a": (1, 5, 5), "b": (3, 3, 3), "c": (5, 1, 1)}
    verdict = judge(grid(scores, {"lead": (20, 40, 40)}))
    flip = next(one for one in verdict.flips if one.criterion == "quality")
    assert (flip.at, flip.newcomer) == (50, "c")


@pytest.mark.parametrize("weights", [(50, 30, 19), (50, 30, 21), (0, 0, 0)])
def test_weights_that_do_not_add_up_are_not_ranked(weights):
    verdict = judge(grid(RULES_OR_BOOSTING, {"lead": weights, "owner": (40, 30, 30)}))
    assert [ranking.role for ranking in verdict.rankings] == ["owner"]
    assert verdict.problems[0].row == "decision_weights"
    assert f"add up to {sum(weights)}, not 100" in verdict.problems[0].sentence


def test_a_missing_score_is_named_and_only_roles_that_weigh_it_are_left_out():
    whole = grid(RULES_OR_BOOSTING, {"lead": (50, 50, 0), "owner": (40, 30, 30)})
    scores = {key: score for key, score in whole.scores.items() if key != ("rules", "cost")}
    verdict = judge(Grid(whole.approaches, whole.criteria, whole.weights, scores))
    assert [ranking.role for ranking in verdict.rankings] == ["lead"]
    assert [one.sentence for one in verdict.problems] == [
        "rules has no score on cost; roles that weigh it are not ranked."
    ]


def test_scores_of_strangers_and_outside_the_scale_are_problems():
    whole = grid(RULES_OR_BOOSTING, {"lead": (50, 30, 20)})
    scores = {**whole.scores, ("oracle", "quality"): Score(5), ("rules", "cost"): Score(6)}
    verdict = judge(Grid(whole.approaches, whole.criteria, whole.weights, scores))
    said = " ".join(one.sentence for one in verdict.problems)
    assert "oracle is scored on quality and is no approach" in said
    assert "rules has 6 on cost" in said
    assert verdict.rankings == ()


def test_one_approach_is_no_choice():
    verdict = judge(grid({"rules": (5, 5, 5)}, {"lead": (50, 30, 20)}))
    assert (verdict.rankings, verdict.problems[0].row) == ((), "approaches")


def test_an_empty_matrix_has_no_problem_and_no_ranking():
    verdict = judge(grid_of({}))
    assert verdict.grid.is_empty
    assert (verdict.problems, verdict.rankings) == ((), ())


def test_the_document_that_ranks_another_approach_first_is_told():
    verdict = judge(
        grid(RULES_OR_BOOSTING, {"lead": (10, 50, 40), "owner": (0, 50, 50)}, preferred="boosting")
    )
    assert "All roles choose rules, yet the document ranks boosting first." in sentences_of(verdict)


def test_the_grid_is_read_from_a_scope_in_the_order_of_the_ranks():
    content = {
        "approaches": [{"name": "boosting", "rank": 2}, {"name": "rules", "rank": 1}],
        "decision_weights": [{"role": "lead", "criterion": "quality", "weight": 100}],
        "decision_scores": [
            {"approach": "rules", "criterion": "quality", "score": 2, "evidence": "run 1"},
            {"approach": "boosting", "criterion": "quality", "score": 4, "evidence": " "},
        ],
    }
    verdict = judge(grid_of(content))
    assert verdict.grid.approaches == ("rules", "boosting")
    assert verdict.grid.preferred == "rules"
    assert verdict.without_evidence == (("boosting", "quality"),)
    assert verdict.rankings[0].winners == ("boosting",)


# --- Laws ---------------------------------------------------------------------------------------


@st.composite
def weighings(draw, size):
    """Draw whole weights that add up to 100."""
    cuts = sorted(draw(st.lists(st.integers(0, FULL_WEIGHT), min_size=size - 1, max_size=size - 1)))
    edges = [0, *cuts, FULL_WEIGHT]
    return tuple(high - low for low, high in pairwise(edges))


@st.composite
def grids(draw, top=5):
    size = draw(st.integers(2, 5))
    criteria = tuple(f"criterion {number}" for number in range(size))
    row = st.tuples(*[st.integers(1, top)] * size)
    approaches = draw(st.integers(2, 5))
    scores = {f"approach {number}": draw(row) for number in range(approaches)}
    return grid(scores, {"lead": draw(weighings(size))}, criteria)


def order(verdict):
    return [(one.place, one.approach) for one in verdict.rankings[0].standings]


@given(grids(top=3))
def test_stretching_every_score_keeps_the_ranking(drawn):
    stretched = {key: Score(2 * score.value - 1) for key, score in drawn.scores.items()}
    assert order(judge(drawn)) == order(
        judge(Grid(drawn.approaches, drawn.criteria, drawn.weights, stretched))
    )


@given(grids())
def test_a_dominated_approach_never_wins_alone_and_never_takes_over(drawn):
    best = drawn.approaches[0]
    scores = dict(drawn.scores)
    for criterion in drawn.criteria:
        scores["dominated", criterion] = Score(max(1, scores[best, criterion].value - 1))
    approaches = (*drawn.approaches, "dominated")
    verdict = judge(Grid(approaches, drawn.criteria, drawn.weights, scores))
    assert verdict.rankings[0].winners != ("dominated",)
    assert all(flip.newcomer != "dominated" for flip in verdict.flips)


@given(grids())
def test_at_the_flip_the_totals_are_equal_and_just_past_it_the_newcomer_leads(drawn):
    for flip in judge(drawn).flips:
        step = Fraction(1, 10**6) * (1 if flip.rises else -1)
        totals = []
        for weight in (flip.at, flip.at + step):
            shares = shares_at(drawn.weights["lead"], drawn.criteria, flip.criterion, weight)
            assert sum(shares.values()) == 1
            totals.append({name: total(drawn, name, shares) for name in drawn.approaches})
        assert totals[0][flip.winner] == totals[0][flip.newcomer] == max(totals[0].values())
        assert totals[1][flip.newcomer] == max(totals[1].values()) > totals[1][flip.winner]


@given(grids(), st.fractions(0, 1))
def test_within_its_band_the_winner_has_the_highest_total(drawn, where):
    verdict = judge(drawn)
    winner = verdict.rankings[0].winners[0]
    for band in verdict.bands:
        assert 0 <= band.low <= band.weight <= band.high <= FULL_WEIGHT
        weight = band.low + (band.high - band.low) * where
        shares = shares_at(drawn.weights["lead"], drawn.criteria, band.criterion, weight)
        totals = {name: total(drawn, name, shares) for name in drawn.approaches}
        assert totals[winner] == max(totals.values())


@given(grids())
def test_the_order_in_which_approaches_are_written_changes_no_total(drawn):
    turned = Grid(drawn.approaches[::-1], drawn.criteria, drawn.weights, drawn.scores)
    assert {(one.approach, one.total, one.place) for one in judge(drawn).rankings[0].standings} == {
        (one.approach, one.total, one.place) for one in judge(turned).rankings[0].standings
    }
