"""Ranks between neighbours, and how full a column may get."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.ranking import dealt, place_of, rank_between
from projects.rules.wip import Wip, problems_of

FINITE = st.floats(-1e300, 1e300)


@given(FINITE, FINITE)
def test_a_rank_lies_strictly_between_or_is_not_given(one, other):
    above, below = sorted((one, other))
    rank = rank_between(above, below)
    assert rank is None or above < rank < below


@given(FINITE)
def test_a_rank_at_an_open_end_lies_beyond_or_is_not_given(edge):
    first, last = rank_between(None, edge), rank_between(edge, None)
    assert first is None or first < edge
    assert last is None or last > edge


@given(st.lists(st.integers(0, 30), max_size=120))
def test_inserting_at_any_place_keeps_the_order_whatever_happens_to_the_gaps(places):
    order, ranks = [], {}
    for pk, wanted in enumerate(places):
        place = min(wanted, len(order))
        above = ranks[order[place - 1]] if place else None
        below = ranks[order[place]] if place < len(order) else None
        rank = rank_between(above, below)
        order.insert(place, pk)
        if rank is None:
            ranks = dict(zip(order, dealt(len(order)), strict=True))
        else:
            ranks[pk] = rank
        assert sorted(ranks, key=ranks.__getitem__) == order


def test_there_is_no_room_between_equals():
    assert rank_between(3.0, 3.0) is None
    assert rank_between(1.0, 1.0 + 2**-52) is None


def test_a_place_is_found_next_to_a_neighbour():
    assert place_of([7, 8, 9], before=8, after=None) == 1
    assert place_of([7, 8, 9], before=None, after=8) == 2
    with pytest.raises(ValueError, match="10"):
        place_of([7, 8, 9], before=10, after=None)


@pytest.mark.parametrize(
    ("held", "most", "mode", "expected"),
    [
        (1, 2, "block", (False, False, False)),
        (2, 2, "block", (True, False, False)),
        (3, 2, "block", (True, False, True)),
        (2, 2, "warn", (False, True, False)),
        (9, None, "block", (False, False, False)),
    ],
)
def test_a_full_column_blocks_or_warns(held, most, mode, expected):
    wip = Wip("doing", held, most, mode)
    assert (wip.blocks, wip.warns, wip.is_over) == expected


@given(st.integers(0, 50), st.integers(1, 50))
def test_a_blocking_column_never_lets_in_more_than_its_limit(held, most):
    assert Wip("doing", held, most, "block").blocks == (held + 1 > most)


def test_every_wrong_part_of_a_limit_is_named():
    assert problems_of("todo", 1, "block") == []
    assert len(problems_of("done", 0, "maybe")) == 3
