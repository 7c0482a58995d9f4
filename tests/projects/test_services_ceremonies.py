"""Meetings and what they promise: by the rules, the commands, REST and the pages."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from ledger.models import LedgerEntry
from projects import errors
from projects.models import Ceremony, RetrospectiveAction, Sprint, SprintCapacity, WorkItem
from projects.rules import ceremonies as rules
from projects.services import ceremonies
from projects.services.ceremonies import Action, Feedback, HeldMeeting, RetroNote
from tests import factories

TODAY = date(2026, 11, 25)
ROLES = {"lena": {"lead"}, "bruno": {"business_owner"}, "sam": {"data_scientist"}}
KICKOFF = {
    "needs": ["a list"],
    "current_process": "calls",
    "constraints": ["May"],
    "end_state": "x",
}
V1 = "/api/v1"


def held(kind, **changes):
    fields = {
        "kind": kind,
        "held_on": TODAY,
        "today": TODAY,
        "attendees": frozenset({"lena", "bruno"}),
        "roles": ROLES,
    }
    return rules.Held(**{**fields, **changes})


KICKED_OFF = {"output": KICKOFF, "decider": "bruno"}
ACCEPTED = {
    "output": {"evaluators": ["eva"], "survey": "Eight of ten would use it."},
    "decider": "bruno",
    "decision": "go",
    "attendees": frozenset({"lena", "bruno", "eva"}),
}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("kickoff", KICKED_OFF),
        ("acceptance", ACCEPTED),
        ("planning", {"output": {"goal": "Learn"}}),
        ("review", {"output": {"shown": "A list"}}),
        ("retrospective", {"actions": 1}),
        ("retrospective", {"output": {"no_actions_because": "All well."}}),
    ],
)
def test_whole_meetings_are_accepted(kind, changes):
    assert rules.reasons_against(held(kind, **changes)) == []


@pytest.mark.parametrize(
    ("kind", "changes", "word"),
    [
        ("kickoff", {**KICKED_OFF, "output": {**KICKOFF, "needs": []}}, "Needs"),
        ("kickoff", {**KICKED_OFF, "held_on": TODAY + timedelta(days=1)}, "in the future"),
        ("kickoff", {**KICKED_OFF, "attendees": frozenset({"bruno"})}, "No lead was there"),
        ("kickoff", {**KICKED_OFF, "decider": ""}, "Name who decides"),
        ("kickoff", {**KICKED_OFF, "decision": "go"}, "decides nothing"),
        ("acceptance", {**ACCEPTED, "decision": ""}, "ends with a decision"),
        ("acceptance", {**ACCEPTED, "builders": frozenset({"eva"})}, "eva worked on it"),
        ("review", {"output": {"shown": "x"}, "decision": "stop"}, "Name who decides"),
        ("review", {"output": {"shown": "x"}, "demo_due": "May", "demo": "June"}, "not June"),
        ("review", {"output": {"shown": "x"}, "demo_due": "May"}, "none was named"),
        ("retrospective", {}, "Record an action"),
    ],
)
def test_one_missing_thing_is_named(kind, changes, word):
    (reason,) = rules.reasons_against(held(kind, **changes))
    assert word in reason


def test_decider_holds_a_deciding_role_and_is_present():
    absent, role = rules.reasons_against(held("kickoff", output=KICKOFF, decider="sam"))
    assert "was not there" in absent
    assert "takes the role of" in role


def test_a_dozen_approaches_are_not_put_to_the_business():
    output = {"approaches": ["a", "b", "c", "d"], "risks": ["r"], "prototype_date": "May"}
    meeting = held("post_research", output=output, decider="lena", decision="go")
    (reason,) = rules.reasons_against(meeting)
    assert "at most 3" in reason


def test_the_six_milestones_are_those_of_the_scope():
    assert set(rules.MILESTONES) == {
        "kickoff", "post_research", "post_experimentation", "sprint_reviews", "acceptance",
        "preproduction",
    }  # fmt: skip


def test_all_praise_and_other_demo_data_give_pause():
    (praise,) = rules.warnings(held("acceptance", **ACCEPTED))
    assert "only praise" in praise
    assert not rules.warnings(held("acceptance", **ACCEPTED, has_negative=True))
    changed = {"demo_changed_because": "May is locked.", "shown": "x"}
    meeting = held("review", output=changed, demo_due="May", demo="June")
    assert rules.reasons_against(meeting) == []
    assert "standing demo data, May" in rules.warnings(meeting)[0]


# --- Commands -------------------------------------------------------------------------------------


@pytest.fixture
def sprint(project):
    return factories.SprintFactory(project=project, status="active", name="Sprint 1")


@pytest.fixture
def team(lead, business_owner):
    return [lead, business_owner]


def review_of(sprint, team, **changes):
    fields = {"output": {"shown": "The list"}, "sprint": sprint}
    return HeldMeeting("review", timezone.localdate(), team, **{**fields, **changes})


def record(project, meeting, user):
    return ceremonies.record_ceremony(
        project, meeting, actor=factories.session_actor(user)
    ).ceremony


@pytest.mark.django_db
def test_negative_feedback_becomes_work_and_ideas_are_parked(project, sprint, team, lead):
    said = [
        Feedback("positive", "Good order"),
        Feedback("negative", "The list is late", "Nora"),
        Feedback("idea", "Show the reason"),
    ]
    ceremony = record(project, review_of(sprint, team, feedback=said), lead)
    good, bad, idea = ceremony.feedback.all()
    assert good.work_item is None
    assert (bad.work_item.kind, bad.work_item.status) == ("bug", "backlog")
    assert "Nora" in bad.work_item.description
    assert (idea.work_item.kind, idea.work_item.status) == ("story", "backlog")
    assert set(ceremony.attendees.all()) == set(team)
    assert LedgerEntry.objects.get(event="ceremony.recorded").subject == ceremony.ref


@pytest.mark.django_db
def test_a_refused_meeting_leaves_nothing(project, sprint, team, lead):
    meeting = review_of(sprint, team[1:], feedback=[Feedback("negative", "Late")])
    with pytest.raises(errors.RuleViolated) as refusal:
        record(project, meeting, lead)
    assert refusal.value.code == "meeting_incomplete"
    assert not Ceremony.objects.exists()
    assert not WorkItem.objects.exists()
    assert not LedgerEntry.objects.filter(event="ceremony.recorded").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["auditor", "validator"])
def test_only_the_team_records_meetings(project, sprint, team, request, who):
    with pytest.raises(errors.NotPermitted):
        record(project, review_of(sprint, team), request.getfixturevalue(who))


@pytest.mark.django_db
def test_planning_keeps_capacity_and_commitment(project, sprint, team, lead, data_scientist):
    SprintCapacity.objects.create(sprint=sprint, person=data_scientist, days=5)
    factories.WorkItemFactory(project=project, sprint=sprint, title="Train")
    meeting = HeldMeeting(
        "planning", timezone.localdate(), team, sprint=sprint, output={"goal": "Learn"}
    )
    output = record(project, meeting, lead).output
    assert output["capacity"] == [{"person": "sam", "days": 5.0, "points": None}]
    assert [one["title"] for one in output["commitment"]] == ["Train"]


def retrospective_of(sprint, team, owner, **changes):
    action = Action("Pair on reviews", owner, timezone.localdate())
    fields = {"sprint": sprint, "actions": [action], "retro_notes": [RetroNote("keep", "Demos")]}
    return HeldMeeting("retrospective", timezone.localdate(), team, **{**fields, **changes})


@pytest.fixture
def promise(project, sprint, team, lead):
    return record(project, retrospective_of(sprint, team, lead), lead).actions.get()


@pytest.mark.django_db
def test_an_action_is_carried_until_it_is_closed(project, promise, lead):
    assert list(ceremonies.open_actions(project)) == [promise]
    ceremonies.close_action(promise, actor=factories.session_actor(lead), note="Done weekly.")
    assert list(ceremonies.open_actions(project)) == []
    assert (promise.status, promise.closing_note) == ("closed", "Done weekly.")
    with pytest.raises(errors.InvalidTransition):
        ceremonies.close_action(promise, actor=factories.session_actor(lead))


@pytest.mark.django_db
def test_an_action_is_dropped_with_a_reason(promise, lead):
    with pytest.raises(errors.InvalidInput) as refusal:
        ceremonies.drop_action(promise, actor=factories.session_actor(lead), note=" ")
    assert refusal.value.code == "reason_missing"
    ceremonies.drop_action(promise, actor=factories.session_actor(lead), note="Moot.")
    assert promise.status == "dropped"


@pytest.mark.django_db
def test_every_wrong_field_is_named(project, sprint, team, lead, outsider):
    yesterday = timezone.localdate() - timedelta(days=1)
    meeting = retrospective_of(
        factories.SprintFactory(), team, lead,
        actions=[Action("x", outsider, timezone.localdate()), Action("y", lead, yesterday)],
        retro_notes=[RetroNote("maybe", "z")], output={"nonsense": "1"},
    )  # fmt: skip
    with pytest.raises(errors.InvalidInput) as refusal:
        record(project, meeting, lead)
    assert set(refusal.value.details["errors"]) == {
        "sprint", "actions.0", "actions.1", "retro_notes.0", "output.nonsense",
    }  # fmt: skip


# --- Doors ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_meeting_over_rest(project, sprint, lead, api):
    body = {
        "project": project.pk,
        "sprint": sprint.pk,
        "kind": "review",
        "held_on": timezone.localdate().isoformat(),
        "attendees": ["lena", "bruno"],
        "output": {"shown": "The list"},
        "feedback": [{"sentiment": "negative", "text": "Late"}],
    }
    answer = api(lead).post(f"{V1}/ceremonies/", body, format="json")
    assert answer.status_code == 201, answer.data
    assert answer.data["feedback"][0]["work_item"]
    assert "no standing demo data" in answer.data["warnings"][0]
    refused = api(lead).post(f"{V1}/ceremonies/", {**body, "output": {}}, format="json")
    assert (refused.status_code, refused.data["code"]) == (422, "meeting_incomplete")
    unknown = api(lead).post(f"{V1}/ceremonies/", {**body, "attendees": ["zoe"]}, format="json")
    assert (unknown.status_code, unknown.data["code"]) == (400, "unknown_user")


@pytest.mark.django_db
def test_strangers_see_no_meeting(project, promise, outsider, api):
    assert api(outsider).get(f"{V1}/ceremonies/").data["results"] == []
    assert api(outsider).get(f"{V1}/ceremonies/{promise.ceremony.pk}/").status_code == 404
    url = f"{V1}/retrospective-actions/{promise.pk}/close/"
    assert api(outsider).post(url, {}, format="json").status_code == 404


@pytest.mark.django_db
def test_action_is_closed_over_rest(promise, data_scientist, auditor, api):
    url = f"{V1}/retrospective-actions/{promise.pk}/close/"
    assert api(auditor).post(url, {}, format="json").status_code == 403
    assert api(data_scientist).post(url, {"note": "ok"}, format="json").data["status"] == "closed"
    assert api(data_scientist).post(url, {}, format="json").status_code == 409


@pytest.mark.django_db
def test_capacity_over_rest(sprint, lead, data_scientist, api):
    url = f"{V1}/sprints/{sprint.pk}/capacity/"
    factories.WorkItemFactory(
        project=sprint.project, sprint=sprint, points=8, assignee=data_scientist
    )
    body = {"people": [{"person": "sam", "days": 5, "points": 3}]}
    answer = api(lead).put(url, body, format="json")
    assert answer.status_code == 200, answer.data
    assert answer.data["is_over"] is True
    assert answer.data["reasons"][0] == "Sam is given 8 points and can take 3."
    assert api(data_scientist).put(url, body, format="json").status_code == 403
    wrong = {"people": [{"person": "zoe", "days": 5}]}
    refused = api(lead).put(url, wrong, format="json")
    assert (refused.status_code, refused.data["code"]) == (400, "invalid_capacity")
    assert api(lead).get(url).data["people"][0]["person"] == "sam"


PAGES = ["planning", "review", "retrospective", "closing"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_pages_of_a_sprint(sprint, promise, auditor, outsider, client_for, name):
    url = f"/sprints/{sprint.pk}/{name}/"
    page = client_for(auditor).get(url)
    assert page.status_code == 200
    assert b"Record the meeting" not in page.content
    assert client_for(outsider).get(url).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["planning", "retrospective"])
def test_open_actions_stand_on_later_pages(project, promise, lead, client_for, name):
    later = factories.SprintFactory(project=project)
    assert b"Pair on reviews" in client_for(lead).get(f"/sprints/{later.pk}/{name}/").content


@pytest.mark.django_db
def test_form_keeps_what_was_typed_on_refusal(sprint, lead, client_for):
    typed = {
        "kind": "review",
        "held_on": timezone.localdate().isoformat(),
        "attendees": ["bruno"],
        "output_shown": "Half a <list>",
        "feedback_sentiment": ["negative", "idea"],
        "feedback_text": ["Too late", ""],
        "feedback_said_by": ["Nora", ""],
    }
    url = f"/sprints/{sprint.pk}/review/"
    page = client_for(lead).post(url, typed)
    text = page.content.decode()
    assert page.status_code == 422
    assert "No lead was there" in text
    assert "Half a &lt;list&gt;" in text
    assert 'value="Too late"' in text
    assert 'value="bruno" checked' in text
    assert not Ceremony.objects.exists()
    done = client_for(lead).post(url, {**typed, "attendees": ["bruno", "lena"]})
    assert done.status_code == 302
    assert Ceremony.objects.get().feedback.count() == 1


@pytest.mark.django_db
def test_capacity_page_keeps_what_was_typed(sprint, lead, data_scientist, client_for):
    url, days = f"/sprints/{sprint.pk}/planning/", f"days-{data_scientist.pk}"
    page = client_for(lead).post(url, {"set_capacity": "1", days: "many"})
    assert page.status_code == 422
    assert 'value="many"' in page.content.decode()
    assert not SprintCapacity.objects.exists()
    assert client_for(lead).post(url, {"set_capacity": "1", days: "4.5"}).status_code == 302
    assert SprintCapacity.objects.get().days == 4.5


@pytest.mark.django_db
def test_meetings_page_says_what_is_due(approved_scope, lead, client_for):
    project = approved_scope.project
    approved_scope.milestones.all().delete()
    approved_scope.milestones.create(kind="kickoff", planned_on=date(2020, 1, 1))
    page = client_for(lead).get(f"/projects/{project.slug}/meetings/").content.decode()
    assert "overdue" in page
    assert "?kind=kickoff" in page
    form = client_for(lead).get(f"/projects/{project.slug}/meetings/?kind=kickoff")
    assert b"How it is done today" in form.content


@pytest.mark.django_db
def test_milestone_is_recorded_on_the_page(project, lead, client_for):
    body = {
        "kind": "kickoff",
        "held_on": timezone.localdate().isoformat(),
        "attendees": ["lena", "bruno"],
        "decider": "bruno",
        **{f"output_{name}": "\n".join(value) if isinstance(value, list) else value
           for name, value in KICKOFF.items()},
    }  # fmt: skip
    answer = client_for(lead).post(f"/projects/{project.slug}/meetings/", body, follow=True)
    assert "on record" in answer.content.decode()
    assert Ceremony.objects.get().output["needs"] == ["a list"]


@pytest.mark.django_db
def test_meetings_page_asks_as_often_for_many_meetings(
    project, promise, lead, client_for, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, url = client_for(lead), f"/projects/{project.slug}/meetings/"
    client.get(url)
    with CaptureQueriesContext(connection) as once:
        client.get(url)
    for _ in range(3):
        record(project, retrospective_of(promise.ceremony.sprint, [lead], lead), lead)
    with django_assert_num_queries(len(once)):
        client.get(url)


@pytest.mark.django_db
def test_closing_page_keeps_the_reason_and_carries_over(project, sprint, lead, client_for):
    item = factories.WorkItemFactory(project=project, sprint=sprint, status="doing")
    following = factories.SprintFactory(project=project)
    refused = client_for(lead).post(
        f"/sprints/{sprint.pk}/close/", {"review_notes": "Half done", "carry_to": following.pk}
    )
    text = refused.content.decode()
    assert refused.status_code == 422
    assert "No review of the sprint is recorded" in text
    assert "Half done" in text
    assert f'value="{following.pk}" selected' in text
    body = {"carry_to": following.pk, "force_reason": "Out of time"}
    client_for(lead).post(f"/sprints/{sprint.pk}/close/", body)
    item.refresh_from_db()
    assert (Sprint.objects.get(pk=sprint.pk).status, item.sprint) == ("closed", following)
    page = client_for(lead).get(f"/sprints/{sprint.pk}/closing/").content.decode()
    assert "Out of time" in page


@pytest.mark.django_db
def test_admin_shows_meetings_and_promises(promise, superuser, client_for):
    for name in ("ceremony", "retrospectiveaction"):
        page = client_for(superuser).get(f"/admin/projects/{name}/")
        assert page.status_code == 200
    assert RetrospectiveAction.objects.count() == 1
