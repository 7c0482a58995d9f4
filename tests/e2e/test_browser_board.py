"""Cards are moved by hand, by keys and by filters, and a full column says why it refuses."""

import pytest

from projects.models import WorkItem
from projects.services import wip_limits
from projects.services.wip_limits import NewLimit
from tests import factories
from tests.factories import session_actor

pytestmark = pytest.mark.browser


@pytest.fixture
def sprint(racing_db, project, data_scientist, lead):
    """Two cards to do and one in progress, in a column that takes two."""
    sprint = factories.SprintFactory(project=project, name="Sprint 1", status="active")
    cards = [("Rules first", "todo"), ("Weigh the classes", "todo"), ("Split by time", "doing")]
    for rank, (title, status) in enumerate(cards):
        factories.WorkItemFactory(
            project=project, sprint=sprint, status=status, title=title, rank=rank + 1.0,
            assignee=data_scientist, kind="bug" if rank == 1 else "task", points=3,
        )  # fmt: skip
    limits = {"doing": NewLimit(2, "block")}
    wip_limits.set_wip_limits(project, limits, actor=session_actor(lead))
    return sprint


@pytest.fixture
def sam(window, sprint, data_scientist):
    opened = window(data_scientist)
    opened.open(f"/sprints/{sprint.pk}/board/")
    return opened


def card(page, title):
    return page.locator("[data-card]", has_text=title)


def cards_in(page, column):
    return page.locator(f"[data-column='{column}'] [data-card] h3").all_inner_texts()


def column(page, name):
    return page.locator(f".board__column:has([data-column='{name}'])")


def status_of(title):
    return WorkItem.objects.get(title=title).status


def at_rest(page):
    """Wait until the board shows what the service answered."""
    page.locator("html:not(.is-busy)").wait_for(state="attached")


def test_a_card_is_dragged_and_a_full_column_sends_the_next_one_back(sam):
    page = sam.page
    with page.expect_response("**/move/"):
        card(page, "Rules first").drag_to(column(page, "doing"))
    at_rest(page)
    assert "is in Doing" in page.locator("#board-says").inner_text()
    assert status_of("Rules first") == "doing"
    with page.expect_response("**/move/"):
        card(page, "Weigh the classes").drag_to(column(page, "doing"))
    refusal = page.locator("#board-refusal")
    refusal.wait_for(state="visible")
    assert "“Doing” is full: it holds 2 and may hold 2" in refusal.inner_text()
    assert cards_in(page, "todo") == ["Weigh the classes"]
    assert status_of("Weigh the classes") == "todo"
    assert [one for one in sam.troubles() if "422" not in one] == []


def test_a_card_is_moved_by_arrow_keys_and_keeps_the_focus(sam):
    page = sam.page
    card(page, "Rules first").locator(".card__grip").focus()
    for key, expected in (
        ("ArrowRight", "doing"),
        ("ArrowRight", "review"),
        ("ArrowLeft", "doing"),
    ):
        with page.expect_response("**/board/"):
            page.keyboard.press(key)
        at_rest(page)
        page.locator(f"[data-card][data-status='{expected}']:focus-within").wait_for()
        assert status_of("Rules first") == expected
    assert page.locator("#board-says").inner_text() == "“Rules first” is in Doing."
    assert not sam.troubles()


def test_a_card_changes_its_place_by_arrow_keys(sam):
    page = sam.page
    card(page, "Weigh the classes").locator(".card__grip").focus()
    with page.expect_response("**/board/"):
        page.keyboard.press("ArrowUp")
    assert cards_in(page, "todo") == ["Weigh the classes", "Rules first"]
    first, second = WorkItem.objects.filter(status="todo").order_by("rank")
    assert (first.title, second.title) == ("Weigh the classes", "Rules first")
    at_rest(page)
    page.keyboard.press("ArrowUp")
    assert "is first already" in page.locator("#board-says").inner_text()


@pytest.mark.no_ledger_guard
def test_a_card_that_somebody_moved_meanwhile_shows_where_it_is(sam, lead):
    WorkItem.objects.filter(title="Rules first").update(status="dropped")
    page = sam.page
    with page.expect_response("**/board/"):
        card(page, "Rules first").drag_to(column(page, "doing"))
    assert "was moved to Dropped" in page.locator("#board-refusal").inner_text()
    column(page, "dropped").locator("[data-card]", has_text="Rules first").wait_for()


def test_a_board_is_filtered_and_cut_into_lanes(sam):
    page = sam.page
    page.get_by_label("Kind").select_option("bug")
    page.get_by_label("Swimlanes").select_option("assignee")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**kind=bug**")
    assert cards_in(page, "todo") == ["Weigh the classes"]
    assert page.locator(".lane__title").inner_text().startswith("Sam")
    page.get_by_role("link", name="Clear filters").click()
    page.wait_for_load_state("load")
    assert len(cards_in(page, "todo")) == 2
    assert not sam.troubles()


def test_the_backlog_is_ranked_by_hand_and_by_keys(window, racing_db, project, data_scientist):
    for rank, title in enumerate(("Alpha", "Beta", "Gamma")):
        factories.WorkItemFactory(project=project, title=title, rank=rank + 1.0)
    sam = window(data_scientist)
    sam.open(f"/projects/{project.slug}/backlog/")
    page = sam.page

    def titles():
        rows = project.work_items.order_by("rank", "pk")
        return list(rows.values_list("title", flat=True))

    with page.expect_response("**/backlog/"):
        card(page, "Gamma").drag_to(card(page, "Alpha"), target_position={"x": 60, "y": 4})
    at_rest(page)
    assert titles() == ["Gamma", "Alpha", "Beta"]
    card(page, "Gamma").locator(".card__grip").focus()
    with page.expect_response("**/backlog/"):
        page.keyboard.press("ArrowDown")
    assert titles() == ["Alpha", "Gamma", "Beta"]
    assert not sam.troubles()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/sprints/{pk}/board/?lanes=kind", "/projects/{slug}/backlog/"])
def test_board_and_backlog_fit_the_window_and_name_their_controls(
    window, sprint, project, lead, width, path
):
    factories.WorkItemFactory(project=project, title="A title that is rather long " * 5)
    lena = window(lead, width=width)
    lena.open(path.format(pk=sprint.pk, slug=project.slug))
    assert lena.overflows() == []
    assert [one for one in lena.controls() if not one[1]] == []
    assert not lena.troubles()
