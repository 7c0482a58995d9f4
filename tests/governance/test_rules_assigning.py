"""Whom a review asks: the only one, or the one with the least to sign."""

from hypothesis import given
from hypothesis import strategies as st

from governance.rules.assigning import Candidate, choose

candidates = st.lists(
    st.builds(Candidate, person=st.integers(1, 9), load=st.integers(0, 5)),
    max_size=6,
    unique_by=lambda one: one.person,
)


def test_nobody_is_asked_where_nobody_may_sign():
    assert choose([], asked_here=()) is None


def test_the_only_one_is_asked_even_in_a_second_role():
    chosen = choose([Candidate(4, 7)], asked_here={4})
    assert chosen is not None
    assert (chosen.person, chosen.reason) == (4, "The only one who may sign in this role.")


def test_the_reason_says_how_many_reviews_waited():
    chosen = choose([Candidate(1, 3), Candidate(2, 1)], asked_here=())
    assert chosen is not None
    assert chosen.person == 2
    assert chosen.reason == "One of 2 who may sign; one review waited for them, the fewest."


@given(candidates, st.sets(st.integers(1, 9)))
def test_nobody_with_less_to_do_and_not_asked_yet_is_passed_over(people, asked_here):
    chosen = choose(people, asked_here=asked_here)
    assert (chosen is None) == (not people)
    for other in people if chosen else ():
        loads = {one.person: one.load for one in people}
        rank = (chosen.person in asked_here, loads[chosen.person])
        assert rank <= (other.person in asked_here, other.load)
