"""Commands of the board: limits on work in progress, and the order of the work."""

import pytest

from ledger.models import LedgerEntry
from projects import errors
from projects.models import WipLimit, WorkItem
from projects.rules.ranking import STEP
from projects.services import card_moves, ranking, sprints, wip_limits, work_items
from projects.services.boards import Filters, board_of
from projects.services.card_moves import CardMove
from projects.services.wip_limits import NewLimit
from projects.services.work_items import NewWorkItem
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_guards(settings):
    settings.SPRINT_GUARDS = []


@pytest.fixture
def sprint(project):
    return factories.SprintFactory(project=project, status="active")


@pytest.fixture
def other_sprint(project):
    return factories.SprintFactory(project=project, status="active")


@pytest.fixture
def full(project, lead, actor, sprint, other_sprint):
    """A limit of two in Doing that blocks, with one item in each of two active sprints."""
    for home in (sprint, other_sprint):
        factories.WorkItemFactory(project=project, sprint=home, status="doing")
    limits = {"doing": NewLimit(2, "block")}
    return wip_limits.set_wip_limits(project, limits, actor=actor(lead))


def waiting_in(sprint, **fields):
    return factories.WorkItemFactory(
        project=sprint.project, sprint=sprint, **{"status": "todo", **fields}
    )


def test_a_full_column_refuses_one_more_over_all_sprints(full, sprint, data_scientist, actor):
    item = waiting_in(sprint)
    entries = LedgerEntry.objects.count()
    with pytest.raises(errors.RuleViolated) as refusal:
        work_items.move_work_item(item, "doing", actor=actor(data_scientist))
    assert refusal.value.code == "wip_limit_reached"
    assert refusal.value.details["reasons"] == ["Doing holds 2 of at most 2."]
    item.refresh_from_db()
    assert (item.status, LedgerEntry.objects.count()) == ("todo", entries)


def test_room_made_elsewhere_lets_the_next_one_in(full, sprint, data_scientist, actor):
    item = waiting_in(sprint)
    done = WorkItem.objects.filter(status="doing").exclude(sprint=sprint).get()
    work_items.move_work_item(done, "review", actor=actor(data_scientist))
    assert work_items.move_work_item(item, "doing", actor=actor(data_scientist)).status == "doing"


@pytest.mark.parametrize("status", ["planned", "closed"])
def test_only_active_sprints_count(full, other_sprint, sprint, data_scientist, actor, status):
    type(other_sprint).objects.filter(pk=other_sprint.pk).update(status=status)
    item = waiting_in(sprint)
    assert work_items.move_work_item(item, "doing", actor=actor(data_scientist)).status == "doing"


def test_a_warning_limit_lets_in_and_shows_that_it_is_over(
    full, project, sprint, lead, data_scientist, actor
):
    limits = {"doing": NewLimit(2, "warn")}
    wip_limits.set_wip_limits(project, limits, actor=actor(lead))
    work_items.move_work_item(waiting_in(sprint), "doing", actor=actor(data_scientist))
    wip = wip_limits.wip_of(project)["doing"]
    assert (wip.held, wip.most, wip.is_over) == (3, 2, True)


def test_every_way_into_a_column_asks_for_room(project, sprint, lead, actor):
    limits = {"todo": NewLimit(1, "block"), "doing": NewLimit(1, "block")}
    wip_limits.set_wip_limits(project, limits, actor=actor(lead))
    waiting_in(sprint)
    planned = factories.SprintFactory(project=project)
    begun = factories.WorkItemFactory(project=project, sprint=planned, status="doing")
    waiting_in(sprint, status="doing")
    reopened = waiting_in(sprint, status="done")
    fresh = factories.WorkItemFactory(project=project)
    attempts = [
        lambda: work_items.schedule_work_item(fresh, sprint, actor=actor(lead)),
        lambda: work_items.schedule_work_item(begun, sprint, actor=actor(lead)),
        lambda: work_items.move_work_item(reopened, "doing", actor=actor(lead)),
        lambda: work_items.add_work_item(
            project, NewWorkItem(kind="task", title="New", sprint=sprint), actor=actor(lead)
        ),
    ]
    for attempt in attempts:
        with pytest.raises(errors.RuleViolated) as refusal:
            attempt()
        assert refusal.value.code == "wip_limit_reached"
    assert not WorkItem.objects.filter(title="New").exists()


def test_an_item_that_is_counted_may_change_its_sprint(full, sprint, other_sprint, lead, actor):
    item = WorkItem.objects.get(sprint=sprint, status="doing")
    assert work_items.schedule_work_item(item, other_sprint, actor=actor(lead)).status == "doing"


def test_a_starting_sprint_is_not_held_up_by_a_limit(full, project, lead, actor):
    planned = factories.SprintFactory(project=project)
    factories.WorkItemFactory(project=project, sprint=planned, status="doing")
    sprints.start_sprint(planned, actor=actor(lead))
    assert wip_limits.wip_of(project)["doing"].is_over


def test_limits_are_replaced_as_a_whole(full, project, lead, actor):
    wip_limits.set_wip_limits(project, {"review": NewLimit(3)}, actor=actor(lead))
    held = {limit.column: (limit.most, limit.mode) for limit in WipLimit.objects.all()}
    assert held == {"review": (3, "warn")}
    assert LedgerEntry.objects.filter(event="board.limits_set").count() == 2


def test_wrong_limits_are_all_named_and_nothing_is_set(full, project, lead, data_scientist, actor):
    wrong = {"done": NewLimit(3), "doing": NewLimit(0, "never")}
    with pytest.raises(errors.InvalidInput) as refusal:
        wip_limits.set_wip_limits(project, wrong, actor=actor(lead))
    assert refusal.value.code == "invalid_wip_limits"
    assert set(refusal.value.details["errors"]) == {"done", "doing"}
    with pytest.raises(errors.NotPermitted):
        wip_limits.set_wip_limits(project, {}, actor=actor(data_scientist))
    assert WipLimit.objects.get().most == 2


# --- Order ----------------------------------------------------------------------------------------


@pytest.fixture
def rows(project):
    return [
        factories.WorkItemFactory(project=project, title=title, rank=float(place))
        for place, title in enumerate("abcd")
    ]


def order(project):
    return "".join(project.work_items.order_by("rank", "pk").values_list("title", flat=True))


@pytest.mark.parametrize(
    "case",
    [
        (3, "before", 0, "dabc"),
        (0, "after", 3, "bcda"),
        (0, "after", 1, "bacd"),
        (3, "before", 2, "abdc"),
        (2, "before", 1, "acbd"),
    ],
)
def test_an_item_goes_next_to_another(rows, project, data_scientist, actor, case):
    who, side, neighbour, expected = case
    item = rows[who]
    ranking.rank_work_item(item, actor=actor(data_scientist), **{side: rows[neighbour]})
    assert order(project) == expected
    assert item.events.get().data == {side: rows[neighbour].ref}
    assert LedgerEntry.objects.get(event="work_item.ranked").subject == item.ref


def test_where_it_stands_already_nothing_is_written(rows, project, data_scientist, actor):
    ranking.rank_work_item(rows[1], before=rows[2], actor=actor(data_scientist))
    assert order(project) == "abcd"
    assert not LedgerEntry.objects.filter(event="work_item.ranked").exists()


def test_ranks_are_dealt_out_anew_when_no_number_is_left(rows, project, data_scientist, actor):
    project.work_items.update(rank=0)
    ranking.rank_work_item(rows[3], before=rows[1], actor=actor(data_scientist))
    assert order(project) == "adbc"
    ranks = list(project.work_items.order_by("rank").values_list("rank", flat=True))
    assert ranks == [STEP, 2 * STEP, 3 * STEP, 4 * STEP]
    for turn in range(70):  # halves the same gap until it is used up
        mover, other = (rows[1], rows[3]) if turn % 2 else (rows[3], rows[1])
        ranking.rank_work_item(mover, before=other, actor=actor(data_scientist))
    assert order(project) == "abdc"


def test_a_new_item_goes_to_the_end(rows, project, lead, actor):
    work_items.add_work_item(project, NewWorkItem(kind="task", title="e"), actor=actor(lead))
    assert order(project) == "abcde"


def test_wrong_neighbours_are_refused(rows, project, data_scientist, auditor, actor):
    foreign = factories.WorkItemFactory()
    wrong = [{}, {"before": rows[0]}, {"after": foreign}, {"before": rows[1], "after": rows[2]}]
    for sides in wrong:
        with pytest.raises(errors.InvalidInput) as refusal:
            ranking.rank_work_item(rows[0], actor=actor(data_scientist), **sides)
        assert refusal.value.code == "invalid_rank"
    with pytest.raises(errors.NotPermitted):
        ranking.rank_work_item(rows[0], after=rows[2], actor=actor(auditor))
    assert order(project) == "abcd"


# --- Cards ----------------------------------------------------------------------------------------


def test_a_card_goes_to_a_column_and_a_place_at_once(sprint, data_scientist, actor):
    first, second = (waiting_in(sprint, status="doing", rank=n) for n in (1.0, 2.0))
    item = waiting_in(sprint, rank=9.0)
    move = CardMove(to="doing", seen="todo", before=second)
    card_moves.move_card(item, move, actor=actor(data_scientist))
    doing = WorkItem.objects.filter(status="doing").order_by("rank")
    assert list(doing) == [first, item, second]


def test_a_refused_column_leaves_the_place_too(full, sprint, data_scientist, actor):
    item, other = waiting_in(sprint, rank=1.0), waiting_in(sprint, rank=2.0)
    move = CardMove(to="doing", seen="todo", after=other)
    with pytest.raises(errors.RuleViolated):
        card_moves.move_card(item, move, actor=actor(data_scientist))
    item.refresh_from_db()
    assert (item.status, item.rank) == ("todo", 1.0)


def test_a_card_that_somebody_moved_meanwhile_says_where_it_is(sprint, data_scientist, lead, actor):
    item = waiting_in(sprint)
    stale = WorkItem.objects.get(pk=item.pk)
    work_items.move_work_item(item, "doing", actor=actor(lead))
    for seen in (WorkItem.objects.get(pk=item.pk), stale):
        move = CardMove(to="dropped", seen="todo")
        with pytest.raises(errors.StaleState) as refusal:
            card_moves.move_card(seen, move, actor=actor(data_scientist))
        assert refusal.value.code == "card_moved_meanwhile"
        assert "moved to Doing" in refusal.value.message
    item.refresh_from_db()
    assert item.status == "doing"


# --- Reading --------------------------------------------------------------------------------------


def shown(board):
    return sorted(
        card.item.title for lane in board.lanes for column in lane.columns for card in column.cards
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "abc"),
        (Filters(kind="bug"), "b"),
        (Filters(assignee="sam"), "a"),
        (Filters(assignee="nobody"), "bc"),
        (Filters(text="NEEDLE"), "c"),
        (Filters(mine=True), "a"),
        (Filters(kind="bug", mine=True), ""),
    ],
)
def test_filters_cut_the_cards_and_not_the_limits(
    sprint, project, data_scientist, actor, filters, expected
):
    waiting_in(sprint, title="a", assignee=data_scientist)
    waiting_in(sprint, title="b", kind="bug")
    waiting_in(sprint, title="c", description="a needle in hay")
    board = board_of(project, [sprint], filters, lanes="none", actor=actor(data_scientist))
    assert "".join(shown(board)) == expected
    assert (board.total, board.wip["todo"].held) == (3, 3)


def test_swimlanes_hold_every_card_once(sprint, project, data_scientist, actor):
    epic = factories.WorkItemFactory(project=project, kind="epic", title="Uplift")
    waiting_in(sprint, title="a", assignee=data_scientist, parent=epic)
    waiting_in(sprint, title="b", kind="bug", status="done")
    titles = {}
    for lanes in ("none", "assignee", "epic", "kind"):
        board = board_of(project, [sprint], Filters(), lanes=lanes, actor=actor(data_scientist))
        assert shown(board) == ["a", "b"]
        titles[lanes] = [lane.title for lane in board.lanes]
    assert titles == {
        "none": [""],
        "assignee": ["Sam", "Nobody yet"],
        "epic": ["Uplift", "No epic"],
        "kind": ["Bug", "Task"],
    }
