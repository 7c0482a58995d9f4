"""What a sprint held at the end of each day; every figure here is worked out by hand."""

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.rules.sprint_series import (
    COUNT,
    HOURS,
    POINTS,
    Amount,
    SprintSpan,
    as_data,
    from_data,
    ideal_line,
    sprint_series,
)
from projects.rules.work_history import (
    ItemState,
    ordered,
    present_states,
    read_event,
    states_before,
)
from projects.rules.working_days import WorkingDays, end_of_day

REF, OTHER = "sprint:1", "sprint:2"
# 2026-11-02 is a Monday; the sprint runs for two working weeks.
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
SPAN = SprintSpan(REF, date(2026, 11, 2), date(2026, 11, 13), START)


class Story:
    """Events of a sprint, told as `on(day).created(item, ...)`."""

    def __init__(self):
        self.changes = []
        self.at = START

    def on(self, day, hour=12, zone=UTC, month=11):
        self.at = datetime(2026, month, day, hour, tzinfo=zone)
        return self

    def note(self, item, kind, **data):
        number = len(self.changes)
        self.changes.append(read_event(item, self.at, number, kind, data))
        return self

    def created(self, item, points=None, hours=None, sprint=REF, status="todo"):
        return self.note(item, "created", status=status, sprint=sprint, points=points, hours=hours)

    def moved(self, item, to):
        return self.note(item, "moved", to=to)

    def series(self, span=SPAN, now=None, zone=UTC, **options):
        return sprint_series(span, self.changes, zone=zone, now=now or self.at, **options)


@pytest.fixture
def story():
    """Three items of 3, 5 and 2 points, planned on the Sunday before the sprint."""
    return Story().on(1).created(1, 3).created(2, 5).created(3, 2)


def by_day(series, name, unit=POINTS):
    return {row.day.day: getattr(row, name).of(unit) for row in series.days}


def test_what_is_in_the_sprint_at_its_start_is_the_commitment(story):
    series = story.on(3).series()
    assert series.commitment == Amount(3, 10)
    assert series.committed == (1, 2, 3)
    assert by_day(series, "remaining") == {2: 10, 3: 10}
    assert by_day(series, "added") == {2: 0, 3: 0}


def test_work_done_lowers_what_remains_from_its_day_on(story):
    series = story.on(3).moved(1, "doing").on(4).moved(1, "done").on(6).series()
    assert by_day(series, "remaining") == {2: 10, 3: 10, 4: 7, 5: 7, 6: 7}
    assert by_day(series, "done") == {2: 0, 3: 0, 4: 3, 5: 3, 6: 3}


def test_scope_added_later_rewrites_no_earlier_day(story):
    series = story.on(4).created(4, 8).on(5).series()
    assert by_day(series, "scope") == {2: 10, 3: 10, 4: 18, 5: 18}
    assert by_day(series, "added") == {2: 0, 3: 0, 4: 8, 5: 0}
    assert (series.commitment.points, series.added) == (10, (4,))


def test_scope_moved_out_counts_until_the_moment_it_left(story):
    story.on(4).note(2, "sprint_changed", left=REF, joined=OTHER, to="todo")
    series = story.on(5).series()
    assert by_day(series, "scope") == {2: 10, 3: 10, 4: 5, 5: 5}
    assert by_day(series, "removed") == {2: 0, 3: 0, 4: 5, 5: 0}
    assert series.removed == (2,)
    other = story.series(SprintSpan(OTHER, SPAN.starts_on, SPAN.ends_on, START))
    assert by_day(other, "scope") == {2: 0, 3: 0, 4: 5, 5: 5}


def test_a_reopened_item_counts_as_remaining_again(story):
    story.on(3).moved(1, "done").on(4).moved(1, "doing").on(6).moved(1, "done")
    series = story.series(now=START.replace(day=6, hour=23))
    assert by_day(series, "remaining") == {2: 10, 3: 7, 4: 10, 5: 10, 6: 7}
    assert by_day(series, "scope") == dict.fromkeys(range(2, 7), 10)


def test_a_dropped_item_is_neither_done_nor_open(story):
    series = story.on(3).moved(2, "dropped").on(4).series()
    assert by_day(series, "scope") == {2: 10, 3: 5, 4: 5}
    assert by_day(series, "remaining") == {2: 10, 3: 5, 4: 5}
    assert by_day(series, "done") == {2: 0, 3: 0, 4: 0}
    assert (series.dropped, series.done, series.unfinished) == ((2,), (), (1, 3))


def test_a_dropped_item_that_is_taken_up_again_is_scope_again(story):
    series = story.on(3).moved(2, "dropped").on(4).moved(2, "backlog").on(5).series()
    assert by_day(series, "scope") == {2: 10, 3: 5, 4: 10, 5: 10}
    assert by_day(series, "added") == {2: 0, 3: 0, 4: 5, 5: 0}


def test_carrying_over_takes_nothing_from_the_sprint_that_was_left(story):
    story.on(5).moved(1, "done")
    closed = START.replace(day=6, hour=17)
    story.at = closed
    for item in (2, 3):
        story.note(item, "sprint_changed", left=REF, joined=OTHER, to="todo")
    span = SprintSpan(REF, SPAN.starts_on, SPAN.ends_on, START, closed)
    series = story.series(span, now=closed + timedelta(days=30))
    assert by_day(series, "scope") == dict.fromkeys(range(2, 7), 10)
    assert by_day(series, "remaining") == {2: 10, 3: 10, 4: 10, 5: 7, 6: 7}
    assert (series.done, series.unfinished, series.removed) == ((1,), (2, 3), ())


def test_what_happens_after_the_end_changes_nothing(story):
    closed = START.replace(day=6)
    span = SprintSpan(REF, SPAN.starts_on, SPAN.ends_on, START, closed)
    before = story.series(span, now=closed)
    story.on(20).moved(1, "done").created(9, 13).note(2, "points_changed", to=1)
    assert story.series(span, now=closed + timedelta(days=60)) == before


def test_a_new_estimate_changes_scope_from_its_day_on(story):
    story.on(3).note(2, "points_changed", source=5, to=8)
    series = story.on(4).note(1, "points_changed", source=3, to=1).on(5).series()
    assert by_day(series, "scope") == {2: 10, 3: 13, 4: 11, 5: 11}
    assert by_day(series, "added") == {2: 0, 3: 3, 4: 0, 5: 0}
    assert by_day(series, "removed") == {2: 0, 3: 0, 4: 2, 5: 0}
    assert series.added == ()


def test_an_item_finished_before_the_start_is_not_the_sprints_work(story):
    story.on(1, hour=18).moved(3, "done")
    series = story.on(3).series()
    assert series.commitment == Amount(2, 8)
    assert by_day(series, "done") == {2: 0, 3: 0}
    assert series.done == ()


def test_an_item_finished_before_the_start_counts_once_it_is_reopened(story):
    story.on(1, hour=18).moved(3, "done").on(4).moved(3, "doing").on(5).moved(3, "done")
    series = story.on(6).series()
    assert by_day(series, "scope") == {2: 8, 3: 8, 4: 10, 5: 10, 6: 10}
    assert by_day(series, "done") == {2: 0, 3: 0, 4: 0, 5: 2, 6: 2}
    assert (series.added, series.done) == ((3,), (3,))


def test_two_changes_of_one_day_are_both_kept_as_scope_change(story):
    story.on(4).created(4, 8).moved(4, "dropped")
    series = story.on(4, hour=20).series()
    assert (by_day(series, "added")[4], by_day(series, "removed")[4]) == (8, 8)
    assert by_day(series, "scope")[4] == 10


def test_count_and_hours_are_kept_beside_points():
    story = Story().on(1).created(1, hours=4.5).created(2, hours=1.5).on(3).moved(1, "done")
    series = story.on(4).series()
    assert by_day(series, "remaining", COUNT) == {2: 2, 3: 1, 4: 1}
    assert by_day(series, "remaining", HOURS) == {2: 6.0, 3: 1.5, 4: 1.5}
    assert series.unit == HOURS


def test_a_sprint_without_estimates_is_measured_by_items(story):
    assert Story().on(1).created(1).on(3).series().unit == COUNT
    assert story.on(3).series().unit == POINTS


def test_a_sprint_that_began_late_and_overran_has_its_real_days(story):
    span = SprintSpan(REF, SPAN.starts_on, date(2026, 11, 5), START.replace(day=4))
    series = story.on(6).series(span)
    assert [row.day.day for row in series.days] == [4, 5, 6]


# --- Days -----------------------------------------------------------------------------------------


def test_the_ideal_line_stands_still_over_the_weekend():
    line = ideal_line(20, date(2026, 11, 2), date(2026, 11, 13))
    assert [line[date(2026, 11, day)] for day in (2, 6, 7, 8, 9, 13)] == [18, 10, 10, 10, 8, 0]


def test_the_ideal_line_stands_still_on_a_day_off():
    calendar = WorkingDays(holidays=frozenset({date(2026, 11, 4)}))
    line = ideal_line(8, date(2026, 11, 2), date(2026, 11, 6), calendar)
    assert list(line.values()) == [6, 4, 4, 2, 0]


def test_a_sprint_of_weekend_days_only_has_an_ideal_line_that_ends_at_nothing():
    assert list(ideal_line(4, date(2026, 11, 7), date(2026, 11, 8)).values()) == [4, 0]


def test_weekend_days_are_marked(story):
    series = story.on(9).series()
    assert [row.day.day for row in series.days if not row.is_working] == [7, 8]


@pytest.mark.parametrize(
    ("zone", "day"), [("UTC", 3), ("Asia/Tokyo", 4), ("America/Los_Angeles", 3)]
)
def test_a_day_ends_in_the_projects_time_zone(story, zone, day):
    # 20:00 in London is 05:00 of the next day in Tokyo and noon in Los Angeles.
    story.on(3, hour=20).moved(1, "done")
    series = story.series(now=START.replace(day=6), zone=ZoneInfo(zone))
    done = by_day(series, "done")
    assert [done[number] for number in (day - 1, day)] == [0, 3]


def test_a_day_of_25_hours_ends_when_its_clock_says_so():
    # Summer time ended in Berlin on 2026-10-25 at 03:00: that day lasted from 22:00 to 23:00 UTC.
    berlin = ZoneInfo("Europe/Berlin")
    assert end_of_day(date(2026, 10, 24), berlin) == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert end_of_day(date(2026, 10, 25), berlin) == datetime(2026, 10, 25, 23, tzinfo=UTC)
    start = datetime(2026, 10, 24, 8, tzinfo=UTC)
    span = SprintSpan(REF, date(2026, 10, 24), date(2026, 10, 30), start)
    story = Story().on(23, month=10).created(1, 3).created(2, 5)
    story.at = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
    story.moved(1, "done")
    story.at = datetime(2026, 10, 25, 23, 30, tzinfo=UTC)
    story.moved(2, "done")
    series = story.series(span, now=datetime(2026, 10, 27, tzinfo=UTC), zone=berlin)
    assert by_day(series, "done") == {24: 0, 25: 3, 26: 8, 27: 8}


def test_the_hour_that_is_repeated_is_ordered_by_utc():
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 25, 2, 50, tzinfo=berlin)  # still summer time
    second = datetime(2026, 10, 25, 2, 10, fold=1, tzinfo=berlin)  # twenty minutes later
    changes = [
        read_event(1, second, 1, "moved", {"to": "done"}),
        read_event(1, first, 2, "moved", {"to": "doing"}),
    ]
    assert present_states(changes)[1].status == "done"


# --- Laws -----------------------------------------------------------------------------------------

STATUSES = st.sampled_from(["backlog", "todo", "doing", "review", "done", "dropped"])
SPRINTS = st.sampled_from(["", REF, OTHER])
EVENTS = st.one_of(
    st.tuples(st.just("moved"), st.fixed_dictionaries({"to": STATUSES})),
    st.tuples(
        st.just("sprint_changed"), st.fixed_dictionaries({"joined": SPRINTS, "to": STATUSES})
    ),
    st.tuples(
        st.just("points_changed"),
        st.fixed_dictionaries({"to": st.none() | st.integers(0, 13)}),
    ),
    st.tuples(
        st.just("hours_changed"),
        st.fixed_dictionaries({"to": st.none() | st.integers(0, 80).map(lambda n: n / 4)}),
    ),
    st.tuples(
        st.just("created"),
        st.fixed_dictionaries(
            {"status": STATUSES, "sprint": SPRINTS, "points": st.none() | st.integers(0, 13)}
        ),
    ),
    st.tuples(st.just("run_linked"), st.just({"run": "r"})),
)
HISTORIES = st.lists(
    st.tuples(st.integers(1, 5), st.integers(-48, 24 * 14), EVENTS), max_size=40
).map(
    lambda rows: [
        read_event(item, START + timedelta(hours=hour), number, kind, data)
        for number, (item, hour, (kind, data)) in enumerate(rows)
    ]
)
LATER = START + timedelta(days=15)


def replayed(changes, span=SPAN):
    return sprint_series(span, changes, zone=ZoneInfo("Europe/Berlin"), now=LATER)


@given(HISTORIES)
def test_what_remains_and_what_is_done_are_the_scope_and_nothing_is_negative(changes):
    for row in replayed(changes).days:
        for unit in (COUNT, POINTS, HOURS):
            parts = [getattr(row, name).of(unit) for name in ("remaining", "done", "scope")]
            assert parts[0] + parts[1] == parts[2]
            assert min(parts) >= 0
            assert min(row.added.of(unit), row.removed.of(unit)) >= 0


@given(HISTORIES)
def test_scope_is_the_commitment_and_every_change_of_it(changes):
    series = replayed(changes)
    for unit in (COUNT, POINTS, HOURS):
        scope = series.commitment.of(unit)
        for row in series.days:
            scope += row.added.of(unit) - row.removed.of(unit)
            assert row.scope.of(unit) == scope


@given(HISTORIES)
def test_the_last_day_is_the_present_state(changes):
    series = replayed(changes)
    present = present_states(changes)
    open_now = {
        item
        for item, state in present.items()
        if state.sprint == REF and state.status not in {"done", "dropped"}
    }
    assert set(series.unfinished) == open_now
    assert series.days[-1].remaining.count == len(open_now)
    assert series.days[-1].remaining.points == sum(present[i].points or 0 for i in open_now)


@given(HISTORIES)
def test_every_item_that_was_ever_in_scope_has_one_fate(changes):
    series = replayed(changes)
    fates = [*series.done, *series.unfinished, *series.dropped, *series.removed]
    assert sorted(fates) == sorted({*series.committed, *series.added})
    assert len(fates) == len(set(fates))


@given(HISTORIES, st.randoms())
def test_the_order_in_which_events_are_read_does_not_matter(changes, random):
    shuffled = list(changes)
    random.shuffle(shuffled)
    assert ordered(shuffled) == ordered(changes)
    assert replayed(shuffled) == replayed(changes)


@given(HISTORIES)
def test_the_state_before_a_moment_is_the_state_of_the_events_until_then(changes):
    moments = [START + timedelta(days=number) for number in range(-3, 16)]
    for moment, states in zip(moments, states_before(changes, moments), strict=True):
        assert states == present_states([one for one in changes if one.at < moment])


@given(HISTORIES)
def test_a_series_survives_being_kept_as_json(changes):
    series = replayed(changes)
    assert from_data(json.loads(json.dumps(as_data(series)))) == series


def test_an_event_of_another_kind_changes_nothing():
    change = read_event(1, START, 1, "commented", {"text": "Hm."})
    assert change.applied_to(ItemState(status="doing")) == ItemState(status="doing")


def test_an_event_that_says_how_the_item_stands_is_read_whole():
    data = {"status": "doing", "sprint": REF, "points": 5, "text": "Hm."}
    before = ItemState(status="todo", hours=3.0, outcome="refuted")
    change = read_event(1, START, 1, "edited", data)
    assert change.applied_to(before) == ItemState("doing", REF, 5)
